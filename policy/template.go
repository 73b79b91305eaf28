package policy

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
)

// maxURL is the most bytes of a rendered URL.
const maxURL = 8 << 10

// A template is the URL of an upstream with variables: "{name}" stands for an argument, "${env:NAME}" for a variable of the
// environment. The latter is resolved when the policy is loaded.
type template struct {
	source string // as it was written, so without any secret from the environment
	parts  []part
}

// part is a literal text, or a variable.
type part struct {
	literal  string
	variable string
}

var variable = regexp.MustCompile(`\$\{env:[^{}]*\}|\{[^{}]*\}`)

var envName = regexp.MustCompile(`^\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}$`)

// split cuts a template into its parts. The errors name no value of the environment.
func split(source string) (parts []part, err error) {
	var errs []error
	literal := func(s string) {
		if strings.ContainsAny(s, "{}") {
			errs = append(errs, errors.New("a brace stands alone; variables are written {name} and ${env:NAME}"))
		}
		parts = append(parts, part{literal: s})
	}
	end := 0
	for _, m := range variable.FindAllStringIndex(source, -1) {
		literal(source[end:m[0]])
		text := source[m[0]:m[1]]
		end = m[1]
		if !strings.HasPrefix(text, "$") {
			parts = append(parts, part{variable: text[1 : len(text)-1]})
			continue
		}
		value, err := environment(text)
		if err != nil {
			errs = append(errs, err)
		}
		parts = append(parts, part{literal: value})
	}
	literal(source[end:])
	return parts, errors.Join(errs...)
}

// environment resolves one "${env:NAME}".
func environment(text string) (string, error) {
	m := envName.FindStringSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("%q names no environment variable; it is written ${env:NAME}", text)
	}
	value, ok := os.LookupEnv(m[1])
	if !ok || value == "" {
		return "", fmt.Errorf("the environment variable %s is not set", m[1])
	}
	return value, nil
}

// envOnly matches what a header value may hold; braces mean nothing else there.
var envOnly = regexp.MustCompile(`\$\{env:[^{}]*\}`)

// expand resolves the environment variables in a header's value.
func expand(source string) (string, error) {
	var errs []error
	text := envOnly.ReplaceAllStringFunc(source, func(m string) string {
		value, err := environment(m)
		errs = append(errs, err)
		return value
	})
	if strings.Contains(envOnly.ReplaceAllString(source, ""), "${") {
		errs = append(errs, errors.New("\"${\" begins no environment variable; it is written ${env:NAME}"))
	}
	return text, errors.Join(errs...)
}

// newTemplate compiles the URL of an upstream.
func newTemplate(source string) (template, error) {
	parts, err := split(source)
	if err != nil {
		return template{}, err
	}
	t := template{source: source, parts: parts}
	var sample strings.Builder
	base := "" // what comes before the first variable
	for i, p := range parts {
		if p.variable != "" {
			if base == "" {
				base = sample.String()
			}
			sample.WriteString("x")
			continue
		}
		if p.literal == "" && i > 0 {
			continue
		}
		sample.WriteString(p.literal)
	}
	return t, checkURL(sample.String(), base)
}

// host is where the template leads, without the port; "" for one that is not valid.
func (t template) host() string {
	var fixed strings.Builder
	for _, p := range t.parts {
		if p.variable != "" {
			break
		}
		fixed.WriteString(p.literal)
	}
	u, err := url.Parse(fixed.String())
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// checkURL holds a URL with sample values against the rules for upstreams. It never quotes the URL, which can hold a secret.
func checkURL(sample, base string) error {
	u, err := url.Parse(sample)
	switch {
	case err != nil:
		return errors.New("the url is not a valid URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("the url must begin with https:// or http://")
	case u.Host == "" || u.Opaque != "":
		return errors.New("the url names no host")
	case u.User != nil:
		return errors.New("the url holds a user name or password; send credentials in a header")
	case u.Fragment != "" || strings.Contains(sample, "#"):
		return errors.New("the url has a fragment, which is never sent")
	}
	if base != "" {
		authority, ok := strings.CutPrefix(base, u.Scheme+"://")
		if !ok || !strings.ContainsAny(authority, "/?") {
			return errors.New("a variable stands in the host; arguments may choose a path or a query, never where the call goes")
		}
	}
	return checkSegments(sample)
}

// variables lists the arguments that the template needs.
func (t template) variables() []string {
	var names []string
	for _, p := range t.parts {
		if p.variable != "" && !slices.Contains(names, p.variable) {
			names = append(names, p.variable)
		}
	}
	return names
}

// render fills the template. Every byte of an argument but the unreserved characters of RFC 3986, section 2.3, is
// percent-encoded, so that an argument can neither end a path segment nor begin a parameter.
func (t template) render(args fingerprint.Value) (string, error) {
	var b strings.Builder
	query := false
	for _, p := range t.parts {
		if p.variable == "" {
			b.WriteString(p.literal)
			query = query || strings.Contains(p.literal, "?")
			continue
		}
		text, err := urlText(args, p.variable)
		if err != nil {
			return "", err
		}
		if text == "" && !query {
			return "", fmt.Errorf("the argument %q is empty, so the path of the upstream would name something else", p.variable)
		}
		b.WriteString(strings.ReplaceAll(url.QueryEscape(text), "+", "%20"))
	}
	rendered := b.String()
	if len(rendered) > maxURL {
		return "", fmt.Errorf("the upstream's URL would have more than %d bytes", maxURL)
	}
	return rendered, checkSegments(rendered)
}

// urlText is the text of an argument in a URL: a string's characters, or a number or truth value as it was written.
func urlText(args fingerprint.Value, name string) (string, error) {
	if args.Type() != fingerprint.Object {
		return "", errors.New("the arguments are no JSON object, so the upstream's URL cannot be made")
	}
	v, ok := args.Get(name)
	if !ok {
		return "", fmt.Errorf("the argument %q is missing, and the upstream's URL needs it", name)
	}
	switch v.Type() {
	case fingerprint.String:
		return v.Text(), nil
	case fingerprint.Number, fingerprint.Bool:
		return string(v.Raw()), nil
	}
	return "", fmt.Errorf("the argument %q is not a text, a number, true or false, so it cannot be part of the upstream's URL", name)
}

// checkSegments refuses a path with "." and "..", also those that appear only after one decoding more than the standard's,
// because servers and proxies that decode too much would take such a call somewhere else.
func checkSegments(rendered string) error {
	rest, _, _ := strings.Cut(rendered, "?")
	_, rest, _ = strings.Cut(rest, "://")
	_, path, _ := strings.Cut(rest, "/")
	for range 3 {
		for _, segment := range strings.FieldsFunc(path, func(c rune) bool { return c == '/' || c == '\\' || c == ';' }) {
			if segment == "." || segment == ".." {
				return errors.New(`the path of the upstream's URL would hold "." or ".." as a segment`)
			}
		}
		decoded, err := url.PathUnescape(path)
		if err != nil {
			return nil
		}
		path = decoded
	}
	return nil
}
