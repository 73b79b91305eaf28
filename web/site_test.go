package web

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// site is a dashboard as a visitor without a browser reaches it: one who keeps cookies and follows no redirect.
type site struct {
	t    *testing.T
	base string
	http *http.Client
}

func newSite(t *testing.T, base string) *site {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &site{t: t, base: base, http: &http.Client{
		Transport: transport, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// signIn gives the visitor a session.
func (s *site) signIn(key string) *site {
	s.t.Helper()
	resp, body := s.post("/signin", url.Values{"key": {key}})
	if resp.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("the sign-in answers %d: %s", resp.StatusCode, body)
	}
	return s
}

func (s *site) get(path string, header ...string) (*http.Response, string) {
	s.t.Helper()
	return s.send(http.MethodGet, path, nil, header...)
}

func (s *site) post(path string, form url.Values, header ...string) (*http.Response, string) {
	s.t.Helper()
	return s.send(http.MethodPost, path, strings.NewReader(form.Encode()), header...)
}

func (s *site) send(method, path string, body io.Reader, header ...string) (*http.Response, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.http.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(text)
}

// page is get for a page that must come.
func (s *site) page(path string) string {
	s.t.Helper()
	resp, body := s.get(path)
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s answers %d: %s", path, resp.StatusCode, body)
	}
	return body
}
