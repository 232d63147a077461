package record

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/services/iam/request"
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

// MFAResource begins the last part of the serial numbers of virtual devices.
const MFAResource = "mfa/"

// MFADevice is the stored form of a virtual MFA device. Seed is sealed together with the serial number.
type MFADevice struct {
	Serial string        `json:"serial"`
	Seed   []byte        `json:"seed"`
	Tags   []request.Tag `json:"tags,omitempty"`
	// UserID is the unique id of the user for whom it is enabled since Enabled; "" for none.
	UserID  string    `json:"user_id,omitempty"`
	Enabled time.Time `json:"enabled,omitzero"`
	// Drift is by how many steps the device's clock is ahead. LastPair is the second step of the last pair of codes: only later codes
	// make another pair. Used are the steps of single codes that were taken and would still be good.
	Drift    int64   `json:"drift,omitempty"`
	LastPair int64   `json:"last_pair,omitempty"`
	Used     []int64 `json:"used,omitempty"`
}

// MFAPrefix begins the keys of an account's devices.
func MFAPrefix(account string) string { return "iam/" + account + "/mfa/" }

// MFAKey is where a device is kept; ok is false when the serial number is not that of a virtual device of the account.
func MFAKey(account, serial string) (key string, ok bool) {
	a, err := arn.Parse(serial)
	if err != nil || a.Service != "iam" || a.AccountID != account {
		return "", false
	}
	name, ok := strings.CutPrefix(a.Resource, MFAResource)
	return MFAPrefix(account) + strings.ToLower(name), ok
}

// FindMFADevice reads a device by its serial number, which must be spelled as it was made.
func FindMFADevice(r store.Reader, account, serial string) (*MFADevice, error) {
	key, ok := MFAKey(account, serial)
	if !ok {
		return nil, NoSuchMFADevice(serial)
	}
	d, err := store.GetJSON[*MFADevice](r, key)
	if errors.Is(err, store.ErrNotFound) || err == nil && d.Serial != serial {
		return nil, NoSuchMFADevice(serial)
	}
	return d, err
}

// PutMFADevice keeps a device.
func PutMFADevice(tx store.Tx, account string, d *MFADevice) error {
	key, ok := MFAKey(account, d.Serial)
	if !ok {
		return NoSuchMFADevice(d.Serial)
	}
	return store.PutJSON(tx, key, d)
}

func (d *MFADevice) open(k *secret.Keyring) ([]byte, error) {
	seed, err := OpenSecret(k, MFASeedPurpose, d.Serial, d.Seed)
	return []byte(seed), err
}

// Synchronize takes two codes that follow each other, and learns from them where the device's clock stands. Both stay good for a
// session.
func (d *MFADevice) Synchronize(k *secret.Keyring, now time.Time, code1, code2 string) error {
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

// Take takes one code, which is then used up; false means that it is not good. Codes may come out of order.
func (d *MFADevice) Take(k *secret.Keyring, now time.Time, code string) (bool, error) {
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

// NoSuchMFADevice answers for a serial number that no device has.
func NoSuchMFADevice(serial string) error {
	return request.NoSuchEntity("MFA Device with serial number %s does not exist.", serial)
}
