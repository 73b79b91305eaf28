package web

import (
	"testing"
	"time"
)

func TestQueueShowsWhatWaits(t *testing.T) {
	lost := sentOff("ef_1", `{"order_id":"A-1"}`)
	lost.Since = lost.Created.Add(time.Hour)
	h := newHouse(t, newFake(held("ef_2", `{"order_id":"A-2","amount":900}`), lost)).signIn(ritasKey)
	body := h.page("/review")
	contains(t, body, `href="/review/rv_2"`, "A-2", "Refunds above 500 need a person.", "the connection broke before the answer", ">2<",
		"made <time", `waits since <time datetime="2026-03-04T16:06:07.000Z"`)
	contains(t, h.page("/review/rv_2"), "A-2", "Run it", "Reject")
}

func TestAmountsHaveTheirCents(t *testing.T) {
	for _, c := range []struct{ number, unit, want string }{
		{"129.9", "EUR", "129.90"}, {"40", "EUR", "40.00"}, {"12.345", "EUR", "12.345"}, {"900", "JPY", "900"}, {"1.5", "BHD", "1.500"},
		{"40", "", "40"}, {"40", "points", "40"}, {"-3", "USD", "-3.00"}, {"1e40", "USD", "1e40"},
	} {
		if got := withCents(c.number, c.unit); got != c.want {
			t.Errorf("%s %s is shown as %s, want %s", c.number, c.unit, got, c.want)
		}
	}
}
