package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// ErrNotFound means that the log has no such record, or that it was deleted by age or number.
var ErrNotFound = errors.New("audit: not found")

// Get finds a record by its request id, or returns ErrNotFound.
func (l *Log) Get(ctx context.Context, requestID string) (Record, error) {
	if err := l.flush(ctx); err != nil {
		return Record{}, err
	}
	var found *Record
	err := l.db.View(ctx, func(r store.Reader) (err error) {
		found, err = find(r, requestID)
		return err
	})
	if err != nil {
		return Record{}, fmt.Errorf("read decision of %s: %w", requestID, err)
	}
	if found == nil {
		return Record{}, ErrNotFound
	}
	return *found, nil
}

// find looks for a record in the batches that may have it; nil when none has.
func find(r store.Reader, requestID string) (found *Record, err error) {
	for after := idPrefix + requestID; ; {
		items, err := r.Scan(idPrefix, after, chunk)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			after = item.Key
			firstID, lastID, key, err := splitIndex(item)
			if err != nil {
				return nil, err
			}
			if !near(requestID, lastID) {
				return found, nil
			}
			if firstID > requestID {
				continue
			}
			rec, err := findIn(r, key, requestID)
			if err != nil {
				return nil, err
			}
			if found == nil || rec != nil && rec.Failure != nil {
				found = rec
			}
		}
		if len(items) < chunk {
			return found, nil
		}
	}
}

// findIn looks for a record in one batch.
func findIn(r store.Reader, key, requestID string) (*Record, error) {
	item, err := r.Get(key)
	if err != nil {
		return nil, err
	}
	records, err := unpack(item.Value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	i := slices.IndexFunc(records, func(rec Record) bool { return rec.RequestID == requestID })
	if i < 0 {
		return nil, nil
	}
	return &records[i], nil
}

// list puts together the records of batches that come in the order of their last records, the newest first. Batches may overlap, and
// two may have a record of the same call.
type list struct {
	filter Filter
	fn     func(Record) (more bool) // gets those chosen, the newest first
	// open are the records of batches that came, the newest first, but for those that were taken.
	open []Record
	// ended is set when no further batch is wanted, done when no further record is.
	ended, done bool
}

// add takes the next batch.
func (l *list) add(item store.Item) error {
	_, last, _, ok := splitKey(item.Key)
	if !ok {
		return errors.New("not the key of decisions")
	}
	newest, err := time.Parse(keyTime, last)
	if err != nil {
		return err
	}
	l.take(newest)
	if newest.Before(l.filter.Since) {
		l.ended = true
	}
	if l.ended {
		return nil
	}
	// Most batches are of allowed calls, and need not be unpacked to know that they are.
	if h, err := headerOf(item.Value); err != nil || l.filter.DeniedOnly && h.denied == 0 {
		return err
	}
	records, err := unpack(item.Value)
	if err != nil {
		return err
	}
	l.open = append(l.open, records...)
	slices.SortStableFunc(l.open, func(a, b Record) int {
		return cmp.Or(b.Time.Compare(a.Time), strings.Compare(b.RequestID, a.RequestID))
	})
	return nil
}

// take chooses among the open records those that are newer than all that is to come.
func (l *list) take(newest time.Time) {
	for len(l.open) > 0 && !l.done && l.open[0].Time.After(newest) {
		rec := l.open[0]
		n := 1
		for ; n < len(l.open) && l.open[n].RequestID == rec.RequestID; n++ {
			if rec.Failure == nil {
				rec = l.open[n]
			}
		}
		l.open = l.open[n:]
		if l.filter.chooses(&rec) && !l.fn(rec) {
			l.ended, l.done = true, true
		}
	}
}

// eachReverse calls fn with the items under prefix, the last first, until fn wants no more. It reads page by page, each in a view
// of its own.
func (l *Log) eachReverse(ctx context.Context, prefix string, fn func(store.Item) (more bool, err error)) error {
	for before := ""; ; {
		var page []store.Item
		if err := l.db.View(ctx, func(r store.Reader) (err error) {
			page, err = r.ScanReverse(prefix, before, batchChunk)
			return err
		}); err != nil {
			return err
		}
		for _, item := range page {
			if more, err := fn(item); err != nil || !more {
				return err
			}
		}
		if len(page) < batchChunk {
			return nil
		}
		before = page[len(page)-1].Key
	}
}

// Policies restores the policies of a decision as they were, with their documents.
func (l *Log) Policies(ctx context.Context, set PolicySet) (authz.Policies, error) {
	var p authz.Policies
	err := l.db.View(ctx, func(r store.Reader) error {
		x := &restorer{r: r, documents: make(map[string]*policy.Document)}
		p = authz.Policies{
			Identity: x.list(set.Identity), Boundary: x.one(set.Boundary), Session: x.list(set.Session),
			Resource: x.one(set.Resource), Trust: set.Trust,
			SCPs: x.levels(set.SCPs), RCPs: x.levels(set.RCPs), VPCEndpoint: x.one(set.VPCEndpoint),
		}
		return x.err
	})
	if err != nil {
		return authz.Policies{}, fmt.Errorf("restore policies: %w", err)
	}
	// Given, but empty, is not the same as not given.
	if set.HasSession && p.Session == nil {
		p.Session = []authz.Policy{}
	}
	if set.HasSCPs && p.SCPs == nil {
		p.SCPs = [][]authz.Policy{}
	}
	if set.HasRCPs && p.RCPs == nil {
		p.RCPs = [][]authz.Policy{}
	}
	return p, nil
}

// restorer turns references into policies. Its methods do nothing after the first error.
type restorer struct {
	r         store.Reader
	documents map[string]*policy.Document // by hash
	err       error
}

func (x *restorer) policy(ref PolicyRef) authz.Policy {
	p := authz.Policy{ARN: ref.ARN, Name: ref.Name}
	if x.err != nil || ref.Hash == "" {
		return p
	}
	if p.Document = x.documents[ref.Hash]; p.Document == nil {
		if p.Document, x.err = x.document(ref.Hash); x.err != nil {
			x.err = fmt.Errorf("policy %q: %w", ref.Name, x.err)
		}
		x.documents[ref.Hash] = p.Document
	}
	return p
}

func (x *restorer) document(hash string) (*policy.Document, error) {
	item, err := x.r.Get(policyPrefix + hash)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("%w: text %s", ErrNotFound, hash)
	}
	if err != nil {
		return nil, err
	}
	_, source, ok := splitText(item.Value)
	if !ok {
		return nil, fmt.Errorf("%s is not a policy text", item.Key)
	}
	return policy.Parse(source)
}

func (x *restorer) one(ref *PolicyRef) *authz.Policy {
	if ref == nil {
		return nil
	}
	p := x.policy(*ref)
	return &p
}

func (x *restorer) list(refs []PolicyRef) []authz.Policy {
	var list []authz.Policy
	for _, ref := range refs {
		list = append(list, x.policy(ref))
	}
	return list
}

func (x *restorer) levels(refs [][]PolicyRef) [][]authz.Policy {
	var levels [][]authz.Policy
	for _, level := range refs {
		levels = append(levels, x.list(level))
	}
	return levels
}
