package web

import "testing"

func TestReviewSaysWhoHasApproved(t *testing.T) {
	for want, by := range map[string][]string{"Nobody has so far.": nil, "So far: <bdi>robert</bdi>": {"robert"}} {
		g := newFake(held("ef_1", `{}`))
		g.people, g.approvedBy = 2, by
		contains(t, newHouse(t, g).signIn(ritasKey).page("/review/rv_1"), "2 different people have to approve.", want)
	}
}
