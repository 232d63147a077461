package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// kept is how many policies are held in memory to weigh one.
const kept = 100

// measureCompilation prints how long it takes to compile a policy of 6,144 characters, and what the result weighs. Memory is given in
// bytes for each byte of the policy's text: what is compiled alone, and with the document, which is kept for explanations.
func (o options) measureCompilation(all []evaluator) error {
	fmt.Printf("%-44s %20s %20s %20s\n", "compile one policy of 6,144 characters", "time, allocations", "bytes/byte", "with document")
	row := func(name string, text func(n int) (string, error)) error {
		var texts []string
		for n := range kept {
			t, err := text(n)
			if err != nil {
				return err
			}
			texts = append(texts, t)
		}
		for _, e := range all {
			if e.prepare != nil && e.compile == nil {
				continue // there is nothing to measure
			}
			columns := []string{"-", "-", "-"}
			if e.compile != nil {
				var err error
				if columns, err = o.compilation(e.compile, texts); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			printRow(name, columns, "200 µs, 20 bytes/byte")
		}
		return nil
	}
	statements, err := companyStatements()
	if err != nil {
		return err
	}
	if err := row("statements of the company", func(n int) (string, error) { return typicalPolicy(statements, n), nil }); err != nil {
		return err
	}
	for _, f := range families() {
		if err := row("  "+f.name, func(n int) (string, error) { return f.wrap(f.patterns(n)), nil }); err != nil {
			return err
		}
	}
	fmt.Println()
	return nil
}

// compilation gives the columns of one row.
func (o options) compilation(compile func(authz.Policies) any, texts []string) ([]string, error) {
	source := 0
	empty := heap()
	policies := make([]authz.Policy, len(texts))
	for i, text := range texts {
		p, err := document("kept", []byte(text), policy.Identity)
		if err != nil {
			return nil, err
		}
		policies[i] = p
		source += len(text)
	}
	parsed := heap()
	sets := make([]any, len(policies))
	for i := range policies {
		sets[i] = compile(authz.Policies{Identity: policies[i : i+1]})
	}
	compiled := heap()
	runtime.KeepAlive(sets)
	runtime.KeepAlive(texts)

	n := 0
	next := func() {
		compile(authz.Policies{Identity: policies[n%len(policies) : n%len(policies)+1]})
		n++
	}
	perByte := func(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/float64(source)) }
	return []string{o.inTurns([]func(){next})[0].String(), perByte(compiled - parsed), perByte(compiled - empty)}, nil
}

// heap is how many bytes are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what the first one found to have a finalizer
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// companyStatements are the texts of all statements of the company, without white space.
func companyStatements() ([]string, error) {
	policies, err := documents("testdata/company", policy.Identity)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, p := range policies {
		for _, s := range p.Document.Statements {
			var b bytes.Buffer
			if err := json.Compact(&b, p.Document.Source[s.Span.Start:s.Span.End]); err != nil {
				return nil, err
			}
			texts = append(texts, b.String())
		}
	}
	return texts, nil
}

// typicalPolicy is the n-th policy of as many statements as fit. Policies start with different statements, and have a name for the
// company that is their own.
func typicalPolicy(all []string, n int) string {
	text := func(statements []string) string {
		joined := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
		return strings.ReplaceAll(joined, "acme", fmt.Sprintf("ac%02d", n))
	}
	var statements []string
	for i := 0; ; i++ {
		next := append(statements, all[(13*n+i)%len(all)])
		if policy.Size([]byte(text(next)), policy.Identity) > maxSize {
			return text(statements)
		}
		statements = next
	}
}
