package audit

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

const useAccount = "111111111111"

// asked is a record of a call, which needs something besides.
func asked(id string, at time.Duration, caller authz.Principal, action string) *Record {
	rec := record(id, at)
	caller.Account = useAccount
	rec.Caller.Principal = caller
	rec.Decisions = []Decision{{Request: authz.Request{Action: action}}, {Request: authz.Request{Action: "iam:PassRole"}}}
	return rec
}

func lastUses(t *testing.T, l *Log, id string) []ServiceUse {
	t.Helper()
	list, err := l.LastUses(t.Context(), useAccount, id)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestLastUses(t *testing.T) {
	db := storetest.New(t)
	l := New(db, Options{})
	alice := authz.Principal{Kind: authz.User, ID: "AIDAALICE"}
	denied := asked("1", time.Hour, alice, "iam:GetUser")
	denied.Allowed = false
	begin(t, l, asked("0", 3*time.Hour, alice, "iam:GetUser"))
	begin(t, l, denied) // it comes later, but was made before
	begin(t, l, asked("2", 2*time.Hour, alice, "iam:ListUsers"))
	lastUses(t, l, alice.ID) // writes what there is, which the next must not take away
	elsewhere := asked("3", 5*time.Hour, alice, "iam:ListUsers")
	elsewhere.Region = "eu-west-1"
	begin(t, l, elsewhere)
	begin(t, l, asked("4", time.Hour, alice, "lambda:CreateFunction"))
	begin(t, l, asked("5", 0, authz.Principal{Kind: authz.AssumedRole, ID: "AROAR"}, "s3:GetObject"))
	begin(t, l, asked("6", 0, authz.Principal{Kind: authz.Root}, "s3:GetObject"))
	begin(t, l, asked("7", 0, authz.Principal{Kind: authz.Service, ARN: "lambda.amazonaws.com"}, "sts:AssumeRole"))
	at := func(d time.Duration, region string) Use { return Use{start.Add(d), region} }
	want := []ServiceUse{
		{"iam", at(5*time.Hour, "eu-west-1"), map[string]Use{"GetUser": at(3*time.Hour, "us-east-1"), "ListUsers": at(5*time.Hour, "eu-west-1")}},
		{"lambda", at(time.Hour, "us-east-1"), map[string]Use{"CreateFunction": at(time.Hour, "us-east-1")}},
	}
	if diff := cmp.Diff(lastUses(t, l, alice.ID), want); diff != "" {
		t.Errorf("user: -got +want:\n%s", diff)
	}
	for _, id := range []string{"AROAR", useAccount} {
		if got := lastUses(t, l, id); len(got) != 1 || got[0].Service != "s3" {
			t.Errorf("%s: got %v", id, got)
		}
	}
	of, err := l.AccountUses(t.Context(), useAccount)
	if diff := cmp.Diff(of, []ServiceUse{
		{Service: "iam", Use: at(5*time.Hour, "eu-west-1")}, {Service: "lambda", Use: at(time.Hour, "us-east-1")}, {Service: "s3", Use: at(0, "us-east-1")},
	}); diff != "" || err != nil {
		t.Errorf("account: -got +want:\n%s%v", diff, err)
	}
	if of, err := l.AccountUses(t.Context(), "11111111111"); len(of) != 0 || err != nil {
		t.Errorf("an account whose id begins the other: got %v, %v", of, err)
	}
	if got, want := stored(t, db, usePrefix), []string{
		"111111111111/111111111111/s3", "111111111111/AIDAALICE/iam", "111111111111/AIDAALICE/lambda", "111111111111/AROAR/s3",
	}; !cmp.Equal(got, want) {
		t.Errorf("got keys %q, want %q: nobody else is a user", got, want)
	}
	// They are there after a restart, and after the records are gone.
	if diff := cmp.Diff(lastUses(t, New(db, Options{}), alice.ID), want); diff != "" {
		t.Errorf("after a restart: -got +want:\n%s", diff)
	}
	if err := l.expire(t.Context(), start.Add(100*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lastUses(t, l, alice.ID), want); diff != "" || len(stored(t, db, recordPrefix)) != 0 {
		t.Errorf("after the records: -got +want:\n%s", diff)
	}
	if err := l.expire(t.Context(), start.Add(UsePeriod+2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got, want := stored(t, db, usePrefix), []string{"111111111111/AIDAALICE/iam"}; !cmp.Equal(got, want) {
		t.Errorf("after the period: got %q, want %q", got, want)
	}
}

// What could not be written is written later, and what came meanwhile is not lost.
func TestLastUsesOfBrokenStore(t *testing.T) {
	db := &broken{DB: storetest.New(t)}
	l := New(db, Options{})
	alice := authz.Principal{Kind: authz.User, ID: "AIDAALICE"}
	begin(t, l, asked("0", time.Hour, alice, "iam:GetUser"))
	failure := errors.New("disk full")
	db.fail(failure)
	if _, err := l.LastUses(t.Context(), useAccount, alice.ID); !errors.Is(err, failure) {
		t.Errorf("got %v, want %v", err, failure)
	}
	begin(t, l, asked("1", 0, alice, "iam:GetUser"))
	begin(t, l, asked("2", 0, alice, "iam:GetRole"))
	db.fail(nil)
	got := lastUses(t, l, alice.ID)
	if len(got) != 1 || len(got[0].Actions) != 2 || !got[0].Actions["GetUser"].Time.Equal(start.Add(time.Hour)) {
		t.Errorf("got %v", got)
	}
}

// Calls write nothing by themselves.
func TestNotingWritesNothing(t *testing.T) {
	db := storetest.New(t)
	l := New(db, Options{})
	before := revision(t, db)
	for i := range 100 {
		begin(t, l, asked(string(rune('a'+i)), 0, authz.Principal{Kind: authz.User, ID: "AIDAALICE"}, "iam:GetUser"))
	}
	if after := revision(t, db); after != before+1 {
		t.Errorf("%d transactions for 100 calls, want none", after-before-1)
	}
}

// revision is the number of a transaction.
func revision(t *testing.T, db store.DB) (n int64) {
	t.Helper()
	if err := db.Update(t.Context(), func(tx store.Tx) error { n = tx.Revision(); return tx.Put("x", nil) }); err != nil {
		t.Fatal(err)
	}
	return n
}
