package iam

import (
	"context"
	"fmt"
	"sync"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/totp"
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
	return d.config.DB.Update(ctx, func(tx store.Tx) error {
		device, err := d.takeMFACode(tx, caller, serial, code)
		if err != nil {
			return err
		}
		return putMFADevice(tx, caller.Account, device)
	})
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
	if d.guesses.tooMany(serial, totp.Step(now)) {
		return nil, principal.ErrMFACode
	}
	ok, err := device.take(d.config.Keyring, now, code)
	if err == nil && !ok {
		d.guesses.add(serial, totp.Step(now))
		err = principal.ErrMFACode
	}
	return device, err
}

// maxGuesses is how many wrong codes of a device are looked at in one step: whoever has a user's keys must not find a code by trying
// (RFC 4226, section 7.3).
const maxGuesses = 10

// guesses counts wrong codes in one step. The zero value is ready to use, and safe for concurrent use.
type guesses struct {
	// mu guards the rest: wrong codes by serial number, in step.
	mu    sync.Mutex
	step  int64
	wrong map[string]int
}

func (g *guesses) tooMany(serial string, step int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.step == step && g.wrong[serial] >= maxGuesses
}

func (g *guesses) add(serial string, step int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.step != step {
		g.step, g.wrong = step, make(map[string]int)
	}
	g.wrong[serial]++
}
