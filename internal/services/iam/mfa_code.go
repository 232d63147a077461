package iam

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/store"
)

// CheckMFACode tells whether a code of an MFA device is good for a caller, who must be a user for whom the device is enabled. The
// error wraps principal.ErrMFADevice when it is not, principal.ErrMFACode for a code that is wrong or used. The code stays good.
func (d *Directory) CheckMFACode(ctx context.Context, caller *principal.Caller, serial, code string) error {
	return d.config.DB.View(ctx, func(r store.Reader) error {
		_, err := d.takeMFACode(r, caller, serial, code)
		return err
	})
}

// UseMFACode is CheckMFACode that uses the code up. The context must permit the change, if the store wants that.
func (d *Directory) UseMFACode(ctx context.Context, caller *principal.Caller, serial, code string) error {
	err := d.config.DB.Update(ctx, func(tx store.Tx) error {
		device, err := d.takeMFACode(tx, caller, serial, code)
		if err != nil {
			return err
		}
		return putMFADevice(tx, caller.Account, device)
	})
	if err == nil {
		d.attempts.add(serial, d.config.Now())
	}
	return err
}

// takeMFACode gives the device as it is after it took the code.
func (d *Directory) takeMFACode(r store.Reader, caller *principal.Caller, serial, code string) (*mfaDevice, error) {
	noDevice := fmt.Errorf("%w: %s", principal.ErrMFADevice, serial)
	if caller.Kind != authz.User {
		return nil, noDevice
	}
	device, err := findMFADevice(r, caller.Account, serial)
	if isMissing(err) || err == nil && device.UserID != caller.ID {
		return nil, noDevice
	}
	if err != nil {
		return nil, err
	}
	now := d.config.Now()
	if d.attempts.tooMany(serial, now) {
		return nil, noDevice
	}
	ok, err := device.take(d.config.Keyring, now, code)
	if err == nil && !ok {
		d.attempts.add(serial, now)
		err = principal.ErrMFACode
	}
	return device, err
}

// Codes of one device are looked at so often in a window of time (recorded from AWS, which publishes no numbers): whoever has a user's
// keys must not find a code by trying (RFC 4226, section 7.3).
const (
	maxAttempts    = 9
	attemptsWindow = 3 * time.Minute
)

// attempts counts codes in the window that is now. The zero value is ready to use, and safe for concurrent use.
type attempts struct {
	// mu guards the rest: wrong and used codes by serial number, in the window that began at begin.
	mu    sync.Mutex
	begin time.Time
	codes map[string]int
}

func (a *attempts) tooMany(serial string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.begin.Equal(now.Truncate(attemptsWindow)) && a.codes[serial] >= maxAttempts
}

func (a *attempts) add(serial string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if begin := now.Truncate(attemptsWindow); !a.begin.Equal(begin) {
		a.begin, a.codes = begin, make(map[string]int)
	}
	a.codes[serial]++
}
