package credential

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/target"
)

// handlers are the operations on what users prove themselves with.
type handlers struct {
	*target.Store
	keyring  *secret.Keyring
	lastUsed *directory.LastUsed
	// passwordRounds is a field for tests, which need not be slow.
	passwordRounds int
}

// Operations is the table of what users prove themselves with.
func Operations(t *target.Store, k *secret.Keyring, used *directory.LastUsed, passwordRounds int) []service.Operation {
	s := &handlers{Store: t, keyring: k, lastUsed: used, passwordRounds: passwordRounds}
	return []service.Operation{
		target.Op("CreateAccessKey", s.OnUserOrCaller, s.createAccessKey),
		target.Op("ListAccessKeys", s.OnUserOrCaller, s.listAccessKeys),
		target.Op("UpdateAccessKey", s.OnUserOrCaller, s.updateAccessKey),
		target.Op("DeleteAccessKey", s.OnUserOrCaller, s.deleteAccessKey),
		target.Op("GetAccessKeyLastUsed", s.onAccessKey, s.getAccessKeyLastUsed),

		target.Op("CreateVirtualMFADevice", s.onNewMFADevice, s.createVirtualMFADevice,
			target.Tagging[sdk.CreateVirtualMFADeviceInput]("iam:TagMFADevice", s.onNewMFADevice)),
		target.Op("DeleteVirtualMFADevice", s.onMFADevice(), s.deleteVirtualMFADevice),
		target.Op("ListVirtualMFADevices", target.Anywhere, s.listVirtualMFADevices),
		target.Op("EnableMFADevice", s.On(record.UserKind), s.enableMFADevice),
		target.Op("ResyncMFADevice", s.On(record.UserKind), s.resyncMFADevice),
		target.Op("DeactivateMFADevice", s.OnUserOrCaller, s.deactivateMFADevice),
		target.Op("ListMFADevices", s.OnUserOrCaller, s.listMFADevices),
		target.Op("GetMFADevice", s.OnUserOrCaller, s.getMFADevice),
		target.Op("TagMFADevice", s.onMFADevice(target.RequestTags), s.tagMFADevice),
		target.Op("UntagMFADevice", s.onMFADevice(target.RequestTagKeys), s.untagMFADevice),
		target.Op("ListMFADeviceTags", s.onMFADevice(), s.listMFADeviceTags),

		target.Op("CreateLoginProfile", s.onLoginProfile, s.createLoginProfile),
		target.Op("GetLoginProfile", s.onLoginProfile, s.getLoginProfile),
		target.Op("UpdateLoginProfile", s.On(record.UserKind), s.updateLoginProfile),
		target.Op("DeleteLoginProfile", s.onLoginProfile, s.deleteLoginProfile),
		target.Op("ChangePassword", target.ByARN(s.onOwnPassword), s.changePassword),
		target.Op("UpdateAccountPasswordPolicy", target.Anywhere, s.updateAccountPasswordPolicy),
		target.Op("GetAccountPasswordPolicy", target.Anywhere, s.getAccountPasswordPolicy),
		target.Op("DeleteAccountPasswordPolicy", target.Anywhere, s.deleteAccountPasswordPolicy),

		target.Op("UploadSSHPublicKey", s.On(record.UserKind), s.uploadSSHPublicKey),
		target.Op("GetSSHPublicKey", s.On(record.UserKind), s.getSSHPublicKey),
		target.Op("ListSSHPublicKeys", s.OnUserOrCaller, s.listSSHPublicKeys),
		target.Op("UpdateSSHPublicKey", s.On(record.UserKind), s.updateSSHPublicKey),
		target.Op("DeleteSSHPublicKey", s.On(record.UserKind), s.deleteSSHPublicKey),
		target.Op("CreateServiceSpecificCredential", s.onNewServiceCredential, s.createServiceSpecificCredential),
		target.Op("ListServiceSpecificCredentials", s.onServiceCredentials, s.listServiceSpecificCredentials),
		target.Op("UpdateServiceSpecificCredential", s.onServiceCredential, s.updateServiceSpecificCredential),
		target.Op("ResetServiceSpecificCredential", s.onServiceCredential, s.resetServiceSpecificCredential),
		target.Op("DeleteServiceSpecificCredential", s.onServiceCredential, s.deleteServiceSpecificCredential),
		target.Op("UploadSigningCertificate", s.OnUserOrCaller, s.uploadSigningCertificate),
		target.Op("ListSigningCertificates", s.OnUserOrCaller, s.listSigningCertificates),
		target.Op("UpdateSigningCertificate", s.OnUserOrCaller, s.updateSigningCertificate),
		target.Op("DeleteSigningCertificate", s.OnUserOrCaller, s.deleteSigningCertificate),
	}
}
