package fingerprint

import (
	"strings"
	"testing"
)

// spelled is one value of a kind: JSON texts that are all one form, and texts that must not have it.
type spelled struct {
	form  string
	same  []string
	apart []string
}

// checkSpellings holds a declaration of one argument against spellings. A form that begins with exact is a fallback, which must
// have a note.
func checkSpellings(t *testing.T, a Argument, table []spelled) {
	t.Helper()
	a.Name = "x"
	s := newSpec(t, a)
	read := func(text string) Term {
		t.Helper()
		return s.Terms(decode(t, `{"x":`+text+`}`))[0]
	}
	for _, row := range table {
		for _, text := range row.same {
			if got := read(text); got.Normal != row.form {
				t.Errorf("%s %s is %q (%s), want %q", a.Kind, text, got.Normal, got.Note, row.form)
			}
		}
		for _, text := range row.apart {
			got := read(text)
			if got.Normal == row.form {
				t.Errorf("%s %s is %q, too", a.Kind, text, got.Normal)
			}
			if strings.HasPrefix(got.Normal, "exact ") && got.Note == "" {
				t.Errorf("%s %s fell back to %q without a note", a.Kind, text, got.Normal)
			}
		}
	}
}

func TestPercent(t *testing.T) {
	checkSpellings(t, Argument{Kind: Kind{"percent"}}, []spelled{
		{"percent 5", []string{`5`, `5.0`, `"5%"`, `"5 %"`, `" 5.00 % "`, `"+5"`, `"5 percent"`, `"5 Per Cent"`, `"5,0 %"`, `5e0`},
			[]string{`0.05`, `"0.05"`, `"5‰"`, `"5 pp"`, `"-5%"`, `"5%%"`, `"%5"`, `"05%"`, `"5 %points"`, `[5]`, `null`, `"5,000 %"`, `"%"`, `""`}},
		{"percent 12.5", []string{`12.5`, `"12,5%"`, `"12.50 %"`}, []string{`"125%"`, `"12,500%"`, `"1,2,5%"`}},
		{"percent -3", []string{`-3`, `"-3%"`}, []string{`3`, `"3-%"`}},
		{"percent 9007199254740993", []string{`9007199254740993`}, []string{`9007199254740992`}},
	})
}

func TestDuration(t *testing.T) {
	checkSpellings(t, Argument{Kind: Kind{"duration"}}, []spelled{
		{"duration PT5400S", []string{`"PT90M"`, `"PT1H30M"`, `"1h30m"`, `"90 min"`, `"90 minutes"`, `"1 hour 30 minutes"`, `"1 hour, 30 minutes"`,
			`"1 hour and 30 minutes"`, `"1.5 hours"`, `"5400s"`, `"5400 Seconds"`, `"PT1,5H"`, `"pt90m"`, `"+1h30m"`, `"90-minute"`, `"1h 30m"`, `"5400000ms"`},
			[]string{`"P90M"`, `90`, `"90"`, `"1:30"`, `"1,5 hours"`, `"30m1h"`, `"-PT90M"`, `"PT90M1"`, `"P"`, `"PT"`, `"1h30"`, `"1h30m and"`, `"PT1H30M30M"`, `""`, `null`, `"90 m in"`, `"1h,"`, `"h"`}},
		{"duration P1D", []string{`"P1D"`, `"1 day"`, `"1d"`}, []string{`"PT24H"`, `"24h"`, `"P1DT1S"`}},
		{"duration P14D", []string{`"P2W"`, `"2 weeks"`, `"14 days"`, `"P1W7D"`}, []string{`"P14M"`}},
		{"duration P1M", []string{`"P1M"`, `"1 month"`}, []string{`"PT1M"`, `"P30D"`, `"1m"`, `"730h"`, `"1M"`}},
		{"duration PT60S", []string{`"1m"`, `"1 Min"`, `"60S"`}, []string{`"1M"`, `"1 M"`, `"1M."`}},
		{"duration P1Y", []string{`"P1Y"`, `"1 yr"`}, []string{`"P12M"`, `"P365D"`}},
		{"duration P1Y2M10DT9000.5S", []string{`"P1Y2M10DT2H30M0.5S"`, `"1 year 2 months 1 week 3 days 2h30m500ms"`}, nil},
		{"duration -PT0.000000001S", []string{`"-1ns"`, `"-PT0.000000001S"`}, []string{`"-PT0.0000000011S"`, `"-0.1ns"`}},
		{"duration PT0S", []string{`"PT0S"`, `"P0D"`, `"0s"`, `"-0s"`, `"0 months"`}, []string{`0`, `"0"`}},
		{"exact \"99999999999 s\"", []string{`"99999999999 s"`}, nil}, // more than 64 bits of nanoseconds
	})
}

