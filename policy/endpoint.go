package policy

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// EndpointKind is the form of the messages that an endpoint takes.
type EndpointKind string

// The kinds of endpoints.
const (
	// StandardWebhooks is the form of https://www.standardwebhooks.com: JSON, signed with the endpoint's secret.
	StandardWebhooks EndpointKind = "standard-webhooks"
	// Slack is the form of Slack's incoming webhooks. Their URL is the secret.
	Slack EndpointKind = "slack"
)

// Endpoint is somebody who is told of held calls: an entry of "notify:". Its URL and secret are secrets: no method but those of
// their names shows them, and neither does encoding/json.
type Endpoint struct {
	Name      string
	Kind      EndpointKind
	Arguments []string // paths of the arguments whose values may be told; all others may not
	Private   bool     // allow private and loopback addresses ("network: private")
	Source    string   // file:line

	url, secret func() string
}

// URL is where messages are posted.
func (e *Endpoint) URL() string { return e.url() }

// Secret signs messages: "whsec_" and the base64 of 24 to 64 bytes, as Standard Webhooks has it. It is "" for Slack.
func (e *Endpoint) Secret() string { return e.secret() }

// String gives the name and kind.
func (e Endpoint) String() string { return e.Name + " (" + string(e.Kind) + ")" }

// GoString is String.
func (e Endpoint) GoString() string { return e.String() }

// LogValue is String.
func (e Endpoint) LogValue() slog.Value { return slog.StringValue(e.String()) }

// OwnWords returns the first sentence that the rule itself gives for a condition or a limit (why) and that a recorded reason contains; ""
// for none. What else stands in a reason can be the words of an agent.
func (r *Rule) OwnWords(reason string) string {
	for _, c := range r.conditions {
		if c.why != "" && strings.Contains(reason, c.why) {
			return c.why
		}
	}
	for _, l := range r.Limits {
		if l.Why != "" && strings.Contains(reason, l.Why) {
			return l.Why
		}
	}
	return ""
}

// endpointDoc is one entry of "notify:".
type endpointDoc struct {
	at place
	Endpoint
}

const (
	maxEndpoints = 100 // of one file
	secretPrefix = "whsec_"
	minSecret    = 24 // bytes, before base64
	maxSecret    = 64
)

var endpointKeys = keys{now: []string{"kind", "url", "secret", "arguments", "network"}}

func (r *reader) endpoints(n *node) []endpointDoc {
	entries := r.entries(n, "notify")
	if len(entries) > maxEndpoints {
		r.add(n.at, fmt.Sprintf("notify has more than %d endpoints", maxEndpoints), "keep the ones that are used")
		return nil
	}
	var list []endpointDoc
	for _, e := range entries {
		list = append(list, r.endpoint(e))
	}
	return list
}

func (r *reader) endpoint(e entry) endpointDoc {
	d := endpointDoc{at: e.key, Endpoint: Endpoint{Name: e.name, Kind: StandardWebhooks, Source: e.key.source()}}
	d.url, d.secret = hidden(""), hidden("")
	f := r.fields(e.value, fmt.Sprintf("the endpoint %q", e.name), endpointKeys)
	if v, ok := f.get("kind"); ok {
		d.Kind = EndpointKind(r.choice(v.value, "kind", []string{string(StandardWebhooks), string(Slack)}, nil))
	}
	if v, ok := f.get("network"); ok {
		d.Private = r.choice(v.value, "network", networks, nil) == networkPrivate
	}
	if v, ok := f.get("url"); ok {
		d.url = r.endpointURL(v.value, d.Private)
	} else {
		r.add(e.key, fmt.Sprintf("the endpoint %q has no url", e.name), "add \"url:\" with an https:// address")
	}
	secret, ok := f.get("secret")
	switch {
	case ok && d.Kind == Slack:
		r.add(secret.key, "Slack's webhooks are not signed, so the secret would not be used", "remove it; the url is the secret")
	case ok:
		d.secret = r.secret(secret.value)
	case d.Kind == StandardWebhooks:
		r.add(e.key, fmt.Sprintf("the endpoint %q has no secret to sign messages with", e.name), "add \"secret: ${env:NAME}\"")
	}
	if v, ok := f.get("arguments"); ok {
		for _, p := range r.paths(v.value, "arguments") {
			d.Arguments = append(d.Arguments, p.text)
		}
	}
	return d
}

// hidden keeps a value from being formatted: functions are not.
func hidden(value string) func() string { return func() string { return value } }

func (r *reader) endpointURL(n *node, private bool) func() string {
	source := r.string(n, "url")
	t, err := newTemplate(source)
	switch {
	case source == "":
	case err != nil:
		r.addEach(n.at, err, "mend the url")
	case len(t.variables()) > 0:
		r.add(n.at, "the url of an endpoint holds a variable that is not of the environment", "write ${env:NAME}, or the address itself")
	case !private && isPrivate(t.host()):
		r.add(n.at, fmt.Sprintf("%s is a loopback or private address, which is refused at each message", t.host()), "write network: private")
	}
	var text strings.Builder
	for _, p := range t.parts {
		text.WriteString(p.literal)
	}
	return hidden(text.String())
}

func (r *reader) secret(n *node) func() string {
	source := r.string(n, "secret")
	if source == "" {
		return hidden("")
	}
	value, err := expand(source)
	if err != nil {
		r.addEach(n.at, err, "mend the secret")
		return hidden("")
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(value, secretPrefix))
	if !strings.HasPrefix(value, secretPrefix) || err != nil || len(key) < minSecret || len(key) > maxSecret {
		r.add(n.at, fmt.Sprintf("the secret is not %q and the base64 of %d to %d bytes", secretPrefix, minSecret, maxSecret), "make one with: echo whsec_$(openssl rand -base64 32)")
	}
	return hidden(value)
}

// joinEndpoints collects the endpoints of all files. A name can be given in one of them only.
func joinEndpoints(r *report, docs []*document) []endpointDoc {
	var all []endpointDoc
	for _, d := range docs {
		for _, e := range d.endpoints {
			if i := slices.IndexFunc(all, func(o endpointDoc) bool { return o.Name == e.Name }); i >= 0 {
				r.add(e.at, fmt.Sprintf("the endpoint %q is also declared at %s:%d", e.Name, all[i].at.file.name, all[i].at.line), "keep one of them")
				continue
			}
			all = append(all, e)
		}
	}
	return all
}

func endpointNames(docs []endpointDoc) []string {
	var names []string
	for _, d := range docs {
		names = append(names, d.Name)
	}
	return names
}

func endpointsOf(docs []endpointDoc) map[string]*Endpoint {
	m := make(map[string]*Endpoint, len(docs))
	for _, d := range docs {
		m[d.Name] = &d.Endpoint
	}
	return m
}
