package sqlite_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/guard/store/sqlite"
)

// TestPlans holds every statement to an index, and the hot ones to writing no table that nobody asked for: SQLite builds one for
// each IN list of more than two, even inside a CHECK, which once tripled the cost of a claim.
func TestPlans(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	plans, programs, err := s.TestingOnlyPlans()
	if err != nil {
		t.Fatal(err)
	}
	if len(plans) < 20 {
		t.Fatalf("only %d statements were found", len(plans))
	}
	for name, plan := range plans {
		for line := range strings.Lines(plan) {
			line = strings.TrimSpace(line)
			switch {
			case !strings.HasPrefix(line, "SCAN") && !strings.Contains(line, "TEMP B-TREE"):
			case line == "SCAN CONSTANT ROW", strings.HasPrefix(line, "SCAN json_each"), line == "SCAN chain":
			case name == "credentials_list": // the answer is the whole table
			case strings.HasPrefix(name, "effects_near") && line == "USE TEMP B-TREE FOR ORDER BY": // of what answers, not of all that was
			default:
				t.Errorf("%s: %s", name, line)
			}
		}
	}
	for _, name := range []string{
		"effect_by_key", "effect_by_id", "effect_by_number", "effects_by_caller_key", "effects_by_wide", "effects_by_identity",
		"effect_insert", "effect_settle", "effect_update", "effect_extend", "event_insert", "event_with_previous", "last_numbers",
	} {
		if program, ok := programs[name]; !ok || strings.Contains(program, "OpenEphemeral") || strings.Contains(program, "Sorter") {
			t.Errorf("%s builds a table (or is missing: %v)", name, !ok)
		}
	}
	// What has come to an end must not be read: it only ever grows.
	for name, want := range map[string]string{
		"effects_near":        "effects_by_near (near=? AND tenant=? AND <expr>>?)",
		"effects_near_fences": "effects_by_near (near=? AND tenant=? AND <expr>>?)",
		"effect_by_key":       "effects_by_resource (resource=? AND since>?)",
	} {
		if !strings.Contains(plans[name], want) {
			t.Errorf("%s: %s; want a search by %s", name, plans[name], want)
		}
	}
}
