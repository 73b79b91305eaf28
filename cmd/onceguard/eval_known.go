package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/onceguard/onceguard/fingerprint"
)

// maxKnown bounds the labelled pairs that are remembered while recorded calls are walked; each takes some 50 bytes.
const maxKnown = 1_000_000

// knownSame remembers of which pairs people say that they are the same, or that one mends the other, so that a recorded call
// which is held for one of them counts as held rightly.
type knownSame map[[sha256.Size]byte]struct{}

func knownKey(tool, a, b string) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q%q%q", tool, a, b))
}

func (k knownSame) add(p labelledPair) {
	if m := meaningOf(p.Label); m != labelSame && m != labelRevision || len(k) >= maxKnown {
		return
	}
	a, b := p.bytes()
	k[knownKey(p.Tool, a, b)] = struct{}{}
}

// has reports whether people say so of two calls of a tool, or of a text in which they differ.
func (k knownSame) has(tool string, earlier, now readCall) bool {
	if _, known := k[knownKey(tool, string(earlier.args.Raw()), string(now.args.Raw()))]; known {
		return true
	}
	for _, p := range fingerprint.Align(earlier.spec.Terms(earlier.args), now.spec.Terms(now.args)) {
		if p.Standing != fingerprint.Differs {
			continue
		}
		if _, known := k[knownKey(tool, textOf(p.Earlier.Raw), textOf(p.Now.Raw))]; known {
			return true
		}
	}
	return false
}

// textOf is the text that a JSON string holds; "" for anything else.
func textOf(raw string) string {
	var text string
	if json.Unmarshal([]byte(raw), &text) != nil {
		return ""
	}
	return text
}