func TestPhone(t *testing.T) {
	german := []spelled{
		{"phone +4930123456", []string{`"+49 30 123456"`, `"+49 (0)30 123456"`, `"030/123456"`, `"030 - 12 34 56"`, `"0049 30 123456"`, `"(030) 123456"`,
			`"tel:+49-30-123456"`, `"+49.30.123456"`, `4930123456`, `"+4930‑123456"`, `"+49 30 12 34 56"`},
			[]string{`"+49 30 123457"`, `"+49 30 123456 ext 5"`, `"030 123456 or 030 123457"`, `"call 030 123456"`, `"+43 30 123456"`, `"030 12345x"`, `"+"`, `""`, `null`, `30.5`, `"+49 30 123456;isub=1"`}},
		{"phone +4930123456 ext. 007", []string{`"+49 30 123456 ext. 007"`, `"030/123456 x007"`, `"tel:+49-30-123456;ext=007"`, `"030/123456 extension 007"`, `"030/123456, #007"`},
			[]string{`"030/123456 ext. 7"`, `"030/123456 ext. "`, `"030/123456007"`}},
		{"phone +14155552671", []string{`"+1 415-555-2671"`, `"+1 (415) 555.2671"`, `"001 415 555 2671"`}, []string{`"415-555-2671"`}},
		{"phone +390612345678", []string{`"+39 06 1234 5678"`}, []string{`"+39 6 1234 5678"`}},
	}
	checkSpellings(t, Argument{Kind: Kind{"phone"}, Region: "de"}, german)
	checkSpellings(t, Argument{Kind: Kind{"phone"}, Region: "US"}, []spelled{
		{"phone +14155552671", []string{`"415.555.2671"`, `"(415) 555-2671"`, `"1-415-555-2671"`, `4155552671`, `"011 1 415 555 2671"`}, []string{`"1-415-555-2672"`, `"1-800-FLOWERS"`}},
		{"phone +12125550123", []string{`"212 555 0123"`}, []string{`"12 555 0123"`, `"211 555 01234"`}},
	})
	checkSpellings(t, Argument{Kind: Kind{"phone"}}, []spelled{
		{"phone +14155552671", []string{`"+14155552671"`, `"+1 415 555 2671"`}, []string{`"4155552671"`, `"0014155552671"`, `14155552671`, `"+0"`, `"+1"`, `"+999 123456789"`, `"+1 415 555 26711234567"`}},
	})
	if _, err := NewSpec([]Argument{{Name: "a", Kind: Kind{"phone"}, Region: "XX"}}); err == nil || !strings.Contains(err.Error(), `"XX" is not a region`) {
		t.Error(err)
	}
}

func TestCountry(t *testing.T) {
	checkSpellings(t, Argument{Kind: Kind{"country"}}, []spelled{
		{"country US", []string{`"US"`, `"usa"`, `"U.S.A."`, `"United States"`, `"the United States of America"`, `"Vereinigte Staaten"`, `"États-Unis"`},
			[]string{`"UM"`, `"Puerto Rico"`, `"America"`, `"US1"`, `"US CA"`, `840`, `"840"`, `""`, `null`}},
		{"country GB", []string{`"GB"`, `"UK"`, `"GBR"`, `"Great Britain"`, `"United Kingdom"`, `"u.k."`}, []string{`"England"`, `"Ukraine"`, `"GG"`}},
		{"country DE", []string{`"DE"`, `"deu"`, `"Deutschland"`, `"GERMANY"`, `"Alemania"`}, []string{`"DD"`, `"EU"`, `"Germany (East)"`}},
		{"country CI", []string{`"Côte d’Ivoire"`, `"cote d'ivoire"`, `"Ivory Coast"`}, []string{`"Ivory"`}},
		{"country KR", []string{`"South Korea"`, `"KOR"`, `"Republic of Korea"`}, []string{`"North Korea"`, `"Korea"`, `"Korea (North)"`}},
		{"country NG", []string{`"Nigeria"`}, []string{`"Niger"`}},
		{`exact "Congo"`, []string{`"Congo"`}, []string{`"Congo - Kinshasa"`, `"DRC"`}},
	})
}

