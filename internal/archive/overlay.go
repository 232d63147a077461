package archive

import (
	"maps"
	"path"
	"slices"
)

// overlay lays plans over each other, the first at the bottom. It checks the links once more: a link that stays inside its own
// archive may lead outside across the links of another.
func overlay(plans []plan) (plan, error) {
	if len(plans) == 1 {
		return plans[0], nil
	}
	merged := make(map[string]any) // a file, a link, or nil for a directory
	for _, p := range plans {
		hide(merged, p)
		for _, d := range p.directories {
			merged[d] = nil
		}
		for _, f := range p.files {
			merged[f.path] = f
		}
		for _, l := range p.links {
			merged[l.path] = l
		}
	}
	var p plan
	// In this order parents come before their children.
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		switch entry := merged[name].(type) {
		case file:
			p.files = append(p.files, entry)
		case link:
			p.links = append(p.links, entry)
		default:
			p.directories = append(p.directories, name)
		}
	}
	return p, p.checkLinks()
}

// hide takes away what is below a path that is a file or a link in the next plan.
func hide(merged map[string]any, next plan) {
	covers := make(map[string]bool)
	cover := func(name string) {
		if entry, ok := merged[name]; ok && entry == nil {
			covers[name] = true
		}
	}
	for _, f := range next.files {
		cover(f.path)
	}
	for _, l := range next.links {
		cover(l.path)
	}
	if len(covers) == 0 {
		return
	}
	// In this order parents come before their children, and every parent is an entry itself.
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		if covers[path.Dir(name)] {
			delete(merged, name)
			covers[name] = true
		}
	}
}
