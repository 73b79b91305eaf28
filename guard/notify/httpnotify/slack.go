package httpnotify

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/onceguard/onceguard/guard"
)

// slack is the document for endpoints of kind slack. Others that take Slack's incoming webhooks know the text only, so all is in it.
type slack struct {
	Text        string `json:"text"`
	UnfurlLinks bool   `json:"unfurl_links"`
	UnfurlMedia bool   `json:"unfurl_media"`
}

func slackBody(n guard.Notice) ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*A person is needed* for a call of %s (%s, tenant %s).\n", code(n.Tool), escape(string(n.Code)), code(n.Tenant))
	b.WriteString(escape(n.Why) + "\n")
	for _, a := range n.Arguments {
		fmt.Fprintf(&b, "%s: %s\n", code(a.Path), code(string(a.Value)))
	}
	if !n.Until.IsZero() {
		fmt.Fprintf(&b, "It waits until %s.\n", n.Until.UTC().Format(time.RFC1123))
	}
	if n.URL != "" {
		fmt.Fprintf(&b, "<%s|Look at the review>", escape(n.URL))
	} else {
		fmt.Fprintf(&b, "The review is %s.", code(n.Review))
	}
	return json.Marshal(slack{Text: b.String()})
}

// escape replaces what Slack reads as control characters, as its guide to formatting text says. Without them a text has no links to
// other words than its own, and no mentions.
func escape(text string) string { return controls.Replace(text) }

var controls = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// maxCode is the most characters of one value.
const maxCode = 500

// code shows text that nobody vouches for as inline code on one line, in which no address, mention or markup is recognised.
func code(text string) string {
	shown := []rune(strings.Map(func(r rune) rune {
		switch {
		case r == '`':
			return '\''
		case !unicode.IsPrint(r): // line ends, and what turns the direction of writing
			return ' '
		}
		return r
	}, text))
	if len(shown) > maxCode {
		shown = append(shown[:maxCode], '…')
	}
	return "`" + escape(string(shown)) + "`"
}
