package audit

import (
	"cmp"
	"encoding/hex"
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

	// maxSpan is how far apart the ids in a batch may be. Whoever looks for an id looks at the batches that end within it.
	maxSpan = 4 * time.Second
	// maxBatch is how many records are in a batch, and largeBatch the size in bytes from which on it takes in no more.
	maxBatch   = 256
	largeBatch = 256 << 10
)

// batch is records of one account in the form of the store, with the policy texts that are not there yet.
type batch struct {
	pending []*pending
	account string
	// time is that of the last record; firstID and lastID are the least and the greatest id.
	time            time.Time
	firstID, lastID string
	value           []byte
	texts           []text
}

// pack makes the batches of a part of the buffer. It reads the records only, which others may be reading.
func (l *Log) pack(part []*pending) ([]*batch, error) {
	sorted := slices.Clone(part)
	slices.SortStableFunc(sorted, func(a, b *pending) int {
		return cmp.Or(strings.Compare(a.record.Account, b.record.Account), strings.Compare(a.record.RequestID, b.record.RequestID))
	})
	p := newPacker(l)
	var batches []*batch
	for len(sorted) > 0 {
		b, err := p.batch(sorted)
		if err != nil {
			return nil, err
		}
		batches = append(batches, b)
		sorted = sorted[len(b.pending):]
	}
	return batches, nil
}

// batch packs as many of the first records as go together. Of records of the same call it takes the last, which knows most.
func (p *packer) batch(sorted []*pending) (*batch, error) {
	first := sorted[0].record
	b := &batch{account: first.Account, firstID: first.RequestID}
	p.begin()
	for i, next := range sorted {
		rec := next.record
		if p.records == maxBatch || len(p.b) > largeBatch || rec.Account != b.account || !near(b.firstID, rec.RequestID) {
			break
		}
		b.pending = append(b.pending, next)
		if i+1 < len(sorted) && sorted[i+1].record.RequestID == rec.RequestID {
			continue
		}
		b.lastID = rec.RequestID
		if rec.Time.After(b.time) {
			b.time = rec.Time
		}
		used, err := p.record(rec)
		if err != nil {
			return nil, fmt.Errorf("encode decision of %s: %w", rec.RequestID, err)
		}
		b.texts = append(b.texts, used...)
	}
	b.value = p.end()
	return b, nil
}

// near tells whether two ids may be in one batch. Ids that do not tell their time are near themselves only.
func near(a, b string) bool {
	if a == b {
		return true
	}
	at, ok := timeOf(a)
	bt, both := timeOf(b)
	return ok && both && bt.Sub(at).Abs() <= maxSpan
}

// timeOf is when an id was made: a UUID of version 7 begins with milliseconds of Unix time
// (https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7).
func timeOf(id string) (time.Time, bool) {
	if len(id) != 36 || id[8] != '-' || id[13] != '-' || id[14] != '7' {
		return time.Time{}, false
	}
	var ms [6]byte
	if _, err := hex.Decode(ms[:], []byte(id[:8]+id[9:13])); err != nil {
		return time.Time{}, false
	}
	n := int64(0)
	for _, b := range ms {
		n = n<<8 | int64(b)
	}
	return time.UnixMilli(n), true
}

// put writes the batch.
func (b *batch) put(tx store.Tx) error {
	for _, t := range b.texts {
		if err := tx.Put(policyPrefix+t.hash, slices.Concat([]byte(t.day+"\n"), t.source)); err != nil {
			return err
		}
	}
	// No two batches may have one key: a record may be written again, with how its operation failed.
	end := fmt.Sprintf("%s-%016x", b.lastID, tx.Revision())
	key := accountPrefix(b.account) + b.time.UTC().Format(keyTime) + "-" + end
	if err := tx.Put(key, b.value); err != nil {
		return err
	}
	return tx.Put(idPrefix+end, []byte(b.firstID+"\n"+key))
}

func accountPrefix(account string) string { return recordPrefix + account + "/" }

// splitKey takes a batch's key apart: end is that of its index, which begins with the last id.
func splitKey(key string) (account, time, end string, ok bool) {
	account, rest, ok := strings.Cut(strings.TrimPrefix(key, recordPrefix), "/")
	if !ok || len(rest) <= len(keyTime) {
		return "", "", "", false
	}
	return account, rest[:len(keyTime)], rest[len(keyTime)+1:], true
}

// splitIndex takes an item of the index apart.
func splitIndex(item store.Item) (firstID, lastID, key string, err error) {
	end := strings.TrimPrefix(item.Key, idPrefix)
	at := strings.LastIndexByte(end, '-')
	firstID, key, ok := strings.Cut(string(item.Value), "\n")
	if !ok || at < 0 {
		return "", "", "", fmt.Errorf("%s is not of the index of decisions", item.Key)
	}
	return firstID, end[:at], key, nil
}

// splitText takes the value of a policy text apart.
func splitText(value []byte) (day string, source []byte, ok bool) {
	if len(value) <= len(time.DateOnly) || value[len(time.DateOnly)] != '\n' {
		return "", nil, false
	}
	return string(value[:len(time.DateOnly)]), value[len(time.DateOnly)+1:], true
}
