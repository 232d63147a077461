package record

import "github.com/licet/licet/internal/secret"

// Purposes separate what is sealed under the same key.
const (
	AccessKeyPurpose         = "access-key"
	SAMLKeyPurpose           = "saml-private-key"
	OutboundPurpose          = "outbound-federation"
	MFASeedPurpose           = "mfa-seed"
	ServerCertificatePurpose = "server-certificate"
)

// SealSecret seals a secret with the id of what it belongs to, so that a stored secret serves no other.
func SealSecret(k *secret.Keyring, purpose, id, text string) ([]byte, error) {
	return k.Seal(purpose, []byte(id+"\n"+text))
}

// OpenSecret opens what SealSecret made for the id.
func OpenSecret(k *secret.Keyring, purpose, id string, sealed []byte) (string, error) {
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
