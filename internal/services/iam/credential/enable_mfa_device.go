package credential

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/totp"
)

func (s *handlers) enableMFADevice(
	ctx context.Context, c *service.Call, in *sdk.EnableMFADeviceInput,
) (*sdk.EnableMFADeviceOutput, error) {
	if err := s.checkCodes(in.SerialNumber, in.AuthenticationCode1, in.AuthenticationCode2); err != nil {
		return nil, err
	}
	err := s.Change(ctx, c.Account, record.UserKind, *in.UserName, func(tx store.Tx, e *record.Identity) error {
		if err := checkMFACaller(c, e); err != nil {
			return err
		}
		d, err := record.FindMFADevice(tx, c.Account, *in.SerialNumber)
		if err != nil {
			return err
		}
		switch d.UserID {
		case "":
		case e.ID:
			return request.AlreadyExists("MFA Device for user %s already exists.", e.Name)
		default:
			return request.AlreadyExists("MFA Device is already in use.")
		}
		if len(e.MFADevices) >= request.MaxMFADevices {
			return request.QuotaExceeded("MFADevicesPerUser", request.MaxMFADevices)
		}
		if err := d.Synchronize(s.keyring, c.Time, *in.AuthenticationCode1, *in.AuthenticationCode2); err != nil {
			return err
		}
		d.UserID, d.Enabled = e.ID, c.Time.UTC().Truncate(time.Second)
		e.MFADevices = append(e.MFADevices, d.Serial)
		return record.PutMFADevice(tx, c.Account, d)
	})
	return &sdk.EnableMFADeviceOutput{}, err
}

func (s *handlers) resyncMFADevice(
	ctx context.Context, c *service.Call, in *sdk.ResyncMFADeviceInput,
) (*sdk.ResyncMFADeviceOutput, error) {
	if err := s.checkCodes(in.SerialNumber, in.AuthenticationCode1, in.AuthenticationCode2); err != nil {
		return nil, err
	}
	err := s.Change(ctx, c.Account, record.UserKind, *in.UserName, func(tx store.Tx, e *record.Identity) error {
		d, err := ownMFADevice(tx, c.Account, e, *in.SerialNumber)
		if err != nil {
			return err
		}
		if err := d.Synchronize(s.keyring, c.Time, *in.AuthenticationCode1, *in.AuthenticationCode2); err != nil {
			return err
		}
		return record.PutMFADevice(tx, c.Account, d)
	})
	return &sdk.ResyncMFADeviceOutput{}, err
}

// deactivateMFADevice leaves the device for another user, with what is known of its clock and its codes.
func (s *handlers) deactivateMFADevice(
	ctx context.Context, c *service.Call, in *sdk.DeactivateMFADeviceInput,
) (*sdk.DeactivateMFADeviceOutput, error) {
	if err := s.checkSerialNumber(in.SerialNumber); err != nil {
		return nil, err
	}
	k, name, err := s.UserOrCaller(c, in.UserName)
	if err != nil {
		return nil, err
	}
	err = s.Change(ctx, c.Account, k, name, func(tx store.Tx, e *record.Identity) error {
		if err := checkMFACaller(c, e); err != nil {
			return err
		}
		d, err := ownMFADevice(tx, c.Account, e, *in.SerialNumber)
		if err != nil {
			return err
		}
		d.UserID, d.Enabled = "", time.Time{}
		e.MFADevices = slices.DeleteFunc(e.MFADevices, func(serial string) bool { return serial == d.Serial })
		return record.PutMFADevice(tx, c.Account, d)
	})
	return &sdk.DeactivateMFADeviceOutput{}, err
}

func (s *handlers) listMFADevices(
	ctx context.Context, c *service.Call, in *sdk.ListMFADevicesInput,
) (*sdk.ListMFADevicesOutput, error) {
	p, k, name, err := s.PageOfUser(c, in.UserName, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var all []types.MFADevice
	err = s.DB.View(ctx, func(r store.Reader) error {
		all = nil
		e, err := record.FindIdentity(r, c.Account, k, name)
		if err != nil {
			return err
		}
		for _, serial := range slices.Sorted(slices.Values(e.MFADevices)) {
			d, err := record.FindMFADevice(r, c.Account, serial)
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
	l := request.Cut(p, all, func(d types.MFADevice) string { return *d.SerialNumber })
	return &sdk.ListMFADevicesOutput{MFADevices: append([]types.MFADevice{}, l.Items...), IsTruncated: l.Truncated, Marker: l.Marker}, nil
}

// getMFADevice answers for FIDO security keys only, of which there are none here.
func (s *handlers) getMFADevice(
	_ context.Context, _ *service.Call, in *sdk.GetMFADeviceInput,
) (*sdk.GetMFADeviceOutput, error) {
	if err := s.checkSerialNumber(in.SerialNumber); err != nil {
		return nil, err
	}
	a, err := arn.Parse(*in.SerialNumber)
	if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "u2f/") {
		return nil, request.ValidationError("The MFA device serial number sent in the request is invalid or not supported by this API. " +
			"Currently, only hardware FIDO security keys are supported. Please use the compatible device or API.")
	}
	return nil, record.NoSuchMFADevice(*in.SerialNumber)
}

// checkMFACaller keeps users with a device from changing their own devices without it
// (https://aws.amazon.com/security/security-bulletins/AWS-2023-001/).
func checkMFACaller(c *service.Call, e *record.Identity) error {
	withMFA := c.Caller.Session != nil && c.Caller.Session.MFA
	if c.Caller.Kind != authz.User || c.Caller.ID != e.ID || len(e.MFADevices) == 0 || withMFA {
		return nil
	}
	return request.AccessDenied("To complete this action, please ensure that you are authenticated with an MFA device that is enabled for this user.")
}

// checkCodes checks the form of what tells where a device's clock stands.
func (s *handlers) checkCodes(serial, code1, code2 *string) error {
	if err := s.checkSerialNumber(serial); err != nil {
		return err
	}
	for i, code := range []*string{code1, code2} {
		member := []string{"authenticationCode1", "authenticationCode2"}[i]
		if err := request.CheckLength(member, aws.ToString(code), totp.Digits, totp.Digits); err != nil {
			return err
		}
		if err := s.Patterns.Digits.Check(member, *code); err != nil {
			return err
		}
	}
	return nil
}
