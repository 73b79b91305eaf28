package fingerprint

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// compileMoney reads an amount of money. The form is the exact amount in the currency's main unit and, where one is
// known, the currency.
//
// It joins the spellings of an amount as number or string (25, "25.00", "25,00", "1,234.50", "1 234,50") and of its
// currency: from a constant of the rule, from a sibling argument, or from a code or sign in the string ("EUR 25",
// "25 €", "$25" where the currency is known to be a dollar). With Minor, whole numbers count the smallest unit of ISO
// 4217, and without a known currency nothing can be said.
//
// It keeps apart an amount without a currency from one with any, and never rounds. Compared exactly are strings that
// can be read in two ways ("1.234", "1,234": grouped or not), a currency that contradicts the rule or the sibling,
// fractions of a minor unit, exponents in a string, and other types.
func compileMoney(a *declared) (reader, error) {
	constant := ""
	if code, isConstant := constantCurrency(a.Currency); isConstant {
		constant = code
	}
	return func(dst []byte, in call, v Value) (form []byte, note string, ok bool) {
		amount, mark, plain, fault := readAmount(v)
		if fault != "" {
			return nil, fault, false
		}
		declared, opaque := constant, ""
		if constant == "" && a.Currency != "" {
			declared, opaque = siblingCurrency(in, a.Currency)
		}
		unit, fits := agree(declared, mark)
		if !fits || mark != "" && opaque != "" {
			return nil, "the currency beside the amount is not the declared one", false
		}
		if a.Minor {
			if _, isCode := currencyCode(unit); !isCode {
				return nil, "an amount in minor units needs a known currency", false
			}
			if !plain || !amount.IsInt() {
				return nil, "not a whole number of minor units", false
			}
			amount = amount.Shift(-currencyDigits(unit))
		}
		form = amount.append(append(dst, "money "...))
		switch {
		case opaque != "":
			form = append(append(form, ' '), opaque...)
			return form, "the currency is not an ISO 4217 code and is compared exactly", true
		case unit != "":
			form = append(append(form, ' '), unit...)
		}
		return form, "", true
	}, nil
}

// constantCurrency reports whether Argument.Currency is a code rather than the name of a sibling: three capitals are.
func constantCurrency(s string) (code string, constant bool) {
	if len(s) != 3 || strings.ToUpper(s) != s || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "", false
	}
	code, _ = currencyCode(s)
	return code, true
}

// siblingCurrency reads another argument as a currency, by its text or by what its aliases make of it. One that is
// neither blank nor a currency is opaque: its normal form, quoted, keeps amounts in unknown currencies apart.
func siblingCurrency(in call, name string) (mark, opaque string) {
	d, v := in.sibling(name)
	if isBlank(v) {
		return "", ""
	}
	if mark, ok := currencyMark(strings.TrimSpace(v.Text())); ok {
		return mark, ""
	}
	normal, _ := d.read.normalise(nil, in, v)
	form := string(normal)
	if _, folded, tagged := strings.Cut(form, " "); tagged {
		if mark, ok := currencyMark(folded); ok {
			return mark, ""
		}
	}
	return "", string(appendQuoted(nil, form))
}

// readAmount reads a number, or a string that holds one with an optional sign and currency. plain says that it was
// digits only; fault is why it could not be read.
func readAmount(v Value) (amount Decimal, mark string, plain bool, fault string) {
	switch v.Type() {
	case Number:
		return v.Number(), "", true, ""
	case String:
		return amountText(v.Text())
	default:
		return Decimal{}, "", false, "not an amount"
	}
}

