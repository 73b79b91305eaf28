package fingerprint

import (
	"slices"
	"strings"

	"golang.org/x/text/currency"
)

// newCurrencies are ISO 4217 codes that the tables of x/text do not have yet.
var newCurrencies = []string{"MRU", "SLE", "UYW", "VED", "VES", "XCG", "ZWG"}

// minorUnits holds the digits after the decimal point (ISO 4217, list one) where they are not 2. The tables of x/text
// are CLDR's, which are for display and say 0 for many currencies that have cents.
var minorUnits = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
	"UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	"CLF": 4, "UYW": 4,
}

// ownSigns are signs that stand for one currency only.
var ownSigns = map[string]string{
	"€": "EUR", "₹": "INR", "₺": "TRY", "₽": "RUB", "₴": "UAH", "₫": "VND", "₪": "ILS", "₦": "NGN", "₱": "PHP",
	"₸": "KZT", "₾": "GEL", "₼": "AZN", "฿": "THB", "R$": "BRL", "zł": "PLN", "Kč": "CZK",
	"US$": "USD", "A$": "AUD", "C$": "CAD", "CA$": "CAD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "NT$": "TWD",
}

// sharedSigns are signs that several currencies use. One says nothing alone, but must fit a currency that is known.
var sharedSigns = map[string][]string{
	"$": {"USD", "AUD", "BBD", "BMD", "BND", "BSD", "BZD", "CAD", "CLP", "COP", "DOP", "FJD", "GYD", "HKD", "JMD", "KYD",
		"LRD", "MXN", "NAD", "NZD", "SBD", "SGD", "SRD", "TTD", "TWD", "UYU", "XCD"},
	"£": {"GBP", "EGP", "FKP", "GIP", "LBP", "SDG", "SHP", "SSP", "SYP"},
	"¥": {"JPY", "CNY"}, "￥": {"JPY", "CNY"},
	"₩":  {"KRW", "KPW"},
	"kr": {"DKK", "ISK", "NOK", "SEK"},
}

// currencyCode reads an ISO 4217 code in any case.
func currencyCode(s string) (code string, ok bool) {
	if len(s) != 3 {
		return "", false
	}
	code = strings.ToUpper(s)
	if slices.Contains(newCurrencies, code) {
		return code, true
	}
	unit, err := currency.ParseISO(code)
	if err != nil || unit == currency.XXX {
		return "", false
	}
	return code, true
}

// currencyDigits returns the digits after the decimal point of an amount in this currency.
func currencyDigits(code string) int {
	if n, special := minorUnits[code]; special {
		return n
	}
	return 2
}

// currencyMark reads what stands beside an amount: a code or a sign. A sign of several currencies is its own result.
func currencyMark(s string) (mark string, ok bool) {
	if code, ok := currencyCode(s); ok {
		return code, true
	}
	if code, ok := ownSigns[s]; ok {
		return code, true
	}
	_, shared := sharedSigns[s]
	return s, shared
}

// agree joins two statements about one currency, "" for none: the more exact one, or false when they contradict.
func agree(a, b string) (mark string, ok bool) {
	switch {
	case a == b || b == "":
		return a, true
	case a == "" || slices.Contains(sharedSigns[a], b):
		return b, true
	default:
		return a, slices.Contains(sharedSigns[b], a)
	}
}
