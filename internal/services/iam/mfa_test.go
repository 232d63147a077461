package iam

import (
	"bytes"
	"encoding/base32"
	"errors"
	"image/png"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/totp"
)

// phone is an authenticator app.
type phone struct {
	w      *world
	serial string
	seed   []byte
}

func (w *world) phone(name string) phone {
	w.t.Helper()
	d := must[sdk.CreateVirtualMFADeviceOutput](w, &sdk.CreateVirtualMFADeviceInput{VirtualMFADeviceName: &name}).VirtualMFADevice
	seed, err := base32.StdEncoding.DecodeString(string(d.Base32StringSeed))
	if err != nil {
		w.t.Fatal(err)
	}
	return phone{w, *d.SerialNumber, seed}
}

// code is what the phone shows steps from now.
func (p phone) code(steps int64) *string {
	return aws.String(totp.Code(p.seed, totp.Step(p.w.now)+steps))
}

func (p phone) enable(user string, first int64) error {
	_, err := p.w.do(&sdk.EnableMFADeviceInput{
		UserName: &user, SerialNumber: &p.serial, AuthenticationCode1: p.code(first), AuthenticationCode2: p.code(first + 1),
	})
	return err
}

// caller is the user as authentication finds it.
func (w *world) signedIn(name string) *principal.Caller {
	id := *must[sdk.GetUserOutput](w, &sdk.GetUserInput{UserName: &name}).User.UserId
	return &principal.Caller{Principal: authz.Principal{Kind: authz.User, Account: account, ID: id}, UserName: name}
}

const invalidCode = "Authentication code for device is not valid."

