package policy

import "github.com/onceguard/onceguard/fingerprint"

// builtinWordings compares the wordings of all rules that name no opposites of their own.
var builtinWordings = fingerprint.NewLexical(nil)

// Wordings compares the wordings of two calls of the tool, with the opposites that the rule names.
func (r *Rule) Wordings() fingerprint.Similarity { return r.wordings }

func wordings(n Near) fingerprint.Similarity {
	if len(n.Opposites) == 0 {
		return builtinWordings
	}
	return fingerprint.NewLexical(n.Opposites)
}
