package fingerprint

// readJSON reads a JSON document that travels as a string, or as the value itself.
//
// It joins a string that holds JSON with the value it holds, and what is equal as JSON under exact arithmetic: white
// space, escapes, the order of members and the spelling of numbers do not count. It is decoded as strictly as the
// arguments themselves, once: a string within the document stays a string.
//
// It keeps apart everything that canonical JSON keeps apart. A string that is not JSON, with a name twice or a comment
// in it, is compared exactly.
func readJSON(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	if v.Type() == String {
		inner, err := Decode([]byte(v.Text()), Limits{})
		if err != nil {
			return nil, "the string does not hold JSON", false
		}
		v = inner
	}
	return v.AppendCanonical(append(dst, "json "...)), "", true
}
