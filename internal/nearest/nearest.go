// Package nearest finds which of the words that there are somebody may have meant by one that is not.
//
// It is pure and knows no words itself. Words are compared without regard to case, byte by byte.
package nearest

import (
	"slices"
	"strings"
)

// Of gives the candidates that are like a word, the likest first, at most three. Short words are all alike: they need more in common.
func Of(word string, candidates []string) []string {
	type candidate struct {
		word     string
		distance int
	}
	want := strings.ToLower(word)
	var found []candidate
	for _, c := range candidates {
		have := strings.ToLower(c)
		d := Distance(have, want)
		if want != "" && (strings.HasPrefix(have, want) || strings.HasPrefix(want, have)) {
			d = min(d, 1)
		}
		if d <= 2 && 2*d <= len(want) {
			found = append(found, candidate{c, d})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return a.distance - b.distance })
	words := make([]string, 0, 3)
	for _, c := range found[:min(3, len(found))] {
		words = append(words, c.word)
	}
	return words
}

// Distance counts the bytes to insert, remove or replace between two words (Levenshtein).
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
