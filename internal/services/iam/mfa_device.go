package iam

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/totp"
)

// How far a device's clock may be off, in steps: recorded from AWS, which publishes no numbers.
const (
	// A pair of codes is looked for where its second code is this far behind or ahead.
	maxBehind, maxAhead = 998, 1000
	// codeWindow is for a single code, each way.
	codeWindow = 2
)

const mfaResource = "mfa/"

// mfaDevice is the stored form of a virtual MFA device. Seed is sealed together with the serial number.
type mfaDevice struct {
	Serial string `json:"serial"`
	Seed   []byte `json:"seed"`
	Tags   []tag  `json:"tags,omitempty"`
	// UserID is the unique id of the user for whom it is enabled since Enabled; "" for none.
	UserID  string    `json:"user_id,omitempty"`
	Enabled time.Time `json:"enabled,omitzero"`
	// Drift is by how many steps the device's clock is ahead. LastPair is the second step of the last pair of codes: only later codes
	// make another pair. Used are the steps of single codes that were taken and would still be good.
	Drift    int64   `json:"drift,omitempty"`
	LastPair int64   `json:"last_pair,omitempty"`
	Used     []int64 `json:"used,omitempty"`
}

func (n names) mfaSerial(account, path, name string) string { return n.arn(account, "mfa"+path+name) }

func mfaPrefix(account string) string { return "iam/" + account + "/mfa/" }

// mfaKey is where a device is kept; ok is false when the serial number is not that of a virtual device of the account.
func mfaKey(account, serial string) (key string, ok bool) {
	a, err := arn.Parse(serial)
	if err != nil || a.Service != "iam" || a.AccountID != account {
		return "", false
	}
	name, ok := strings.CutPrefix(a.Resource, mfaResource)
	return mfaPrefix(account) + strings.ToLower(name), ok
}

// findMFADevice reads a device by its serial number, which must be spelled as it was made.
func findMFADevice(r store.Reader, account, serial string) (*mfaDevice, error) {
	key, ok := mfaKey(account, serial)
	if !ok {
		return nil, noSuchMFADevice(serial)
	}
	d, err := store.GetJSON[*mfaDevice](r, key)
	if errors.Is(err, store.ErrNotFound) || err == nil && d.Serial != serial {
		return nil, noSuchMFADevice(serial)
	}
	return d, err
}

func putMFADevice(tx store.Tx, account string, d *mfaDevice) error {
	key, ok := mfaKey(account, d.Serial)
	if !ok {
		return noSuchMFADevice(d.Serial)
	}
	return store.PutJSON(tx, key, d)
}

// changeMFADevice is change for a device.
func (s *credentialHandlers) changeMFADevice(ctx context.Context, account, serial string, fn func(*mfaDevice) error) error {
	return s.db.Update(ctx, func(tx store.Tx) error {
		d, err := findMFADevice(tx, account, serial)
		if err != nil {
			return err
		}
		if err := fn(d); err != nil {
			return err
		}
		return putMFADevice(tx, account, d)
	})
}

func (d *mfaDevice) open(k *secret.Keyring) ([]byte, error) {
	seed, err := openSecret(k, mfaSeedPurpose, d.Serial, d.Seed)
	return []byte(seed), err
}

// synchronize takes two codes that follow each other, and learns from them where the device's clock stands. Both stay good for a
// session.
func (d *mfaDevice) synchronize(k *secret.Keyring, now time.Time, code1, code2 string) error {
	seed, err := d.open(k)
	if err != nil {
		return err
	}
	at := totp.Step(now) + d.Drift
	first, ok := totp.Find(seed, max(at-maxBehind-1, d.LastPair+1), at+maxAhead-1, code1, code2)
	if !ok {
		return awserr.New("InvalidAuthenticationCode", http.StatusForbidden, "Authentication code for device is not valid.")
	}
	d.LastPair = first + 1
	d.Drift = d.LastPair - totp.Step(now)
	return nil
}

