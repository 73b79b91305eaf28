package forwardtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// post makes one request and returns the status and body, or an error.
func post(t *testing.T, ctx context.Context, url, body string) (int, string, error) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, io.NopCloser(strings.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(got), err
}

func TestUpstream(t *testing.T) {
	u := NewUpstream(t, Field("order"))
	u.Script(OK, Status(503), CommitThenDrop, DropBeforeCommit, CommitThenCut, Oversize(1000), Behaviour{Apply: true, Status: 201, Body: "hello"})
	for i, c := range []struct {
		body   string
		status int
		answer string
		fails  bool
	}{
		{`{"order":"a"}`, 200, `{"execution":1}`, false},
		{`{"order":"a"}`, 503, `{"execution":1}`, false},
		{`{"order":"a","note":"again"}`, 0, "", true},
		{`{"order":"b"}`, 0, "", true},
		{`{"order":"c"}`, 200, `{"exec`, true},
		{`{"order":17}`, 200, strings.Repeat(" ", 1000), false},
		{`{"order":"d"}`, 201, "hello", false},
		{`{"order":"d"}`, 200, `{"execution":2}`, false},
	} {
		status, answer, err := post(t, t.Context(), u.URL+"/refunds?x=1", c.body)
		if status != c.status || !strings.HasPrefix(answer, c.answer) || (err != nil) != c.fails {
			t.Errorf("%d: %d %q %v, want %d %q", i, status, answer, err, c.status, c.answer)
		}
	}
	for key, want := range map[string][2]int{"": {8, 6}, "a": {3, 2}, "b": {1, 0}, "c": {1, 1}, "17": {1, 1}, "d": {2, 2}, "x": {0, 0}} {
		if got := [2]int{u.Received(key), u.Applied(key)}; got != want {
			t.Errorf("key %q: received and applied %v, want %v", key, got, want)
		}
	}
	if got := u.Doubles(); !slices.Equal(got, []string{"a", "d"}) {
		t.Errorf("doubles are %q", got)
	}
	if r := u.Requests()[2]; r.Method != "POST" || r.Path != "/refunds?x=1" || string(r.Body) != `{"order":"a","note":"again"}` || !r.Applied {
		t.Errorf("the third request is %+v", r)
	}
}

func TestUpstreamWaits(t *testing.T) {
	u := NewUpstream(t, nil)
	release := make(chan struct{})
	u.Script(Behaviour{Apply: true, Status: 200, Until: release}, CommitThenHang, HangBeforeCommit)

	answered := make(chan error, 1)
	go func() { _, _, err := post(t, t.Context(), u.URL, "1"); answered <- err }()
	if err := u.Await(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if u.Applied("") != 1 {
		t.Error("the effect is not applied before its answer")
	}
	close(release)
	if err := <-answered; err != nil {
		t.Error(err)
	}

	for n := 2; n <= 3; n++ {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, _, err := post(t, ctx, u.URL, "2"); answered <- err }()
		if err := u.Await(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := <-answered; !errors.Is(err, context.Canceled) {
			t.Errorf("a hanging request ended with %v", err)
		}
	}
	if got := u.Applied("POST / 2"); got != 1 {
		t.Errorf("%d applied, want 1", got)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := u.Await(ctx, 99); !errors.Is(err, context.Canceled) {
		t.Errorf("Await in vain says %v", err)
	}
}