func TestLanguage(t *testing.T) {
	checkSpellings(t, Argument{Kind: Kind{"language"}}, []spelled{
		{"language en-US", []string{`"en-US"`, `"en_us"`, `"EN-us"`, `"eng-US"`, `"en-Latn-US"`}, []string{`"en"`, `"en-GB"`, `"en_US.UTF-8"`, `"en-US,en"`, `"en-840"`, `""`, `null`, `7`}},
		{"language en", []string{`"en"`, `"English"`, `"eng"`, `"Englisch"`, `"anglais"`}, []string{`"en-US"`, `"Old English"`, `"xx"`, `"Klingonish"`}},
		{"language de", []string{`"de"`, `"German"`, `"Deutsch"`}, []string{`"Swiss German"`, `"de-AT"`, `"nl"`}},
		{"language zh-Hant", []string{`"zh-Hant"`, `"zh_hant"`}, []string{`"zh-TW"`, `"zh"`}},
		{"language es-419", []string{`"es-419"`}, []string{`"es-418"`, `"es"`}},
	})
}

func TestPath(t *testing.T) {
	checkSpellings(t, Argument{Kind: Kind{"path"}}, []spelled{
		{"path /a/b", []string{`"/a/b"`, `"/a//b/"`, `"/./a/./b/."`, `"///a/b"`}, []string{`"a/b"`, `"//a/b"`, `"/a/c/../b"`, `"/A/b"`, `"/a/b "`, `"\\a\\b"`, `"/a/b/.."`, `["/a/b"]`}},
		{"path a", []string{`"a"`, `"./a"`, `"a/"`, `".//a/./"`}, []string{`"/a"`, `"../a"`, `".a"`, `"a."`}},
		{"path ~/a", []string{`"~/a"`, `"~//a/"`}, []string{`"./~/a"`, `"/~/a"`, `"~a"`}},
		{"path ./~/a", []string{`"./~/a"`, `".//~/a"`}, nil},
		{"path .", []string{`"."`, `"./"`, `"././/"`}, []string{`"/"`, `".."`, `""`, `" "`}},
		{"path /", []string{`"/"`, `"/."`, `"///"`}, []string{`"//"`, `"/.."`}},
		{"path café", []string{`"café"`}, []string{`"cafe\u0301"`}},
		{`exact "https://a.example/b/"`, []string{`"https://a.example/b/"`}, nil},
		{`exact "a\u0000b"`, []string{`"a\u0000b"`}, nil},
	})
}

func TestBankCodes(t *testing.T) {
	checkSpellings(t, Argument{Kind: Kind{"iban"}}, []spelled{
		{"iban DE89370400440532013000", []string{`"DE89370400440532013000"`, `"DE89 3704 0044 0532 0130 00"`, `"de89-3704-0044-0532-0130-00"`, `"IBAN: DE89 3704 0044 0532 0130 00"`},
			[]string{`"DE89370400440532013001"`, `"DE893704004405320130000"`, `"DE89  3704 0044 0532 0130 00"`, `"-DE89370400440532013000"`, `"89370400440532013000"`, `89`, `""`, `"IBAN"`}},
		{`exact "US122000000121212121212"`, []string{`"US122000000121212121212"`}, []string{`"US1220000000121212121212"`}},
	})
	checkSpellings(t, Argument{Kind: Kind{"card"}}, []spelled{
		{"card 4111111111111111", []string{`"4111 1111 1111 1111"`, `"4111-1111-1111-1111"`, `4111111111111111`, `"4111\u00a01111 1111 1111"`},
			[]string{`"4111 1111 1111 1112"`, `"**** **** **** 1111"`, `"4111  1111 1111 1111"`, `"4111 1111 1111 1111-"`, `"0"`, `"00000000000"`, `"4111-1111-1111-1111 (Visa)"`, `null`}},
		{"card 378282246310005", []string{`"3782 822463 10005"`}, nil},
	})
}

func TestEmbeddedJSON(t *testing.T) {
	checkSpellings(t, Argument{Kind: Kind{"json"}}, []spelled{
		{`json {"a":[1,"x"],"b":null}`, []string{`{"b":null,"a":[1.0,"\u0078"]}`, `"{\"b\": null, \"a\": [1, \"x\"]}"`},
			[]string{`{"a":[1,"x"]}`, `{"a":["x",1],"b":null}`, `"{\"a\":[1,\"x\"],\"b\":null"`, `"{\"a\":[1,\"x\"],\"b\":null,\"b\":null}"`, `"{'a':[1,'x'],'b':null}"`}},
		{`json 5`, []string{`5`, `"5"`, `"5.0"`}, []string{`"\"5\""`, `"five"`}},
	})
}