// take takes one code, which is then used up; false means that it is not good. Codes may come out of order.
func (d *mfaDevice) take(k *secret.Keyring, now time.Time, code string) (bool, error) {
	seed, err := d.open(k)
	if err != nil {
		return false, err
	}
	at := totp.Step(now) + d.Drift
	step, ok := totp.Find(seed, at-codeWindow, at+codeWindow, code)
	if !ok || slices.Contains(d.Used, step) {
		return false, nil
	}
	// A new pair of codes may set the clock back, as far as to the last pair, or as pairs are looked for.
	first := max(min(at-codeWindow, d.LastPair), at-codeWindow-maxBehind)
	d.Used = slices.DeleteFunc(d.Used, func(used int64) bool { return used < first })
	d.Used = append(d.Used, step)
	return true, nil
}

func noSuchMFADevice(serial string) error {
	return noSuchEntity("MFA Device with serial number %s does not exist.", serial)
}

// ownMFADevice finds a device among those that are enabled for a user.
func ownMFADevice(r store.Reader, account string, e *identity, serial string) (*mfaDevice, error) {
	d, err := findMFADevice(r, account, serial)
	if err == nil && d.UserID != e.ID {
		err = noSuchEntity("MFA Device invalid for user.")
	}
	return d, err
}

// onMFADevice is the resource of operations on one device.
func (s *credentialHandlers) onMFADevice(more ...keys) resource {
	return func(ctx context.Context, c *service.Call, in any) (service.Target, error) {
		serial := member[*string](in, "SerialNumber")
		if err := s.checkSerialNumber(serial); err != nil {
			return service.Target{}, err
		}
		t := service.Target{ARN: *serial, Account: c.Account}
		if a, err := arn.Parse(*serial); err == nil {
			t.Account = a.AccountID
		} else {
			t.ARN = s.arn(c.Account, mfaResource+*serial)
		}
		err := s.db.View(ctx, func(r store.Reader) error {
			d, err := findMFADevice(r, c.Account, *serial)
			if err == nil {
				resourceTags(&t.Keys, d.Tags)
			}
			return err
		})
		if err != nil && !isMissing(err) {
			return service.Target{}, err
		}
		for _, m := range more {
			m(in, nil, &t.Keys)
		}
		return t, nil
	}
}

func (s *credentialHandlers) checkSerialNumber(serial *string) error {
	if err := checkLength("serialNumber", aws.ToString(serial), 9, maxSerialNumber); err != nil {
		return err
	}
	return s.patterns.serialNumber.check("serialNumber", *serial)
}

// onNewMFADevice is the resource of CreateVirtualMFADevice: the serial number to be.
func (s *credentialHandlers) onNewMFADevice(_ context.Context, c *service.Call, in any) (service.Target, error) {
	name, path := member[*string](in, "VirtualMFADeviceName"), member[*string](in, "Path")
	if err := s.patterns.checkName("virtualMFADeviceName", name, maxSerialNumber); err != nil {
		return service.Target{}, err
	}
	if err := s.patterns.checkPath("path", path); err != nil {
		return service.Target{}, err
	}
	t := service.Target{ARN: s.mfaSerial(c.Account, pathOr(path), *name), Account: c.Account}
	if err := checkLength("serialNumber", t.ARN, 9, maxSerialNumber); err != nil {
		return service.Target{}, err // no operation could name it
	}
	requestTags(in, nil, &t.Keys)
	return t, nil
}

// wireMFADevice is a device as lists show it. user is nil when it is enabled for nobody.
func (s *credentialHandlers) wireMFADevice(account string, d *mfaDevice, user *identity) types.VirtualMFADevice {
	out := types.VirtualMFADevice{SerialNumber: aws.String(d.Serial)}
	if user != nil {
		u := s.listedUser(account, user)
		out.EnableDate, out.User = aws.Time(d.Enabled), &u
	}
	return out
}
