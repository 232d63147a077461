package credential

import (
	"bytes"
	"encoding/base32"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/target"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
	"github.com/licet/licet/internal/totp"
)

// What users may do is tested in package iam. Here is what must not happen whatever was decided: that a secret is readable in the store
// or serves another, and that a call reaches what belongs to somebody else.

const (
	account = "111122223333"
	other   = "444455556666"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// room is the room on a store where both accounts have a user alice, and account has bob.
type room struct {
	*handlers
	t  *testing.T
	db store.DB
}

func newRoom(t *testing.T) *room {
	t.Helper()
	c := directory.Config{
		DB: storetest.New(t), Keyring: secret.New([secret.KeySize]byte{1}), Partition: "aws", Now: func() time.Time { return now },
	}
	d := directory.New(c)
	t.Cleanup(d.Close)
	r := &room{t: t, db: c.DB}
	r.handlers = &handlers{Store: target.New(c, d), keyring: c.Keyring, lastUsed: directory.NewLastUsed(c.DB), passwordRounds: 1}
	for id, name := range map[string]string{account: "alice", account + "b": "bob", other: "alice"} {
		r.update(func(tx store.Tx) error {
			e := &record.Identity{Kind: record.UserKind, ID: "AIDA" + id, Name: name, Path: "/"}
			if err := record.ClaimName(tx, id[:len(account)], e); err != nil {
				return err
			}
			return record.PutIdentity(tx, id[:len(account)], e)
		})
	}
	return r
}

func (r *room) update(fn func(store.Tx) error) {
	r.t.Helper()
	if err := r.db.Update(r.t.Context(), fn); err != nil {
		r.t.Fatal(err)
	}
}

// holds tells whether a text stands anywhere in the store.
func (r *room) holds(text []byte) (found bool) {
	r.t.Helper()
	err := r.db.View(r.t.Context(), func(tx store.Reader) error {
		items, err := tx.Scan("", "", 0)
		if len(items) == 0 {
			r.t.Error("nothing is stored")
		}
		for _, item := range items {
			found = found || bytes.Contains(item.Value, text)
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return found
}

func callIn(account string) *service.Call {
	return &service.Call{Caller: principal.Caller{Principal: authz.Principal{Kind: authz.Root, Account: account}}, Account: account, Time: now}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if e, ok := errors.AsType[*awserr.Error](err); !ok || e.Code != code {
		t.Errorf("got error %v, want %s", err, code)
	}
}

// key makes a key of a user.
func (r *room) key(in, user string) *types.AccessKey {
	r.t.Helper()
	out, err := r.createAccessKey(r.t.Context(), callIn(in), &sdk.CreateAccessKeyInput{UserName: &user})
	if err != nil {
		r.t.Fatal(err)
	}
	return out.AccessKey
}

// A secret is sealed, and with the id of its key: put in the place of another it opens nothing.
func TestSecretsAreSealedForTheirKeys(t *testing.T) {
	r := newRoom(t)
	a, b := r.key(account, "alice"), r.key(account, "bob")
	if *a.SecretAccessKey == *b.SecretAccessKey || r.holds([]byte(*a.SecretAccessKey)) {
		t.Error("a secret is that of another key, or shows in the store")
	}
	r.update(func(tx store.Tx) error {
		key, err := store.GetJSON[record.AccessKey](tx, record.AccessKeyKey(*a.AccessKeyId))
		if err != nil {
			return err
		}
		got, err := record.OpenSecret(r.keyring, record.AccessKeyPurpose, *a.AccessKeyId, key.Secret)
		if err != nil || got != *a.SecretAccessKey {
			t.Errorf("got %v, want the secret that was shown", err)
		}
		for _, sealedFor := range [][2]string{{record.AccessKeyPurpose, *b.AccessKeyId}, {record.MFASeedPurpose, *a.AccessKeyId}} {
			if _, err := record.OpenSecret(r.keyring, sealedFor[0], sealedFor[1], key.Secret); err == nil {
				t.Errorf("the secret opens as %v", sealedFor)
			}
		}
		return nil
	})
}

// A key is changed and deleted as its owner's alone, and the account's: whoever may change bob's keys does not reach alice's by their id.
func TestKeysOfOthersAreOutOfReach(t *testing.T) {
	r := newRoom(t)
	id := r.key(account, "alice").AccessKeyId
	for name, as := range map[string]struct{ account, user string }{
		"another user's": {account, "bob"}, "another account's user of the same name": {other, "alice"},
	} {
		_, err := r.updateAccessKey(t.Context(), callIn(as.account), &sdk.UpdateAccessKeyInput{
			AccessKeyId: id, UserName: &as.user, Status: types.StatusTypeInactive,
		})
		wantCode(t, err, "NoSuchEntity")
		_, err = r.deleteAccessKey(t.Context(), callIn(as.account), &sdk.DeleteAccessKeyInput{AccessKeyId: id, UserName: &as.user})
		wantCode(t, err, "NoSuchEntity")
		out, err := r.listAccessKeys(t.Context(), callIn(as.account), &sdk.ListAccessKeysInput{UserName: &as.user})
		if err != nil || len(out.AccessKeyMetadata) != 0 {
			t.Errorf("%s: got %v, %v, want no keys", name, out, err)
		}
	}
	_, err := r.getAccessKeyLastUsed(t.Context(), callIn(other), &sdk.GetAccessKeyLastUsedInput{AccessKeyId: id})
	wantCode(t, err, "AccessDenied")
	out, err := r.listAccessKeys(t.Context(), callIn(account), &sdk.ListAccessKeysInput{UserName: aws.String("alice")})
	if err != nil || len(out.AccessKeyMetadata) != 1 || out.AccessKeyMetadata[0].Status != types.StatusTypeActive {
		t.Errorf("got %v, %v, want the active key", out, err)
	}
}

// phone is a device as its owner has it.
func (r *room) phone() (serial string, code func(step int64) *string) {
	r.t.Helper()
	out, err := r.createVirtualMFADevice(r.t.Context(), callIn(account), &sdk.CreateVirtualMFADeviceInput{VirtualMFADeviceName: aws.String("phone")})
	if err != nil {
		r.t.Fatal(err)
	}
	seed, err := base32.StdEncoding.DecodeString(string(out.VirtualMFADevice.Base32StringSeed))
	if err != nil {
		r.t.Fatal(err)
	}
	if r.holds(seed) || r.holds(out.VirtualMFADevice.Base32StringSeed) {
		r.t.Error("the seed shows in the store")
	}
	return *out.VirtualMFADevice.SerialNumber, func(step int64) *string { return aws.String(totp.Code(seed, totp.Step(now)+step)) }
}

// A device serves one user, of its account, who has its codes.
func TestDevicesOfOthersAreOutOfReach(t *testing.T) {
	r := newRoom(t)
	serial, code := r.phone()
	enable := func(c *service.Call, user string, first int64) error {
		_, err := r.enableMFADevice(t.Context(), c, &sdk.EnableMFADeviceInput{
			UserName: &user, SerialNumber: &serial, AuthenticationCode1: code(first), AuthenticationCode2: code(first + 1),
		})
		return err
	}
	wantCode(t, enable(callIn(other), "alice", -1), "NoSuchEntity")
	if err := enable(callIn(account), "alice", -1); err != nil {
		t.Fatal(err)
	}
	wantCode(t, enable(callIn(account), "bob", 1), "EntityAlreadyExists")
	for _, as := range []struct{ account, user string }{{account, "bob"}, {other, "alice"}} {
		_, err := r.deactivateMFADevice(t.Context(), callIn(as.account), &sdk.DeactivateMFADeviceInput{UserName: &as.user, SerialNumber: &serial})
		wantCode(t, err, "NoSuchEntity")
		_, err = r.resyncMFADevice(t.Context(), callIn(as.account), &sdk.ResyncMFADeviceInput{
			UserName: &as.user, SerialNumber: &serial, AuthenticationCode1: code(1), AuthenticationCode2: code(2),
		})
		wantCode(t, err, "NoSuchEntity")
	}
	_, err := r.deleteVirtualMFADevice(t.Context(), callIn(account), &sdk.DeleteVirtualMFADeviceInput{SerialNumber: &serial})
	wantCode(t, err, "DeleteConflict")
}

// Whoever has a user's keys alone does not take the user's device away
// (https://aws.amazon.com/security/security-bulletins/AWS-2023-001/).
func TestDeviceIsNeededToTakeItAway(t *testing.T) {
	r := newRoom(t)
	serial, code := r.phone()
	_, err := r.enableMFADevice(t.Context(), callIn(account), &sdk.EnableMFADeviceInput{
		UserName: aws.String("alice"), SerialNumber: &serial, AuthenticationCode1: code(-1), AuthenticationCode2: code(0),
	})
	if err != nil {
		t.Fatal(err)
	}
	alice := callIn(account)
	alice.Caller = principal.Caller{Principal: authz.Principal{Kind: authz.User, Account: account, ID: "AIDA" + account}, UserName: "alice"}
	in := &sdk.DeactivateMFADeviceInput{SerialNumber: &serial}
	for _, session := range []*principal.Session{nil, {}} {
		alice.Caller.Session = session
		_, err := r.deactivateMFADevice(t.Context(), alice, in)
		wantCode(t, err, "AccessDenied")
	}
	alice.Caller.Session = &principal.Session{MFA: true}
	if _, err := r.deactivateMFADevice(t.Context(), alice, in); err != nil {
		t.Error(err)
	}
}
