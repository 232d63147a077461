package organizations

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// maxPage is the largest page, and the usual one.
const maxPage = 20

// page takes a page out of a list. A token is the key of the last item that was given out; clients must not look into it.
func page[T any](items []T, key func(T) string, maxResults *int32, token *string) (out []T, next *string, err error) {
	size := maxPage
	if maxResults != nil {
		if size, err = checkPageSize(*maxResults); err != nil {
			return nil, nil, err
		}
	}
	after := ""
	if token != nil {
		b, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil || len(b) == 0 {
			return nil, nil, invalidInput(types.InvalidInputExceptionReasonInvalidPaginationToken, "You provided an invalid NextToken value.")
		}
		after = string(b)
	}
	items = slices.SortedFunc(slices.Values(items), func(a, b T) int { return strings.Compare(key(a), key(b)) })
	for _, item := range items {
		if key(item) <= after {
			continue
		}
		if len(out) == size {
			return out, aws.String(base64.RawURLEncoding.EncodeToString([]byte(key(out[size-1])))), nil
		}
		out = append(out, item)
	}
	return out, nil, nil
}

func checkPageSize(n int32) (int, error) {
	switch {
	case n < 1:
		return 0, invalidInput(types.InvalidInputExceptionReasonMinValueExceeded,
			"You specified a value that is lower than the minimum.") // our text
	case n > maxPage:
		return 0, invalidInput(types.InvalidInputExceptionReasonMaxValueExceeded,
			"You specified a value that is greater than the maximum.") // our text
	}
	return int(n), nil
}

// paged answers a list operation: a page of items, each in its wire form.
func paged[T, W any](
	items []T, key func(T) string, maxResults *int32, token *string, wire func(T) W,
) (out []W, next *string, err error) {
	cut, next, err := page(items, key, maxResults, token)
	out = make([]W, len(cut))
	for i, item := range cut {
		out[i] = wire(item)
	}
	return out, next, err
}

func nodeID(n *node) string { return n.ID }

func policyID(p *orgPolicy) string { return p.ID }
