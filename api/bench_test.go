package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// BenchmarkReplay is what the API itself adds to a replay: routing, key, decoding, encoding. The guard is a fake.
func BenchmarkReplay(b *testing.B) {
	keys := newKeyring()
	token, _ := keys.add(guard.Principal{Tenant: "acme", Subject: "bot", Role: guard.RoleAgent})
	f := &fakeReplay{answer: guard.Answer{Kind: guard.AnswerReplayed, Effect: doneEffect(),
		Result: &guard.Result{Status: 200, Body: []byte(`{"refund_id":"R-1","amount":20.00,"note":"` + strings.Repeat("x", 200) + `"}`)},
		Explanation: guard.Explanation{Code: guard.CodeReplayed, Message: "This was already done.", Next: []string{"Use this result."},
			Matched: &guard.Matched{Effect: "ef_1", Tool: "pay", State: guard.Done, Created: born, Age: time.Minute}}}}
	a, err := New(Config{Guard: f, Policies: rules{set: policy.Empty()}, Credentials: keys})
	if err != nil {
		b.Fatal(err)
	}
	e := echo.New()
	a.Register(e)
	body := `{"tool":"pay","arguments":{"order":"A-1","note":"` + strings.Repeat("x", 1000) + `"},"run":"r1"}`
	b.ReportAllocs()
	for b.Loop() {
		req := httptest.NewRequest("POST", "/v1/calls", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, req)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body.String())
		}
	}
}
