package iam

import "github.com/licet/licet/internal/secret"

// Purposes separate what is sealed under the same key.
const (
	accessKeyPurpose         = "access-key"
	samlKeyPurpose           = "saml-private-key"
	outboundPurpose          = "outbound-federation"
	mfaSeedPurpose           = "mfa-seed"
	serverCertificatePurpose = "server-certificate"
)

// sealSecret seals a secret with the id of what it belongs to, so that a stored secret serves no other.
func sealSecret(k *secret.Keyring, purpose, id, text string) ([]byte, error) {
	return k.Seal(purpose, []byte(id+"\n"+text))
}

// openSecret opens what sealSecret made for the id.
func openSecret(k *secret.Keyring, purpose, id string, sealed []byte) (string, error) {
	plain, err := k.Open(purpose, sealed)
	if err != nil {
		return "", err
	}
	prefix := id + "\n"
	if len(plain) <= len(prefix) || string(plain[:len(prefix)]) != prefix {
		return "", secret.ErrSealed
	}
	return string(plain[len(prefix):]), nil
}
