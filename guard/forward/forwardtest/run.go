package forwardtest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// Driver is a forwarder under test.
type Driver struct {
	Forwarder guard.Forwarder

	// The limits that the forwarder was made with. Small ones (some 64 KiB) make the suite quick.
	MaxBody   int64 // of an answer's body, in bytes
	MaxHeader int64 // of an answer's head, in bytes
}

// Run holds forwarders to their promise. start is called once for each case and cleans up with t.Cleanup.
func Run(t *testing.T, start func(t *testing.T) Driver) {
	for _, group := range []struct {
		name string
		run  func(t *testing.T, start func(t *testing.T) Driver)
	}{
		{"not sent", notSent},
		{"refused target", refusedTarget},
		{"lost", lost},
		{"late", late},
		{"unreadable", unreadable},
		{"too large", tooLarge},
		{"status", status},
		{"redirect", redirect},
		{"complete", complete},
		{"exact bytes", exactBytes},
		{"reserved headers", reservedHeaders},
		{"kept connection", keptConnection},
		{"callers apart", callersApart},
	} {
		t.Run(group.name, func(t *testing.T) { group.run(t, start) })
	}
}

// canary is in every place where an argument or a secret may be; no detail may hold it.
const canary = "c4n4ry"

// patience bounds attempts that are expected to end by themselves; brief those that are expected to time out.
const (
	patience = 20 * time.Second
	brief    = 150 * time.Millisecond
)

// attempt is an ordinary call of url, full of canaries.
func attempt(url string) guard.Attempt {
	return guard.Attempt{
		Effect:  "effect-1",
		Tool:    "payments.refund",
		Method:  http.MethodPost,
		URL:     url + "/refunds?order=" + canary,
		Header:  map[string][]string{"Authorization": {"Bearer " + canary}, "Idempotency-Key": {canary}},
		Body:    []byte(`{"order":"` + canary + `"}`),
		Private: true,
		Timeout: patience,
	}
}

// send makes the attempt and holds the outcome against the laws of all outcomes.
func (d Driver) send(t *testing.T, a guard.Attempt) guard.Outcome {
	t.Helper()
	began := time.Now()
	out := d.Forwarder.Send(t.Context(), a)
	check(t, out)
	if took := time.Since(began); took > a.Timeout+5*time.Second {
		t.Errorf("Send took %v, the attempt's timeout is %v", took, a.Timeout)
	}
	return out
}

// check holds an outcome against what is true of all of them.
func check(t *testing.T, out guard.Outcome) {
	t.Helper()
	states := map[guard.Code]guard.State{
		guard.CodeUpstreamDone:     guard.Done,
		guard.CodeUpstreamRefused:  guard.Failed,
		guard.CodeNotSent:          guard.Failed,
		guard.CodeUpstreamStatus:   guard.Unknown,
		guard.CodeUpstreamTimeout:  guard.Unknown,
		guard.CodeUpstreamLost:     guard.Unknown,
		guard.CodeUpstreamGarbled:  guard.Unknown,
		guard.CodeUpstreamOversize: guard.Unknown,
	}
	if want, ok := states[out.Code]; !ok || out.State != want {
		t.Errorf("code %q comes with state %q, want %q", out.Code, out.State, want)
	}
	if out.Sent == (out.Code == guard.CodeNotSent) {
		t.Errorf("code %q says Sent = %v", out.Code, out.Sent)
	}
	if out.Result != nil && (out.Result.Source != guard.FromUpstream || out.Result.IsError != (out.State != guard.Done)) {
		t.Errorf("state %q comes with source %q and IsError = %v", out.State, out.Result.Source, out.Result.IsError)
	}
	if answered := out.State == guard.Done || out.Code == guard.CodeUpstreamRefused || out.Code == guard.CodeUpstreamStatus; answered != (out.Result != nil) {
		t.Errorf("code %q comes with result %+v", out.Code, out.Result)
	}
	if !strings.HasSuffix(out.Detail, ".") || strings.Contains(out.Detail, "\n") {
		t.Errorf("detail is not a sentence: %q", out.Detail)
	}
	for _, secret := range []string{canary, "127.0.0.1", "http://", "https://"} {
		if strings.Contains(out.Detail, secret) {
			t.Errorf("detail tells %q: %q", secret, out.Detail)
		}
	}
}

// want fails the test unless the outcome has one of the codes.
func want(t *testing.T, out guard.Outcome, codes ...guard.Code) {
	t.Helper()
	if !slices.Contains(codes, out.Code) {
		t.Errorf("outcome is %q (%s), want %q", out.Code, out.Detail, codes)
	}
}
