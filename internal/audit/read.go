package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// ErrNotFound means that the log has no such record, or that it was deleted by age or number.
var ErrNotFound = errors.New("audit: not found")

// Filter chooses records.
type Filter struct {
	// Since is the earliest time; the zero value is for all.
	Since time.Time
	// DeniedOnly leaves out the calls that were allowed.
	DeniedOnly bool
	// Limit is the largest number of records; 0 means 100.
	Limit int
}

// Get finds a record by its request id, or returns ErrNotFound.
func (l *Log) Get(ctx context.Context, requestID string) (Record, error) {
	if err := l.flush(ctx); err != nil {
		return Record{}, err
	}
	var rec Record
	err := l.db.View(ctx, func(r store.Reader) error {
		at, err := r.Get(idPrefix + requestID)
		if err != nil {
			return err
		}
		rec, err = store.GetJSON[Record](r, string(at.Value))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return Record{}, ErrNotFound
	}
	if err != nil {
		return Record{}, fmt.Errorf("read decision of %s: %w", requestID, err)
	}
	return rec, nil
}

// List gives an account's records, newest first.
func (l *Log) List(ctx context.Context, account string, f Filter) ([]Record, error) {
	if err := l.flush(ctx); err != nil {
		return nil, err
	}
	if f.Limit == 0 {
		f.Limit = 100
	}
	since := accountPrefix(account)
	if !f.Since.IsZero() {
		since += f.Since.UTC().Format(keyTime)
	}
	var list []Record
	err := l.eachReverse(ctx, accountPrefix(account), func(item store.Item) (more bool, err error) {
		if item.Key < since || len(list) == f.Limit {
			return false, nil
		}
		// Most records are of allowed calls, and need not be decoded to know that they are.
		if f.DeniedOnly && !bytes.Contains(item.Value, []byte(`"allowed":false`)) {
			return true, nil
		}
		rec, err := store.DecodeJSON[Record](item)
		if err == nil && !(f.DeniedOnly && rec.Allowed) {
			list = append(list, rec)
		}
		return true, err
	})
	if err != nil {
		return nil, fmt.Errorf("list decisions of %s: %w", account, err)
	}
	return list, nil
}

// eachReverse calls fn with the items under prefix, the last first, until fn wants no more. It reads page by page, each in a view
// of its own.
func (l *Log) eachReverse(ctx context.Context, prefix string, fn func(store.Item) (more bool, err error)) error {
	for before := ""; ; {
		var page []store.Item
		if err := l.db.View(ctx, func(r store.Reader) (err error) {
			page, err = r.ScanReverse(prefix, before, chunk)
			return err
		}); err != nil {
			return err
		}
		for _, item := range page {
			if more, err := fn(item); err != nil || !more {
				return err
			}
		}
		if len(page) < chunk {
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
