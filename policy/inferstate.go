package policy

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
)

// stateVerbs are words in names of tools that give a thing a state which it can leave and come back to.
var stateVerbs = []string{"set", "update", "write", "edit", "move", "rename", "replace", "patch", "put", "toggle", "switch", "enable", "disable", "change",
	"mark", "close", "reopen", "archive", "assign", "upsert", "delete", "remove"}

// setsState says whether calls of a tool set the state of a thing, so that an equal call can be meant anew once another one
// was carried out between the two.
func setsState(t Tool) bool {
	switch strings.ToUpper(t.Method) {
	case http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	}
	return slices.ContainsFunc(nameWords(t.Name), func(w string) bool { return slices.Contains(stateVerbs, w) })
}

// plainName matches the names of arguments that need no quotes in a template.
var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// resource is a template of what a tool acts on, from the arguments that identify it; "" where none surely does.
func (in *Inferred) resource() string {
	var parts []string
	for _, a := range in.Arguments {
		switch a.Kind.String() {
		case "id", "path", "url":
			if in.Kind == Write && a.Role == fingerprint.Identity && plainName.MatchString(a.Name) {
				parts = append(parts, "{"+a.Name+"}")
			}
		}
	}
	if parts == nil {
		return ""
	}
	return "thing:" + strings.Join(parts, "/")
}
