package fingerprint

import (
	"context"
	"slices"
)

// The thresholds that are recommended for scores of Lexical. They were chosen on 1,248 pairs of calls that 30 models wrote in
// published runs of agents, some labelled by hand, and hardly depend on any one tool or weight: from DefaultNear on lie
// nine in ten of the rewordings in one run, eight in ten of those by another agent, and one in twenty of the texts that
// say something else. From DefaultSame on two texts differ in a few words at most.
const (
	DefaultNear = 0.4
	DefaultSame = 0.95
)

// Lexical compares two wordings by their words. It knows no language well and needs no model:
//
//   - Words are those of Unicode (UAX #29), compared by stem (Snowball for English, French and Spanish). The function words
//     of four languages weigh hardly anything.
//   - The score is how much of the shorter text is in the longer one, less a little for what is not in the same order. It
//     is 1 only for texts whose words are the same.
//   - A contrast is found where each text has a number, an identifier, an ordinal, an address or a member of a group of
//     opposites that the other lacks, or where one of two otherwise equal texts has a negation. Texts with many numbers may
//     differ in some of them: two agents that tell a long story tell other details.
//   - A number, an address or a negation that only one text has keeps the score below DefaultSame.
//
// It is safe for concurrent use, and needs a few microseconds for a pair of short messages.
type Lexical struct {
	stems     stems
	opposites [tongues]oppositeTable
}

// NewLexical makes a Lexical that knows, beside its own, these groups of opposites: words of which each excludes the others of
// its group, such as {"draft", "final"}. Case, and what kind text joins beside, does not count.
func NewLexical(opposites [][]string) *Lexical {
	l := new(Lexical)
	groups := builtinOpposites()
	for _, words := range opposites {
		var group [][]string
		for _, word := range words {
			group = append(group, []string{foldOpposite(word)})
		}
		groups = append(groups, group)
	}
	for lang := range l.opposites {
		l.opposites[lang] = oppositeTable{}
		for i, group := range groups {
			l.opposites[lang].enter(i, group, func(word string) string { return l.stems.of(tongue(lang), word) })
		}
	}
	return l
}

// foldOpposite folds a word as it comes out of a text.
func foldOpposite(word string) string {
	t := tokenize(newVocabulary(), string(appendWords(nil, word)))
	if len(t.list) == 0 {
		return ""
	}
	return t.tokens[t.list[0]].word
}

// Compare compares each pair by itself: no likeness depends on the other pairs. It fails only when ctx is done.
func (l *Lexical) Compare(ctx context.Context, pairs []Wording) ([]Likeness, error) {
	c := comparer{by: l, vocabulary: newVocabulary(), texts: map[string]*tokens{}, known: map[analysisKey]*analysis{}}
	likenesses := make([]Likeness, len(pairs))
	for i, p := range pairs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		likenesses[i] = c.compare(p)
	}
	return likenesses, nil
}

// comparer compares several pairs, in which one text usually stands again and again.
type comparer struct {
	by         *Lexical
	texts      map[string]*tokens
	known      map[analysisKey]*analysis
	vocabulary *vocabulary
	stemOf     [tongues][]int32         // the number of each word's stem, and 0 for one that was not met in the language
	ids        [tongues]map[token]int32 // the same by what the stem is
	stems      []stemEntry              // by number - 1
}

type stemEntry struct {
	text      string
	weight    float64
	opposites []opposite
}

type analysisKey struct {
	text string
	lang tongue
}

// analysis is a text as it is compared with another one, read in one language.
type analysis struct {
	sequence  []int32 // the stems, as they follow each other
	stems     []int32 // the same sorted, each once
	pairs     []int64 // neighbours, sorted, each once
	figures   []int32
	addresses []int32
	negations []int32
	opposites []opposite
	weight    float64 // of all stems
}

func (c *comparer) compare(p Wording) Likeness {
	a, b := c.tokens(p.Earlier), c.tokens(p.Now)
	empty := a.isEmpty(p.Earlier) || b.isEmpty(p.Now)
	if p.Earlier == p.Now {
		return Likeness{Score: 1, Empty: empty}
	}
	if empty {
		return Likeness{Empty: true}
	}
	lang := commonLanguage(a, b)
	earlier, now := c.analyse(p.Earlier, a, lang), c.analyse(p.Now, b, lang)
	return Likeness{Score: c.score(earlier, now), Contrast: c.contrast(earlier, now)}
}

