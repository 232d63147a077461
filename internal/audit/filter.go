package audit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/licet/licet/internal/store"
)

// Filter chooses records. Its texts are patterns, in which * stands for any characters; "" chooses all.
type Filter struct {
	// Since is the earliest time; the zero value is for all.
	Since time.Time
	// DeniedOnly leaves out the calls that were allowed.
	DeniedOnly bool
	// Action of one of the call's decisions, whatever its case; Resource of one of them; of the same one where both are given.
	Action   string
	Resource string
	// Principal is the caller's ARN, or that of the role or user whose session the caller is.
	Principal string
	// Limit is the largest number of records of List; 0 means 100.
	Limit int
}

// chooses tells whether the filter takes a record.
func (f *Filter) chooses(rec *Record) bool {
	if rec.Time.Before(f.Since) || f.DeniedOnly && rec.Allowed {
		return false
	}
	if p := f.Principal; p != "" && !like(p, rec.Caller.ARN) && !(rec.Caller.IssuerARN != "" && like(p, rec.Caller.IssuerARN)) {
		return false
	}
	if f.Action == "" && f.Resource == "" {
		return true
	}
	for i := range rec.Decisions {
		req := &rec.Decisions[i].Request
		if (f.Action == "" || like(strings.ToLower(f.Action), strings.ToLower(req.Action))) && (f.Resource == "" || like(f.Resource, req.Resource)) {
			return true
		}
	}
	return false
}

// like compares a text with a pattern in which * stands for any characters. Each part between two stars is taken where it comes first,
// which is right: what comes later has the more room.
func like(pattern, text string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, first)
	for ok {
		var part string
		part, rest, star = strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(text, part)
		}
		_, text, ok = strings.Cut(text, part)
	}
	return false
}

// List gives an account's records, newest first.
func (l *Log) List(ctx context.Context, account string, f Filter) ([]Record, error) {
	if f.Limit == 0 {
		f.Limit = 100
	}
	var records []Record
	err := l.Each(ctx, account, f, func(rec Record) bool {
		records = append(records, rec)
		return len(records) < f.Limit
	})
	return records, err
}

// Each calls fn with an account's records, newest first, until fn wants no more. Limit does not count.
func (l *Log) Each(ctx context.Context, account string, f Filter, fn func(Record) (more bool)) error {
	if err := l.flush(ctx); err != nil {
		return err
	}
	list := &list{filter: f, fn: fn}
	err := l.eachReverse(ctx, accountPrefix(account), func(item store.Item) (more bool, err error) {
		if err := list.add(item); err != nil {
			return false, fmt.Errorf("%s: %w", item.Key, err)
		}
		return !list.ended, nil
	})
	if err != nil {
		return fmt.Errorf("list decisions of %s: %w", account, err)
	}
	list.take(time.Time{})
	return nil
}