func amountText(s string) (amount Decimal, mark string, plain bool, fault string) {
	first := strings.IndexAny(s, "0123456789")
	last := strings.LastIndexAny(s, "0123456789")
	if first < 0 || len(s) > DefaultLimits.Digits {
		return Decimal{}, "", false, "the string is not an amount"
	}
	negative, before, ok := leadingSign(strings.TrimSpace(s[:first]))
	if !ok {
		return Decimal{}, "", false, "the string has two signs"
	}
	var marks [2]string
	for i, text := range []string{before, strings.TrimSpace(s[last+1:])} {
		if text == "" {
			continue
		}
		if marks[i], ok = currencyMark(text); !ok {
			return Decimal{}, "", false, "the text beside the amount is not a known currency"
		}
	}
	if mark, ok = agree(marks[0], marks[1]); !ok {
		return Decimal{}, "", false, "the string names two currencies"
	}
	number := s[first : last+1]
	amount, fault = groupedNumber(number)
	if negative && amount.digits != "" {
		amount.negative = true
	}
	plain = mark == "" && strings.Trim(number, "0123456789") == ""
	return amount, mark, plain, fault
}

// leadingSign takes one sign from either end of the text before an amount: "-€" and "€ -".
func leadingSign(s string) (negative bool, rest string, ok bool) {
	const signs = "+-−"
	trimmed := strings.TrimSpace(strings.Trim(s, signs))
	sign := strings.TrimSpace(strings.Replace(s, trimmed, "", 1))
	return sign == "-" || sign == "−", trimmed, utf8.RuneCountInString(sign) <= 1
}

const ambiguousGrouping = "the separators can be read in two ways"

// groupedNumber reads digits with separators where only one reading is possible. s starts and ends with a digit.
func groupedNumber(s string) (Decimal, string) {
	var space [8]string
	var marks [8]rune
	parts, separators, ok := splitDigits(s, space[:0], marks[:0])
	if !ok || len(parts[0]) > 1 && parts[0][0] == '0' {
		return Decimal{}, "the number is not plainly written"
	}
	n := len(separators)
	groups, fraction := parts, ""
	switch {
	case n == 0:
	case n == 1 || separators[n-1] != separators[n-2]:
		decimal, reason := isDecimalSeparator(separators, parts)
		if reason != "" {
			return Decimal{}, reason
		}
		if decimal {
			groups, fraction = parts[:n], parts[n]
		}
	}
	if len(groups) > 1 && !areGroups(groups, separators[:len(groups)-1]) {
		return Decimal{}, ambiguousGrouping
	}
	return newDecimal(strings.Join(parts, ""), -int64(len(fraction)), false), ""
}

// splitDigits splits at single separators and appends what it finds. White space counts as one kind, and so do
// apostrophes.
func splitDigits(s string, parts []string, separators []rune) (_ []string, _ []rune, ok bool) {
	start := 0
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			continue
		case unicode.Is(unicode.Zs, r):
			separators = append(separators, ' ')
		case r == '\'' || r == '’':
			separators = append(separators, '\'')
		case r == '.' || r == ',':
			separators = append(separators, r)
		default:
			return nil, nil, false
		}
		if start == i {
			return nil, nil, false
		}
		parts = append(parts, s[start:i])
		start = i + utf8.RuneLen(r)
	}
	return append(parts, s[start:]), separators, true
}

// isDecimalSeparator judges the last separator, which stands alone or differs from the one before it. reason is why
// nothing can be said.
func isDecimalSeparator(separators []rune, parts []string) (decimal bool, reason string) {
	n := len(separators)
	last, fraction := separators[n-1], parts[n]
	if last != '.' && last != ',' {
		if n > 1 {
			return false, ambiguousGrouping
		}
		return false, ""
	}
	if n > 1 {
		return true, ""
	}
	if len(fraction) == 3 && len(parts[0]) <= 3 && parts[0] != "0" || last == ',' && len(fraction) > 2 {
		return false, ambiguousGrouping
	}
	return true, ""
}

// areGroups reports whether the parts are groups of thousands behind one separator.
func areGroups(groups []string, separators []rune) bool {
	for _, r := range separators {
		if r != separators[0] {
			return false
		}
	}
	for _, g := range groups[1:] {
		if len(g) != 3 {
			return false
		}
	}
	return len(groups[0]) <= 3 && groups[0][0] != '0'
}

// checkCurrency validates Argument.Currency.
func checkCurrency(s string) error {
	if s == "" {
		return nil
	}
	if code, constant := constantCurrency(s); constant && code == "" {
		return fmt.Errorf("currency: %q is not a currency code of ISO 4217", s)
	}
	return nil
}
