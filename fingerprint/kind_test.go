package fingerprint

import (
	"strings"
	"testing"
)

func TestParseKind(t *testing.T) {
	for in, want := range map[string]string{
		"exact": "exact", "money": "money", "list": "list of exact", "set": "set of exact", "map": "map of exact",
		"set of email": "set of email", " list  of set of id ": "list of set of id", "map of list": "map of list of exact",
		"map of exact": "map of exact",
	} {
		k, err := ParseKind(in)
		if err != nil || k.String() != want {
			t.Errorf("ParseKind(%q) = %q, %v", in, k, err)
		}
		if again, err := ParseKind(k.String()); err != nil || again != k {
			t.Errorf("%q is not read back: %q, %v", k, again, err)
		}
	}
	if k, err := ParseKind("exact"); err != nil || k != (Kind{}) {
		t.Error("exact is not the zero Kind")
	}
	for in, part := range map[string]string{
		"emial": `did you mean "email"?`, "monye": `did you mean "money"?`, "sett of id": `did you mean "set"?`,
		"": "empty", "fax": "the kinds are exact, id", "set email": `"set of email"`, "set of": `"set of email"`,
		"id of name": `unexpected "of"`, "set of emial": `did you mean "email"?`, "of": "unknown kind",
		"list of list of list of list of list of id": "nests more than 4", "Email": `did you mean "email"?`,
	} {
		_, err := ParseKind(in)
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("ParseKind(%q): %v, want %q in it", in, err, part)
		}
	}
}

func TestRoleAndKindAsText(t *testing.T) {
	var r Role
	if err := r.UnmarshalText([]byte("identity")); err != nil || r != Identity {
		t.Errorf("%v, %v", r, err)
	}
	err := r.UnmarshalText([]byte("identify"))
	if err == nil || !strings.Contains(err.Error(), `did you mean "identity"?`) || r != Identity {
		t.Errorf("%v, %v", r, err)
	}
	if _, err := Role(9).MarshalText(); err == nil {
		t.Error("a role that does not exist has a name")
	}
	var k Kind
	if err := k.UnmarshalText([]byte("set of id")); err != nil || k.String() != "set of id" {
		t.Errorf("%v, %v", k, err)
	}
}

func TestResolveLocalTimes(t *testing.T) {
	s, err := NewSpec([]Argument{{Name: "at", Kind: Kind{"datetime"}, Zone: "Europe/Berlin", Round: "1m"}})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`"2024-05-19 13:00:59"`:  "datetime 2024-05-19T11:00:00Z",
		`"2024-01-19 13:00"`:     "datetime 2024-01-19T12:00:00Z",
		`"2024-03-31 01:59"`:     "datetime 2024-03-31T00:59:00Z",
		`"2024-03-31 02:30"`:     "datetime 2024-03-31T02:30:00 local", // skipped
		`"2024-03-31 03:00"`:     "datetime 2024-03-31T01:00:00Z",
		`"2024-10-27 01:59"`:     "datetime 2024-10-26T23:59:00Z",
		`"2024-10-27 02:30"`:     "datetime 2024-10-27T02:30:00 local", // twice
		`"2024-10-27 03:00"`:     "datetime 2024-10-27T02:00:00Z",
		`"2024-10-27T02:30:00Z"`: "datetime 2024-10-27T02:30:00Z",
		`"2024-10-27"`:           "datetime 2024-10-26T22:00:00Z", // a date is its midnight
	} {
		v := decode(t, `{"at":`+text+`}`)
		term := s.Terms(v)[0]
		told := strings.HasSuffix(want, "local") || !strings.Contains(text, ":")
		if term.Normal != want || told != (term.Note != "") {
			t.Errorf("%s is %q (%s), want %q", text, term.Normal, term.Note, want)
		}
	}
}
