package policy

// Annotations are the hints about a tool's behaviour that the Model Context Protocol defines (ToolAnnotations, revision
// 2025-03-26), as the policy gives them and not as the tool's server does. Nothing but conditions looks at them.
type Annotations struct {
	Title       string
	ReadOnly    bool
	Destructive bool
	Idempotent  bool
	OpenWorld   bool
}

// defaultAnnotations are those that the protocol assumes of a tool without any.
func defaultAnnotations() Annotations { return Annotations{Destructive: true, OpenWorld: true} }

var annotationKeys = keys{now: []string{"title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}}

func (r *reader) annotations(n *node) Annotations {
	a := defaultAnnotations()
	f := r.fields(n, "annotations", annotationKeys)
	if e, ok := f.get("title"); ok {
		a.Title = r.string(e.value, "title")
	}
	for key, hint := range map[string]*bool{
		"readOnlyHint": &a.ReadOnly, "destructiveHint": &a.Destructive, "idempotentHint": &a.Idempotent, "openWorldHint": &a.OpenWorld,
	} {
		if e, ok := f.get(key); ok {
			*hint = r.truth(e.value, key)
		}
	}
	return a
}

// celAnnotations are the annotations as conditions see them.
func (a Annotations) cel() map[string]any {
	return map[string]any{
		"title": a.Title, "readOnlyHint": a.ReadOnly, "destructiveHint": a.Destructive, "idempotentHint": a.Idempotent, "openWorldHint": a.OpenWorld,
	}
}
