package fingerprint

import (
	"strings"
	"sync"
	"unicode"

	stemenglish "github.com/kljensen/snowball/english"
	stemfrench "github.com/kljensen/snowball/french"
	stemspanish "github.com/kljensen/snowball/spanish"
)

const (
	maxStemmed = 40      // most bytes of a word that is stemmed: longer ones are no words
	maxStems   = 1 << 14 // most stems that are kept of a language
)

// stems keeps the stems of the words that were met. It is safe for concurrent use.
type stems struct {
	mu   sync.RWMutex
	kept [tongues]map[string]string
}

// of returns the stem of a word in lower case (Snowball, by M. F. Porter). Words with anything but letters and apostrophes,
// and those of languages without a stemmer, are their own stems.
func (s *stems) of(lang tongue, word string) string {
	if len(word) < 3 || len(word) > maxStemmed || lang == german {
		return word
	}
	s.mu.RLock()
	stem, known := s.kept[lang][word]
	s.mu.RUnlock()
	if known {
		return stem
	}
	word = strings.Clone(word) // A part of a text would keep all of it.
	stem = stemWord(lang, word)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept[lang] == nil || len(s.kept[lang]) >= maxStems {
		s.kept[lang] = make(map[string]string)
	}
	s.kept[lang][word] = stem
	return stem
}

func stemWord(lang tongue, word string) string {
	if strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' }) {
		return word
	}
	stem := word
	switch lang {
	case english:
		stem = stemenglish.Stem(word, false)
	case french:
		stem = stemfrench.Stem(word, false)
	case spanish:
		stem = stemspanish.Stem(word, false)
	}
	if stem == "" {
		return word
	}
	return stem
}
