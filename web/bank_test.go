package web

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// bank is the tool behind payments.transfer. It remembers what it was sent, and answers with it. On the first transfer to an
// account whose name begins with "lost" it hangs up instead; it refuses those to one that begins with "closed", and with "broken" it is out of
// order.
type bank struct {
	*httptest.Server

	mu  sync.Mutex
	got []string
}

func newBank(t *testing.T) *bank {
	t.Helper()
	b := &bank{}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	b.mu.Lock()
	text := string(body)
	again := slices.Contains(b.got, text)
	b.got = append(b.got, text)
	b.mu.Unlock()
	switch {
	case strings.Contains(text, `"lost`) && !again:
		panic(http.ErrAbortHandler)
	case strings.Contains(text, `"closed`):
		http.Error(w, "the account is closed", http.StatusUnprocessableEntity)
	case strings.Contains(text, `"broken`):
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html><h1>Bad gateway</h1></html>") // the guard may have gone
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"transferred": %s}`, body) // the guard may have gone
	}
}

// received are the bodies with a text in them.
func (b *bank) received(text string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []string
	for _, body := range b.got {
		if strings.Contains(body, text) {
			list = append(list, body)
		}
	}
	return list
}
