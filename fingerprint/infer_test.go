package fingerprint

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func inferring(t testing.TB) *Spec {
	t.Helper()
	s, err := NewInferringSpec(nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestInferByName(t *testing.T) {
	for names, want := range map[string]string{
		"id _id order_id orderId OrderID order-id 'order id' issue_number key project_key uuid sha repo repoName table_name userUUID channel": "identity id",
		"ids item_ids itemIDs keys":                                                       "identity list of id",
		"amount total_price totalPrice refund_amount cost":                                "material money",
		"created_at startTime start_date date when deadline end dob due_date":             "material datetime",
		"count max_results num_retries quantity page_limit":                               "material number",
		"is_private hasAccess dry_run force notifications_enabled":                        "material bool",
		"email user_email emailAddress":                                                   "identity email",
		"to recipients cc_recipients":                                                     "",
		"url webhook_url repoUrl":                                                         "identity url",
		"path file_path filename targetPath":                                              "identity path",
		"title body commitMessage pr_description":                                         "material text",
		"status issue_status currency priority":                                           "material enum",
		"idempotency_key idempotencyKey Idempotency-Key X-Request-Id":                     "volatile exact",
		"new_path new_url updated_email":                                                  "material ",
		"first_name value data payload x wait zz_top " + strings.Repeat("a", 100) + "_id": "material auto",
		// These name a thing as often as an attempt, or the moment that is meant.
		"request_id client_token trace_id nonce_id": "",
	} {
		for _, name := range strings.Fields(names) {
			name = strings.Trim(name, "'")
			got := Infer(name)
			if form := got.Role.String() + " " + got.Kind.String(); want != "" && !strings.HasPrefix(form, want) {
				t.Errorf("%q: %s (%s), want %s", name, form, got.Why, want)
			}
			if got.Why == "" || want == "" && !got.Role.Decides() {
				t.Errorf("%q: %+v", name, got)
			}
		}
	}
}

// Two calls that differ in a spelling only, and two that could be two effects.
func TestInferringSpecJoinsAndKeepsApart(t *testing.T) {
	s := inferring(t)
	same := func(a, b string) bool { return Compare(s.Terms(decode(t, a)), s.Terms(decode(t, b))).Same }
	for _, pair := range [][2]string{
		{`{"order_id": 7}`, `{"order_id": " 7"}`},
		{`{"amount": 25}`, `{"amount": "25.00"}`},
		{`{"start": "2024-05-19 13:00:00"}`, `{"start": "2024-05-19T13:00"}`},
		{`{"slot": "2024-05-19 13:00:00"}`, `{"slot": "2024-05-19T13:00"}`},
		{`{"slots": ["2024-05-19 13:00:00"]}`, `{"slots": ["2024-05-19T13:00"]}`},
		{`{"who": "Ann@Example.com"}`, `{"who": "ann@example.com"}`},
		{`{"participants": "a@b.example"}`, `{"participants": ["a@b.example"]}`},
		{`{"participants": ["c@d.example", "a@b.example"]}`, `{"participants": "['a@b.example', 'c@d.example']"}`},
		{`{"items": "[1, 2]"}`, `{"items": [1, 2]}`},
		{`{"trips": [{"date": "2024-05-19", "flight_number": 7}]}`, `{"trips": [{"flight_number": "7", "date": "May 19, 2024"}]}`},
		{`{"message": "Hello  World"}`, `{"message": "hello world"}`},
		{`{"x": 1, "idempotency_key": "a"}`, `{"x": 1, "idempotency_key": "b"}`},
		{`{"to": "a@b.example, c@d.example"}`, `{"to": ["c@d.example", "A@b.example"]}`},
		{`{"vat_percent": "5 %"}`, `{"vat_percent": 5}`},
		{`{"duration": "30 min"}`, `{"duration": "PT30M"}`},
		{`{"ship_country": "USA"}`, `{"ship_country": "us"}`},
		{`{"to": "a@b.example", "body": "If you agree:\n  Sign here"}`, `{"to": "a@b.example", "body": "if you agree: sign here"}`},
	} {
		if !same(pair[0], pair[1]) {
			t.Errorf("%s and %s are kept apart", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{
		{`{"x": 7}`, `{"x": "7"}`},
		{`{"x": "a"}`, `{"x": ["a"]}`},
		{`{"x": "007"}`, `{"x": "7"}`},
		{`{"x": "A"}`, `{"x": "a"}`},
		{`{"x": " a"}`, `{"x": "a"}`},
		{`{"x": null}`, `{}`},
		{`{"x": [1, 2]}`, `{"x": [2, 1]}`},
		{`{"x": ["1,2"]}`, `{"x": ["1", "2"]}`},
		{`{"x": [[1], 2]}`, `{"x": [1, [2]]}`},
		{`{"x": {"a": 1}}`, `{"x": {"a": 1, "idempotency_key": "k"}}`},
		{`{"x": {"message": "Hi"}}`, `{"x": {"message": "hi"}}`},
		{`{"slot": "2024-05-19"}`, `{"slot": "2024-05-19 00:00"}`},
		{`{"slot": "13.05.2024"}`, `{"slot": "2024-05-13"}`},
		{`{"request_id": "a"}`, `{"request_id": "b"}`},
		{`{"idempotency_key": "a"}`, `{"idempotency_key": "b"}`},
		{`{"client_token": "a"}`, `{"client_token": "b"}`},
		{`{"reason": "late"}`, `{"reason": "broken"}`},
		{`{"timestamp": "2024-05-19T13:00:00Z"}`, `{"timestamp": "2024-05-19T13:00:01Z"}`},
		// Case and white space count in files, requests and programs, and in data that is handed on as a text.
		{`{"path": "a.py", "content": "X = 1"}`, `{"path": "a.py", "content": "x = 1"}`},
		{`{"path": "a.py", "content": "if a:\n  b"}`, `{"path": "a.py", "content": "if a:\nb"}`},
		{`{"url": "https://a.example", "body": "A"}`, `{"url": "https://a.example", "body": "a"}`},
		{`{"topic": "t", "message": "{\"id\": \"Ab\"}"}`, `{"topic": "t", "message": "{\"id\": \"AB\"}"}`},
		{`{"command": "rm  a"}`, `{"command": "rm a"}`},
		{`{"sql": "select 'A'"}`, `{"sql": "select 'a'"}`},
		{`{"query": "Delete"}`, `{"query": "delete"}`},
		{`{"text": "update t set a = 'X'"}`, `{"text": "update t set a = 'x'"}`},
		{`{"notes_id": 1, "content": "if a:\n  b\nc"}`, `{"notes_id": 1, "content": "if a:\n  b\n  c"}`},
		{`{"name": "f", "body": "f() {\n a}"}`, `{"name": "f", "body": "f() {\n A}"}`},
		{`{"element": "password box", "text": "Secret"}`, `{"element": "password box", "text": "secret"}`},
		// What stands in a secret is no address, however much it looks like one.
		{`{"user": "a", "password": "P@ss.Word"}`, `{"user": "a", "password": "p@ss.word"}`},
		{`{"user": "a", "new_password": "P@ss.Word"}`, `{"user": "a", "new_password": "P@SS.word"}`},
		// A client's request is a thing in many trades.
		{`{"client_request_id": "r1", "decision": "approve"}`, `{"client_request_id": "r2", "decision": "approve"}`},
		{`{"duration": 300}`, `{"duration": "300"}`},
		{`{"duration": "1M"}`, `{"duration": "1m"}`},
		{`{"to": "Doe, John"}`, `{"to": ["Doe", "John"]}`},
		{`{"branch": "Main"}`, `{"branch": "main"}`},
	} {
		if same(pair[0], pair[1]) {
			t.Errorf("%s and %s are the same", pair[0], pair[1])
		}
	}
}

func TestInferringSpecIsItsOwn(t *testing.T) {
	plain, err := NewSpec(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := inferring(t)
	if s.Digest() == plain.Digest() || s.Digest() != inferring(t).Digest() || !s.Infers() || plain.Infers() || (*Spec)(nil).Infers() {
		t.Error("the digest of an inferring spec is that of another, or not its own")
	}
	m, err := NewMaker(slices.Repeat([]byte{1}, MinKey))
	if err != nil {
		t.Fatal(err)
	}
	if v := decode(t, `{"x": 1}`); m.Sum(s, Input{}, v).Key == m.Sum(plain, Input{}, v).Key {
		t.Error("the way of comparing is not in the key")
	}
	declared, err := NewInferringSpec([]Argument{{Name: "order_id", Role: Commentary}})
	if err != nil {
		t.Fatal(err)
	}
	terms := declared.Terms(decode(t, `{"order_id": 7, "line_id": "8"}`))
	if terms[0].Kind != "id" || terms[1].Role != Commentary {
		t.Errorf("a declaration does not go before inference: %+v", terms)
	}
	if _, err := NewInferringSpec([]Argument{{Name: ""}}); err == nil {
		t.Error("a bad declaration is accepted")
	}
	text, err := json.Marshal(declared)
	if err != nil {
		t.Fatal(err)
	}
	var read Spec
	if err := json.Unmarshal(text, &read); err != nil || read.Digest() != declared.Digest() || !read.Infers() {
		t.Errorf("%s is read back as %s, %v", text, read.Digest(), err)
	}
	if err := json.Unmarshal([]byte(`{"infer": "infer/v0"}`), &read); err == nil {
		t.Error("an unknown inference is accepted")
	}
}

func TestForm(t *testing.T) {
	s := newSpec(t, Argument{Name: "a", As: "b", Kind: Kind{"id"}}, Argument{Name: "d", Default: []byte("5")})
	for name, want := range map[string]string{"a": "id 7", "d": "exact 5", "x": `exact "y"`, "b": "", "blank": "", "null": "", "none": ""} {
		form, ok := s.Form(decode(t, `{"a": "7", "x": "y", "blank": " ", "null": null}`), name)
		if form != want || ok != (want != "") {
			t.Errorf("%s: %q, %v, want %q", name, form, ok, want)
		}
	}
	if _, ok := s.Form(decode(t, `[1]`), "a"); ok {
		t.Error("an argument of what is no object has a form")
	}
	if _, ok := (*Spec)(nil).Form(Value{}, "a"); ok {
		t.Error("an argument of no call has a form")
	}
}

// A changed digit or letter in any value is another effect, whatever the argument is called.
func TestInferringSpecKeepsChangedDigitsApart(t *testing.T) {
	s := inferring(t)
	var names []string
	for _, h := range hints {
		if h.role != Volatile {
			names = append(names, strings.Fields(h.whole+" "+h.last)...)
		}
	}
	names = append(names, "value", "x")
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "name")
		text := rapid.StringMatching(`[a-z@./: \-\[\]{}"',]{0,6}[0-9]{1,4}[a-z@./: \-\]}"',]{0,6}`).Draw(t, "text")
		i := strings.IndexAny(text, "0123456789")
		changed := []byte(text)
		changed[i] = '0' + (changed[i]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		one, _ := json.Marshal(map[string]any{name: text})
		two, _ := json.Marshal(map[string]any{name: string(changed)})
		a, err := Decode(one, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := Decode(two, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if Compare(s.Terms(a), s.Terms(b)).Same {
			t.Fatalf("%s and %s are the same", one, two)
		}
	})
}

// The forms of nested values stay in proportion to the values.
func TestFormOfDeepValues(t *testing.T) {
	const depth = 60
	text := strings.Repeat(`{"x\"":[`, depth/2) + `"\"q\""` + strings.Repeat(`]}`, depth/2)
	term := inferring(t).Terms(decode(t, `{"v": `+text+`}`))[0]
	if len(term.Normal) > 4*len(text) {
		t.Errorf("%d bytes have a form of %d", len(text), len(term.Normal))
	}
}

func BenchmarkInferredSum(b *testing.B) {
	s := inferring(b)
	m, err := NewMaker(slices.Repeat([]byte{1}, MinKey))
	if err != nil {
		b.Fatal(err)
	}
	v := decode(b, `{"order_id":"ord-2024-000017","amount":129.95,"currency":"EUR","start_time":"2024-05-19T13:00:00Z","recipients":["a@b.example"],"message":"`+strings.Repeat("word ", 160)+`"}`)
	b.ReportAllocs()
	for b.Loop() {
		if m.Sum(s, Input{Tenant: "t", Effect: "e"}, v).Key.IsZero() {
			b.Fatal("no key")
		}
	}
}
