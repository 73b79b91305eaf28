package policy

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/onceguard/onceguard/fingerprint"
)

// Upstream is where the guard sends the call. Exactly one field is set.
type Upstream struct {
	HTTP *HTTP
}

// HTTP is an HTTP upstream. Its headers can hold secrets: no method shows them, and neither does encoding/json.
type HTTP struct {
	Timeout time.Duration // of one attempt, from dial to the last byte of the answer
	Reuse   time.Duration // how long a connection may be kept for another call; 0: each call has its own
	Private bool          // allow private and loopback addresses ("network: private")

	method            string
	url               template
	headers           []header
	idempotencyHeader string
	body              []string // the arguments to send
	selected          bool     // whether body says which; otherwise the argument text is sent as it came
}

// header is one fixed header of every request.
type header struct {
	name   string // canonical
	source string // as it was written
	value  func() string
}

// Request is one rendered upstream request. Its header can hold secrets, so it formats as its method and host only.
type Request struct {
	Method string
	URL    string
	Header map[string][]string
	Body   []byte // nil: no body
}

// Render makes the request for one call. args are all arguments; key goes into idempotency_header, where the policy names one
// and key is not empty. Whatever fails here was not sent. The errors never contain a value.
func (u *HTTP) Render(args fingerprint.Value, key string) (Request, error) {
	target, err := u.url.render(args)
	if err != nil {
		return Request{}, err
	}
	body, err := u.renderBody(args)
	if err != nil {
		return Request{}, err
	}
	h := make(http.Header, len(u.headers)+2)
	if body != nil {
		h.Set("Content-Type", "application/json")
	}
	for _, fixed := range u.headers {
		h.Set(fixed.name, fixed.value())
	}
	if u.idempotencyHeader != "" && key != "" {
		if !httpguts.ValidHeaderFieldValue(key) {
			return Request{}, errors.New("the idempotency key holds a character that a header cannot carry")
		}
		h.Set(u.idempotencyHeader, key)
	}
	return Request{Method: u.method, URL: target, Header: h, Body: body}, nil
}

