package policy

import (
	"fmt"
	"slices"
	"strings"
)

// layer is what one place of the files says of tools, by key: "defaults:", a group, or an entry of "tools:". A tool is the
// defaults, then its groups in the order of the files, then its own entry; of each key the last word counts.
type layer []entry

// merging names the mappings that are merged key by key, with those within them. Every other value, such as a list or a schema, is
// replaced as a whole.
type merging map[string]merging

var merged = merging{
	"on": {}, "near": {}, "arguments": {}, "annotations": {}, "approvals": {},
	"upstream": {"http": {"headers": {}}},
}

// get returns the entry of a key.
func (l layer) get(key string) (entry, bool) {
	if i := l.index(key); i >= 0 {
		return l[i], true
	}
	return entry{}, false
}

func (l layer) index(key string) int {
	return slices.IndexFunc(l, func(e entry) bool { return e.name == key })
}

// over returns what a tool is of which base was said first and then l.
func (l layer) over(base layer) layer {
	if len(base) == 0 {
		return l
	}
	return join(base, l, merged)
}

// join adds entries to others. Of a key that both have, the nearer value stands, or is merged with the other.
func join(base, nearer []entry, in merging) []entry {
	all := slices.Clone(base)
	for _, e := range nearer {
		i := layer(all[:len(base)]).index(e.name)
		if i < 0 {
			all = append(all, e)
			continue
		}
		if deeper, merges := in[e.name]; merges {
			e.value = mergeNodes(all[i].value, e.value, deeper)
		}
		all[i] = e
	}
	return all
}

// mergeNodes joins two mappings. Where one of the two is none, the nearer value stands.
func mergeNodes(base, nearer *node, deeper merging) *node {
	if base.kind != mappingNode || nearer.kind != mappingNode {
		return nearer
	}
	return &node{kind: mappingNode, at: nearer.at, entries: join(base.entries, nearer.entries, deeper)}
}

// place tells where a key was written: "window", or "on.done" for a key of a mapping that is merged.
func (l layer) place(path string) (at place, written bool) {
	key, inner, within := strings.Cut(path, ".")
	e, ok := l.get(key)
	if _, merges := merged[key]; !ok || merges != within {
		return place{}, false
	}
	if within {
		e, ok = layer(e.value.entries).get(inner)
	}
	return e.key, ok
}

// places tells where each key was written, those of mappings that are merged as well.
func (l layer) places() map[string]place {
	places := make(map[string]place, len(l))
	addPlaces(places, "", l, merged)
	return places
}

func addPlaces(places map[string]place, path string, entries []entry, in merging) {
	for _, e := range entries {
		if deeper, merges := in[e.name]; merges && e.value.kind == mappingNode {
			addPlaces(places, path+e.name+".", e.value.entries, deeper)
			continue
		}
		places[path+e.name] = e.key
	}
}

// joinDefaults makes one layer of the defaults of all files, which hold for the whole set. A setting can be made in one file only.
func joinDefaults(r *report, docs []*document) layer {
	var all layer
	first := make(map[string]place)
	for _, d := range docs {
		for key, where := range d.defaults.places() {
			if there, ok := first[key]; ok {
				r.add(where, fmt.Sprintf("the default %q is also set at %s:%d", key, there.file.name, there.line), "defaults hold for all files; keep one of them")
				continue
			}
			first[key] = where
		}
		all = d.defaults.over(all)
	}
	return all
}
