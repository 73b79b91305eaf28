package web

import (
	"testing"
)

func TestQueueShowsWhatWaits(t *testing.T) {
	h := newHouse(t, newFake(held("ef_2", `{"order_id":"A-2","amount":900}`), sentOff("ef_1", `{"order_id":"A-1"}`))).signIn(ritasKey)
	body := h.page("/review")
	contains(t, body, `href="/review/rv_2"`, "A-2", "Refunds above 500 need a person.", "the connection broke before the answer", ">2<")
	contains(t, h.page("/review/rv_2"), "A-2", "Run it", "Reject")
}
