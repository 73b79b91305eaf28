package web

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// follow opens the stream and returns its lines; they end when it does.
func (h *house) follow(ctx context.Context) <-chan string {
	h.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.srv.URL+"/live", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	resp, err := h.http.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "text/event-stream" {
		h.t.Fatalf("the stream answers %d %s", resp.StatusCode, got)
	}
	lines := make(chan string, 100)
	go func() {
		defer resp.Body.Close()
		defer close(lines)
		for s := bufio.NewScanner(resp.Body); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return lines
}

func await(t *testing.T, lines <-chan string, want string) {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		select {
		case line, more := <-lines:
			if !more {
				t.Fatalf("the stream ended before %q", want)
			}
			if line == want {
				return
			}
		case <-limit:
			t.Fatalf("%q did not come", want)
		}
	}
}

func TestLiveTellsWhatChanged(t *testing.T) {
	f := newFake()
	h := newHouse(t, f).signIn(ritasKey)
	lines := h.follow(t.Context())
	await(t, lines, "event: ready")
	f.changes <- "ef_1"
	await(t, lines, "data: ef_1")
	f.changes <- ""
	await(t, lines, "data: ")
}

func TestGatherTellsABurstAsOne(t *testing.T) {
	changes := make(chan string, 10)
	for _, id := range []string{"ef_2", "ef_1", "ef_2", "ef_3"} {
		changes <- id
	}
	if got := gather("ef_1", changes, liveRest); got != "ef_1 ef_2 ef_3" {
		t.Errorf("told as %q", got)
	}
	changes <- ""
	if got := gather("ef_1", changes, liveRest); got != "" {
		t.Errorf("a hint at everything is told as %q", got)
	}
}

// A server that shuts down ends the contexts of its requests, and so the streams.
func TestStreamEndsWithItsContext(t *testing.T) {
	h := newHouse(t, newFake()).signIn(ritasKey)
	ctx, cancel := context.WithCancel(t.Context())
	lines := h.follow(ctx)
	await(t, lines, "event: ready")
	cancel()
	for range lines {
	}
}

func TestLiveNeedsNoRightsToDecideForOthers(t *testing.T) {
	h := newHouse(t, newFake())
	resp, body := h.get("/live", "Authorization", "Bearer "+botsKey)
	if resp.StatusCode != http.StatusNoContent || strings.Contains(body, "event") {
		t.Errorf("an agent's key opens the stream: %d", resp.StatusCode)
	}
}
