package lambda

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// listings keeps pages of functions as ListFunctions shows them, so that a page is made, and encoded, once until a function in it changes.
// None is ever stale: a page is used only where the records at hand are the very ones that it was made from. Records in the cache do not
// change, so that their pointers tell. Pages that are not the same for every caller are not kept. The zero value is ready.
type listings struct {
	mu    sync.RWMutex
	pages map[listingKey]*listing
}

const (
	// keptListings bounds the pages, of up to 50 functions each.
	keptListings = 64
	// longestName: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html, FunctionName.
	longestName = 64
)

// listingKey is which functions are in a page: up to size that come after one, "" for the first.
type listingKey struct {
	account, region, after string
	size                   int
}

// listing is a page. It is immutable.
type listing struct {
	keys      []string // of the records, with that of the next page's first
	functions []*function
	out       *sdk.ListFunctionsOutput
	// private is set when what is shown depends on the caller.
	private bool
}

func (l *listings) get(key listingKey) *listing {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.pages[key]
}

// put keeps a page, in the place of any other if there are enough. Markers may be of any length; one that is longer than a name may be
// leads to no page that others ask for.
func (l *listings) put(key listingKey, page *listing) {
	if len(key.after) > longestName {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pages == nil {
		l.pages = make(map[listingKey]*listing)
	}
	if len(l.pages) >= keptListings {
		for other := range l.pages {
			delete(l.pages, other)
			break
		}
	}
	l.pages[key] = page
}

// listLatest lists functions from memory.
func (s *Service) listLatest(ctx context.Context, c *service.Call, key listingKey) (*sdk.ListFunctionsOutput, error) {
	prefix, after := functionPrefix(key.account, key.region), ""
	if key.after != "" {
		after = prefix + key.after
	}
	keys, err := s.names.Scan(ctx, prefix, after, key.size+1) // one more tells whether there is a next page
	if err != nil {
		return nil, fmt.Errorf("list functions: %w", err)
	}
	if l := s.listings.get(key); l != nil && s.isCurrent(ctx, l, keys) {
		return l.out, nil
	}
	l, err := s.newListing(ctx, c, keys, key.size)
	if err != nil {
		return nil, err
	}
	if !l.private {
		protocol.KeepEncoding(&l.out.ResultMetadata)
		s.listings.put(key, l)
	}
	return l.out, nil
}

// decodeKey gives the key of an item.
func decodeKey(item store.Item) (string, error) { return item.Key, nil }

// isCurrent tells whether a page was made from the records that are there now.
func (s *Service) isCurrent(ctx context.Context, l *listing, keys []string) bool {
	if !slices.Equal(l.keys, keys) {
		return false
	}
	for i, f := range l.functions {
		if now, err := s.functions.Get(ctx, keys[i]); err != nil || now != f {
			return false
		}
	}
	return true
}

// newListing makes a page. What was deleted meanwhile is left out.
func (s *Service) newListing(ctx context.Context, c *service.Call, keys []string, size int) (*listing, error) {
	l := &listing{keys: keys, out: &sdk.ListFunctionsOutput{Functions: []types.FunctionConfiguration{}}} // AWS sends an empty list
	if len(keys) > size {
		keys = keys[:size]
		l.out.NextMarker = aws.String(request.Marker(path.Base(keys[size-1])))
	}
	for _, key := range keys {
		f, err := s.functions.Get(ctx, key) // decoded already, as a rule
		if errors.Is(err, store.ErrNotFound) {
			l.private = true // for this caller alone, who came at this moment
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", key, err)
		}
		shown, err := s.show(ctx, c, f.latest(), "", listed)
		if err != nil {
			return nil, err
		}
		l.private = l.private || f.Latest.hidesVariables()
		l.functions, l.out.Functions = append(l.functions, f), append(l.out.Functions, shown)
	}
	return l, nil
}
