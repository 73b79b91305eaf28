package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/onceguard/onceguard/api/client"
)

// page prints the story for people.
type page struct {
	w      io.Writer
	colour bool
	steps  int
}

// newPage uses colour on terminals only, and not where the user asks for none (https://no-color.org).
func newPage(w io.Writer) *page {
	return &page{w: w, colour: isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// The colours, as parameters of SGR (ECMA-48).
const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (p *page) in(style, text string) string {
	if !p.colour {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// step prints one part of the story.
func (p *page) step(t *step) {
	p.steps++
	fmt.Fprintf(p.w, "\n%s\n", p.in(bold, fmt.Sprintf("%d. %s", p.steps, t.Title)))
	fmt.Fprintf(p.w, "%s\n\n", wrap(t.Why, "   "))
	for _, c := range t.Calls {
		p.call(c)
	}
	p.line("tools", fmt.Sprintf("%s: carried out %s, by their own count", t.Counted, often(t.Executions)))
	for _, fault := range t.Faults {
		p.line("", p.in(red, "NOT AS TOLD: "+fault))
	}
}

func (p *page) call(c toldCall) {
	does := c.Action + " " + p.in(bold, c.Tool)
	if c.Times > 0 {
		does = fmt.Sprintf("%s %d times at once", does, c.Times)
	}
	p.line(c.Who, does)
	// Arguments are not wrapped: each of their spaces counts.
	fmt.Fprintf(p.w, "%s%s\n", indent, c.Arguments)
	if c.Answer == nil || c.Answer.Decision == "" {
		return
	}
	decision := p.in(hue(c.Answer), strings.ToUpper(c.Answer.Decision))
	if c.Times > 0 {
		decision = p.in(green, fmt.Sprintf("FORWARDED %d, REPLAYED %d", c.Decisions[client.Forwarded], c.Decisions[client.Replayed]))
	}
	if c.Answer.Effect != nil {
		decision += p.in(faint, "  (the effect is "+c.Answer.Effect.State+")")
	}
	p.line("guard", decision)
	p.explanation(c.Answer)
}

// explanation prints what the agent's model gets to read.
func (p *page) explanation(a *client.Answer) {
	x := a.Explanation
	p.line("", x.Message)
	for _, because := range x.SameBecause {
		p.line("", "same: "+because)
	}
	for _, d := range x.Differs {
		p.line("", fmt.Sprintf("differs: %s (%s): %s, earlier %s", d.Argument, d.Role, value(d.Now), value(d.Earlier)))
	}
	if len(a.Result) > 0 {
		p.line("", "result: "+strings.TrimSpace(string(a.Result)))
		return
	}
	for _, next := range x.Next {
		p.line("", "→ "+next)
	}
}

func value(v string) string {
	if v == "" {
		return "nothing"
	}
	return v
}

func hue(a *client.Answer) string {
	switch {
	case a.Decision == client.Blocked, a.Effect != nil && a.Effect.State == "unknown":
		return yellow
	}
	return green
}

func often(n int) string {
	switch n {
	case 0:
		return "never"
	case 1:
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// indent is where texts begin beside their labels.
const indent = "             "

// line prints a text beside a label.
func (p *page) line(label, text string) {
	if label != "" {
		label = fmt.Sprintf("   %-10s", label)
	} else {
		label = indent
	}
	fmt.Fprintf(p.w, "%s%s\n", label, strings.TrimPrefix(wrap(text, indent), indent))
}

// wrap breaks a text into lines of at most 100 columns between words, each begun with indent.
func wrap(text, indent string) string {
	const width = 100
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
			b.WriteString(indent)
			column = len(indent)
		case column+1+n > width:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}
