package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/licet/licet/policy"
)

const (
	// around is how many lines of the statement stand before and after the one with the caret.
	around = 3
	// before and width bound a line, in characters: policies are often written in one.
	before = 40
	width  = 100
)

// Excerpt shows the lines of a document around a span, those of within alone, with carets and a note under the span's first line. Only the
// document's Source is read.
func Excerpt(d *policy.Document, within, span policy.Span, note string) []Line {
	src := d.Source
	if span.Start < 0 || span.End > len(src) || span.Start >= span.End {
		return nil
	}
	var out []Line
	at := d.Position(span.Start)
	first, last := d.Position(within.Start).Line, d.Position(max(within.Start, within.End-1)).Line
	lines := strings.Split(string(src), "\n")
	for n := max(first, at.Line-around); n <= min(last, at.Line+around); n++ {
		text := strings.TrimRight(lines[n-1], "\r")
		if n != at.Line {
			shown, _, _ := cut(text, 0, 0)
			out = append(out, Line{{fmt.Sprintf("  %4d │ ", n), Faint}, {Text: shown}})
			continue
		}
		start := at.Column - 1
		end := min(len(text), start+span.End-span.Start)
		shown, column, length := cut(text, start, end)
		out = append(out, Line{{fmt.Sprintf("  %4d │ ", n), Faint}, {Text: shown}},
			Line{{"       │ ", Faint}, {strings.TrimRight(strings.Repeat(" ", column)+strings.Repeat("^", max(1, length))+" "+note, " "), Bad}})
	}
	return out
}

// cut gives what is shown of a line: a window around the bytes from start to end, and where these stand in it, in characters. What
// a terminal would not show as one column is replaced, so that the carets stand right.
func cut(text string, start, end int) (shown string, column, length int) {
	start, end = min(start, len(text)), min(max(start, end), len(text))
	runes := []rune(strings.Map(single, text))
	column = utf8.RuneCountInString(text[:start])
	length = utf8.RuneCountInString(text[start:end])
	prefix, suffix := "", ""
	if len(runes) > width && column > before {
		drop := column - before
		runes, column, prefix = runes[drop:], before+1, "…"
	}
	if len(runes) > width {
		runes, suffix = runes[:width], "…"
	}
	if shownLength := len(runes) + len([]rune(prefix)); column+length > shownLength {
		length = shownLength - column
	}
	return prefix + string(runes) + suffix, column, length
}

func single(c rune) rune {
	switch {
	case c == '\t':
		return ' '
	case !unicode.IsPrint(c):
		return unicode.ReplacementChar
	default:
		return c
	}
}
