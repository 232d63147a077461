package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/store"
)

func testReadYourWrites(s *suite) {
	s.put(s.db, "a", "1", "c", "1")
	s.update(s.db, func(tx store.Tx) {
		s.check(tx.Put("a", []byte("2")))
		s.check(tx.Put("b", []byte("2")))
		s.check(tx.Delete("c"))
		s.check(tx.Delete("never"))
		item, err := tx.Get("a")
		s.check(err)
		if diff := cmp.Diff(store.Item{Key: "a", Value: []byte("2"), Revision: tx.Revision()}, item); diff != "" {
			s.Errorf("Get(a) in its transaction (-want +got):\n%s", diff)
		}
		s.wantNotFound(tx, "c")
		items, err := tx.Scan("", "", 0)
		s.check(err)
		if diff := cmp.Diff([]string{"a", "b"}, keys(items)); diff != "" {
			s.Errorf("Scan in its transaction (-want +got):\n%s", diff)
		}
	})
	s.wantContents(s.db, "a", "2", "b", "2")
	s.check(s.db.View(s.Context(), func(r store.Reader) error {
		s.wantNotFound(r, "c")
		s.wantNotFound(r, "")
		return nil
	}))
}

func testValues(s *suite) {
	for name, value := range map[string][]byte{
		"nil": nil, "empty": {}, "zeros": {0, 0, 0}, "bytes": {0xff, 0, '\'', 0x80},
		"large": bytes.Repeat([]byte("0123456789abcdef"), 1<<16),
	} {
		mine := slices.Clone(value)
		s.update(s.db, func(tx store.Tx) {
			s.check(tx.Put(name, mine))
			for i := range mine { // the engine has copied it
				mine[i]++
			}
		})
		s.check(s.db.View(s.Context(), func(r store.Reader) error {
			item, err := r.Get(name)
			s.check(err)
			if !bytes.Equal(item.Value, value) {
				s.Errorf("%s: got %d bytes that differ from the %d put", name, len(item.Value), len(value))
			}
			clear(item.Value) // it is ours
			again, err := r.Get(name)
			s.check(err)
			if !bytes.Equal(again.Value, value) {
				s.Errorf("%s: the value read changed with the copy read before", name)
			}
			return nil
		}))
	}
}

func testBadKeys(s *suite) {
	for name, fn := range map[string]func(store.Tx) error{
		"empty key":    func(tx store.Tx) error { return tx.Put("", nil) },
		"NUL":          func(tx store.Tx) error { return tx.Put("a\x00b", nil) },
		"too long":     func(tx store.Tx) error { return tx.Put("a", make([]byte, store.MaxValue+1)) },
		"empty prefix": func(tx store.Tx) error { return tx.DeletePrefix("") },
	} {
		if err := s.db.Update(s.Context(), fn); err == nil {
			s.Errorf("%s: no error", name)
		}
	}
	s.wantContents(s.db)
}

func testScan(s *suite) {
	all := []string{"a", "a/", "a/1", "a/1/x", "a/2", "a/\u00e9", "a/\xff", "a/\xff\xff", "a0", "b", "\xff", "\xff\xffz"}
	s.update(s.db, func(tx store.Tx) {
		for _, k := range slices.Backward(all) {
			s.check(tx.Put(k, []byte("value of "+k)))
		}
	})
	bounds := append([]string{"", "A", "a/1/", "a/\xff\xff\xff", "zz"}, all...)
	s.check(s.db.View(s.Context(), func(r store.Reader) error {
		for _, prefix := range append([]string{"", "nothing", "a/\xff\xff\xff"}, all...) {
			for _, bound := range bounds {
				for limit := range 4 {
					s.compareScan(r, all, prefix, bound, limit)
				}
			}
		}
		return nil
	}))
}

// compareScan compares both scans with the obvious computation over the sorted keys.
func (s *suite) compareScan(r store.Reader, sorted []string, prefix, bound string, limit int) {
	s.Helper()
	for _, reverse := range []bool{false, true} {
		scan, order := r.Scan, slices.Clone(sorted)
		if reverse {
			scan = r.ScanReverse
			slices.Reverse(order)
		}
		items, err := scan(prefix, bound, limit)
		s.check(err)
		var want []string
		for _, k := range order {
			in := !reverse && k > bound || reverse && (bound == "" || k < bound)
			if in && strings.HasPrefix(k, prefix) && (limit == 0 || len(want) < limit) {
				want = append(want, k)
			}
		}
		if diff := cmp.Diff(want, keys(items)); diff != "" {
			s.Errorf("scan of %q from %q, limit %d, reverse %t (-want +got):\n%s", prefix, bound, limit, reverse, diff)
		}
		for _, i := range items {
			if !strings.HasSuffix(string(i.Value), i.Key) || i.Revision == 0 {
				s.Errorf("item %q has value %q and revision %d", i.Key, i.Value, i.Revision)
			}
		}
	}
}

func testDeletePrefix(s *suite) {
	s.put(s.db, "a", "", "a/", "", "a/1", "", "a/\xff", "", "a0", "", "\xff\xff1", "", "\xff", "")
	s.update(s.db, func(tx store.Tx) {
		s.check(tx.DeletePrefix("a/"))
		s.check(tx.DeletePrefix("\xff\xff"))
		s.check(tx.DeletePrefix("nothing"))
	})
	s.wantContents(s.db, "a", "", "a0", "", "\xff", "")
}

// testModel compares random operations with a map and a sorted list.
func testModel(s *suite) {
	random := rand.New(rand.NewPCG(1, 2))
	model := map[string]string{}
	for range 100 {
		undo := random.IntN(4) == 0
		next := map[string]string{}
		for k, v := range model {
			next[k] = v
		}
		err := s.db.Update(s.Context(), func(tx store.Tx) error {
			for range random.IntN(6) {
				key := fmt.Sprintf("%c/%d", 'a'+random.IntN(3), random.IntN(20))
				switch random.IntN(5) {
				case 0:
					s.check(tx.Delete(key))
					delete(next, key)
				case 1:
					prefix := key[:3]
					s.check(tx.DeletePrefix(prefix))
					for k := range next {
						if strings.HasPrefix(k, prefix) {
							delete(next, k)
						}
					}
				default:
					s.check(tx.Put(key, []byte(fmt.Sprint(tx.Revision()))))
					next[key] = fmt.Sprint(tx.Revision())
				}
			}
			if undo {
				return errRefused
			}
			return nil
		})
		if undo != errors.Is(err, errRefused) {
			s.Fatalf("Update = %v", err)
		}
		if !undo {
			model = next
		}
		if diff := cmp.Diff(model, s.contents(s.db)); diff != "" {
			s.Fatalf("contents (-want +got):\n%s", diff)
		}
	}
}

func keys(items []store.Item) []string {
	var k []string
	for _, i := range items {
		k = append(k, i.Key)
	}
	return k
}
