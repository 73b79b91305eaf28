package web

import (
	"testing"

	"github.com/onceguard/onceguard/guard"
)

func TestReviewSaysWhoHasApproved(t *testing.T) {
	for want, by := range map[string][]string{"Nobody has so far.": nil, "“Run it” so far: <bdi>robert</bdi>": {"robert"}} {
		g := newFake(held("ef_1", `{}`))
		g.people = 2
		if by != nil {
			g.agreed = []guard.Endorsement{{Choice: guard.Approve, By: by}}
		}
		contains(t, newHouse(t, g).signIn(ritasKey).page("/review/rv_1"), "2 different people have to agree before it is sent.", want)
	}
}

// Who agreed first is led back to the review, which says that another person is needed.
func TestTheFirstOfTwoSeesThatAnotherIsNeeded(t *testing.T) {
	e := held("ef_1", `{}`)
	g := newFake(e)
	g.people = 2
	g.decide = func(guard.Judgement) (guard.Effect, error) { return e, nil }
	resp, _ := newHouse(t, g).signIn(ritasKey).post("/review/rv_1", decision(guard.Approve))
	if to := resp.Header.Get("Location"); to != "/review/rv_1" {
		t.Errorf("led to %q", to)
	}
}
