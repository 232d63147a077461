package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// separator stands between a line of source, the change and the reason. Go has no such token.
const separator = " :: "

// key names the mutant by text. Mutants of equal lines share it.
func (m *mutant) key() string {
	return m.file + ": " + m.source + separator + m.from + " => " + m.to
}

// describe says where the mutant is and what it changes.
func (m *mutant) describe(p *pkg) string {
	return fmt.Sprintf("%s/%s:%d:%d: %s => %s", p.shown, m.file, m.line, m.column, m.from, m.to)
}

// readExplained gives the keys of the mutants that a file explains. No file explains none.
func readExplained(name string) (map[string]bool, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	explained := make(map[string]bool)
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndex(line, separator)
		if at < 0 || strings.Count(line, separator) < 2 {
			return nil, fmt.Errorf("%s:%d: want file: source line :: original => mutated :: reason", name, i+1)
		}
		if reason := line[at+len(separator):]; reason == "" || reason == "REASON" {
			return nil, fmt.Errorf("%s:%d: no reason", name, i+1)
		}
		if explained[line[:at]] {
			return nil, fmt.Errorf("%s:%d: explained twice", name, i+1)
		}
		explained[line[:at]] = true
	}
	return explained, nil
}
