// Package kinds has a line for each kind of mutant.
package kinds

import "errors"

type point struct {
	x    int
	name string
	ok   bool
}

const (
	limit = 1 << 4
	none  = 0
)

var names = map[string]int{"one": 1, "two": 2}

var errTooLong = errors.New("too long")

func conditions(a, b, c bool, n int) bool {
	if a && b && !c {
		n++
		return false
	}
	if !(a || n <= 3) {
		n = limit
	}
	return n == 4 || c
}

func statements(list []int, p *point) (sum int, err error) {
	defer delete(names, "one")
	for i := 0; i < len(list); i++ {
		sum += list[i] * 2
	}
	for _, n := range list {
		if n == -1 {
			break
		}
		p.x |= n & 3
		print(n)
	}
	if len(list) > 0 {
		return 0, errTooLong
	}
	return sum, nil
}

func cases(n int, s string) point {
	switch s {
	case "a", "b":
		n -= 2
	case "c":
		panic(s)
	}
	switch {
	case n > 2:
		return point{x: n, name: s + "!", ok: true}
	}
	return point{}
}

func unused() (v int) {
	if n, ok := names["one"]; ok {
		v = n
	}
	return v
}

func named() int { return none }
