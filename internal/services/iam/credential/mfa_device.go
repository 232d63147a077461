package credential

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
	"github.com/licet/licet/internal/store"
)

// changeMFADevice is Change for a device.
func (s *handlers) changeMFADevice(ctx context.Context, account, serial string, fn func(*record.MFADevice) error) error {
	return s.DB.Update(ctx, func(tx store.Tx) error {
		d, err := record.FindMFADevice(tx, account, serial)
		if err != nil {
			return err
		}
		if err := fn(d); err != nil {
			return err
		}
		return record.PutMFADevice(tx, account, d)
	})
}

// ownMFADevice finds a device among those that are enabled for a user.
func ownMFADevice(r store.Reader, account string, e *record.Identity, serial string) (*record.MFADevice, error) {
	d, err := record.FindMFADevice(r, account, serial)
	if err == nil && d.UserID != e.ID {
		err = request.NoSuchEntity("MFA Device invalid for user.")
	}
	return d, err
}

// onMFADevice is the resource of operations on one device.
func (s *handlers) onMFADevice(more ...target.Keys) target.Resource {
	return func(ctx context.Context, c *service.Call, in any) (service.Target, error) {
		serial := target.Member[*string](in, "SerialNumber")
		if err := s.checkSerialNumber(serial); err != nil {
			return service.Target{}, err
		}
		t := service.Target{ARN: *serial, Account: c.Account}
		if a, err := arn.Parse(*serial); err == nil {
			t.Account = a.AccountID
		} else {
			t.ARN = s.ARN(c.Account, record.MFAResource+*serial)
		}
		err := s.DB.View(ctx, func(r store.Reader) error {
			d, err := record.FindMFADevice(r, c.Account, *serial)
			if err == nil {
				target.ResourceTags(&t.Keys, d.Tags)
			}
			return err
		})
		if err != nil && !request.IsMissing(err) {
			return service.Target{}, err
		}
		for _, m := range more {
			m(in, nil, &t.Keys)
		}
		return t, nil
	}
}

func (s *handlers) checkSerialNumber(serial *string) error {
	if err := request.CheckLength("serialNumber", aws.ToString(serial), 9, request.MaxSerialNumber); err != nil {
		return err
	}
	return s.Patterns.SerialNumber.Check("serialNumber", *serial)
}

// onNewMFADevice is the resource of CreateVirtualMFADevice: the serial number to be.
func (s *handlers) onNewMFADevice(_ context.Context, c *service.Call, in any) (service.Target, error) {
	name, path := target.Member[*string](in, "VirtualMFADeviceName"), target.Member[*string](in, "Path")
	if err := s.Patterns.CheckName("virtualMFADeviceName", name, request.MaxSerialNumber); err != nil {
		return service.Target{}, err
	}
	if err := s.Patterns.CheckPath("path", path); err != nil {
		return service.Target{}, err
	}
	t := service.Target{ARN: s.MFASerial(c.Account, request.PathOr(path), *name), Account: c.Account}
	if err := request.CheckLength("serialNumber", t.ARN, 9, request.MaxSerialNumber); err != nil {
		return service.Target{}, err // no operation could name it
	}
	target.NewTags(in, nil, &t.Keys)
	return t, nil
}

// wireMFADevice is a device as lists show it. user is nil when it is enabled for nobody.
func (s *handlers) wireMFADevice(account string, d *record.MFADevice, user *record.Identity) types.VirtualMFADevice {
	out := types.VirtualMFADevice{SerialNumber: aws.String(d.Serial)}
	if user != nil {
		u := s.ListedUser(account, user)
		out.EnableDate, out.User = aws.Time(d.Enabled), &u
	}
	return out
}
