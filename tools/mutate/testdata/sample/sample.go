// Package sample has mutants of every fate.
package sample

// Adult has a boundary that its test does not look at.
func Adult(age int) bool { return age > 17 }

// Count needs its test to end: some mutants of it never do.
func Count(n int) (count int) {
	for n > 0 {
		n--
		count++
	}
	return count
}