func TestCommand(t *testing.T) {
	checkSpellings(t, Argument{Kind: Kind{"command"}}, []spelled{
		{"command ls -l 'a b'", []string{`"ls -l 'a b'"`, `"  ls\t-l \"a b\" "`, `"ls -l a\\ b"`, `"ls -l a' 'b # all"`, `"ls \\\n  -l 'a b';"`},
			[]string{`"ls 'a b' -l"`, `"ls -l a b"`, `"'ls' -l 'a b'"`, `"ls -l \"a b\" &"`, `"ls -l 'a b' c"`, `"ls -l 'a  b'"`, `"ls -l \"a $b\""`, `["ls","-l","a b"]`, `"ls -l 'a b"`, `"ls -l 'a b'\r\n"`}},
		{"command rm '*'", []string{`"rm '*'"`, `"rm \\*"`, `"rm \"*\""`}, []string{`"rm *"`, `"rm '\\*'"`, `"rm \"\\*\""`}},
		{"command rm *", []string{`"rm   *"`}, []string{`"rm ."`, `"rm * *"`}},
		{"command echo \"$HOME\"", []string{`"echo  \"$HOME\""`}, []string{`"echo $HOME"`, `"echo '$HOME'"`, `"echo \"${HOME}\""`}},
		{"command cd ~/x", []string{`"cd  ~/x"`}, []string{`"cd '~/x'"`, `"cd \"~\"/x"`}},
		{"command a 'b=c' | d && ! e 2> f; g &", []string{`"a b=c|d&&! e 2>f;g&"`, `"a 'b=c' | d &&\n ! e 2> 'f' ; g &"`, `"a b=c|d&& ! 2>f e;g&"`},
			[]string{`"a b=c | d || ! e 2>f; g &"`, `"a b=c | d && e 2>f; g &"`, `"a b=c | d && ! e 2 >f; g &"`, `"a b=c | d && ! e 2>>f; g &"`, `"a b=c | d && ! e 2>f; g"`}},
		{"command A=1 B='x y' cmd", []string{`"A=1 B=\"x y\"  cmd"`, `"A='1' B=x\\ y cmd"`}, []string{`"cmd A=1 B='x y'"`, `"A+=1 B='x y' cmd"`, `"B='x y' A=1 cmd"`}},
		{"command a\nb", []string{`"a\n\n b"`, `"a # one\n# two\nb"`}, []string{`"a; b"`, `"a b"`, `"a\\\nb"`, `"a &\nb"`}},
		{"command diff < <(a)", []string{`"diff < <(a)"`, `"diff   < <(a)"`}, []string{`"diff <(a)"`, `"diff < <( a)"`}},
		{"command a 2>&1", []string{`"a 2>&1"`, `"a 2>& 1"`}, []string{`"a 1>&2"`, `"a 2 >&1"`, `"a 2>1"`}},
		{"command if a; then b; fi", []string{`" if a; then b; fi\n"`}, []string{`"if a; then  b; fi"`, `"if a; then c; fi"`}},
		{"command cat <<E\n$x\nE", []string{`"cat <<E\n$x\nE"`}, []string{`"cat <<'E'\n$x\nE"`, `"cat <<E\n$x \nE"`}},
		{"command echo =ls", []string{`"echo =ls"`}, []string{`"echo '=ls'"`}},
		{"command a &>f b", []string{`"a &>f b"`}, []string{`"a b &>f"`}}, // two commands where &> is unknown
		{"command a 2>&1<f", []string{`"a 2>&1<f"`}, []string{`"a 2>&1 <f"`}},
		{"command a $b\\ ", []string{`"a  $b\\ "`}, []string{`"a $b\\"`, `"a $b"`}},
		{`exact "a #\\\nb"`, []string{`"a #\\\nb"`}, []string{`"a b"`, `"a #\nb"`}},
		{"command echo ''", []string{`"echo ''"`, `"echo \"\""`}, []string{`"echo"`, `"echo ' '"`}},
		{`exact "# nothing"`, []string{`"# nothing"`}, []string{`""`, `"#!/bin/sh\nls"`, `null`}},
	})
}
