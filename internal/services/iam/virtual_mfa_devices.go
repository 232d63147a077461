package iam

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
	"github.com/licet/licet/internal/store"
)

// mfaSeedBytes makes seeds of 64 characters, as AWS's are.
const mfaSeedBytes = 40

func (s *credentialHandlers) createVirtualMFADevice(
	ctx context.Context, c *service.Call, in *sdk.CreateVirtualMFADeviceInput,
) (*sdk.CreateVirtualMFADeviceOutput, error) {
	tags, err := s.patterns.checkCasedTags(in.Tags)
	if err != nil {
		return nil, err
	}
	var seed [mfaSeedBytes]byte
	rand.Read(seed[:]) // never fails: crypto/rand
	d := &mfaDevice{Serial: s.mfaSerial(c.Account, pathOr(in.Path), *in.VirtualMFADeviceName), Tags: tags}
	if d.Seed, err = sealSecret(s.keyring, mfaSeedPurpose, d.Serial, string(seed[:])); err != nil {
		return nil, err
	}
	text := base32.StdEncoding.EncodeToString(seed[:])
	png, err := qrCode(*in.VirtualMFADeviceName, c.Account, text)
	if err != nil {
		return nil, err
	}
	if err := s.db.Update(ctx, func(tx store.Tx) error { return addMFADevice(tx, c.Account, d) }); err != nil {
		return nil, err
	}
	return &sdk.CreateVirtualMFADeviceOutput{VirtualMFADevice: &types.VirtualMFADevice{
		SerialNumber: aws.String(d.Serial), Base32StringSeed: []byte(text), QRCodePNG: png, Tags: wireTags(tags),
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
func addMFADevice(tx store.Tx, account string, d *mfaDevice) error {
	key, _ := mfaKey(account, d.Serial)
	_, err := tx.Get(key)
	if err == nil {
		return alreadyExists("MFA device already exists.")
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	n, err := count(tx, mfaPrefix(account), maxUsers)
	if err != nil {
		return err
	}
	if n >= maxUsers {
		return quotaExceeded("VirtualMFADevicesPerAccount", maxUsers) // the quota's name is not known
	}
	return putMFADevice(tx, account, d)
}

func (s *credentialHandlers) deleteVirtualMFADevice(
	ctx context.Context, c *service.Call, in *sdk.DeleteVirtualMFADeviceInput,
) (*sdk.DeleteVirtualMFADeviceOutput, error) {
	err := s.db.Update(ctx, func(tx store.Tx) error {
		d, err := findMFADevice(tx, c.Account, *in.SerialNumber)
		if err != nil {
			return err
		}
		if d.UserID != "" {
			return deleteConflict("MFA VirtualDevice in use. Must deactivate first.")
		}
		key, _ := mfaKey(c.Account, d.Serial)
		return tx.Delete(key)
	})
	return &sdk.DeleteVirtualMFADeviceOutput{}, err
}

func (s *credentialHandlers) listVirtualMFADevices(
	ctx context.Context, c *service.Call, in *sdk.ListVirtualMFADevicesInput,
) (*sdk.ListVirtualMFADevicesOutput, error) {
	p, err := newPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	switch in.AssignmentStatus {
	case "", types.AssignmentStatusTypeAny, types.AssignmentStatusTypeAssigned, types.AssignmentStatusTypeUnassigned:
	default:
		return nil, violation("assignmentStatus", "Member must satisfy enum value set: [Any, Assigned, Unassigned]")
	}
	devices, err := s.virtualMFADevices(ctx, c.Account, in.AssignmentStatus)
	if err != nil {
		return nil, err
	}
	l := cut(p, devices, func(d types.VirtualMFADevice) string { return *d.SerialNumber })
	return &sdk.ListVirtualMFADevicesOutput{
		VirtualMFADevices: append([]types.VirtualMFADevice{}, l.items...), IsTruncated: l.truncated, Marker: l.marker,
	}, nil
}

// virtualMFADevices are the devices of an account of one status, sorted by serial number.
func (s *credentialHandlers) virtualMFADevices(
	ctx context.Context, account string, status types.AssignmentStatusType,
) (out []types.VirtualMFADevice, err error) {
	err = s.db.View(ctx, func(r store.Reader) error {
		out = nil
		items, err := r.Scan(mfaPrefix(account), "", 0)
		if err != nil {
			return err
		}
		for _, item := range items {
			d, err := store.DecodeJSON[*mfaDevice](item)
			if err != nil {
				return err
			}
			if assigned := d.UserID != ""; status == types.AssignmentStatusTypeAssigned && !assigned ||
				status == types.AssignmentStatusTypeUnassigned && assigned {
				continue
			}
			var user *identity
			if d.UserID != "" {
				if user, err = getIdentity(r, account, userKind, d.UserID); err != nil {
					return err
				}
			}
			out = append(out, s.wireMFADevice(account, d, user))
		}
		return nil
	})
	return sortedBy(out, func(d types.VirtualMFADevice) string { return *d.SerialNumber }), err
}

func (s *credentialHandlers) tagMFADevice(
	ctx context.Context, c *service.Call, in *sdk.TagMFADeviceInput,
) (*sdk.TagMFADeviceOutput, error) {
	set, err := s.patterns.checkCasedTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return &sdk.TagMFADeviceOutput{}, s.changeMFADevice(ctx, c.Account, *in.SerialNumber, func(d *mfaDevice) (err error) {
		d.Tags, err = withTags(d.Tags, set)
		return err
	})
}

func (s *credentialHandlers) untagMFADevice(
	ctx context.Context, c *service.Call, in *sdk.UntagMFADeviceInput,
) (*sdk.UntagMFADeviceOutput, error) {
	if err := s.patterns.checkTagKeys(in.TagKeys); err != nil {
		return nil, err
	}
	return &sdk.UntagMFADeviceOutput{}, s.changeMFADevice(ctx, c.Account, *in.SerialNumber, func(d *mfaDevice) error {
		d.Tags = withoutTags(d.Tags, in.TagKeys)
		return nil
	})
}

func (s *credentialHandlers) listMFADeviceTags(
	ctx context.Context, c *service.Call, in *sdk.ListMFADeviceTagsInput,
) (*sdk.ListMFADeviceTagsOutput, error) {
	var d *mfaDevice
	err := s.db.View(ctx, func(r store.Reader) (err error) {
		d, err = findMFADevice(r, c.Account, *in.SerialNumber)
		return err
	})
	if err != nil {
		return nil, err
	}
	l, err := listTags(d.Tags, in.Marker, in.MaxItems)
	return &sdk.ListMFADeviceTagsOutput{Tags: l.items, IsTruncated: l.truncated, Marker: l.marker}, err
}
