package reference

// truth is the outcome of a comparison. The order makes min the logical and, max the logical or.
type truth int

const (
	no truth = iota
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) not() truth { return yes - t }

// anyOf is the or over items: no for an empty list.
func anyOf[T any](items []T, f func(T) truth) truth {
	result := no
	for _, item := range items {
		result = max(result, f(item))
	}
	return result
}

// allOf is the and over items: yes for an empty list.
func allOf[T any](items []T, f func(T) truth) truth {
	result := yes
	for _, item := range items {
		result = min(result, f(item))
	}
	return result
}
