package fingerprint

import "bytes"

// longestName is the length in bytes of the longest name that is looked at: longer ones say too much to be believed.
const longestName = 64

// guessOf returns what a name tells. It makes no garbage, because it is asked for every undeclared argument of every call.
func guessOf(name string) *guess {
	var space [2 * longestName]byte
	words := foldName(space[:0], name)
	if g := guesses.whole[string(words)]; g != nil {
		return g
	}
	first, rest, several := bytes.Cut(words, []byte{'_'})
	if g := guessOfEnd(words); g != nil {
		if several && len(rest) > 0 && materialPrefixes[string(first)] {
			return g.material
		}
		return g
	}
	if g := guesses.first[string(first)]; g != nil && several {
		return g
	}
	return unnamed
}

// guessOfEnd looks for the last two words of a name, then for the last.
func guessOfEnd(words []byte) *guess {
	last := bytes.LastIndexByte(words, '_')
	if last >= 0 {
		two := bytes.LastIndexByte(words[:last], '_')
		if g := guesses.last[string(words[two+1:])]; g != nil {
			return g
		}
	}
	return guesses.last[string(words[last+1:])]
}

// foldName appends the words of a name in lower case with _ between them: "order_id" for orderId, OrderID, order-id and
// "order id". It appends nothing for names that are too long.
func foldName(dst []byte, name string) []byte {
	if len(name) > longestName {
		return dst
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case isASCIIWord(rune(c)) || c >= 0x80:
			if isCapital(c) && i > 0 && beginsWord(name, i) && len(dst) > 0 && dst[len(dst)-1] != '_' {
				dst = append(dst, '_')
			}
			dst = append(dst, lowerASCII(c))
		case len(dst) > 0 && dst[len(dst)-1] != '_':
			dst = append(dst, '_')
		}
	}
	return bytes.TrimSuffix(dst, []byte{'_'})
}

// beginsWord reports whether the capital at i begins a word: after a small letter or digit, or as the last of several capitals
// before a small letter ("URLPath"), unless that is the s of a plural ("orderIDs").
func beginsWord(name string, i int) bool {
	if !isCapital(name[i-1]) {
		return true
	}
	if i+1 == len(name) || isCapital(name[i+1]) || !isASCIIWord(rune(name[i+1])) {
		return false
	}
	return name[i+1:] != "s"
}

func isCapital(c byte) bool { return c >= 'A' && c <= 'Z' }

// besideData reports whether the name of an argument says that a content beside it is that of a file, a request or a program.
func besideData(name string) bool {
	var space [2 * longestName]byte
	for words := foldName(space[:0], name); len(words) > 0; {
		var word []byte
		word, words, _ = bytes.Cut(words, []byte{'_'})
		if dataWords[string(word)] {
			return true
		}
	}
	return false
}
