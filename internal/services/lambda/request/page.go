package request

import (
	"encoding/base64"

	"github.com/licet/licet/internal/services/lambda/fault"
)

// MaxPage: "Lambda returns up to 50 items per call" (https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html).
const MaxPage = 50

// Page is a part of a list that is ordered by name.
type Page struct {
	// Size is the number of items at most.
	Size int
	// Last is the name that the page before ended with; "" for the first.
	Last string
}

// PageOf reads the members Marker and MaxItems, of which the latter was validated.
func PageOf(marker *string, maxItems *int32) (Page, error) {
	return PageUpTo(MaxPage, marker, maxItems)
}

// PageUpTo is PageOf for operations that give up to another number of items.
func PageUpTo(most int, marker *string, maxItems *int32) (Page, error) {
	p := Page{Size: most}
	if maxItems != nil {
		p.Size = min(p.Size, int(*maxItems))
	}
	if marker == nil || *marker == "" {
		return p, nil
	}
	name, err := base64.RawURLEncoding.DecodeString(*marker)
	if err != nil || len(name) == 0 {
		return Page{}, fault.InvalidParameter("Invalid Marker: %s", *marker)
	}
	p.Last = string(name)
	return p, nil
}

// After is the key after which the page begins, of keys that are names below a prefix; "" for the first page.
func (p Page) After(prefix string) string {
	if p.Last == "" {
		return ""
	}
	return prefix + p.Last
}

// Marker is where the page goes on that follows one which ended with this name.
func Marker(last string) string { return base64.RawURLEncoding.EncodeToString([]byte(last)) }
