package iam

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/store"
)

func (w *world) note(caller principal.Caller, at time.Time, service string) {
	w.t.Helper()
	if err := w.lastUsed.Note(w.t.Context(), &caller, at, "eu-west-1", service); err != nil {
		w.t.Fatal(err)
	}
}

// flush writes the uses that wait.
func (w *world) flush() {
	w.t.Helper()
	ended, end := context.WithCancel(w.t.Context())
	end()
	if err := w.lastUsed.Run(ended); err != nil {
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
		w.flush()
	}
	flush()
	w.start()
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
		if n, err := record.Count(r, "iam/used/", 0); err != nil || n != 0 {
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
	w.flush()
	w.start()
	got := must[sdk.GetRoleOutput](w, &sdk.GetRoleInput{RoleName: aws.String("worker")}).Role.RoleLastUsed
	if got.LastUsedDate == nil || !got.LastUsedDate.Equal(w.now.Truncate(time.Second)) || *got.Region != "eu-west-1" {
		t.Errorf("after flush: got %+v", got)
	}
	must[sdk.DeleteRoleOutput](w, &sdk.DeleteRoleInput{RoleName: aws.String("worker")})
	if err := w.db.View(t.Context(), func(r store.Reader) error {
		if n, err := record.Count(r, "iam/used/", 0); err != nil || n != 0 {
			t.Errorf("after the role is gone: %d uses are left, %v", n, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestLastUsedRunWritesAtTheEnd(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	id, _ := w.key("alice")
	w.note(principal.Caller{AccessKeyID: id}, w.now, "s3")
	w.flush()
	w.start()
	if got, want := w.used(id), "alice 2026-03-01T12:00:00Z eu-west-1 s3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
