package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// separator stands between a place in the source, what changes and the reason. Go has no such token.
const separator = " :: "

// key names the mutant by text. Mutants of equal lines share it.
func (m *mutant) key() string { return m.place() + separator + m.change() }

func (m *mutant) place() string  { return m.file + ": " + m.source }
func (m *mutant) change() string { return m.from + " => " + m.to }

// describe says where the mutant is and what it changes.
func (m *mutant) describe(p *pkg) string {
	return fmt.Sprintf("%s/%s:%d:%d: %s", p.shown, m.file, m.line, m.column, m.change())
}

// explanation is a line of the file of explained mutants: of one survivor, or of all those of a line or a function, whose number it
// gives, so that one more or one less is noticed.
type explanation struct {
	text          string
	place, change string // change is "" where count is meant
	count         int
	found         int // survivors
}

// matches tells whether the explanation is about the mutant.
func (x *explanation) matches(m *mutant) bool {
	if x.change != "" {
		return x.place == m.place() && x.change == m.change()
	}
	return x.place == m.place() || m.function != "" && x.place == m.file+": func "+m.function
}

// isStale tells whether what was explained is no longer so.
func (x *explanation) isStale() bool {
	if x.change != "" {
		return x.found == 0
	}
	return x.found != x.count
}

// readExplained reads the explanations of a file. No file explains nothing.
func readExplained(name string) ([]*explanation, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []*explanation
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		x, err := parseExplanation(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
		if slices.ContainsFunc(all, func(other *explanation) bool { return other.place == x.place && other.change == x.change }) {
			return nil, fmt.Errorf("%s:%d: explained twice", name, i+1)
		}
		all = append(all, x)
	}
	return all, nil
}

func parseExplanation(line string) (*explanation, error) {
	parts := strings.Split(line, separator)
	if len(parts) < 3 {
		return nil, errors.New("want file: source line :: original => mutated :: reason, or file: func name :: number :: reason")
	}
	reason, change := parts[len(parts)-1], parts[len(parts)-2]
	if reason == "" || reason == "REASON" {
		return nil, errors.New("no reason")
	}
	x := &explanation{text: line, place: strings.Join(parts[:len(parts)-2], separator), change: change}
	if n, err := strconv.Atoi(change); err == nil {
		x.change, x.count = "", n
	}
	return x, nil
}

// explain finds the explanation of a survivor, that of its own change before that of its line or function.
func explain(all []*explanation, m *mutant) *explanation {
	var found *explanation
	for _, x := range all {
		if x.matches(m) && (found == nil || x.change != "" || found.change == "" && x.place == m.place()) {
			found = x
		}
	}
	return found
}
