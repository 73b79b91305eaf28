package guard

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheTableInThePackageCommentIsTheOneInForce holds doc.go and Transitions equal, line by line.
func TestTheTableInThePackageCommentIsTheOneInForce(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "//\tfrom      event      to        fence  by\n")
	if !found {
		t.Fatal("doc.go has no table of transitions")
	}
	row := regexp.MustCompile(`^//\t(\w*) +(\w+) +(\w+) +(\S+)  `)
	var documented, inForce []string
	for line := range strings.Lines(table) {
		m := row.FindStringSubmatch(line)
		if m == nil {
			break
		}
		raises := m[4] != "="
		documented = append(documented, fmt.Sprintf("%s -%s-> %s raises=%v", m[1], m[2], m[3], raises))
	}
	for _, tr := range Transitions {
		inForce = append(inForce, fmt.Sprintf("%s -%s-> %s raises=%v", tr.From, tr.By, tr.To, tr.Raises))
	}
	if !slices.Equal(documented, inForce) {
		t.Errorf("documented:\n%s\nin force:\n%s", strings.Join(documented, "\n"), strings.Join(inForce, "\n"))
	}
}

func TestEachKindOfEventRaisesTheFenceAlwaysOrNever(t *testing.T) {
	for _, tr := range Transitions {
		if tr.Raises != tr.By.Raises() {
			t.Errorf("%s -%s-> %s: the table says raises=%v, the kind says %v", tr.From, tr.By, tr.To, tr.Raises, tr.By.Raises())
		}
	}
}

// TestNoTimerLeadsBackToASend is the promise in terms of the table: nothing that time alone does takes an effect that
// may have been sent to a state from which it can be sent.
func TestNoTimerLeadsBackToASend(t *testing.T) {
	for _, tr := range Transitions {
		byTime := tr.By == EventLapsed || tr.By == EventExpired
		if byTime && (tr.To == Pending || tr.To == Approved || tr.To == Failed) {
			t.Errorf("%s -%s-> %s: time alone must not open the way to a send", tr.From, tr.By, tr.To)
		}
		if tr.From == Done && tr.To != Done {
			t.Errorf("%s -%s-> %s: nothing leads out of done", tr.From, tr.By, tr.To)
		}
	}
}

func TestANoteIsLegalEverywhereAndChangesNothing(t *testing.T) {
	for _, from := range States {
		for _, to := range States {
			if got := Legal(from, EventNoted, to); got != (from == to) {
				t.Errorf("Legal(%s, noted, %s) = %v", from, to, got)
			}
		}
	}
	if Legal("", EventNoted, "") {
		t.Error("a note needs an effect")
	}
}
