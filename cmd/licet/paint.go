package main

import (
	"io"
	"os"
	"strings"

	"github.com/licet/licet/internal/report"
)

// painter prints reports, with colours where a person looks.
type painter struct {
	w        io.Writer
	coloured bool
}

// newPainter colours what goes to a terminal, unless NO_COLOR is set (https://no-color.org) or the terminal is a dumb one.
func newPainter(w io.Writer) painter {
	p := painter{w: w}
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "" {
		return p
	}
	info, err := f.Stat()
	p.coloured = err == nil && info.Mode()&os.ModeCharDevice != 0
	return p
}

func (p painter) print(lines []report.Line) error {
	var b strings.Builder
	for _, line := range lines {
		var l strings.Builder
		for _, piece := range line {
			text := strings.ReplaceAll(printable(piece.Text), "\n", string('\uFFFD'))
			if code := sequence(piece.Style); p.coloured && code != "" {
				text = "\x1b[" + code + "m" + text + "\x1b[0m"
			}
			l.WriteString(text)
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	_, err := io.WriteString(p.w, b.String())
	return err
}

// sequence is a style in the words of a terminal (ECMA-48, SGR).
func sequence(s report.Style) string {
	switch s {
	case report.Good:
		return "32"
	case report.Bad:
		return "31"
	case report.Strong:
		return "1"
	case report.Faint:
		return "2"
	default:
		return ""
	}
}
