package console

import (
	"net/http"

	sdkiam "github.com/aws/aws-sdk-go-v2/service/iam/types"
	sdklambda "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/audit"
)

// listed is a list that the visitor may see, or why not.
type listed[T any] struct {
	Items []T
	// More tells that the list is longer.
	More   bool
	Denied *refusal
}

// list makes the answer to a question one part of a page.
func list[T any](items []T, more bool, err error) (listed[T], error) {
	denied, err := refused(err)
	return listed[T]{Items: items, More: more, Denied: denied}, err
}

// listPages bounds how many pages of a list of AWS's are read.
const listPages = 20

// pages reads a list of AWS's: next gives a page by the marker that the one before had; none, or an empty one, is that of the last. more tells
// that there is more than is read.
func pages[T any](next func(marker *string) (items []T, after *string, err error)) (all []T, more bool, err error) {
	var marker *string
	for range listPages {
		items, after, err := next(marker)
		if err != nil {
			return all, false, err
		}
		all = append(all, items...)
		if marker = after; text(marker) == "" {
			return all, false, nil
		}
	}
	return all, true, nil
}

type overviewPage struct {
	Functions listed[sdklambda.FunctionConfiguration]
	Roles     listed[sdkiam.Role]
	Denials   listed[entry]
}

func (c *Console) overview(w http.ResponseWriter, v *visit) error {
	var body overviewPage
	var err error
	if body.Functions, err = c.listFunctions(v); err != nil {
		return err
	}
	if body.Roles, err = c.listRoles(v); err != nil {
		return err
	}
	if body.Denials, err = c.entries(v, audit.Filter{DeniedOnly: true}, 10, nil); err != nil {
		return err
	}
	return c.show(w, v, "overview", "Overview", body)
}
