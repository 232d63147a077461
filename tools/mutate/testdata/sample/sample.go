// Package sample has mutants of every fate.
package sample

var prices = map[string]int{"child": 5, "adult": 9}

// Price is in a map, whose entries are removed one by one.
func Price(kind string) int { return prices[kind] }

// Nobody asks for it.
func Nobody() bool { return false }

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
