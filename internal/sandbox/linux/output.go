//go:build linux

package linux

import (
	"io"
	"os"
)

// Tolerate wraps the writers of a process so that one that fails loses its own output and nothing else. A file goes to the process
// itself.
func Tolerate(stdout, stderr io.Writer) (io.Writer, io.Writer) {
	wrap := func(w io.Writer) io.Writer {
		if f, ok := w.(*os.File); ok {
			return f
		}
		return &tolerant{writer: w}
	}
	out := wrap(stdout)
	if same(stdout, stderr) {
		return out, out
	}
	return out, wrap(stderr)
}

// same compares writers; those of types that cannot be compared are not the same.
func same(a, b io.Writer) (equal bool) {
	defer func() { _ = recover() }()
	return a == b
}

// tolerant hands on until an error, and discards after it. nil discards everything.
type tolerant struct {
	writer io.Writer
	failed bool
}

func (t *tolerant) Write(p []byte) (int, error) {
	if t.writer != nil && !t.failed {
		_, err := t.writer.Write(p)
		t.failed = err != nil
	}
	return len(p), nil
}
