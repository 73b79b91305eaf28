package guard_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/onceguard/onceguard/guard"
)

// follows opens n streams of one person and returns how many were given.
func follows(ctx context.Context, w *world, p guard.Principal, n int) (given int) {
	w.t.Helper()
	for range n {
		_, err := w.Changes(ctx, p)
		switch guard.CodeOf(err) {
		case "":
			given++
		case guard.CodeBusy:
		default:
			w.t.Fatal(err)
		}
	}
	return given
}

func TestNobodyTakesAllStreams(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		if n := follows(ctx, w, rita, 100); n != 40 {
			t.Errorf("one person gets %d streams", n)
		}
		of := 40
		for i := range 30 {
			of += follows(ctx, w, guard.Principal{Tenant: rita.Tenant, Subject: fmt.Sprint(i), Role: guard.RoleReviewer}, 40)
		}
		if of != 400 {
			t.Errorf("one tenant gets %d streams", of)
		}
		other := guard.Principal{Tenant: "other", Subject: "rita", Role: guard.RoleReviewer}
		if n := follows(ctx, w, other, 1); n != 1 {
			t.Error("another tenant gets none")
		}
		stop()
		synctest.Wait()
		if n := follows(t.Context(), w, rita, 40); n != 40 {
			t.Errorf("of the streams that ended, %d are free again", n)
		}
	})
}