func (c *comparer) tokens(text string) *tokens {
	t := c.texts[text]
	if t == nil {
		t = tokenize(c.vocabulary, text)
		c.texts[text] = t
	}
	return t
}

func (c *comparer) analyse(text string, t *tokens, lang tongue) *analysis {
	key := analysisKey{text, lang}
	if a := c.known[key]; a != nil {
		return a
	}
	a := &analysis{sequence: make([]int32, 0, len(t.list)), pairs: make([]int64, 0, len(t.list))}
	c.known[key] = a
	for i, word := range t.list {
		id := c.id(word, lang)
		switch t.vocabulary.tokens[word].class {
		case figure:
			a.figures = append(a.figures, id)
		case address:
			a.addresses = append(a.addresses, id)
		case negationWord:
			a.negations = append(a.negations, id)
		}
		if i > 0 {
			a.pairs = append(a.pairs, int64(a.sequence[i-1])<<32|int64(id))
		}
		a.sequence = append(a.sequence, id)
	}
	a.stems, a.pairs = unique(slices.Clone(a.sequence)), unique(a.pairs)
	a.figures, a.addresses, a.negations = unique(a.figures), unique(a.addresses), unique(a.negations)
	for _, id := range a.stems {
		a.opposites = append(a.opposites, c.stem(id).opposites...)
	}
	a.weight = c.weigh(a.stems)
	return a
}

// id returns the number of the stem of a word of the vocabulary.
func (c *comparer) id(word int32, lang tongue) int32 {
	if short := len(c.vocabulary.tokens) - len(c.stemOf[lang]); short > 0 {
		c.stemOf[lang] = append(c.stemOf[lang], make([]int32, short)...)
	}
	if c.stemOf[lang][word] == 0 {
		c.stemOf[lang][word] = c.stemID(c.vocabulary.tokens[word], lang)
	}
	return c.stemOf[lang][word]
}

func (c *comparer) stemID(stem token, lang tongue) int32 {
	if stem.class == plainWord {
		stem.word = c.by.stems.of(lang, stem.word)
	}
	if id := c.ids[lang][stem]; id != 0 {
		return id
	}
	if c.ids[lang] == nil {
		c.ids[lang] = map[token]int32{}
	}
	c.stems = append(c.stems, stemEntry{stem.word, weightOf(stem.class), c.by.opposites[lang][stem.word]})
	id := int32(len(c.stems))
	c.ids[lang][stem] = id
	return id
}

func (c *comparer) stem(id int32) *stemEntry { return &c.stems[id-1] }

// weightOf is what a word counts for in the score.
func weightOf(class tokenClass) float64 {
	switch class {
	case functionWord:
		return 0.1
	case negationWord:
		return 0.5
	case figure, address:
		return 1.5
	default:
		return 1
	}
}

func (c *comparer) weigh(stems []int32) (sum float64) {
	for _, id := range stems {
		sum += c.stem(id).weight
	}
	return sum
}

const (
	// fewestWords is the weight that the shorter text counts as at least: a single word that is also in the other text makes
	// the two alike only if that is short, too.
	fewestWords = 2.5
	// orderShare is how much of the score depends on which words follow each other.
	orderShare = 0.15
	// oneSided is the most that the score is where only one text has a number, an address or a negation.
	oneSided = 0.85
)

func (c *comparer) score(a, b *analysis) float64 {
	if slices.Equal(a.sequence, b.sequence) {
		return 1
	}
	shared := c.weigh(common(a.stems, b.stems))
	part := shared / max(min(a.weight, b.weight), min(fewestWords, max(a.weight, b.weight)))
	order := jaccard(a.pairs, b.pairs)
	score := min(part, 1) * (1 - orderShare + orderShare*order)
	if !slices.Equal(a.figures, b.figures) || !slices.Equal(a.addresses, b.addresses) || len(a.negations) > 0 != (len(b.negations) > 0) {
		score = min(score, oneSided)
	}
	return score
}

// jaccard is the share of what two sets have in common in what they have together.
func jaccard[T int32 | int64](a, b []T) float64 {
	shared := len(common(a, b))
	all := len(a) + len(b) - shared
	if all == 0 {
		return 0
	}
	return float64(shared) / float64(all)
}

// common returns what is in both of two sorted lists.
func common[T int32 | int64](a, b []T) []T {
	var both []T
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			both = append(both, a[i])
			i, j = i+1, j+1
		}
	}
	return both
}
