package directory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// CheckMFACode tells whether a code of an MFA device is good for a caller, who must be a user for whom the device is enabled. The
// error wraps principal.ErrMFADevice when it is not, principal.ErrMFACode for a code that is wrong or used. The code stays good.
func (d *Directory) CheckMFACode(ctx context.Context, caller *principal.Caller, serial, code string) error {
	return d.config.DB.View(ctx, func(r store.Reader) error {
		_, err := d.takeMFACode(r, caller, serial, code, new(attempt))
		return err
	})
}

// UseMFACode is CheckMFACode that uses the code up. The context must permit the change, if the store wants that.
func (d *Directory) UseMFACode(ctx context.Context, caller *principal.Caller, serial, code string) error {
	var once attempt // though the transaction may run more than once
	err := d.config.DB.Update(ctx, func(tx store.Tx) error {
		device, err := d.takeMFACode(tx, caller, serial, code, &once)
		if err != nil {
			return err
		}
		return record.PutMFADevice(tx, caller.Account, device)
	})
	if err == nil {
		d.attempts.add(serial, d.config.Now)
	}
	return err
}

// takeMFACode gives the device as it is after it took the code.
func (d *Directory) takeMFACode(r store.Reader, caller *principal.Caller, serial, code string, one *attempt) (*record.MFADevice, error) {
	noDevice := fmt.Errorf("%w: %s", principal.ErrMFADevice, serial)
	if caller.Kind != authz.User {
		return nil, noDevice
	}
	device, err := record.FindMFADevice(r, caller.Account, serial)
	if request.IsMissing(err) || err == nil && device.UserID != caller.ID {
		return nil, noDevice
	}
	if err != nil {
		return nil, err
	}
	err = d.attempts.try(serial, d.config.Now, one, func(now time.Time) (bool, error) { return device.Take(d.config.Keyring, now, code) })
	if errors.Is(err, errTooMany) {
		return nil, noDevice
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

// attempt is one, which counts once however often it is looked at.
type attempt struct{ counted bool }

var errTooMany = errors.New("iam: too many codes of an MFA device")

// try looks at a code, one at a time: those who come at one time are not more than those who come one after the other. It gives
// errTooMany without looking, or principal.ErrMFACode, which counts.
func (a *attempts) try(serial string, clock func() time.Time, one *attempt, good func(now time.Time) (bool, error)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := clock()
	a.enter(now)
	if !one.counted && a.codes[serial] >= maxAttempts {
		return errTooMany
	}
	ok, err := good(now)
	if err == nil && !ok {
		if !one.counted {
			a.codes[serial]++
			one.counted = true
		}
		err = principal.ErrMFACode
	}
	return err
}

// add counts a code that was used up.
func (a *attempts) add(serial string, clock func() time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.enter(clock())
	a.codes[serial]++
}

// enter begins the window that now is in. mu is held, and was when now was read: time must not go back, which would begin a window anew.
func (a *attempts) enter(now time.Time) {
	if begin := now.Truncate(attemptsWindow); !a.begin.Equal(begin) {
		a.begin, a.codes = begin, make(map[string]int)
	}
}
