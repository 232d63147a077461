// Package linediff shows what changes a text into another, line by line.
//
// It is pure. Time and memory grow with the product of the numbers of lines, up to a bound above which a text is shown as replaced.
package linediff

import (
	"fmt"
	"strings"
)

// mostCompared bounds the table of Unified: longer texts are shown as replaced.
const mostCompared = 4_000_000

// Unified shows what changes a file's text, before, into another, after, in the form that patch reads, as one hunk: policies are short, and
// a reader wants to see the statement around a change. name is a part of the output as it is.
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/diff.html (diff -u)
func Unified(name, before, after string) string {
	a, b := linesOf(before), linesOf(after)
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s (formatted)\n@@ -%s +%s @@\n", name, name, lineRange(len(a)), lineRange(len(b)))
	write := func(mark, line string) {
		out.WriteString(mark + line)
		if !strings.HasSuffix(line, "\n") {
			out.WriteString("\n\\ No newline at end of file\n")
		}
	}
	common := commonLines(a, b)
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			write(" ", a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common(i+1, j) >= common(i, j+1):
			write("-", a[i])
			i++
		default:
			write("+", b[j])
			j++
		}
	}
	return out.String()
}

func linesOf(text string) []string {
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func lineRange(n int) string { return fmt.Sprintf("%d,%d", min(1, n), n) }

// commonLines gives the length of the longest common subsequence of a from i on and b from j on.
func commonLines(a, b []string) func(i, j int) int {
	if len(a)*len(b) > mostCompared {
		return func(i, j int) int { return 0 }
	}
	width := len(b) + 1
	table := make([]int, (len(a)+1)*width)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				table[i*width+j] = table[(i+1)*width+j+1] + 1
			} else {
				table[i*width+j] = max(table[(i+1)*width+j], table[i*width+j+1])
			}
		}
	}
	return func(i, j int) int { return table[i*width+j] }
}
