package fingerprint

import (
	"strings"
	"sync"
	"unicode"

	bcp47 "golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/unicode/norm"
)

// readCountry reads a country. The form is its ISO 3166-1 alpha-2 code.
//
// It joins that code with the alpha-3 code and with the names of the country in some European languages (Unicode CLDR),
// in any case, with or without accents, dots and a leading "the": "US", "USA", "U.S.A.", "United States", "Vereinigte
// Staaten". "UK" is the United Kingdom.
//
// It keeps apart a country from its parts ("England") and from territories with a code of their own ("Puerto Rico"). Groups
// ("EU"), codes that were withdrawn, names that could be two countries ("Congo"), cities, numeric codes and other types are compared exactly.
func readCountry(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	if v.Type() != String {
		return nil, "not a string", false
	}
	code, known := countryCodes()[foldCountry(v.Text())]
	if !known || code == "" {
		return nil, "not the name or code of one country", false
	}
	return append(append(dst, "country "...), code...), "", true
}

// dictionaries hold the names of countries and languages.
var dictionaries = []*display.Dictionary{
	display.English, display.German, display.French, display.Spanish, display.Italian, display.Portuguese, display.Dutch,
	display.Danish, display.Swedish, display.Polish,
}

// countryNames are names that are in use beside those of CLDR.
var countryNames = map[string]string{
	"united states of america": "US", "united kingdom of great britain and northern ireland": "GB", "great britain": "GB",
	"uk": "GB", "uae": "AE", "czech republic": "CZ", "turkey": "TR", "ivory coast": "CI", "cape verde": "CV",
	"swaziland": "SZ", "macedonia": "MK", "republic of ireland": "IE", "republic of korea": "KR", "korea, republic of": "KR",
	"russian federation": "RU", "viet nam": "VN", "burma": "MM", "east timor": "TL", "people's republic of china": "CN",
	"drc": "CD", "democratic republic of the congo": "CD", "republic of the congo": "CG", "congo": "",
}

// countryCodes maps folded codes and names to codes; "" where one stands for several countries.
var countryCodes = sync.OnceValue(func() map[string]string {
	table := make(map[string]string)
	enter := func(name, code string) {
		key := foldCountry(name)
		if key == "" {
			return
		}
		if other, taken := table[key]; taken && other != code {
			code = ""
		}
		table[key] = code
	}
	for name, code := range countryNames {
		enter(name, code)
	}
	for _, region := range regions() {
		code := region.String()
		enter(code, code)
		enter(region.ISO3(), code)
		for _, names := range dictionaries {
			enter(names.Regions().Name(region), code)
		}
	}
	return table
})

// withdrawn are codes in the tables of x/text that ISO 3166-1 has withdrawn, or only reserved.
const withdrawn = "AC AN CP CQ CS DG EA EU EZ FQ IC NT PC SU TA UN YU"

// regions lists the countries and territories that have an alpha-2 code today. Kosovo has one of those for private use.
func regions() []bcp47.Region {
	var list []bcp47.Region
	for first := 'A'; first <= 'Z'; first++ {
		for second := 'A'; second <= 'Z'; second++ {
			code := string([]rune{first, second})
			region, err := bcp47.ParseRegion(code)
			if err == nil && region.IsCountry() && region.String() == code && !strings.Contains(withdrawn, code) && region.Canonicalize() == region {
				list = append(list, region)
			}
		}
	}
	return list
}

// foldCountry folds what the spellings of a name differ in.
func foldCountry(s string) string {
	const longest = 128 // bytes: longer than any name
	if len(s) > longest {
		return ""
	}
	s = strings.Map(func(r rune) rune {
		if r == '.' || unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(string(appendFolded(nil, s))))
	s = strings.ReplaceAll(strings.ReplaceAll(s, "&", " and "), "-", " ")
	return strings.TrimPrefix(strings.Join(strings.Fields(s), " "), "the ")
}
