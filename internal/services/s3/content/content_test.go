package content

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/blob/blobtest"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

func newStore(t *testing.T) (*Store, store.DB) {
	db := storetest.New(t)
	return New(Config{DB: db, Blobs: blobtest.New(t).(Blobs), Logger: slog.New(slog.DiscardHandler)}), db
}

func write(t *testing.T, s *Store, text string) *Written {
	t.Helper()
	w, err := s.Write(t.Context(), strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func update(t *testing.T, db store.DB, fn func(tx store.Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, s *Store, pieces []Piece, offset, length int64) string {
	t.Helper()
	r := s.Open(t.Context(), pieces, offset, length, nil)
	b, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func isThere(t *testing.T, s *Store, p Piece) bool {
	t.Helper()
	f, err := s.Blobs.Open(t.Context(), p.Blob)
	if errors.Is(err, blob.ErrNotFound) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return true
}

func TestReadRanges(t *testing.T) {
	s, _ := newStore(t)
	var pieces []Piece
	for _, text := range []string{"abc", "", "d", "efgh"} {
		if text == "" {
			pieces = append(pieces, Piece{})
			continue
		}
		w := write(t, s, text)
		w.Release()
		pieces = append(pieces, w.Piece)
	}
	const all = "abcdefgh"
	for from := range len(all) + 1 {
		for to := from; to <= len(all); to++ {
			if got := read(t, s, pieces, int64(from), int64(to-from)); got != all[from:to] {
				t.Errorf("%d to %d: got %q", from, to, got)
			}
		}
	}
	if err := iotest.TestReader(s.Open(t.Context(), pieces, 0, int64(len(all)), nil), []byte(all)); err != nil {
		t.Error(err)
	}
	r := s.Open(t.Context(), pieces, 0, int64(len(all))+1, nil)
	if _, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("more than there is: got %v", err)
	}
	if err := s.Open(t.Context(), nil, 0, 0, nil).Begin(); err != nil {
		t.Errorf("nothing: got %v", err)
	}
	gone := Piece{Blob: blob.Name(strings.Repeat("0", 64)), Size: 1}
	if err := s.Open(t.Context(), []Piece{gone}, 0, 1, nil).Begin(); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("what is gone: got %v", err)
	}
	r = s.Open(t.Context(), pieces, 1, 2, nil)
	if err := errors.Join(r.Begin(), r.Begin()); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(r); string(got) != "bc" || err != nil {
		t.Errorf("begun twice: got %q, %v", got, err)
	}
}

func TestCollect(t *testing.T) {
	s, db := newStore(t)
	w := write(t, s, "text")
	p := w.Piece
	update(t, db, func(tx store.Tx) error { return errors.Join(Refer(tx, p, "one"), Refer(tx, p, "two")) })
	w.Release()
	collect := func(want bool, when string) {
		t.Helper()
		if err := s.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := isThere(t, s, p); got != want {
			t.Errorf("%s: there %v, want %v", when, got, want)
		}
	}
	update(t, db, func(tx store.Tx) error { return Drop(tx, p, "one") })
	collect(true, "with a reference")
	unpin := s.Pin([]Piece{p})
	update(t, db, func(tx store.Tx) error { return Drop(tx, p, "two") })
	collect(true, "while it is read")
	unpin()
	collect(false, "in the end")
	update(t, db, func(tx store.Tx) error {
		notes, err := tx.Scan("s3/", "", 0)
		if len(notes) > 0 {
			t.Errorf("left: %v", notes)
		}
		return err
	})
}

// TestNeededAgain: a note about a blob that somebody else has meanwhile harms nobody.
func TestNeededAgain(t *testing.T) {
	s, db := newStore(t)
	w := write(t, s, "text")
	update(t, db, func(tx store.Tx) error { return errors.Join(Refer(tx, w.Piece, "one"), Drop(tx, w.Piece, "one")) })
	w.Release()
	update(t, db, func(tx store.Tx) error { return Refer(tx, w.Piece, "two") }) // a copy
	if err := s.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !isThere(t, s, w.Piece) {
		t.Error("what is needed is gone")
	}
}

// TestUnlike: what is written again is another blob, which the end of the first does not concern.
func TestUnlike(t *testing.T) {
	s, db := newStore(t)
	first, second := write(t, s, "text"), write(t, s, "text")
	update(t, db, func(tx store.Tx) error {
		return errors.Join(Refer(tx, first.Piece, "one"), Refer(tx, second.Piece, "two"), Drop(tx, first.Piece, "one"))
	})
	first.Release()
	second.Release()
	if err := s.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if isThere(t, s, first.Piece) || read(t, s, []Piece{second.Piece}, 0, 4) != "text" || second.Size != 4 {
		t.Errorf("%+v is there, or not %+v", first.Piece, second.Piece)
	}
}

// TestEarlierRelease: blobs of releases that wrote the bytes alone are read.
func TestEarlierRelease(t *testing.T) {
	s, _ := newStore(t)
	name, size, err := s.Blobs.Put(t.Context(), strings.NewReader("text"))
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, s, []Piece{{Blob: name, Size: size}}, 1, 2); got != "ex" {
		t.Errorf("got %q", got)
	}
}

// TestShared: where servers share blobs, each removes at once only what it has given up itself; the rest has its time.
func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, blobs := storetest.New(t), blobtest.New(t).(Blobs)
		shared := func() *Store {
			return New(Config{DB: db, Blobs: blobs, Shared: true, Logger: slog.New(slog.DiscardHandler)})
		}
		a, b := shared(), shared()
		crashed := write(t, shared(), "x") // by a server that is gone
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for _, run := range []func(context.Context) error{a.Run, a.RunGarbage, b.Run} {
			running.Go(func() {
				if err := run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		writing, lost, dropped, kept := write(t, b, "1"), write(t, b, "2"), write(t, b, "3"), write(t, b, "4")
		lost.Release()
		update(t, db, func(tx store.Tx) error {
			return errors.Join(Refer(tx, dropped.Piece, "one"), Drop(tx, dropped.Piece, "one"), Refer(tx, kept.Piece, "two"))
		})
		dropped.Release()
		kept.Release()
		for _, step := range []struct {
			wait time.Duration
			want string
		}{
			{0, "true true true true true"},
			{2 * period, "true false true true true"},
			{grace - 4*period, "true false true true true"},
			{4 * period, "true false false true true"},
			{strayTime - 2*grace, "true false false true true"},
			{3 * strayPeriod, "true false false true false"},
		} {
			time.Sleep(step.wait)
			synctest.Wait()
			var got []string
			for _, w := range []*Written{writing, lost, dropped, kept, crashed} {
				got = append(got, fmt.Sprint(isThere(t, a, w.Piece)))
			}
			if strings.Join(got, " ") != step.want {
				t.Errorf("after %v: %v, want %s", step.wait, got, step.want)
			}
			if step.wait == 0 {
				if err := a.Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if step.wait == grace-4*period { // in the end somebody needs it
				update(t, db, func(tx store.Tx) error { return Refer(tx, writing.Piece, "three") })
			}
		}
		stop()
		running.Wait()
	})
}

// TestGivenUp: what was written and then not referred to does not stay until the next start.
func TestGivenUp(t *testing.T) {
	s, db := newStore(t)
	kept, lost, read := write(t, s, "kept"), write(t, s, "lost"), write(t, s, "read")
	update(t, db, func(tx store.Tx) error { return Refer(tx, kept.Piece, "one") })
	unpin := s.Pin([]Piece{read.Piece})
	for _, w := range []*Written{kept, lost, read} {
		w.Release()
	}
	collect := func(wantRead bool) {
		t.Helper()
		if err := s.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			w    *Written
			want bool
		}{{kept, true}, {lost, false}, {read, wantRead}} {
			if got := isThere(t, s, c.w.Piece); got != c.want {
				t.Errorf("%+v: there %v, want %v", c.w.Piece, got, c.want)
			}
		}
	}
	collect(true)
	unpin()
	collect(false)
}

// busy does something else after every View.
type busy struct {
	store.DB
	after func()
}

func (b *busy) View(ctx context.Context, fn func(store.Reader) error) error {
	defer b.after()
	return b.DB.View(ctx, fn)
}

// TestDroppedMeanwhile: the note of who drops the last reference while an older note is looked at is not taken for the older one.
func TestDroppedMeanwhile(t *testing.T) {
	s, db := newStore(t)
	w := write(t, s, "text")
	update(t, db, func(tx store.Tx) error {
		return errors.Join(Refer(tx, w.Piece, "one"), Drop(tx, w.Piece, "one"), Refer(tx, w.Piece, "two"))
	})
	w.Release()
	views := 0
	s.DB = &busy{DB: db, after: func() {
		if views++; views == 3 { // doubtful, the notes, and whether it is needed
			update(t, db, func(tx store.Tx) error { return Drop(tx, w.Piece, "two") })
		}
	}}
	for range 2 {
		if err := s.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if isThere(t, s, w.Piece) {
		t.Error("what nobody needs is still there")
	}
}

func TestSweep(t *testing.T) {
	s, db := newStore(t)
	kept, lost := write(t, s, "kept"), write(t, s, "lost")
	update(t, db, func(tx store.Tx) error { return Refer(tx, kept.Piece, "one") })
	kept.Release()
	lost.Release()
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !isThere(t, s, kept.Piece) || isThere(t, s, lost.Piece) {
		t.Error("the wrong blob is gone")
	}
}

// TestFailedWrite: an error of the reader comes back as it is, nothing is kept, and nothing stays locked.
func TestFailedWrite(t *testing.T) {
	s, _ := newStore(t)
	broken := errors.New("broken")
	if _, err := s.Write(t.Context(), io.MultiReader(strings.NewReader("x"), iotest.ErrReader(broken))); err != broken {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Write(ctx, strings.NewReader("x")); err == nil {
		t.Error("written after the end")
	}
	for name, err := range s.Blobs.Names(t.Context()) {
		t.Errorf("kept: %s, %v", name, err)
	}
	if !s.mu.TryLock() {
		t.Error("still locked")
	}
}

// TestConcurrently writes, drops and collects the same few texts: who refers to one must be able to read it.
func TestConcurrently(t *testing.T) {
	s, db := newStore(t)
	stop := make(chan struct{})
	var collector, writers sync.WaitGroup
	collector.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if err := s.Collect(t.Context()); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for n := range 4 {
		writers.Go(func() {
			for i := range 60 {
				text, owner := []byte(fmt.Sprint(i%3)), fmt.Sprintf("%d-%d", n, i)
				w, err := s.Write(t.Context(), bytes.NewReader(text))
				if err != nil {
					t.Error(err)
					return
				}
				err = db.Update(t.Context(), func(tx store.Tx) error { return Refer(tx, w.Piece, owner) })
				w.Release()
				r := s.Open(t.Context(), []Piece{w.Piece}, 0, 1, nil)
				got, readErr := io.ReadAll(r)
				if err := errors.Join(err, readErr, r.Close()); err != nil || !bytes.Equal(got, text) {
					t.Errorf("got %q, %v", got, err)
				}
				if err := db.Update(t.Context(), func(tx store.Tx) error { return Drop(tx, w.Piece, owner) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	collector.Wait()
}
