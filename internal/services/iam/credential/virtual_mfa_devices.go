package credential

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"rsc.io/qr"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// mfaSeedBytes makes seeds of 64 characters, as AWS's are.
const mfaSeedBytes = 40

func (s *handlers) createVirtualMFADevice(
	ctx context.Context, c *service.Call, in *sdk.CreateVirtualMFADeviceInput,
) (*sdk.CreateVirtualMFADeviceOutput, error) {
	tags, err := s.Patterns.CheckCasedTags(in.Tags)
	if err != nil {
		return nil, err
	}
	var seed [mfaSeedBytes]byte
	rand.Read(seed[:]) // never fails: crypto/rand
	d := &record.MFADevice{Serial: s.MFASerial(c.Account, request.PathOr(in.Path), *in.VirtualMFADeviceName), Tags: tags}
	if d.Seed, err = record.SealSecret(s.keyring, record.MFASeedPurpose, d.Serial, string(seed[:])); err != nil {
		return nil, err
	}
	text := base32.StdEncoding.EncodeToString(seed[:])
	png, err := qrCode(*in.VirtualMFADeviceName, c.Account, text)
	if err != nil {
		return nil, err
	}
	if err := s.DB.Update(ctx, func(tx store.Tx) error { return addMFADevice(tx, c.Account, d) }); err != nil {
		return nil, err
	}
	return &sdk.CreateVirtualMFADeviceOutput{VirtualMFADevice: &types.VirtualMFADevice{
		SerialNumber: aws.String(d.Serial), Base32StringSeed: []byte(text), QRCodePNG: png, Tags: request.WireTags(tags),
	}}, nil
}

// qrCode is the picture that authenticator apps read.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_VirtualMFADevice.html, QRCodePNG
func qrCode(device, account, seed string) ([]byte, error) {
	code, err := qr.Encode("otpauth://totp/"+device+"@"+account+"?secret="+seed, qr.M)
	if err != nil {
		return nil, fmt.Errorf("draw the QR code of MFA device %s: %w", device, err)
	}
	return code.PNG(), nil
}

// addMFADevice keeps a new device if its name is free. An account may have as many as users
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
func addMFADevice(tx store.Tx, account string, d *record.MFADevice) error {
	key, _ := record.MFAKey(account, d.Serial)
	_, err := tx.Get(key)
	if err == nil {
		return request.AlreadyExists("MFA device already exists.")
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	n, err := record.Count(tx, record.MFAPrefix(account), request.MaxUsers)
	if err != nil {
		return err
	}
	if n >= request.MaxUsers {
		return request.QuotaExceeded("VirtualMFADevicesPerAccount", request.MaxUsers) // the quota's name is not known
	}
	return record.PutMFADevice(tx, account, d)
}

func (s *handlers) deleteVirtualMFADevice(
	ctx context.Context, c *service.Call, in *sdk.DeleteVirtualMFADeviceInput,
) (*sdk.DeleteVirtualMFADeviceOutput, error) {
	err := s.DB.Update(ctx, func(tx store.Tx) error {
		d, err := record.FindMFADevice(tx, c.Account, *in.SerialNumber)
		if err != nil {
			return err
		}
		if d.UserID != "" {
			return request.DeleteConflict("MFA VirtualDevice in use. Must deactivate first.")
		}
		key, _ := record.MFAKey(c.Account, d.Serial)
		return tx.Delete(key)
	})
	return &sdk.DeleteVirtualMFADeviceOutput{}, err
}

func (s *handlers) listVirtualMFADevices(
	ctx context.Context, c *service.Call, in *sdk.ListVirtualMFADevicesInput,
) (*sdk.ListVirtualMFADevicesOutput, error) {
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	switch in.AssignmentStatus {
	case "", types.AssignmentStatusTypeAny, types.AssignmentStatusTypeAssigned, types.AssignmentStatusTypeUnassigned:
	default:
		return nil, request.Violation("assignmentStatus", "Member must satisfy enum value set: [Any, Assigned, Unassigned]")
	}
	devices, err := s.virtualMFADevices(ctx, c.Account, in.AssignmentStatus)
	if err != nil {
		return nil, err
	}
	l := request.Cut(p, devices, func(d types.VirtualMFADevice) string { return *d.SerialNumber })
	return &sdk.ListVirtualMFADevicesOutput{
		VirtualMFADevices: append([]types.VirtualMFADevice{}, l.Items...), IsTruncated: l.Truncated, Marker: l.Marker,
	}, nil
}

// virtualMFADevices are the devices of an account of one status, sorted by serial number.
func (s *handlers) virtualMFADevices(
	ctx context.Context, account string, status types.AssignmentStatusType,
) (out []types.VirtualMFADevice, err error) {
	err = s.DB.View(ctx, func(r store.Reader) error {
		out = nil
		items, err := r.Scan(record.MFAPrefix(account), "", 0)
		if err != nil {
			return err
		}
		for _, item := range items {
			d, err := store.DecodeJSON[*record.MFADevice](item)
			if err != nil {
				return err
			}
			if assigned := d.UserID != ""; status == types.AssignmentStatusTypeAssigned && !assigned ||
				status == types.AssignmentStatusTypeUnassigned && assigned {
				continue
			}
			var user *record.Identity
			if d.UserID != "" {
				if user, err = record.GetIdentity(r, account, record.UserKind, d.UserID); err != nil {
					return err
				}
			}
			out = append(out, s.wireMFADevice(account, d, user))
		}
		return nil
	})
	return request.SortedBy(out, func(d types.VirtualMFADevice) string { return *d.SerialNumber }), err
}

func (s *handlers) tagMFADevice(
	ctx context.Context, c *service.Call, in *sdk.TagMFADeviceInput,
) (*sdk.TagMFADeviceOutput, error) {
	set, err := s.Patterns.CheckCasedTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return &sdk.TagMFADeviceOutput{}, s.changeMFADevice(ctx, c.Account, *in.SerialNumber, func(d *record.MFADevice) (err error) {
		d.Tags, err = request.WithTags(d.Tags, set)
		return err
	})
}

func (s *handlers) untagMFADevice(
	ctx context.Context, c *service.Call, in *sdk.UntagMFADeviceInput,
) (*sdk.UntagMFADeviceOutput, error) {
	if err := s.Patterns.CheckTagKeys(in.TagKeys); err != nil {
		return nil, err
	}
	return &sdk.UntagMFADeviceOutput{}, s.changeMFADevice(ctx, c.Account, *in.SerialNumber, func(d *record.MFADevice) error {
		d.Tags = request.WithoutTags(d.Tags, in.TagKeys)
		return nil
	})
}

func (s *handlers) listMFADeviceTags(
	ctx context.Context, c *service.Call, in *sdk.ListMFADeviceTagsInput,
) (*sdk.ListMFADeviceTagsOutput, error) {
	var d *record.MFADevice
	err := s.DB.View(ctx, func(r store.Reader) (err error) {
		d, err = record.FindMFADevice(r, c.Account, *in.SerialNumber)
		return err
	})
	if err != nil {
		return nil, err
	}
	l, err := request.ListTags(d.Tags, in.Marker, in.MaxItems)
	return &sdk.ListMFADeviceTagsOutput{Tags: l.Items, IsTruncated: l.Truncated, Marker: l.Marker}, err
}
