package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/licet/licet/internal/store"
)

// expire deletes the records that are too old or too many, and the policy texts that no record can refer to any more.
func (l *Log) expire(ctx context.Context, now time.Time) error {
	accounts, err := l.accounts(ctx)
	if err != nil {
		return fmt.Errorf("find accounts: %w", err)
	}
	for _, account := range accounts {
		if err := l.expireAccount(ctx, account, now); err != nil {
			return fmt.Errorf("delete old decisions of account %q: %w", account, err)
		}
	}
	if err := l.expireTexts(ctx, now); err != nil {
		return fmt.Errorf("delete old policy texts: %w", err)
	}
	if err := l.expireUses(ctx, now); err != nil {
		return fmt.Errorf("delete old last uses: %w", err)
	}
	return nil
}

// accounts lists the accounts that have records.
func (l *Log) accounts(ctx context.Context) (list []string, err error) {
	err = l.db.View(ctx, func(r store.Reader) error {
		for after := ""; ; {
			items, err := r.Scan(recordPrefix, after, 1)
			if err != nil || len(items) == 0 {
				return err
			}
			account, _, _, ok := splitKey(items[0].Key)
			if !ok {
				return fmt.Errorf("%q is not the key of a record", items[0].Key)
			}
			list = append(list, account)
			after = accountPrefix(account) + "\xff"
		}
	})
	return list, err
}

// expireAccount deletes an account's batches up to the newest that must go.
func (l *Log) expireAccount(ctx context.Context, account string, now time.Time) error {
	prefix := accountPrefix(account)
	oldest := prefix // that may stay
	if l.options.MaxAge > 0 {
		oldest += now.Add(-l.options.MaxAge).UTC().Format(keyTime)
	}
	last, records, bytes := "", 0, 0
	if err := l.eachReverse(ctx, prefix, func(item store.Item) (more bool, err error) {
		if item.Key < oldest || l.options.MaxRecords > 0 && records >= l.options.MaxRecords ||
			l.options.MaxBytes > 0 && bytes >= l.options.MaxBytes {
			last = item.Key
			return false, nil
		}
		h, err := headerOf(item.Value)
		records += h.records
		bytes += len(item.Value)
		return true, err
	}); err != nil || last == "" {
		return err
	}
	return l.deleteEach(ctx, prefix, batchChunk, func(tx store.Tx, item store.Item) (more bool, err error) {
		if item.Key > last {
			return false, nil
		}
		_, _, end, _ := splitKey(item.Key)
		return true, errors.Join(tx.Delete(item.Key), tx.Delete(idPrefix+end))
	})
}

// expireTexts deletes the texts whose last use is older than any record. A text's day is written again on each day that it is used,
// but perhaps not by the clock of this process: hence the two days more.
func (l *Log) expireTexts(ctx context.Context, now time.Time) error {
	if l.options.MaxAge <= 0 {
		return nil
	}
	oldest := now.Add(-l.options.MaxAge).AddDate(0, 0, -2).UTC().Format(time.DateOnly)
	return l.deleteEach(ctx, policyPrefix, chunk, func(tx store.Tx, item store.Item) (more bool, err error) {
		if day, _, ok := splitText(item.Value); ok && day >= oldest {
			return true, nil
		}
		return true, tx.Delete(item.Key)
	})
}

// deleteEach calls fn with the items under prefix, in order, until fn wants no more, a page of some size in each transaction.
func (l *Log) deleteEach(ctx context.Context, prefix string, size int, fn func(store.Tx, store.Item) (more bool, err error)) error {
	for after, more := "", true; more; {
		var next string
		if err := l.db.Update(ctx, func(tx store.Tx) error {
			page, err := tx.Scan(prefix, after, size)
			if err != nil {
				return err
			}
			more = len(page) == size
			for _, item := range page {
				next = item.Key
				goOn, err := fn(tx, item)
				if err != nil {
					return err
				}
				if !goOn {
					more = false
					return nil
				}
			}
			return nil
		}); err != nil {
			return err
		}
		after = next
	}
	return nil
}
