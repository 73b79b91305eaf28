package httpsimilarity

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
)

const secret = "the-secret-words"

// pairs are one that only a service can tell alike, one with a contrast, one with an empty side, and one more.
var pairs = []fingerprint.Wording{
	{Earlier: secret + " car", Now: "automobile"},
	{Earlier: "part 1 of 3", Now: "part 2 of 3"},
	{Earlier: "", Now: "text"},
	{Earlier: "rent for june", Now: "the june rent"},
}

func newService(t *testing.T, o Options, h http.HandlerFunc) (*Service, *bytes.Buffer) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	var log bytes.Buffer
	o.URL, o.Logger = server.URL+"/scores?token="+secret, slog.New(slog.NewTextHandler(&log, nil))
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, &log
}

func compare(t *testing.T, s fingerprint.Similarity) []fingerprint.Likeness {
	t.Helper()
	likenesses, err := s.Compare(context.Background(), pairs)
	if err != nil || len(likenesses) != len(pairs) {
		t.Fatalf("%d likenesses, %v", len(likenesses), err)
	}
	return likenesses
}

func TestServiceGivesScoresOnly(t *testing.T) {
	header := http.Header{"Authorization": {"Bearer x"}}
	s, log := newService(t, Options{Header: header}, func(w http.ResponseWriter, r *http.Request) {
		var got request
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		if r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer x" || r.Header.Get("Content-Type") != "application/json" ||
			len(got.Pairs) != 2 || got.Pairs[0] != wording(pairs[0]) || got.Pairs[1] != wording(pairs[3]) {
			t.Errorf("the service gets %s %+v", r.Method, got)
		}
		io.WriteString(w, `{"scores": [0.75, 1], "model": "m"}`)
	})
	got, standard := compare(t, s), compare(t, fingerprint.NewLexical(nil))
	if got[0].Score != 0.75 || got[3].Score != 1 || got[1] != standard[1] || got[2] != standard[2] || got[1].Contrast == "" || !got[2].Empty {
		t.Errorf("%+v", got)
	}
	if log.Len() > 0 {
		t.Errorf("logged %s", log)
	}
}

func TestServiceIsNotAskedForNothing(t *testing.T) {
	s, _ := newService(t, Options{}, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	if _, err := s.Compare(context.Background(), pairs[1:3]); err != nil {
		t.Error(err)
	}
}

func TestDefaultStandsIn(t *testing.T) {
	answer := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		why    string
	}{
		"status": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, "status 503"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/scores", http.StatusTemporaryRedirect)
		}, "status 307"},
		"few":       {answer(`{"scores":[1]}`), "1 scores for 2 pairs"},
		"many":      {answer(`{"scores":[1,1,1]}`), "3 scores for 2 pairs"},
		"range":     {answer(`{"scores":[1,1.5]}`), "score 1 is no number"},
		"null":      {answer(`{"scores":[null,1]}`), "score 0 is no number"},
		"not JSON":  {answer(secret), "not of the form"},
		"no scores": {answer(`[1,1]`), "not of the form"},
		"too long":  {answer(`{"scores":[1,1],"x":"` + strings.Repeat(secret, 1000) + `"}`), "more than 1152 bytes"},
		"torn": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"scores"`)
		}, "reading the answer"},
	} {
		t.Run(name, func(t *testing.T) {
			s, log := newService(t, Options{}, test.answer)
			got, standard := compare(t, s), compare(t, fingerprint.NewLexical(nil))
			for i := range got {
				if got[i] != standard[i] {
					t.Errorf("pair %d: %+v, by the default %+v", i, got[i], standard[i])
				}
			}
			if !strings.Contains(log.String(), test.why) || strings.Contains(log.String(), secret) || strings.Count(log.String(), "\n") != 1 {
				t.Errorf("logged %s", log)
			}
		})
	}
}

func TestServiceIsNotWaitedForLong(t *testing.T) {
	release := make(chan struct{})
	s, log := newService(t, Options{Timeout: 20 * time.Millisecond}, func(http.ResponseWriter, *http.Request) { <-release })
	compare(t, s)
	close(release)
	if log.Len() == 0 || strings.Contains(log.String(), secret) {
		t.Errorf("logged %s", log)
	}
}

func TestTooMuchTextIsNotSent(t *testing.T) {
	s, log := newService(t, Options{}, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	long := []fingerprint.Wording{{Earlier: strings.Repeat("long text ", maxRequest/10+1), Now: "long text"}}
	if _, err := s.Compare(context.Background(), long); err != nil || !strings.Contains(log.String(), "more than the") {
		t.Errorf("%v, logged %s", err, log)
	}
}

func TestEnvironmentNamesNoProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	s, _ := newService(t, Options{}, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"scores":[0.5,0.5]}`) })
	if s.client.Transport.(*http.Transport).Proxy != nil {
		t.Error("a proxy is used")
	}
	if got := compare(t, s); got[0].Score != 0.5 {
		t.Errorf("%+v", got)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []Options{{}, {URL: "scores"}, {URL: "ftp://a.example/x"}, {URL: "http:///x"}, {URL: "http://a.example", Timeout: -1}, {URL: "http://" + secret + ":%"}} {
		if _, err := New(o); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("New(%+v): %v", o, err)
		}
	}
}

func TestContextOfTheCallEndsTheComparison(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s, _ := newService(t, Options{}, func(http.ResponseWriter, *http.Request) {})
	if _, err := s.Compare(ctx, pairs); err == nil {
		t.Error("a comparison that nobody waits for succeeded")
	}
}