// renderBody gives the argument text as it came, or an object of the selected arguments, each as it came. A selected argument
// that the call does not have is left out.
func (u *HTTP) renderBody(args fingerprint.Value) ([]byte, error) {
	if u.method == http.MethodGet || u.selected && len(u.body) == 0 {
		return nil, nil
	}
	if !u.selected {
		return args.Raw(), nil
	}
	if args.Type() != fingerprint.Object {
		return nil, errors.New("the arguments are no JSON object, so none can be selected for the upstream's body")
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for _, name := range u.body {
		v, ok := args.Get(name)
		if !ok {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		appendText(&b, name)
		b.WriteByte(':')
		b.Write(v.Raw())
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// String gives the method and the URL as the policy writes it: no header, and no value from the environment.
func (u HTTP) String() string { return u.method + " " + u.url.source }

// GoString is String.
func (u HTTP) GoString() string { return u.String() }

// LogValue is String.
func (u HTTP) LogValue() slog.Value { return slog.StringValue(u.String()) }

// String gives the method and the host.
func (r Request) String() string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return r.Method
	}
	return r.Method + " " + u.Scheme + "://" + u.Host
}

// GoString is String.
func (r Request) GoString() string { return r.String() }

// LogValue is String.
func (r Request) LogValue() slog.Value { return slog.StringValue(r.String()) }

// httpContent is the part of an upstream that belongs to a rule's digest.
type httpContent struct {
	Method, URL, Idempotency string
	Timeout                  time.Duration
	Reuse                    time.Duration `json:",omitempty"`
	Private, Selected        bool
	Headers                  [][2]string
	Body                     []string
}

func (u *HTTP) content() httpContent {
	c := httpContent{Method: u.method, URL: u.url.source, Idempotency: u.idempotencyHeader, Timeout: u.Timeout, Reuse: u.Reuse, Private: u.Private,
		Selected: u.selected, Body: u.body}
	for _, h := range u.headers {
		c.Headers = append(c.Headers, [2]string{h.name, h.source})
	}
	return c
}

// httpDoc is one "upstream:" as it was read.
type httpDoc struct {
	http          *HTTP
	url, bodyNode place
	hasURL        bool
}

const (
	defaultTimeout = 30 * time.Second
	minTimeout     = time.Millisecond
	maxTimeout     = 10 * time.Minute
)

var (
	upstreamKeys = keys{now: []string{"http"}, later: []string{"mcp"}}
	httpKeys     = keys{now: []string{"url", "method", "timeout", "reuse", "headers", "idempotency_header", "body", "network"}}
	methods      = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	// managed are the headers that the transport sets itself, or that change how many requests a connection carries.
	managed = []string{"Connection", "Content-Length", "Host", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}
)

// upstream reads "upstream:".
func (r *reader) upstream(n *node) *httpDoc {
	before := len(r.problems)
	f := r.fields(n, "upstream", upstreamKeys)
	e, ok := f.get("http")
	if !ok {
		if len(r.problems) == before {
			r.add(n.at, "upstream names no protocol", "add \"http:\" with a url")
		}
		return nil
	}
	f = r.fields(e.value, "upstream.http", httpKeys)
	d := &httpDoc{http: &HTTP{Timeout: defaultTimeout, method: http.MethodPost}, url: e.key}
	if v, ok := f.get("url"); ok {
		d.url = v.value.at
		d.http.url = r.url(v.value)
		d.hasURL = true
	}
	if v, ok := f.get("method"); ok {
		d.http.method = r.choice(v.value, "method", methods, nil)
	}
	if v, ok := f.get("timeout"); ok {
		d.http.Timeout = r.duration(v.value, "timeout", minTimeout, maxTimeout)
	}
	if v, ok := f.get("reuse"); ok {
		d.http.Reuse = r.duration(v.value, "reuse", minTimeout, maxTimeout)
	}
	if v, ok := f.get("headers"); ok {
		d.http.headers = r.headers(v.value)
	}
	if v, ok := f.get("idempotency_header"); ok {
		d.http.idempotencyHeader = r.headerName(v.value.at, r.string(v.value, "idempotency_header"))
		if slices.ContainsFunc(d.http.headers, func(h header) bool { return h.name == d.http.idempotencyHeader }) {
			r.add(v.value.at, "idempotency_header is also among headers", "remove it there")
		}
	}
	if v, ok := f.get("body"); ok {
		d.bodyNode = v.value.at
		d.http.selected = true
		d.http.body = r.strings(v.value, "body")
		if d.http.method == http.MethodGet && len(d.http.body) > 0 {
			r.add(v.key, "a GET request has no body", "put the arguments into the url, or choose another method")
		}
	}
	if v, ok := f.get("network"); ok {
		d.http.Private = r.choice(v.value, "network", networks, nil) == networkPrivate
	}
	if host := d.http.url.host(); !d.http.Private && isPrivate(host) {
		r.add(d.url, fmt.Sprintf("%s is a loopback or private address, which is refused at each call", host), `write network: private`)
	}
	return d
}

const networkPrivate = "private"

var networks = []string{"public", networkPrivate}

// complete reports whether the tool has an upstream. Inherited keys alone, such as a common header, make none.
func (d *httpDoc) complete(r *report, t *toolDoc) bool {
	e, own := t.own.get("upstream")
	own = own && !e.value.isBlank()
	if !d.hasURL && own {
		r.add(d.url, "upstream.http has no url", "add \"url:\" with an https:// address")
	}
	return d.hasURL || own
}

// isPrivate reports whether a host is surely an address that needs "network: private". Names are judged when they are dialled.
func isPrivate(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && (a.IsLoopback() || a.IsPrivate())
}

func (r *reader) url(n *node) template {
	s := r.string(n, "url")
	if s == "" {
		return template{}
	}
	t, err := newTemplate(s)
	if err != nil {
		r.addEach(n.at, err, "mend the url")
	}
	return t
}

// addEach notes every error of a joined one.
func (r *report) addEach(where place, err error, remedy string) {
	for line := range strings.Lines(err.Error()) {
		message := strings.TrimSuffix(line, "\n")
		if strings.HasSuffix(message, "is not set") {
			r.add(where, message, "set it where the guard runs")
			continue
		}
		r.add(where, message, remedy)
	}
}

func (r *reader) headers(n *node) []header {
	var list []header
	for _, e := range r.entries(n, "headers") {
		name := r.headerName(e.key, e.name)
		if slices.ContainsFunc(list, func(h header) bool { return h.name == name }) {
			r.add(e.key, fmt.Sprintf("the header %s is written twice", name), "keep one of them")
		}
		source := r.string(e.value, fmt.Sprintf("the header %q", e.name))
		value, err := expand(source)
		if err != nil {
			r.addEach(e.value.at, err, "mend the header")
		} else if !httpguts.ValidHeaderFieldValue(value) {
			r.add(e.value.at, fmt.Sprintf("the value of the header %q holds a character that a header cannot carry", e.name), "remove line breaks and control characters")
		}
		list = append(list, header{name: name, source: source, value: func() string { return value }})
	}
	slices.SortFunc(list, func(a, b header) int { return strings.Compare(a.name, b.name) })
	return list
}

func (r *reader) headerName(where place, s string) string {
	name := textproto.CanonicalMIMEHeaderKey(s)
	switch {
	case s == "":
	case !httpguts.ValidHeaderFieldName(s):
		r.add(where, fmt.Sprintf("%q is not a header's name", s), "use letters, digits and hyphens")
	case slices.Contains(managed, name):
		r.add(where, fmt.Sprintf("the header %s is set by the guard's own transport", name), "remove it")
	}
	return name
}

// check holds the arguments that an upstream needs against those that are declared.
func (d *httpDoc) check(r *report, known []string) {
	if known == nil {
		return
	}
	for _, name := range d.http.url.variables() {
		if !slices.Contains(known, name) {
			r.add(d.url, fmt.Sprintf("the url needs the argument %q, which neither arguments nor schema name", name), suggest(name, known))
		}
	}
	for _, name := range d.http.body {
		if !slices.Contains(known, name) {
			r.add(d.bodyNode, fmt.Sprintf("body needs the argument %q, which neither arguments nor schema name", name), suggest(name, known))
		}
	}
}
