package fingerprint

import (
	"strings"
	"sync"

	bcp47 "golang.org/x/text/language"
)

// readLanguage reads a human language. The form is its tag of BCP 47 (RFC 5646), as golang.org/x/text/language writes it.
//
// It joins case, underscore and hyphen ("en-us", "en_US", "en-US"), three-letter codes and deprecated ones with those that
// replace them ("eng" and "en", "iw" and "he"), a script that is the usual one with none ("en-Latn" and "en"), and the names of
// languages in some European languages with their codes ("English", "Deutsch").
//
// It keeps apart a language from its use in a country: "en", "en-US" and "en-GB". Locales with an encoding ("en_US.UTF-8"),
// lists of languages, tags that are not registered and other types are compared exactly.
func readLanguage(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	if v.Type() != String {
		return nil, "not a string", false
	}
	const longest = 64 // bytes, extensions included
	text := strings.TrimSpace(v.Text())
	if text == "" || len(text) > longest {
		return nil, "not a language tag", false
	}
	tag, err := languageForm.Parse(text)
	name := ""
	if err == nil {
		name = tag.String()
	} else if name = languageCodes()[string(appendFolded(nil, text))]; name == "" {
		return nil, "not a language tag or the name of a language", false
	}
	if digitsOf(name) != digitsOf(text) {
		return nil, "a language tag with a numeric part that stands for another", false
	}
	return append(append(dst, "language "...), name...), "", true
}

// languageForm says which tags are one: deprecated languages, and scripts that go without saying.
const languageForm = bcp47.Deprecated | bcp47.SuppressScript

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// languageCodes maps the folded names of languages with a two-letter code to it; "" where one stands for several languages.
var languageCodes = sync.OnceValue(func() map[string]string {
	table := make(map[string]string)
	for first := 'a'; first <= 'z'; first++ {
		for second := 'a'; second <= 'z'; second++ {
			base, err := bcp47.ParseBase(string([]rune{first, second}))
			if err != nil {
				continue
			}
			tag := bcp47.Make(base.String())
			for _, names := range dictionaries {
				key := string(appendFolded(nil, names.Languages().Name(tag)))
				// A text of two or three letters is a code, and one in brackets says more than the language.
				if len(key) < 4 || strings.ContainsAny(key, "()[]") {
					continue
				}
				if other, taken := table[key]; taken && other != tag.String() {
					table[key] = ""
				} else {
					table[key] = tag.String()
				}
			}
		}
	}
	return table
})
