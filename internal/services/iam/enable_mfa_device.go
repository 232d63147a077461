package iam

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/totp"
)

func (s *Service) enableMFADevice(
	ctx context.Context, c *service.Call, in *sdk.EnableMFADeviceInput,
) (*sdk.EnableMFADeviceOutput, error) {
	if err := s.checkCodes(in.SerialNumber, in.AuthenticationCode1, in.AuthenticationCode2); err != nil {
		return nil, err
	}
	err := s.change(ctx, c.Account, userKind, *in.UserName, func(tx store.Tx, e *identity) error {
		d, err := findMFADevice(tx, c.Account, *in.SerialNumber)
		if err != nil {
			return err
		}
		if d.UserID != "" {
			return alreadyExists("MFA Device is already in use.")
		}
		if len(e.MFADevices) >= maxMFADevices {
			return quotaExceeded("MFADevicesPerUser", maxMFADevices)
		}
		if err := d.synchronize(s.keyring, c.Time, *in.AuthenticationCode1, *in.AuthenticationCode2); err != nil {
			return err
		}
		d.UserID, d.Enabled = e.ID, c.Time.UTC().Truncate(time.Second)
		e.MFADevices = append(e.MFADevices, d.Serial)
		return putMFADevice(tx, c.Account, d)
	})
	return &sdk.EnableMFADeviceOutput{}, err
}

func (s *Service) resyncMFADevice(
	ctx context.Context, c *service.Call, in *sdk.ResyncMFADeviceInput,
) (*sdk.ResyncMFADeviceOutput, error) {
	if err := s.checkCodes(in.SerialNumber, in.AuthenticationCode1, in.AuthenticationCode2); err != nil {
		return nil, err
	}
	err := s.change(ctx, c.Account, userKind, *in.UserName, func(tx store.Tx, e *identity) error {
		d, err := ownMFADevice(tx, c.Account, e, *in.SerialNumber)
		if err != nil {
			return err
		}
		if err := d.synchronize(s.keyring, c.Time, *in.AuthenticationCode1, *in.AuthenticationCode2); err != nil {
			return err
		}
		return putMFADevice(tx, c.Account, d)
	})
	return &sdk.ResyncMFADeviceOutput{}, err
}

// deactivateMFADevice leaves the device for another user; the codes that were used stay so.
func (s *Service) deactivateMFADevice(
	ctx context.Context, c *service.Call, in *sdk.DeactivateMFADeviceInput,
) (*sdk.DeactivateMFADeviceOutput, error) {
	if err := s.checkSerialNumber(in.SerialNumber); err != nil {
		return nil, err
	}
	k, name, err := s.userOrCaller(c, in.UserName)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, c.Account, k, name, func(tx store.Tx, e *identity) error {
		d, err := ownMFADevice(tx, c.Account, e, *in.SerialNumber)
		if err != nil {
			return err
		}
		d.UserID, d.Enabled, d.Drift = "", time.Time{}, 0
		e.MFADevices = slices.DeleteFunc(e.MFADevices, func(serial string) bool { return serial == d.Serial })
		return putMFADevice(tx, c.Account, d)
	})
	return &sdk.DeactivateMFADeviceOutput{}, err
}

func (s *Service) listMFADevices(
	ctx context.Context, c *service.Call, in *sdk.ListMFADevicesInput,
) (*sdk.ListMFADevicesOutput, error) {
	p, err := newPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	k, name, err := s.userOrCaller(c, in.UserName)
	if err != nil {
		return nil, err
	}
	var all []types.MFADevice
	err = s.db.View(ctx, func(r store.Reader) error {
		all = nil
		e, err := findIdentity(r, c.Account, k, name)
		if err != nil {
			return err
		}
		for _, serial := range slices.Sorted(slices.Values(e.MFADevices)) {
			d, err := findMFADevice(r, c.Account, serial)
			if err != nil {
				return err
			}
			all = append(all, types.MFADevice{
				EnableDate: aws.Time(d.Enabled), SerialNumber: aws.String(serial), UserName: aws.String(e.Name),
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	l := cut(p, all, func(d types.MFADevice) string { return *d.SerialNumber })
	return &sdk.ListMFADevicesOutput{MFADevices: append([]types.MFADevice{}, l.items...), IsTruncated: l.truncated, Marker: l.marker}, nil
}

func (s *Service) getMFADevice(
	ctx context.Context, c *service.Call, in *sdk.GetMFADeviceInput,
) (*sdk.GetMFADeviceOutput, error) {
	if err := s.checkSerialNumber(in.SerialNumber); err != nil {
		return nil, err
	}
	k, name, err := s.userOrCaller(c, in.UserName)
	if err != nil {
		return nil, err
	}
	var out *sdk.GetMFADeviceOutput
	err = s.db.View(ctx, func(r store.Reader) error {
		e, err := findIdentity(r, c.Account, k, name)
		if err != nil {
			return err
		}
		d, err := ownMFADevice(r, c.Account, e, *in.SerialNumber)
		if err != nil {
			return err
		}
		out = &sdk.GetMFADeviceOutput{
			EnableDate: aws.Time(d.Enabled), SerialNumber: aws.String(d.Serial), UserName: aws.String(e.Name),
		}
		return nil
	})
	return out, err
}

// ownMFADevice finds a device among those that are enabled for a user.
func ownMFADevice(r store.Reader, account string, e *identity, serial string) (*mfaDevice, error) {
	if !e.hasMFADevice(serial) {
		return nil, noSuchMFADevice(serial)
	}
	return findMFADevice(r, account, serial)
}

// checkCodes checks the form of what tells where a device's clock stands.
func (s *Service) checkCodes(serial, code1, code2 *string) error {
	if err := s.checkSerialNumber(serial); err != nil {
		return err
	}
	for i, code := range []*string{code1, code2} {
		member := []string{"authenticationCode1", "authenticationCode2"}[i]
		if err := checkLength(member, aws.ToString(code), totp.Digits, totp.Digits); err != nil {
			return err
		}
		if err := s.patterns.digits.check(member, *code); err != nil {
			return err
		}
	}
	return nil
}
