package directory

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

// Sessions of a role are uses of the role, sessions of a user none.
func TestWhatIsUsed(t *testing.T) {
	l, now := NewLastUsed(nil), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, caller := range []principal.Caller{
		{AccessKeyID: "ASIA1", Session: &principal.Session{RoleID: "AROA"}}, {AccessKeyID: "ASIA2", Session: &principal.Session{UserID: "AIDA"}}, {},
	} {
		if err := l.Note(t.Context(), &caller, now, "eu-west-1", "s3"); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(l.waiting, map[string]LastUse{"AROA": {now, "eu-west-1", "s3"}}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

// failing is a store that takes no changes.
type failing struct{ store.DB }

var errDisk = errors.New("disk")

func (failing) Update(context.Context, func(store.Tx) error) error { return errDisk }

func TestLastUsedIsBounded(t *testing.T) {
	db, now := storetest.New(t), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l := NewLastUsed(failing{db})
	note := func(id string) error {
		return l.Note(t.Context(), &principal.Caller{AccessKeyID: id}, now, "us-east-1", "s3")
	}
	for i := range lastUsedWaiting {
		if err := note(fmt.Sprintf("AKIA%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := note("AKIA0"); err != nil {
		t.Errorf("a use of a key that waits already: %v", err)
	}
	if err := note("AKIAone-more"); !errors.Is(err, errDisk) {
		t.Errorf("got %v, want the store's error", err)
	}
	l.db = db
	if err := note("AKIAone-more"); err != nil || len(l.waiting) != 1 {
		t.Errorf("got %v and %d that wait, want 1", err, len(l.waiting))
	}
}

func TestNoteDoesNotAllocate(t *testing.T) {
	l, ctx, now := NewLastUsed(nil), t.Context(), time.Unix(0, 0)
	caller := principal.Caller{AccessKeyID: "AKIA1"}
	if n := testing.AllocsPerRun(100, func() {
		now = now.Add(time.Second)
		_ = l.Note(ctx, &caller, now, "us-east-1", "s3")
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
