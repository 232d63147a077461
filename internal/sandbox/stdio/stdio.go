// Package stdio carries the output of processes to writers, for sandbox drivers.
//
// A writer that is a file goes to the process itself. To others leads a pipe, and a goroutine that copies until every process has closed
// it. A writer that fails loses its own output and nothing else.
package stdio

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// Pipes carries what a process writes to the writers it was given.
type Pipes struct {
	Stdout, Stderr *os.File   // what the process writes to; the same if the writers are
	writeEnds      []*os.File // those of them that are pipes of ours
	readEnds       []*os.File
	copies         sync.WaitGroup
}

// New makes pipes for the writers that are not files; nil discards (sandbox.Process).
func New(stdout, stderr io.Writer) (*Pipes, error) {
	p := &Pipes{}
	var err error
	if p.Stdout, err = p.pipe(stdout); err != nil {
		return nil, err
	}
	if same(stdout, stderr) {
		p.Stderr = p.Stdout
		return p, nil
	}
	if p.Stderr, err = p.pipe(stderr); err != nil {
		p.CloseWriteEnds()
		p.Wait()
		return nil, err
	}
	return p, nil
}

// same compares writers; those of types that cannot be compared are not the same.
func same(a, b io.Writer) (equal bool) {
	defer func() { _ = recover() }()
	return a == b
}

func (p *Pipes) pipe(w io.Writer) (*os.File, error) {
	if f, ok := w.(*os.File); ok {
		return f, nil
	}
	if w == nil {
		w = io.Discard
	}
	r, end, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe: %v", err)
	}
	p.readEnds, p.writeEnds = append(p.readEnds, r), append(p.writeEnds, end)
	p.copies.Go(func() {
		defer r.Close()
		if _, err := io.Copy(w, r); err != nil {
			io.Copy(io.Discard, r) // the writer gave up: as the contract says, the rest is discarded
		}
	})
	return end, nil
}

// CloseWriteEnds closes what the process has by now.
func (p *Pipes) CloseWriteEnds() {
	for _, end := range p.writeEnds {
		end.Close()
	}
}

// Abandon ends the copies although a process may still hold a pipe.
func (p *Pipes) Abandon() {
	for _, r := range p.readEnds {
		r.Close()
	}
}

// Wait returns when all output is delivered.
func (p *Pipes) Wait() { p.copies.Wait() }
