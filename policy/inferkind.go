package policy

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
)

// readVerbs begin names of tools that only look. Verbs that can mean more ("query" runs SQL, "check" checks in) are not
// among them.
var readVerbs = []string{"get", "list", "search", "find", "fetch", "describe", "lookup", "count", "show", "view", "browse", "read"}

// writeVerbs in a name say that the tool does more than look, wherever they stand ("get_or_create_user"). Words that are
// nouns as often as verbs ("order", "post") are not among them.
var writeVerbs = []string{"create", "add", "send", "update", "upsert", "delete", "remove", "write", "edit", "move", "rename", "replace", "upload", "publish",
	"cancel", "approve", "merge", "close", "insert", "save", "execute", "pay", "mark", "clear", "reset"}

// eitherVerbs say so only in front of a verb that reads: "run_search" does something, "get_post" does not.
var eitherVerbs = []string{"run", "start", "stop", "set", "put", "post", "patch", "reply", "share", "order", "book", "invite", "grant", "revoke", "enable", "disable",
	"trigger", "schedule", "subscribe"}

// InferKind says whether a tool changes the world: by its own hint, by its method, and only then, and never surely, by its name.
// why is a clause, "" where nothing speaks for the kind, which is then Write.
func InferKind(t Tool) (kind Kind, why string, sure bool) {
	destroys := t.Destructive != nil && *t.Destructive
	switch {
	case t.ReadOnly != nil && *t.ReadOnly && destroys:
		return Write, "its hints contradict each other: read-only and destructive", false
	case t.ReadOnly != nil && *t.ReadOnly:
		return Read, "its server says that it only reads (readOnlyHint)", true
	case t.ReadOnly != nil:
		return Write, "its server says that it does not only read (readOnlyHint)", true
	case destroys:
		return Write, "its server says that it destroys (destructiveHint)", true
	}
	switch method := strings.ToUpper(t.Method); method {
	case "":
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return Read, fmt.Sprintf("a %s request only reads (RFC 9110, section 9.2.1)", method), true
	default:
		return Write, fmt.Sprintf("it is a %s request", method), true
	}
	words := nameWords(t.Name)
	reads := slices.IndexFunc(words, func(w string) bool { return slices.Contains(readVerbs, w) })
	writes := slices.IndexFunc(words, func(w string) bool { return slices.Contains(writeVerbs, w) })
	either := slices.IndexFunc(words, func(w string) bool { return slices.Contains(eitherVerbs, w) })
	if reads >= 0 && writes < 0 && (either < 0 || reads < either) {
		return Read, fmt.Sprintf("only its name (%q) says that it reads", words[reads]), false
	}
	return Write, "", true
}

// nameWords gives the words of a tool's name in lower case.
func nameWords(name string) []string {
	var b strings.Builder
	small := false
	for _, c := range name {
		if unicode.IsUpper(c) && small {
			b.WriteByte(' ')
		}
		small = unicode.IsLower(c) || unicode.IsDigit(c)
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			c = ' '
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return strings.Fields(b.String())
}
