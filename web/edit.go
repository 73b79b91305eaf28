package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
)

// mostEdited is the longest text of arguments that can be edited, in bytes.
const mostEdited = 64 << 10

// editable is the JSON text of arguments as a person edits it: indented, and with what cannot be seen written as escapes. "" where it is
// too long for that.
func editable(arguments []byte) string {
	var b bytes.Buffer
	if len(arguments) > mostEdited || json.Indent(&b, arguments, "", "  ") != nil {
		return ""
	}
	return escapeHidden(b.String())
}

// escapeHidden writes characters that cannot be seen as escapes of JSON, for a field in which nothing can be marked.
func escapeHidden(arguments string) string {
	var b strings.Builder
	for _, r := range arguments {
		switch {
		case !hidden(r) || r == '\r': // which JSON has between its values only
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
