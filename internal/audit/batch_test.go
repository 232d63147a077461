package audit

import (
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

// rows lists the batches of the store by how many records they have, in the order of their keys.
func rows(t *testing.T, db store.DB) (counts []int) {
	t.Helper()
	if err := db.View(t.Context(), func(r store.Reader) error {
		items, err := r.Scan(recordPrefix, "", 0)
		for _, item := range items {
			records, err := unpack(item.Value)
			if err != nil {
				return err
			}
			counts = append(counts, len(records))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return counts
}

func flush(t *testing.T, l *Log) {
	t.Helper()
	if err := l.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What happens in the same seconds is one row, and each record of it is found.
func TestBatches(t *testing.T) {
	db := storetest.New(t)
	l := New(db, Options{})
	ms := time.Millisecond
	var ids []string
	for i, at := range []time.Duration{0, 1000 * ms, 4000 * ms, 4001 * ms, 500 * ms, time.Hour, 2 * ms} {
		rec := record(madeAt(at, i), at)
		if i == 6 {
			rec.Account = "222222222222"
		}
		ids = append(ids, rec.RequestID)
		begin(t, l, rec)
	}
	begin(t, l, record("of no time", 0))
	begin(t, l, record("of no other", 0))
	ids = append(ids, "of no time", "of no other")
	flush(t, l)
	// Four within four seconds, one just behind, one much later, two that do not tell; one of another account.
	if diff := cmp.Diff(rows(t, db), []int{1, 1, 4, 1, 1, 1}); diff != "" {
		t.Errorf("batches: -got +want:\n%s", diff)
	}
	for _, id := range ids {
		if rec, err := l.Get(t.Context(), id); err != nil || rec.RequestID != id {
			t.Errorf("Get(%s) = %s, %v", id, rec.RequestID, err)
		}
	}
	for _, id := range []string{madeAt(0, 9), madeAt(2000*ms, 9), madeAt(9000*ms, 9), madeAt(2*time.Hour, 9), "of no", "of no z"} {
		if _, err := l.Get(t.Context(), id); !errors.Is(err, ErrNotFound) {
			t.Errorf("Get(%s) = %v, want ErrNotFound", id, err)
		}
	}
}

func TestBatchesAreBounded(t *testing.T) {
	for _, test := range []struct {
		n, length int // records, and how long something in each is
		want      []int
	}{
		{2*maxBatch + 1, 1, []int{maxBatch, maxBatch, 1}},
		{5, largeBatch / 2, []int{2, 2, 1}},
		{3, 2 * largeBatch, []int{1, 1, 1}},
	} {
		db := storetest.New(t)
		l := New(db, Options{})
		for i := range test.n {
			at := time.Duration(i) * time.Millisecond
			rec := record(madeAt(at, i), at)
			rec.UserAgent = fmt.Sprint(i) + strings.Repeat("x", test.length)
			begin(t, l, rec)
		}
		flush(t, l)
		if diff := cmp.Diff(rows(t, db), test.want); diff != "" {
			t.Errorf("%d of %d bytes: -got +want:\n%s", test.n, test.length, diff)
		}
	}
}

// Records of changes, those of reads around them, and those that say how a call failed are in batches that overlap.
func TestOverlappingBatches(t *testing.T) {
	db := storetest.New(t)
	l := New(db, Options{})
	const n = 40
	fails := func(i int) bool { return i%5 == 1 || i%5 == 2 }
	var want []string
	for i := range n {
		at := time.Duration(i) * 10 * time.Millisecond
		rec := record(madeAt(at, i), at)
		rec.Allowed = i%3 != 0
		want = append([]string{rec.RequestID}, want...)
		ctx := begin(t, l, rec)
		if i%10 == 7 { // a change, in its own transaction
			if err := l.Recorded().Update(ctx, func(store.Tx) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if i%5 == 2 { // its failure is known after it was written, that of others before
			flush(t, l)
		}
		if fails(i) {
			if err := l.Fail(ctx, Failure{Code: rec.RequestID}); err != nil {
				t.Fatal(err)
			}
		}
	}
	list, err := l.List(t.Context(), "111111111111", Filter{Limit: n + 1})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, rec := range list {
		got = append(got, rec.RequestID)
		again, err := l.Get(t.Context(), rec.RequestID)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []Record{rec, again} {
			if (r.Failure != nil) != fails(n-1-i) || r.Failure != nil && r.Failure.Code != rec.RequestID {
				t.Errorf("record %d: failure %v", n-1-i, r.Failure)
			}
		}
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("list: -got +want:\n%s", diff)
	}
	for limit := 1; limit <= n; limit++ {
		for denied, most := range map[bool]int{true: 14, false: n} {
			some, err := l.List(t.Context(), "111111111111", Filter{Limit: limit, DeniedOnly: denied})
			if err != nil || len(some) != min(limit, most) {
				t.Errorf("limit %d, denied only %v: %d records, %v", limit, denied, len(some), err)
			}
		}
	}
	if err := l.expire(t.Context(), start.Add(91*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if left := append(stored(t, db, recordPrefix), stored(t, db, idPrefix)...); left != nil {
		t.Errorf("left when all are too old: %q", left)
	}
}

// What is kept by number is whole batches: the newest, of as many records as may stay or somewhat more.
func TestExpireKeepsWholeBatches(t *testing.T) {
	for most, want := range map[int]int{1: 10, 10: 10, 11: 20, 29: 30, 30: 30} {
		db := storetest.New(t)
		l := New(db, Options{MaxRecords: most})
		for i := range 30 {
			at := time.Duration(i) * time.Millisecond
			begin(t, l, record(madeAt(at, i), at))
			if i%10 == 9 {
				flush(t, l)
			}
		}
		if err := l.expire(t.Context(), start); err != nil {
			t.Fatal(err)
		}
		list, err := l.List(t.Context(), "111111111111", Filter{})
		if err != nil || len(list) != want || list[0].RequestID != madeAt(29*time.Millisecond, 29) {
			t.Errorf("at most %d: %d records stay, %v; want the newest %d", most, len(list), err, want)
		}
	}
}

// The record that TestRoundTrip writes has a value in every field, so that one that pack forgets is seen there.
func TestFullRecordIsFull(t *testing.T) {
	rec := fullRecord(t)
	one, two := rec.Decisions[0], rec.Decisions[1]
	elsewhere := map[string]bool{
		"Decision.Allowed": two.Allowed, "Decision.Note": two.Note != "",
		"Record.Allowed":    true, // TestList has both
		"Decision.Policies": true, // made of Applied
	}
	for _, part := range []any{*rec, rec.Caller, *rec.Failure, one, one.Request, one.Applied} {
		v := reflect.ValueOf(part)
		for i := range v.NumField() {
			if name := v.Type().Name() + "." + v.Type().Field(i).Name; v.Field(i).IsZero() && !elsewhere[name] {
				t.Errorf("%s has no value", name)
			}
		}
	}
}

func TestUnpackRefuses(t *testing.T) {
	l := New(storetest.New(t), Options{})
	batches, err := l.pack([]*pending{{record: fullRecord(t)}})
	if err != nil {
		t.Fatal(err)
	}
	whole := batches[0].value
	if _, err := unpack(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := unpack(whole[:n]); !errors.Is(err, errPacked) {
			t.Fatalf("the first %d of %d bytes: %v, want errPacked", n, len(whole), err)
		}
	}
	for name, value := range map[string][]byte{
		"more":    append(whole[:len(whole):len(whole)], 0),
		"version": append([]byte{packVersion + 1}, whole[1:]...),
	} {
		if _, err := unpack(value); !errors.Is(err, errPacked) {
			t.Errorf("%s: %v, want errPacked", name, err)
		}
	}
}

// No value makes unpack panic or use more memory than its length warrants.
func FuzzUnpack(f *testing.F) {
	l := New(storetest.New(f), Options{})
	small := record(madeAt(0, 0), 0)
	small.Decisions = []Decision{{Request: authz.Request{Action: "a:b", Resource: "*"}}}
	small.Decisions[0].Request.Context.SetList("a", "b", "c")
	batches, err := l.pack([]*pending{{record: small}, {record: record(madeAt(0, 1), 0)}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(batches[0].value)
	for _, text := range []string{"", "01", "01ffffffffffffffffff7f", "010100000161"} {
		b, _ := hex.DecodeString(text)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		if records, err := unpack(value); len(records) > len(value) || err != nil && records != nil {
			t.Errorf("%d records of %d bytes, %v", len(records), len(value), err)
		}
	})
}
