package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Most mutants can stand side by side in one text, each behind a question whether it is the one that is wanted: they are built once,
// and a process is told by its environment which of them it has. That is called a mutant schema.

// schema is how a mutant stands beside the original: what wrap gives is written around the text between two offsets.
type schema struct {
	start, end int
	wrap       wrapper // nil: the mutant cannot stand beside the original
}

// wrapper gives what comes before and after the original. on is the question.
type wrapper func(on string) (before, after string)

// instead takes another expression in the place of x.
func (e *enumerator) instead(x ast.Expr, other string) wrapper {
	function := "func() " + e.typeName(types.Default(e.info.TypeOf(x)))
	return func(on string) (string, string) {
		return function + " { if " + on + " { return " + other + " }; return ", " }()"
	}
}

// unless takes what equals nothing in the place of a value of a switch.
func (e *enumerator) unless(x ast.Expr) wrapper {
	name := e.typeName(types.Default(e.info.TypeOf(x)))
	return func(on string) (string, string) {
		return "func() any { if " + on + " { return new(byte) }; return (" + name + ")(", ") }()"
	}
}

// compose writes mutants of one file around each other.
func compose(source []byte, mutants []*mutant) []byte {
	type insertion struct {
		at, order int
		text      string
	}
	mutants = slices.Clone(mutants)
	slices.SortStableFunc(mutants, func(a, b *mutant) int { // outer before inner
		return cmp.Or(cmp.Compare(a.schema.start, b.schema.start), cmp.Compare(b.schema.end, a.schema.end))
	})
	var insertions []insertion
	for i, m := range mutants {
		before, after := m.schema.wrap("mutantOn(" + strconv.Itoa(m.id) + ")")
		insertions = append(insertions, insertion{m.schema.start, i + 1, before}, insertion{m.schema.end, -i - 1, after})
	}
	slices.SortFunc(insertions, func(a, b insertion) int { // where one ends and another starts: the end first, inner before outer
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.order, b.order))
	})
	var out bytes.Buffer
	at := 0
	for _, i := range insertions {
		out.Write(source[at:i.at])
		out.WriteString(i.text)
		at = i.at
	}
	out.Write(source[at:])
	return out.Bytes()
}

// The variables of the environment of a process with mutants.
const (
	wantedVariable  = "MUTATE_WANTED"  // the mutant's id
	reachedVariable = "MUTATE_REACHED" // the file that gets a byte for each mutant that is reached; none of them is wanted
)

// asker is the file that mutated packages have in addition.
const asker = `package %s

import (
	"os"
	"strconv"
)

var mutantWanted, mutantFile = mutantStart()

var mutantReached [%d]bool

func mutantStart() (int, *os.File) {
	if name := os.Getenv("` + reachedVariable + `"); name != "" {
		file, err := os.Create(name)
		if err != nil {
			panic(err)
		}
		return 0, file
	}
	if wanted, err := strconv.Atoi(os.Getenv("` + wantedVariable + `")); err == nil {
		return wanted, nil
	}
	return -1, nil
}

func mutantOn(id int) bool {
	if mutantWanted == 0 {
		mutantReach(id)
	}
	return id == mutantWanted
}

func mutantReach(id int) {
	if mutantReached[id] {
		return
	}
	mutantReached[id] = true
	if _, err := mutantFile.WriteAt([]byte{1}, int64(id)); err != nil {
		panic(err)
	}
}
`

// overlay writes, for the go command, files that replace those of the package, and gives the name of the list of them.
func (p *pkg) overlay(dir string, files map[string][]byte) (string, error) {
	replace := make(map[string]string)
	for name, text := range files {
		written := filepath.Join(dir, name)
		if err := os.WriteFile(written, text, 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(p.dir, name)] = written
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, "overlay.json")
	return list, os.WriteFile(list, text, 0o600)
}

// schemata gives the files of the package with all mutants that have an id.
func (p *pkg) schemata(mutants []*mutant) map[string][]byte {
	byFile := make(map[string][]*mutant)
	last := 0
	for _, m := range mutants {
		if m.id != 0 {
			byFile[m.file] = append(byFile[m.file], m)
			last = max(last, m.id)
		}
	}
	files := map[string][]byte{"mutate_schema.go": fmt.Appendf(nil, asker, p.types.Name(), last+1)}
	for name, list := range byFile {
		files[name] = compose(p.source[name], list)
	}
	return files
}
