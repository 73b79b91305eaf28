package policy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// layer is what one place of the files says of tools, by key: "defaults:", a group, or an entry of "tools:". A tool is the
// defaults, then its groups in the order of the files, then its own entry; of each key the last word counts.
type layer map[string]entry

// merging names the mappings that are merged key by key, with those within them. Every other value, such as a list or a schema, is
// replaced as a whole.
type merging map[string]merging

var merged = merging{
	"on": {}, "near": {}, "arguments": {}, "annotations": {}, "approvals": {},
	"upstream": {"http": {"headers": {}}},
}

// over returns what a tool is of which base was said first and then l.
func (l layer) over(base layer) layer {
	if len(base) == 0 {
		return l
	}
	all := maps.Clone(base)
	for key, e := range l {
		if deeper, merges := merged[key]; merges {
			if b, ok := base[key]; ok {
				e.value = mergeNodes(b.value, e.value, deeper)
			}
		}
		all[key] = e
	}
	return all
}

// mergeNodes joins two mappings. Where one of the two is none, the nearer value stands.
func mergeNodes(base, nearer ast.Node, deeper merging) ast.Node {
	first, second := members(base), members(nearer)
	if first == nil || second == nil {
		return nearer
	}
	values := slices.Clone(first)
	for _, v := range second {
		name, _ := keyName(v.Key)
		i := slices.IndexFunc(values[:len(first)], func(b *ast.MappingValueNode) bool {
			known, ok := keyName(b.Key)
			return ok && known == name
		})
		if i < 0 {
			values = append(values, v)
			continue
		}
		if inner, merges := deeper[name]; merges {
			joined := *v
			joined.Value = mergeNodes(values[i].Value, v.Value, inner)
			v = &joined
		}
		values[i] = v
	}
	return ast.Mapping(nearer.GetToken(), false, values...)
}

// members are the keys and values of a mapping, nil for what is none.
func members(n ast.Node) []*ast.MappingValueNode {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}
	}
	return nil
}

// places tells where each key was written: "window", and "on.done" for a key of a mapping that is merged.
func (l layer) places() map[string]place {
	places := make(map[string]place, len(l))
	for key, e := range l {
		deeper, merges := merged[key]
		if inner := members(e.value); merges && inner != nil {
			addPlaces(places, key, inner, deeper)
			continue
		}
		places[key] = e.key
	}
	return places
}

func addPlaces(places map[string]place, path string, values []*ast.MappingValueNode, in merging) {
	for _, v := range values {
		name, ok := keyName(v.Key)
		if !ok {
			continue
		}
		at, name := at(v.Key), path+"."+name
		deeper, merges := in[name[len(path)+1:]]
		if inner := members(v.Value); merges && inner != nil {
			addPlaces(places, name, inner, deeper)
			continue
		}
		places[name] = at
	}
}

// joinDefaults makes one layer of the defaults of all files, which hold for the whole set. A setting can be made in one file only.
func joinDefaults(docs []*document) layer {
	all := layer{}
	first := make(map[string]place)
	for _, d := range docs {
		for key, where := range d.defaults.places() {
			if there, ok := first[key]; ok {
				d.add(where, fmt.Sprintf("the default %q is also set at %s:%d", key, d.files[there.file].name, there.line), "defaults hold for all files; keep one of them")
				continue
			}
			first[key] = where
		}
		all = d.defaults.over(all)
	}
	return all
}
