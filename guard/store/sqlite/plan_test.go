package sqlite_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/guard/store/sqlite"
)

// hot are the statements of claims, settlements and lookups.
var hot = []string{
	"effect_by_key", "effect_by_id", "effects_by_caller_key", "effect_insert", "effect_settle", "effect_update",
	"effect_extend", "event_insert", "event_with_previous", "last_numbers", "uses_sum", "use_replace", "uses_give_back",
}

// searches are what statements must use, where another index would do the same at the price of reading what has come to an end
// or belongs to others.
var searches = map[string]string{
	"effect_by_key":         "effects_by_resource (resource=? AND since>?)",
	"effects_by_scope":      "effects_by_key (key>? AND key<?)",
	"effects_by_identity":   "effects_by_identity (identity=? AND tenant=? AND <expr>>?)",
	"effects_by_near":       "effects_by_near (near=? AND tenant=? AND <expr>>?)",
	"effects_by_caller_key": "effects_by_caller_key (caller_key=?)",
	"effects_list":          "effects_by_tenant (tenant=? AND created>? AND created<?)",
	"effects_in_review":     "effects_in_review (tenant=? AND created>? AND created<?)",
	"effects_with_bytes":    "effects_settled (bytes=? AND updated<?)",
	"effects_forgettable":   "effects_settled (bytes=? AND updated<?)",
	"uses_sum":              "COVERING INDEX uses_by_key (key=? AND at>?)",
	"uses_prune":            "INTEGER PRIMARY KEY (rowid=?)",
	"entry_latest":          "COVERING INDEX book_by_name (kind=? AND name=?)",
	"tallies_of_tenant":     "PRIMARY KEY (tenant=? AND start>? AND start<?)",
}

// TestPlans holds every statement to an index, and the hot ones to writing no table that nobody asked for: SQLite builds one for
// each IN list of more than two, even inside a CHECK, which once tripled the cost of a claim.
func TestPlans(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	plans, programs, err := s.TestingOnlyPlans()
	if err != nil {
		t.Fatal(err)
	}
	if len(plans) < 35 {
		t.Fatalf("only %d statements were found", len(plans))
	}
	for name, plan := range plans {
		for line := range strings.Lines(plan) {
			if line = strings.TrimSpace(line); !readsWithin(name, line) {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
	for _, name := range hot {
		if program, ok := programs[name]; !ok || strings.Contains(program, "OpenEphemeral") || strings.Contains(program, "Sorter") {
			t.Errorf("%s builds a table (or is missing: %v)", name, !ok)
		}
	}
	for name, want := range searches {
		if !strings.Contains(plans[name], want) {
			t.Errorf("%s: %s; want a search by %s", name, plans[name], want)
		}
	}
}

// readsWithin tells whether a step of a plan reads no more than what the statement is about.
func readsWithin(name, line string) bool {
	if !strings.HasPrefix(line, "SCAN") && !strings.Contains(line, "TEMP B-TREE") {
		return true
	}
	switch {
	case line == "SCAN CONSTANT ROW", line == "SCAN chain", strings.HasPrefix(line, "SCAN json_each"):
		return true
	case strings.HasPrefix(name, "effects_by_") && line == "USE TEMP B-TREE FOR ORDER BY": // of what answers, not of all that was
		return true
	case name == "effects_forgettable" && !strings.HasPrefix(line, "SCAN effects"): // of what was found, within the limit
		return true
	case name == "uses_prune" && line == "SCAN uses": // the oldest, within the limit
		return true
	}
	return name == "credentials_list" // the answer is the whole table
}
