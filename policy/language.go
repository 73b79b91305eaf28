package policy

import (
	_ "embed"
	"slices"
)

//go:embed language.json
var languageSchema []byte

// LanguageSchema returns the JSON Schema (draft 2020-12) of policy files, with a description of each key for editors. It is about the
// form of one file: what depends on several values or files, such as a name that is used twice, only Load finds. Tests hold
// it against the tables by which files are read.
func LanguageSchema() []byte { return slices.Clone(languageSchema) }
