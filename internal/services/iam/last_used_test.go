package iam

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/store"
)

func (w *world) note(caller principal.Caller, at time.Time, service string) {
	w.t.Helper()
	if err := w.s.lastUsed.Note(w.t.Context(), &caller, at, "eu-west-1", service); err != nil {
		w.t.Fatal(err)
	}
}

// used asks for the last use of a key, as text.
func (w *world) used(id string) string {
	w.t.Helper()
	out := must[sdk.GetAccessKeyLastUsedOutput](w, &sdk.GetAccessKeyLastUsedInput{AccessKeyId: &id})
	u := out.AccessKeyLastUsed
	date := "never"
	if u.LastUsedDate != nil {
		date = u.LastUsedDate.Format(time.RFC3339)
	}
	return fmt.Sprintf("%s %s %s %s", aws.ToString(out.UserName), date, *u.Region, *u.ServiceName)
}

func TestAccessKeyLastUsed(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	id, _ := w.key("alice")
	want := func(text string) {
		t.Helper()
		if got := w.used(id); got != text {
			t.Errorf("got %s, want %s", got, text)
		}
	}
	want("alice never N/A N/A")
	alice := principal.Caller{AccessKeyID: id}
	w.note(alice, w.now, "s3")
	w.note(alice, w.now.Add(-time.Hour), "sqs") // one that comes late
	want("alice 2026-03-01T12:00:00Z eu-west-1 s3")

	// Written, it is there for another process, and a later use goes before it.
	flush := func() {
		t.Helper()
		if err := w.s.lastUsed.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	flush()
	w.s.lastUsed = NewLastUsed(w.db)
	want("alice 2026-03-01T12:00:00Z eu-west-1 s3")
	w.note(alice, w.now.Add(2*time.Minute), "iam")
	want("alice 2026-03-01T12:02:00Z eu-west-1 iam")
	w.note(alice, w.now.Add(-time.Minute), "lambda")
	flush()
	want("alice 2026-03-01T12:02:00Z eu-west-1 iam")

	// With the key its use goes; what was noted before is not written afterwards.
	w.note(alice, w.now.Add(time.Hour), "iam")
	must[sdk.DeleteAccessKeyOutput](w, &sdk.DeleteAccessKeyInput{UserName: aws.String("alice"), AccessKeyId: &id})
	flush()
	if err := w.db.View(t.Context(), func(r store.Reader) error {
		if n, err := count(r, "iam/used/", 0); err != nil || n != 0 {
			t.Errorf("%d uses are left, %v", n, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAccessKeyLastUsedOfOthers(t *testing.T) {
	w := newWorld(t)
	other, _, err := w.d.EnsureAccount(t.Context(), "444455556666")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"AKIAIOSFODNN7EXAMPLE", other.AccessKeyID} {
		_, err := w.do(&sdk.GetAccessKeyLastUsedInput{AccessKeyId: &id})
		wantError(t, err, "AccessDenied", "User: arn:aws:iam::111122223333:root is not authorized to perform "+
			"iam:GetAccessKeyLastUsed on resource: access key "+id)
	}
	_, err = w.do(&sdk.GetAccessKeyLastUsedInput{AccessKeyId: aws.String("short")})
	wantError(t, err, "ValidationError", "1 validation error detected: Value at 'accessKeyId' failed to satisfy constraint: "+
		"Member must have length greater than or equal to 16")
}

// Sessions of a role are uses of the role, sessions of a user none.
func TestLastUsedOfSessions(t *testing.T) {
	w := newWorld(t)
	role := w.role("worker", trustEC2)
	w.note(principal.Caller{AccessKeyID: "ASIA1", Session: &principal.Session{RoleID: role}}, w.now, "s3")
	w.note(principal.Caller{AccessKeyID: "ASIA2", Session: &principal.Session{UserID: "AIDA"}}, w.now, "s3")
	w.note(principal.Caller{}, w.now, "s3")
	if diff := cmp.Diff(w.s.lastUsed.waiting, map[string]lastUse{role: {w.now, "eu-west-1", "s3"}}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	if err := w.s.lastUsed.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.db.View(t.Context(), func(r store.Reader) error {
		got, err := NewLastUsed(w.db).of(r, role)
		if diff := cmp.Diff(got, lastUse{w.now, "eu-west-1", "s3"}); diff != "" || err != nil {
			t.Errorf("after flush: -got +want:\n%s%v", diff, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	must[sdk.DeleteRoleOutput](w, &sdk.DeleteRoleInput{RoleName: aws.String("worker")})
	if err := w.db.View(t.Context(), func(r store.Reader) error {
		got, err := getLastUse(r, role)
		if got != (lastUse{}) || err != nil {
			t.Errorf("after the role is gone: %+v, %v", got, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// failing is a store that takes no changes.
type failing struct{ store.DB }

var errDisk = errors.New("disk")

func (failing) Update(context.Context, func(store.Tx) error) error { return errDisk }

func TestLastUsedIsBounded(t *testing.T) {
	w := newWorld(t)
	l := NewLastUsed(failing{w.db})
	note := func(id string) error {
		return l.Note(t.Context(), &principal.Caller{AccessKeyID: id}, w.now, "us-east-1", "s3")
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
	l.db = w.db
	if err := note("AKIAone-more"); err != nil || len(l.waiting) != 1 {
		t.Errorf("got %v and %d that wait, want 1", err, len(l.waiting))
	}
}

func TestLastUsedRunWritesAtTheEnd(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	id, _ := w.key("alice")
	w.note(principal.Caller{AccessKeyID: id}, w.now, "s3")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.s.lastUsed.Run(ctx); err != nil {
		t.Fatal(err)
	}
	w.s.lastUsed = NewLastUsed(w.db)
	if got, want := w.used(id), "alice 2026-03-01T12:00:00Z eu-west-1 s3"; got != want {
		t.Errorf("got %s, want %s", got, want)
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
