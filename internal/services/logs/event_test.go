package logs

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

var events = cmp.AllowUnexported(event{}, position{})

func TestPosition(t *testing.T) {
	list := []position{
		{}, {0, 0, 1}, {0, 1, 0}, {0, math.MaxInt64, math.MaxUint16}, {1, 0, 0}, {15, 1, 1}, {16, 0, 0}, {math.MaxInt64, 0, 0},
	}
	for i, p := range list {
		for _, parse := range []func() (position, error){
			func() (position, error) { return parseKey(p.key()) }, func() (position, error) { return parseID(p.id()) },
		} {
			if got, err := parse(); err != nil || got != p {
				t.Errorf("%+v came back as %+v, %v", p, got, err)
			}
		}
		if i > 0 && (list[i-1].key() >= p.key() || list[i-1].id() >= p.id() || list[i-1].compare(p) >= 0) {
			t.Errorf("%+v does not sort after %+v", p, list[i-1])
		}
	}
}

// batch makes n events in order of time, up to spread milliseconds apart.
func batch(random *rand.Rand, revision int64, start int64, n, spread int) []event {
	list := make([]event, n)
	at := start
	for i := range list {
		at += int64(random.IntN(spread + 1))
		list[i] = event{
			position: position{time: at, batch: revision, index: uint16(i)}, stream: "s", ingested: 7,
			message: strings.Repeat("m", random.IntN(200)),
		}
	}
	return list
}

func TestSegments(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, spread := range []int{0, 1, 100, 70_000} {
		list := batch(random, 3, 1000, 2500, spread)
		list[7].message = strings.Repeat("large", 20_000)
		var got []event
		for _, s := range segments(list) {
			if span := s.events[len(s.events)-1].time - s.events[0].time; span > segmentSpan || len(s.events) > segmentEvents {
				t.Errorf("a segment of %d events and %d ms", len(s.events), span)
			}
			decoded, err := decodeSegment("s", s.first, s.encode())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, decoded...)
		}
		if diff := cmp.Diff(list, got, events); diff != "" {
			t.Errorf("spread %d (-want +got):\n%s", spread, diff)
		}
	}
}

// Batches that overlap in time, read page by page in both directions, come as one sorted list.
func TestSelection(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	db := storetest.New(t)
	g, st := group{ID: "g"}, stream{ID: "s", Name: "s", Events: &span{First: 0, Last: math.MaxInt64}}
	var all []event
	for i := range 60 {
		spread := []int{0, 3, 2000, 50_000}[i%4]
		var b []event
		if err := db.Update(t.Context(), func(tx store.Tx) error {
			b = batch(random, tx.Revision(), int64(random.IntN(300_000)), 1+random.IntN(30), spread)
			for _, s := range segments(b) {
				if err := tx.Put(g.streamEventPrefix(st)+s.first.key(), s.encode()); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	slices.SortFunc(all, func(a, b event) int { return a.compare(b.position) })
	for range 300 {
		sel := selection{start: int64(random.IntN(400_000)), backward: random.IntN(2) == 0}
		sel.end = sel.start + int64(random.IntN(400_000))
		var want, got []event
		for _, e := range all {
			if e.time >= sel.start && e.time < sel.end {
				want = append(want, e)
			}
		}
		if sel.backward {
			slices.Reverse(want)
		}
		size := 1 + random.IntN(50)
		for n := -1; n != 0; {
			n = 0
			if err := db.View(t.Context(), func(r store.Reader) error {
				return sel.each(r, g, st, func(e event) bool {
					if n == size {
						return false
					}
					n++
					got = append(got, e)
					return true
				})
			}); err != nil {
				t.Fatal(err)
			}
			if len(got) > 0 {
				sel.past = &got[len(got)-1].position
			}
		}
		if diff := cmp.Diff(want, got, events); diff != "" {
			t.Fatalf("%+v in pages of %d (-want +got):\n%s", sel, size, diff)
		}
	}
}

func FuzzDecodeSegment(f *testing.F) {
	f.Add(int64(1000), batchSeed())
	f.Fuzz(func(t *testing.T, first int64, data []byte) {
		at := position{time: first}
		list, err := decodeSegment("s", at, data)
		if err != nil || len(list) == 0 || len(list) > math.MaxUint16 {
			return
		}
		s := segment{first: at, ingested: list[0].ingested, events: list}
		again, err := decodeSegment("s", at, s.encode())
		if err != nil || !slices.Equal(list, again) {
			t.Errorf("read again: %v, %v, want %v", again, err, list)
		}
	})
}

func batchSeed() []byte {
	list := batch(rand.New(rand.NewPCG(5, 6)), 1, 1000, 20, 10)
	return segments(list)[0].encode()
}

func FuzzTokens(f *testing.F) {
	f.Add("f/" + position{1, 2, 3}.id())
	f.Add("b/" + position{}.id())
	f.Fuzz(func(t *testing.T, token string) {
		backward, past, err := parseToken(token)
		if err != nil {
			return
		}
		again := map[bool]string{true: backwardToken, false: forwardToken}[backward] + past.id()
		if again != token {
			t.Errorf("token %q was read as %q", token, again)
		}
	})
}
