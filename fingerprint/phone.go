package fingerprint

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// compilePhone reads a telephone number. The form is the international one (ITU-T E.164) and an extension.
//
// It joins the spellings of a number: spaces, dots, hyphens, slashes and brackets, the country code behind a plus or, with
// Region, behind that region's international prefix, and with Region the national form with the trunk prefix or without
// it ("+49 30 123456", "+49 (0)30 123456", "030/123456" with DE), tel: URIs (RFC 3966), and whole numbers. The rules
// of each country are those of Google's libphonenumber. A number need only be possible there, of a length that numbers
// have, because lists of what has been assigned are always late.
//
// It keeps apart an extension ("ext. 5", "x5", ";ext=5") from none, and all digits count: a reading that would drop one, as a
// carrier code, is not taken. Compared exactly are numbers without a plus where there is no Region, with letters
// ("1-800-FLOWERS"), that are impossible, several in one string, and other types.
func compilePhone(a *declared) (reader, error) {
	region := strings.ToUpper(a.Region)
	if region != "" && phonenumbers.GetCountryCodeForRegion(region) == 0 {
		return nil, fmt.Errorf("region: %q is not a region of ISO 3166-1 with telephone numbers, such as DE", a.Region)
	}
	return func(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
		text, ok := scalarText(v)
		if !ok {
			return nil, "not a string or a whole number", false
		}
		digits, extension, international, ok := dialled(text)
		if !ok {
			return nil, "not one telephone number", false
		}
		if !international && region == "" {
			return nil, "a number without a country code, and the rule names no region", false
		}
		dst = append(dst, "phone "...)
		if dst, ok = appendE164(dst, digits, international, region); !ok {
			return nil, "no number can have these digits there", false
		}
		if extension != "" {
			dst = append(append(dst, " ext. "...), extension...)
		}
		return dst, "", true
	}, nil
}

// dialled finds the digits in the text of a number and of its extension. Only what people write between digits may stand there.
func dialled(s string) (digits, extension string, international, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) > len("tel:") && strings.EqualFold(s[:len("tel:")], "tel:") {
		s = s[len("tel:"):]
	}
	if end := strings.IndexFunc(s, func(r rune) bool { return unicode.IsLetter(r) || r == ';' || r == '#' || r == ',' }); end >= 0 {
		if extension, ok = extensionText(s[end:]); !ok {
			return "", "", false, false
		}
		s = s[:end]
	}
	s = strings.TrimSpace(s)
	s, international = strings.CutPrefix(s, "+")
	const longest = 25 // country code, trunk prefix and international prefix included
	var found [longest]byte
	n := 0
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			if n == longest {
				return "", "", false, false
			}
			found[n] = byte(r)
			n++
		case unicode.Is(unicode.Zs, r), r >= 0x2010 && r <= 0x2015, strings.ContainsRune("-.()/", r):
		default:
			return "", "", false, false
		}
	}
	return string(found[:n]), extension, international, n > 0
}

// extensionText reads "ext. 5", "extension 5", "x5", "#5" or ";ext=5".
func extensionText(s string) (digits string, ok bool) {
	s = strings.TrimSpace(strings.TrimLeft(s, ";, "))
	marker := strings.TrimRightFunc(s, func(r rune) bool { return r >= '0' && r <= '9' })
	switch strings.ToLower(strings.TrimRight(marker, ".:= ")) {
	case "ext", "extn", "extension", "x", "#":
		digits = s[len(marker):]
		return digits, digits != ""
	default:
		return "", false
	}
}

// appendE164 writes the international form of what is dialled in a region, or from anywhere behind a plus.
func appendE164(dst []byte, digits string, international bool, region string) ([]byte, bool) {
	if international {
		region = ""
		if code, plain := plainE164(digits); plain {
			national, _ := strconv.ParseUint(digits[len(code):], 10, 64)
			country, _ := strconv.ParseInt(code, 10, 32)
			possible := phonenumbers.IsPossibleNumber(&phonenumbers.PhoneNumber{CountryCode: new(int32(country)), NationalNumber: &national})
			return append(append(dst, '+'), digits...), possible
		}
		digits = "+" + digits
	}
	number, err := phonenumbers.Parse(digits, region)
	if err != nil || !phonenumbers.IsPossibleNumber(number) {
		return dst, false
	}
	code := strconv.Itoa(int(number.GetCountryCode()))
	national := phonenumbers.GetNationalSignificantNumber(number)
	before, kept := strings.CutSuffix(strings.TrimPrefix(digits, "+"), national)
	start := len(dst)
	dst = append(append(append(dst, '+'), code...), national...)
	if _, plain := plainE164(string(dst[start+1:])); !plain && before != code {
		// What was stripped must have been all of it: "000" goes on with another trunk prefix.
		again, err := phonenumbers.Parse(string(dst[start:]), "")
		kept = kept && err == nil && phonenumbers.GetNationalSignificantNumber(again) == national
	}
	return dst, kept && isPrefix(before, code)
}

// isPrefix reports whether the digits before a national number are nothing but its country code and the prefixes for trunk
// and international calls. libphonenumber also takes prefixes of carriers, of which one digit makes another.
func isPrefix(s, code string) bool {
	c, _ := strconv.Atoi(code)
	trunk := phonenumbers.GetNddPrefixForRegion(phonenumbers.GetRegionCodeForCountryCode(c), true)
	if s == "" || s == trunk {
		return true
	}
	international, coded := strings.CutSuffix(s, code)
	if !coded {
		international, coded = strings.CutSuffix(s, code+trunk)
	}
	switch international {
	case "", "00", "011", "0011", "010", "810":
		return coded
	}
	return false
}

// plainE164 recognises the numbers behind a plus of which nothing is left to strip: those that do not go on with a trunk
// prefix, in countries where that is a plain one. It returns their country code. Only the others need the parser, which
// takes as long as all the rest of a fingerprint.
func plainE164(digits string) (code string, ok bool) {
	for end := 1; end <= 3 && end < len(digits); end++ {
		if trunk, simple := simpleTrunks()[digits[:end]]; simple {
			national := digits[end:]
			ok = national[0] != '0' && len(national) <= 15 && (trunk == "" || !strings.HasPrefix(national, trunk))
			return digits[:end], ok
		}
	}
	return "", false
}

// simpleTrunks maps the country codes whose numbers have a trunk prefix of plain digits, or none, to that prefix. Of the
// regions that share a code libphonenumber follows the main one behind a plus.
var simpleTrunks = sync.OnceValue(func() map[string]string {
	trunks := make(map[string]string)
	regions := phonenumbers.GetSupportedRegions() // loads the metadata
	collection, err := phonenumbers.MetadataCollection()
	if err != nil {
		return trunks // every number takes the long way
	}
	for _, m := range collection.GetMetadata() {
		code := int(m.GetCountryCode())
		trunk := m.GetNationalPrefixForParsing()
		if regions[m.GetId()] && phonenumbers.GetRegionCodeForCountryCode(code) == m.GetId() && strings.Trim(trunk, "0123456789") == "" {
			trunks[strconv.Itoa(code)] = trunk
		}
	}
	return trunks
})
