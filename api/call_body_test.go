package api

import (
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

var ann = guard.Principal{Tenant: "acme", Subject: "ann"}

// usualCalls are read in one pass.
var usualCalls = []string{
	smallCall,
	`{"arguments":{},"tool":"t"}`,
	" {\n\t\"tool\" : \"t\\u00e9\" , \"arguments\" : \"{\\\"a\\\":1}\" } ",
	`{"tool":"t","arguments":{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}}`,
	`{"tool":"t","arguments":{},"call_id":"c","run":"r","agent":"a","labels":{"x":"1","":"2"},"idempotency_key":"k","execute":"caller","occurrence":2}`,
	`{"tool":"t","arguments":{},"labels":{},"confirm":{"token":"t","reason":"r"}}`,
	`{"tool":"t","arguments":{},"confirm":{"reason":""},"occurrence":0}`,
	`{}`,
}

// unusualCalls are good, or at least good JSON of good types, and left to the reader of all other bodies.
var unusualCalls = []string{
	`{"tool":"t","arguments":{},"run":null}`,
	`{"tool":"t","arguments":null}`,
	`{"tool":"t","arguments":[1]}`,
	`{"tool":"t","arguments":{},"labels":null,"confirm":null}`,
	`{"tool":"t","arguments":{},"labels":{"x":null}}`,
	`{"tool":"t","arguments":{},"occurrence":-1}`,
	`{"tool":"t","arguments":{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}}`,
	`null`,
}

// checkRead holds the two readers of calls against each other.
func checkRead(t *testing.T, recent *recentCalls, body string) (taken bool) {
	t.Helper()
	var quick callRequest
	if !quick.read(recent, &ann, []byte(body)) {
		if !reflect.DeepEqual(quick, callRequest{}) {
			t.Errorf("%.300q was left, and something of it kept: %+v", body, quick)
		}
		return false
	}
	var slow client.Call
	if err := json.Unmarshal([]byte(body), &slow, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%.300q was read in one pass, and is refused: %v", body, err)
	}
	if !reflect.DeepEqual(quick.Call, slow) {
		t.Errorf("%.300q\n  in one pass: %+v\n  as all others: %+v", body, quick.Call, slow)
	}
	if slow.Arguments == nil {
		return true
	}
	args, err := fingerprint.Decode(slow.Arguments, fingerprint.Limits{})
	if err != nil {
		t.Fatalf("the arguments of %.300q were read in one pass, and are refused: %v", body, err)
	}
	want, wantErr := guard.NewReading(args).Object()
	got, err := quick.reading.Object()
	if (err == nil) != (wantErr == nil) || err == nil && (!reflect.DeepEqual(got.Any(), want.Any()) || string(got.Raw()) != string(want.Raw())) {
		t.Errorf("the arguments of %.300q were read as %s, %v", body, got.Raw(), err)
	}
	return true
}

func TestCallsAreReadAlike(t *testing.T) {
	recent := newRecentCalls()
	for _, body := range usualCalls {
		for range 2 { // the second time from memory
			if !checkRead(t, recent, body) {
				t.Errorf("%s is not read in one pass", body)
			}
		}
	}
	for _, body := range unusualCalls {
		if checkRead(t, recent, body) {
			t.Errorf("%s is read in one pass", body)
		}
	}
	for _, c := range hostile {
		checkRead(t, recent, c.body)
	}
}

func FuzzReadCall(f *testing.F) {
	for _, body := range append(usualCalls, unusualCalls...) {
		f.Add(body)
	}
	for _, c := range hostile {
		if len(c.body) < 1000 {
			f.Add(c.body)
		}
	}
	recent := newRecentCalls()
	f.Fuzz(func(t *testing.T, body string) { checkRead(t, recent, body) })
}

// A body that was read is remembered for whoever sent it and for nobody else, unless it takes much memory.
func TestRecentCalls(t *testing.T) {
	recent := newRecentCalls()
	read := func(p guard.Principal, body string) *guard.Reading {
		var r callRequest
		if !r.read(recent, &p, []byte(body)) {
			t.Fatalf("%s was not read", body)
		}
		return r.reading
	}
	first := read(ann, smallCall)
	if read(ann, smallCall) != first {
		t.Error("the same call was decoded again")
	}
	for _, p := range []guard.Principal{{Tenant: "acme", Subject: "bob"}, {Tenant: "other", Subject: "ann"}, {Tenant: "acmea", Subject: "nn"}} {
		if read(p, smallCall) == first {
			t.Errorf("%s of %s met what another one had sent", p.Subject, p.Tenant)
		}
	}
	if read(ann, strings.Replace(smallCall, "A-1", "A-2", 1)) == first {
		t.Error("another call was taken for it")
	}
	long := callWith(`{"a":"` + strings.Repeat("x", maxRecent) + `"}`)
	many := callWith(`{"a":[0` + strings.Repeat(",0", maxRecentValues) + `]}`)
	for _, body := range []string{long, many} {
		if first := read(ann, body); read(ann, body) == first {
			t.Errorf("a call of %d bytes is remembered", len(body))
		}
	}
}
