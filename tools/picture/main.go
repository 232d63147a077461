// Command picture draws what a terminal shows as an SVG, for the README: text with colours (ECMA-48, SGR) from its standard input.
//
//	script -qec "licet explain --last --denied" /dev/null | go run ./tools/picture >docs/explain.svg
package main

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Sizes of a character and of the margin, in pixels.
const (
	charWidth  = 8.43
	lineHeight = 19
	margin     = 18
	widest     = 118 // characters; longer lines are wrapped
)

func main() {
	if err := draw(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

// piece is text of one style.
type piece struct{ text, style string }

func draw(r io.Reader, w io.Writer) error {
	var lines [][]piece
	scanner := bufio.NewScanner(r)
	for scanner.Scan() {
		lines = append(lines, wrapped(pieces(strings.TrimRight(scanner.Text(), "\r")))...)
	}
	if err := scanner.Err(); err != nil {
		return err
	}
	longest := 0
	for _, l := range lines {
		longest = max(longest, length(l))
	}
	width, height := float64(2*margin)+charWidth*float64(longest), 2*margin+lineHeight*len(lines)
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" width="%.0f" height="%d" role="img" aria-label="A terminal">
<style>
  rect { fill: #161b22 } text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #e6edf3; white-space: pre }
  .good { fill: #3fb950 } .bad { fill: #ff7b72 } .strong { font-weight: bold } .faint { fill: #9198a1 }
</style>
<rect width="100%%" height="100%%" rx="8"/>
`, width, height, width, height)
	for i, l := range lines {
		fmt.Fprintf(out, `<text x="%d" y="%d">`, margin, margin+lineHeight*i+14)
		for _, p := range l {
			if p.style == "" {
				fmt.Fprint(out, html.EscapeString(p.text))
				continue
			}
			fmt.Fprintf(out, `<tspan class="%s">%s</tspan>`, p.style, html.EscapeString(p.text))
		}
		fmt.Fprintln(out, "</text>")
	}
	fmt.Fprintln(out, "</svg>")
	return out.Flush()
}

var sequence = regexp.MustCompile(`\x1b\[([0-9;]*)m`)

// styles of the codes that licet writes.
var styles = map[string]string{"32": "good", "31": "bad", "1": "strong", "2": "faint"}

func pieces(line string) (list []piece) {
	style := ""
	for line != "" {
		at := sequence.FindStringSubmatchIndex(line)
		if at == nil {
			return append(list, piece{line, style})
		}
		if at[0] > 0 {
			list = append(list, piece{line[:at[0]], style})
		}
		style, line = styles[line[at[2]:at[3]]], line[at[1]:]
	}
	return list
}

func length(line []piece) (n int) {
	for _, p := range line {
		n += utf8.RuneCountInString(p.text)
	}
	return n
}

// wrapped breaks a line that is too long, at a space if there is one near.
func wrapped(line []piece) (lines [][]piece) {
	for length(line) > widest {
		var head []piece
		room := widest
		for room > 0 {
			runes := []rune(line[0].text)
			if len(runes) <= room {
				head, room, line = append(head, line[0]), room-len(runes), line[1:]
				continue
			}
			cut := room
			if space := strings.LastIndex(string(runes[:room]), " "); space > 0 && room-utf8.RuneCountInString(string(runes[:room])[:space]) < 60 {
				cut = utf8.RuneCountInString(string(runes[:room])[:space]) + 1
			}
			head, room = append(head, piece{string(runes[:cut]), line[0].style}), 0
			line[0].text = "  " + string(runes[cut:])
		}
		lines = append(lines, head)
	}
	return append(lines, line)
}
