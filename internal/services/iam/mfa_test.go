package iam

import (
	"bytes"
	"encoding/base32"
	"errors"
	"image/png"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
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
	for _, codes := range [][2]int64{{0, 0}, {0, -1}, {-1, 1}, {-40, -39}, {40, 41}} {
		wantError(t, enable("alice", p.serial, p.code(codes[0]), p.code(codes[1])), "InvalidAuthenticationCode", invalidCode)
	}
	if err := p.enable("alice", -1); err != nil {
		t.Fatal(err)
	}
	wantError(t, p.enable("bob", -1), "EntityAlreadyExists", "MFA Device is already in use.")

	enabled := aws.Time(w.now.Truncate(time.Second))
	devices := must[sdk.ListMFADevicesOutput](w, &sdk.ListMFADevicesInput{UserName: s("alice")}).MFADevices
	want := []types.MFADevice{{EnableDate: enabled, SerialNumber: &p.serial, UserName: s("alice")}}
	if diff := cmp.Diff(devices, want, cmpopts.IgnoreUnexported(types.MFADevice{})); diff != "" {
		t.Errorf("ListMFADevices: -got +want:\n%s", diff)
	}
	got := must[sdk.GetMFADeviceOutput](w, &sdk.GetMFADeviceInput{UserName: s("alice"), SerialNumber: &p.serial})
	if !got.EnableDate.Equal(*enabled) || *got.UserName != "alice" || *got.SerialNumber != p.serial {
		t.Errorf("GetMFADevice: got %+v", got)
	}
	for _, in := range []any{
		&sdk.GetMFADeviceInput{UserName: s("bob"), SerialNumber: &p.serial},
		&sdk.DeactivateMFADeviceInput{UserName: s("bob"), SerialNumber: &p.serial},
		&sdk.ResyncMFADeviceInput{UserName: s("bob"), SerialNumber: &p.serial, AuthenticationCode1: p.code(1), AuthenticationCode2: p.code(2)},
	} {
		_, err := w.do(in)
		wantError(t, err, "NoSuchEntity", "MFA Device with serial number "+p.serial+" does not exist.")
	}
	if d := must[sdk.ListMFADevicesOutput](w, &sdk.ListMFADevicesInput{}).MFADevices; d == nil || len(d) != 0 {
		t.Errorf("root's devices: got %v", d)
	}

	_, err := w.do(&sdk.DeleteVirtualMFADeviceInput{SerialNumber: &p.serial})
	wantError(t, err, "DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.")
	_, err = w.do(&sdk.DeleteUserInput{UserName: s("alice")})
	wantError(t, err, "DeleteConflict", "Cannot delete entity, must delete MFA device first.")
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
	for i := range maxMFADevices + 1 {
		err := w.phone(string(rune('a'+i))).enable("alice", -1)
		if i < maxMFADevices && err != nil {
			t.Fatal(err)
		}
		if i == maxMFADevices {
			wantError(t, err, "LimitExceeded", "Cannot exceed quota for MFADevicesPerUser: 8")
		}
	}
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
	use := func(code *string) error { return w.d.UseMFACode(t.Context(), alice, p.serial, *code) }
	want := func(err, is error) {
		t.Helper()
		if !errors.Is(err, is) {
			t.Errorf("got %v, want %v", err, is)
		}
	}
	want(use(p.code(-1)), principal.ErrMFACode) // used to enable the device
	want(use(p.code(0)), principal.ErrMFACode)
	want(use(p.code(2)), principal.ErrMFACode) // too early
	want(w.d.CheckMFACode(t.Context(), alice, p.serial, *p.code(1)), nil)
	want(use(p.code(1)), nil)
	want(use(p.code(1)), principal.ErrMFACode)
	want(w.d.CheckMFACode(t.Context(), alice, p.serial, *p.code(1)), principal.ErrMFACode)
	w.now = w.now.Add(2 * time.Minute)
	want(use(p.code(-2)), principal.ErrMFACode) // too late
	want(use(p.code(-1)), nil)
	want(use(p.code(0)), nil)

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
	want(use(p.code(1)), nil)
}

// A device whose clock is wrong is followed once two of its codes have told by how much.
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
	wantError(t, resync(ahead, ahead), "InvalidAuthenticationCode", invalidCode)
	if err := resync(ahead-1, ahead); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	if err := use(0); !errors.Is(err, principal.ErrMFACode) {
		t.Errorf("got %v from a clock that is right", err)
	}
	if err := use(ahead); err != nil {
		t.Error(err)
	}
}

// Whoever tries code after code finds none, not even the right one, until the step is over.
func TestMFAGuesses(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	p := w.phone("phone")
	if err := p.enable("alice", -1); err != nil {
		t.Fatal(err)
	}
	alice := w.signedIn("alice")
	for range maxGuesses {
		if err := w.d.CheckMFACode(t.Context(), alice, p.serial, *p.code(0)); !errors.Is(err, principal.ErrMFACode) {
			t.Errorf("got %v", err)
		}
	}
	if err := w.d.UseMFACode(t.Context(), alice, p.serial, *p.code(1)); !errors.Is(err, principal.ErrMFACode) {
		t.Errorf("got %v after too many wrong codes", err)
	}
	w.now = w.now.Add(30 * time.Second)
	if err := w.d.UseMFACode(t.Context(), alice, p.serial, *p.code(1)); err != nil {
		t.Errorf("got %v in the next step", err)
	}
}
