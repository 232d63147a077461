package audit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/internal/store"
)

const (
	recordPrefix = "decision/"
	idPrefix     = "decision-id/"
	policyPrefix = "decision-policy/"
	usePrefix    = "decision-use/"

	// keyTime is RFC 3339 with a fixed width, so that keys of UTC times sort by time.
	keyTime = "2006-01-02T15:04:05.000000000Z"
)

// entry is a record in the form of the store, with the policy texts that are not there yet.
type entry struct {
	pending *pending
	key     string
	value   []byte
	texts   []text
}

// encode makes the entry of a record. It reads the record only, which others may be reading.
func (l *Log) encode(p *pending) (*entry, error) {
	rec := *p.record
	rec.Decisions = slices.Clone(rec.Decisions)
	e := &entry{pending: p, key: recordKey(&rec)}
	for i := range rec.Decisions {
		d := &rec.Decisions[i]
		var used []text
		d.Policies, used = l.refs(d.Applied)
		for _, t := range used {
			t.day = rec.Time.UTC().Format(time.DateOnly)
			if !l.texts.isStored(t) {
				e.texts = append(e.texts, t)
			}
		}
	}
	var err error
	if e.value, err = json.Marshal(rec); err != nil {
		return nil, fmt.Errorf("encode decision of %s: %w", rec.RequestID, err)
	}
	return e, nil
}

// put writes the entry.
func (e *entry) put(tx store.Tx) error {
	for _, t := range e.texts {
		if err := tx.Put(policyPrefix+t.hash, slices.Concat([]byte(t.day+"\n"), t.source)); err != nil {
			return err
		}
	}
	if err := tx.Put(e.key, e.value); err != nil {
		return err
	}
	return tx.Put(idPrefix+e.pending.record.RequestID, []byte(e.key))
}

func recordKey(rec *Record) string {
	return accountPrefix(rec.Account) + rec.Time.UTC().Format(keyTime) + "-" + rec.RequestID
}

func accountPrefix(account string) string { return recordPrefix + account + "/" }

// splitKey takes a record's key apart.
func splitKey(key string) (account, time, requestID string, ok bool) {
	account, rest, ok := strings.Cut(strings.TrimPrefix(key, recordPrefix), "/")
	if !ok || len(rest) <= len(keyTime) {
		return "", "", "", false
	}
	return account, rest[:len(keyTime)], rest[len(keyTime)+1:], true
}

// splitText takes the value of a policy text apart.
func splitText(value []byte) (day string, source []byte, ok bool) {
	if len(value) <= len(time.DateOnly) || value[len(time.DateOnly)] != '\n' {
		return "", nil, false
	}
	return string(value[:len(time.DateOnly)]), value[len(time.DateOnly)+1:], true
}
