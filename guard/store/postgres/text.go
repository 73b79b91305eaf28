package postgres

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// encodedMark begins a text that PostgreSQL cannot hold as it is, because it is not UTF-8 or has a NUL; its bytes
// follow in hexadecimal. Headers of an upstream and names of a caller may be such: a record of them must be exact, and
// must never fail. A text that happens to begin with the mark is encoded, too.
const encodedMark = "\x01hex:"

func encodeText(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 && !strings.HasPrefix(s, encodedMark) {
		return s
	}
	return encodedMark + hex.EncodeToString([]byte(s))
}

func decodeText(s string) string {
	rest, ok := strings.CutPrefix(s, encodedMark)
	if !ok {
		return s
	}
	raw, err := hex.DecodeString(rest)
	if err != nil {
		return s // written by somebody else: the hash of the event tells
	}
	return string(raw)
}