func TestVirtualMFADevice(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	out := must[sdk.CreateVirtualMFADeviceOutput](w, &sdk.CreateVirtualMFADeviceInput{
		VirtualMFADeviceName: s("phone"), Path: s("/a/"), Tags: []types.Tag{{Key: s("k"), Value: s("v")}},
	}).VirtualMFADevice
	serial := "arn:aws:iam::111122223333:mfa/a/phone"
	if *out.SerialNumber != serial || len(out.Base32StringSeed) != 64 || len(out.Tags) != 1 {
		t.Errorf("got %s, seed of %d, tags %v", *out.SerialNumber, len(out.Base32StringSeed), out.Tags)
	}
	if _, err := png.Decode(bytes.NewReader(out.QRCodePNG)); err != nil {
		t.Errorf("the QR code: %v", err)
	}
	if err := w.db.View(t.Context(), func(r store.Reader) error {
		item, err := r.Get("iam/111122223333/mfa/a/phone")
		seed, _ := base32.StdEncoding.DecodeString(string(out.Base32StringSeed))
		if bytes.Contains(item.Value, out.Base32StringSeed) || bytes.Contains(item.Value, seed) {
			t.Error("the seed shows in the store")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"phone", "PHONE"} {
		_, err := w.do(&sdk.CreateVirtualMFADeviceInput{VirtualMFADeviceName: &name, Path: s("/a/")})
		wantError(t, err, "EntityAlreadyExists", "MFA device already exists.")
	}
	w.phone("phone") // another path, another device
	_, err := w.do(&sdk.CreateVirtualMFADeviceInput{VirtualMFADeviceName: s("x"), Path: s("invalid-path/")})
	wantError(t, err, "ValidationError", "The specified value for path is invalid. It must begin and end with / and contain only "+
		"alphanumeric characters and/or / characters.")

	must[sdk.TagMFADeviceOutput](w, &sdk.TagMFADeviceInput{SerialNumber: &serial, Tags: []types.Tag{{Key: s("a"), Value: s("1")}}})
	must[sdk.UntagMFADeviceOutput](w, &sdk.UntagMFADeviceInput{SerialNumber: &serial, TagKeys: []string{"k"}})
	tags := must[sdk.ListMFADeviceTagsOutput](w, &sdk.ListMFADeviceTagsInput{SerialNumber: &serial}).Tags
	if diff := cmp.Diff(tags, []types.Tag{{Key: s("a"), Value: s("1")}}, sdkTypes); diff != "" {
		t.Errorf("tags: -got +want:\n%s", diff)
	}
	must[sdk.DeleteVirtualMFADeviceOutput](w, &sdk.DeleteVirtualMFADeviceInput{SerialNumber: &serial})
	for _, in := range []any{
		&sdk.DeleteVirtualMFADeviceInput{SerialNumber: &serial}, &sdk.ListMFADeviceTagsInput{SerialNumber: &serial},
		&sdk.TagMFADeviceInput{SerialNumber: &serial}, &sdk.UntagMFADeviceInput{SerialNumber: &serial},
	} {
		_, err = w.do(in)
		wantError(t, err, "NoSuchEntity", "MFA Device with serial number "+serial+" does not exist.")
	}
}

func TestEnableMFADevice(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	w.user("bob")
	p := w.phone("phone")
	s := aws.String
	enable := func(user, serial string, code1, code2 *string) error {
		_, err := w.do(&sdk.EnableMFADeviceInput{UserName: &user, SerialNumber: &serial, AuthenticationCode1: code1, AuthenticationCode2: code2})
		return err
	}
	wantError(t, enable("nobody", p.serial, p.code(-1), p.code(0)), "NoSuchEntity", "The user with name nobody cannot be found.")
	wantError(t, enable("alice", p.serial+"x", p.code(-1), p.code(0)), "NoSuchEntity", "MFA Device with serial number "+p.serial+"x does not exist.")
	wantError(t, enable("alice", p.serial, s("12345"), p.code(0)), "ValidationError",
		"1 validation error detected: Value at 'authenticationCode1' failed to satisfy constraint: Member must have length greater than or equal to 6")
	wantError(t, enable("alice", p.serial, p.code(0), s("12345x")), "ValidationError",
		`1 validation error detected: Value at 'authenticationCode2' failed to satisfy constraint: Member must satisfy regular expression pattern: [\d]+`)
	for _, codes := range [][2]int64{{0, 0}, {0, -1}, {-1, 1}, {-1000, -999}, {1000, 1001}} {
		wantError(t, enable("alice", p.serial, p.code(codes[0]), p.code(codes[1])), "InvalidAuthenticationCode", invalidCode)
	}
	if err := p.enable("alice", -1); err != nil {
		t.Fatal(err)
	}
	wantError(t, p.enable("bob", 1), "EntityAlreadyExists", "MFA Device is already in use.")
	wantError(t, p.enable("alice", 1), "EntityAlreadyExists", "MFA Device for user alice already exists.")

	enabled := aws.Time(w.now.Truncate(time.Second))
	devices := must[sdk.ListMFADevicesOutput](w, &sdk.ListMFADevicesInput{UserName: s("alice")}).MFADevices
	want := []types.MFADevice{{EnableDate: enabled, SerialNumber: &p.serial, UserName: s("alice")}}
	if diff := cmp.Diff(devices, want, cmpopts.IgnoreUnexported(types.MFADevice{})); diff != "" {
		t.Errorf("ListMFADevices: -got +want:\n%s", diff)
	}
	for _, in := range []any{
		&sdk.DeactivateMFADeviceInput{UserName: s("bob"), SerialNumber: &p.serial},
		&sdk.ResyncMFADeviceInput{UserName: s("bob"), SerialNumber: &p.serial, AuthenticationCode1: p.code(1), AuthenticationCode2: p.code(2)},
	} {
		_, err := w.do(in)
		wantError(t, err, "NoSuchEntity", "MFA Device invalid for user.")
	}
	if d := must[sdk.ListMFADevicesOutput](w, &sdk.ListMFADevicesInput{}).MFADevices; d == nil || len(d) != 0 {
		t.Errorf("root's devices: got %v", d)
	}

	_, err := w.do(&sdk.DeleteVirtualMFADeviceInput{SerialNumber: &p.serial})
	wantError(t, err, "DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.")
	_, err = w.do(&sdk.DeleteUserInput{UserName: s("alice")})
	wantError(t, err, "DeleteConflict", "Cannot delete entity, must remove tokens from principal first.")
	must[sdk.DeactivateMFADeviceOutput](w, &sdk.DeactivateMFADeviceInput{UserName: s("alice"), SerialNumber: &p.serial})
	must[sdk.DeleteUserOutput](w, &sdk.DeleteUserInput{UserName: s("alice")})
	// What was used for alice is not good for bob.
	wantError(t, p.enable("bob", -1), "InvalidAuthenticationCode", invalidCode)
	if err := p.enable("bob", 1); err != nil {
		t.Error(err)
	}
}

func TestListVirtualMFADevices(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	a, b, c := w.phone("a"), w.phone("b"), w.phone("c")
	if err := b.enable("alice", -1); err != nil {
		t.Fatal(err)
	}
	list := func(in *sdk.ListVirtualMFADevicesInput) (serials []string, out *sdk.ListVirtualMFADevicesOutput) {
		t.Helper()
		out = must[sdk.ListVirtualMFADevicesOutput](w, in)
		for _, d := range out.VirtualMFADevices {
			if (d.User != nil) != (*d.SerialNumber == b.serial) || (d.EnableDate != nil) != (d.User != nil) || d.Base32StringSeed != nil {
				t.Errorf("got %+v", d)
			}
			serials = append(serials, *d.SerialNumber)
		}
		return serials, out
	}
	for status, want := range map[types.AssignmentStatusType][]string{
		"": {a.serial, b.serial, c.serial}, "Any": {a.serial, b.serial, c.serial}, "Assigned": {b.serial}, "Unassigned": {a.serial, c.serial},
	} {
		got, _ := list(&sdk.ListVirtualMFADevicesInput{AssignmentStatus: status})
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s: -got +want:\n%s", status, diff)
		}
	}
	got, out := list(&sdk.ListVirtualMFADevicesInput{MaxItems: aws.Int32(2)})
	rest, last := list(&sdk.ListVirtualMFADevicesInput{Marker: out.Marker})
	if diff := cmp.Diff(append(got, rest...), []string{a.serial, b.serial, c.serial}); diff != "" || !out.IsTruncated || last.IsTruncated {
		t.Errorf("pages: -got +want:\n%s", diff)
	}
	_, err := w.do(&sdk.ListVirtualMFADevicesInput{AssignmentStatus: "Lost"})
	wantError(t, err, "ValidationError", "1 validation error detected: Value at 'assignmentStatus' failed to satisfy constraint: "+
		"Member must satisfy enum value set: [Any, Assigned, Unassigned]")
	_, err = w.do(&sdk.ListVirtualMFADevicesInput{Marker: aws.String("invalid-marker-value!")})
	wantError(t, err, "ValidationError", "Invalid Marker.")
}

func TestMFADevicesPerUser(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	for i := range request.MaxMFADevices + 1 {
		err := w.phone(string(rune('a'+i))).enable("alice", -1)
		if i < request.MaxMFADevices && err != nil {
			t.Fatal(err)
		}
		if i == request.MaxMFADevices {
			wantError(t, err, "LimitExceeded", "Cannot exceed quota for MFADevicesPerUser: 8")
		}
	}
}

func TestGetMFADevice(t *testing.T) {
	w := newWorld(t)
	p := w.phone("phone")
	_, err := w.do(&sdk.GetMFADeviceInput{SerialNumber: &p.serial})
	wantError(t, err, "ValidationError", "The MFA device serial number sent in the request is invalid or not supported by this API. "+
		"Currently, only hardware FIDO security keys are supported. Please use the compatible device or API.")
	fido := "arn:aws:iam::111122223333:u2f/user/alice/key-1"
	_, err = w.do(&sdk.GetMFADeviceInput{SerialNumber: &fido})
	wantError(t, err, "NoSuchEntity", "MFA Device with serial number "+fido+" does not exist.")
}

// Where pairs of codes are looked for, to the step: as recorded.
func TestPairWindow(t *testing.T) {
	for second, good := range map[int64]bool{-999: false, -998: true, 1000: true, 1001: false} {
		w := newWorld(t)
		w.user("alice")
		p := w.phone("phone")
		switch err := p.enable("alice", second-1); {
		case !good:
			wantError(t, err, "InvalidAuthenticationCode", invalidCode)
		case err != nil:
			t.Errorf("second code %d steps from now: %v", second, err)
		}
	}
}

// A user with a device manages its own devices only with it; others do as they may.
func TestOwnMFADevices(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("alice")
	w.user("bob")
	first, second, third := w.phone("first"), w.phone("second"), w.phone("third")
	alice := *w.signedIn("alice")
	withMFA := alice
	withMFA.Session = &principal.Session{MFA: true}
	enable := func(caller principal.Caller, user string, p phone) error {
		_, err := w.as(caller, "EnableMFADevice", &sdk.EnableMFADeviceInput{
			UserName: &user, SerialNumber: &p.serial, AuthenticationCode1: p.code(-1), AuthenticationCode2: p.code(0),
		})
		return err
	}
	deactivate := func(caller principal.Caller, serial string) error {
		_, err := w.as(caller, "DeactivateMFADevice", &sdk.DeactivateMFADeviceInput{UserName: s("alice"), SerialNumber: &serial})
		return err
	}
	const refused = "To complete this action, please ensure that you are authenticated with an MFA device that is enabled for this user."
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	ok(enable(alice, "alice", first))
	wantError(t, enable(alice, "alice", second), "AccessDenied", refused)
	wantError(t, enable(alice, "alice", first), "AccessDenied", refused)
	wantError(t, deactivate(alice, first.serial), "AccessDenied", refused)
	wantError(t, deactivate(alice, first.serial+"x"), "AccessDenied", refused)
	ok(enable(alice, "bob", third))
	ok(enable(withMFA, "alice", second))
	ok(deactivate(withMFA, first.serial))
	ok(deactivate(*w.signedIn("bob"), second.serial))
}

func TestMFACode(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	w.user("bob")
	p, unused := w.phone("phone"), w.phone("unused")
	if err := p.enable("alice", -1); err != nil {
		t.Fatal(err)
	}
	alice := w.signedIn("alice")
	use := func(steps int64) error { return w.d.UseMFACode(t.Context(), alice, p.serial, *p.code(steps)) }
	want := func(err, is error) {
		t.Helper()
		if !errors.Is(err, is) {
			t.Errorf("got %v, want %v", err, is)
		}
	}
	want(use(3), principal.ErrMFACode) // too early
	want(use(-3), principal.ErrMFACode)
	want(w.d.CheckMFACode(t.Context(), alice, p.serial, *p.code(2)), nil)
	want(use(2), nil)
	want(use(2), principal.ErrMFACode)
	want(w.d.CheckMFACode(t.Context(), alice, p.serial, *p.code(2)), principal.ErrMFACode)
	want(use(0), nil) // though it is earlier, and enabled the device
	want(use(0), principal.ErrMFACode)
	w.now = w.now.Add(3 * time.Minute)
	want(use(-2), nil)
	want(use(-2), principal.ErrMFACode)

	role := *alice
	role.Kind = authz.AssumedRole
	for name, got := range map[string]error{
		"another user":   w.d.UseMFACode(t.Context(), w.signedIn("bob"), p.serial, *p.code(1)),
		"root":           w.d.UseMFACode(t.Context(), &w.root, p.serial, *p.code(1)),
		"role":           w.d.UseMFACode(t.Context(), &role, p.serial, *p.code(1)),
		"another device": w.d.UseMFACode(t.Context(), alice, unused.serial, *unused.code(1)),
		"no device":      w.d.UseMFACode(t.Context(), alice, "GAHT12345678", *p.code(1)),
	} {
		if !errors.Is(got, principal.ErrMFADevice) {
			t.Errorf("%s: got %v", name, got)
		}
	}
	// With another name it is still alice's.
	must[sdk.UpdateUserOutput](w, &sdk.UpdateUserInput{UserName: aws.String("alice"), NewUserName: aws.String("alicia")})
	want(use(1), nil)
}

// A device whose clock is wrong is followed once two of its codes have told by how much. A code that was used stays so.
func TestResyncMFADevice(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	p := w.phone("phone")
	if err := p.enable("alice", -1); err != nil {
		t.Fatal(err)
	}
	alice := w.signedIn("alice")
	const ahead = 10
	use := func(steps int64) error { return w.d.UseMFACode(t.Context(), alice, p.serial, *p.code(steps)) }
	if err := use(ahead); !errors.Is(err, principal.ErrMFACode) {
		t.Errorf("got %v from a clock that is ahead", err)
	}
	resync := func(first, second int64) error {
		_, err := w.do(&sdk.ResyncMFADeviceInput{
			UserName: aws.String("alice"), SerialNumber: &p.serial, AuthenticationCode1: p.code(first), AuthenticationCode2: p.code(second),
		})
		return err
	}
	wantError(t, resync(0, 1), "InvalidAuthenticationCode", invalidCode) // the first was of the pair that enabled the device
	wantError(t, resync(ahead, ahead), "InvalidAuthenticationCode", invalidCode)
	if err := use(2); err != nil {
		t.Error(err)
	}
	if err := resync(1, 2); err != nil {
		t.Error(err)
	}
	if err := use(2); !errors.Is(err, principal.ErrMFACode) {
		t.Errorf("got %v from a code that was used before", err)
	}
	if err := resync(ahead-1, ahead); err != nil {
		t.Fatal(err)
	}
	if err := use(0); !errors.Is(err, principal.ErrMFACode) {
		t.Errorf("got %v from a clock that is right", err)
	}
	if err := use(ahead); err != nil {
		t.Error(err)
	}
}

// Codes set back to a used one's step do not make it good again.
func TestUsedCodeOutlivesResync(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	p := w.phone("phone")
	if err := p.enable("alice", -1); err != nil {
		t.Fatal(err)
	}
	alice := w.signedIn("alice")
	use := func(steps int64) error { return w.d.UseMFACode(t.Context(), alice, p.serial, *p.code(steps)) }
	if err := errors.Join(use(2)); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(5 * time.Minute) // ten steps
	if err := use(0); err != nil {
		t.Fatal(err)
	}
	_, err := w.do(&sdk.ResyncMFADeviceInput{
		UserName: aws.String("alice"), SerialNumber: &p.serial, AuthenticationCode1: p.code(-8), AuthenticationCode2: p.code(-7),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := use(-8); !errors.Is(err, principal.ErrMFACode) {
		t.Errorf("got %v from a code that was used five minutes ago", err)
	}
}

// Whoever tries code after code finds none, not even the right one, until the window is over.
func TestMFAAttempts(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	p, other := w.phone("phone"), w.phone("other")
	for _, p := range []phone{p, other} {
		if err := p.enable("alice", -1); err != nil {
			t.Fatal(err)
		}
	}
	alice := w.signedIn("alice")
	use := func(p phone, steps int64) error { return w.d.UseMFACode(t.Context(), alice, p.serial, *p.code(steps)) }
	if err := use(p, 0); err != nil {
		t.Fatal(err)
	}
	for range 9 - 1 {
		if err := w.d.CheckMFACode(t.Context(), alice, p.serial, *p.code(0)); !errors.Is(err, principal.ErrMFACode) {
			t.Errorf("got %v", err)
		}
	}
	if err := use(p, 1); !errors.Is(err, principal.ErrMFADevice) {
		t.Errorf("got %v after too many codes", err)
	}
	if err := use(other, 1); err != nil {
		t.Errorf("the other device: %v", err)
	}
	w.now = w.now.Add(3 * time.Minute)
	if err := use(p, 1); err != nil {
		t.Errorf("got %v in the next window", err)
	}
}

// However many try at one time, so many codes are looked at.
func TestMFAAttemptsAtOneTime(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	p := w.phone("phone")
	if err := p.enable("alice", -1); err != nil {
		t.Fatal(err)
	}
	alice, wrong := w.signedIn("alice"), *p.code(500)
	const most = 9
	var looked atomic.Int32
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if err := w.d.CheckMFACode(t.Context(), alice, p.serial, wrong); errors.Is(err, principal.ErrMFACode) {
				looked.Add(1)
			}
		})
	}
	all.Wait()
	if got := looked.Load(); got != most {
		t.Errorf("%d codes were looked at, want %d", got, most)
	}
}
