package iam

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
)

// credentialHandlers are the operations on what users prove themselves with.
type credentialHandlers struct {
	*Store
	keyring  *secret.Keyring
	lastUsed *LastUsed
	// passwordRounds is a field for tests, which need not be slow.
	passwordRounds int
}

// credentialOperations is the table of what users prove themselves with.
func credentialOperations(t *Store, k *secret.Keyring, used *LastUsed, passwordRounds int) []service.Operation {
	s := &credentialHandlers{Store: t, keyring: k, lastUsed: used, passwordRounds: passwordRounds}
	return []service.Operation{
		op("CreateAccessKey", s.onUserOrCaller, s.createAccessKey),
		op("ListAccessKeys", s.onUserOrCaller, s.listAccessKeys),
		op("UpdateAccessKey", s.onUserOrCaller, s.updateAccessKey),
		op("DeleteAccessKey", s.onUserOrCaller, s.deleteAccessKey),
		op("GetAccessKeyLastUsed", s.onAccessKey, s.getAccessKeyLastUsed),

		op("CreateVirtualMFADevice", s.onNewMFADevice, s.createVirtualMFADevice,
			tagging[sdk.CreateVirtualMFADeviceInput]("iam:TagMFADevice", s.onNewMFADevice)),
		op("DeleteVirtualMFADevice", s.onMFADevice(), s.deleteVirtualMFADevice),
		op("ListVirtualMFADevices", anywhere, s.listVirtualMFADevices),
		op("EnableMFADevice", s.on(userKind), s.enableMFADevice),
		op("ResyncMFADevice", s.on(userKind), s.resyncMFADevice),
		op("DeactivateMFADevice", s.onUserOrCaller, s.deactivateMFADevice),
		op("ListMFADevices", s.onUserOrCaller, s.listMFADevices),
		op("GetMFADevice", s.onUserOrCaller, s.getMFADevice),
		op("TagMFADevice", s.onMFADevice(requestTags), s.tagMFADevice),
		op("UntagMFADevice", s.onMFADevice(requestTagKeys), s.untagMFADevice),
		op("ListMFADeviceTags", s.onMFADevice(), s.listMFADeviceTags),

		op("CreateLoginProfile", s.onLoginProfile, s.createLoginProfile),
		op("GetLoginProfile", s.onLoginProfile, s.getLoginProfile),
		op("UpdateLoginProfile", s.on(userKind), s.updateLoginProfile),
		op("DeleteLoginProfile", s.onLoginProfile, s.deleteLoginProfile),
		op("ChangePassword", byARN(s.onOwnPassword), s.changePassword),
		op("UpdateAccountPasswordPolicy", anywhere, s.updateAccountPasswordPolicy),
		op("GetAccountPasswordPolicy", anywhere, s.getAccountPasswordPolicy),
		op("DeleteAccountPasswordPolicy", anywhere, s.deleteAccountPasswordPolicy),

		op("UploadSSHPublicKey", s.on(userKind), s.uploadSSHPublicKey),
		op("GetSSHPublicKey", s.on(userKind), s.getSSHPublicKey),
		op("ListSSHPublicKeys", s.onUserOrCaller, s.listSSHPublicKeys),
		op("UpdateSSHPublicKey", s.on(userKind), s.updateSSHPublicKey),
		op("DeleteSSHPublicKey", s.on(userKind), s.deleteSSHPublicKey),
		op("CreateServiceSpecificCredential", s.onNewServiceCredential, s.createServiceSpecificCredential),
		op("ListServiceSpecificCredentials", s.onServiceCredentials, s.listServiceSpecificCredentials),
		op("UpdateServiceSpecificCredential", s.onServiceCredential, s.updateServiceSpecificCredential),
		op("ResetServiceSpecificCredential", s.onServiceCredential, s.resetServiceSpecificCredential),
		op("DeleteServiceSpecificCredential", s.onServiceCredential, s.deleteServiceSpecificCredential),
		op("UploadSigningCertificate", s.onUserOrCaller, s.uploadSigningCertificate),
		op("ListSigningCertificates", s.onUserOrCaller, s.listSigningCertificates),
		op("UpdateSigningCertificate", s.onUserOrCaller, s.updateSigningCertificate),
		op("DeleteSigningCertificate", s.onUserOrCaller, s.deleteSigningCertificate),
	}
}
