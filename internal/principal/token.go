package principal

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// tokenPurpose separates session tokens from everything else that is sealed under the same key.
const tokenPurpose = "session"

// ErrToken means that a session token was not made by this server, or was changed.
var ErrToken = errors.New("principal: invalid session token")

// Keyring seals and opens bytes for one purpose.
type Keyring interface {
	Seal(purpose string, plaintext []byte) ([]byte, error)
	Open(purpose string, sealed []byte) ([]byte, error)
}

// Token is what a session token holds: temporary keys with the session that they stand for.
type Token struct {
	AccessKeyID     string  `json:"access_key_id"`
	SecretAccessKey string  `json:"secret_access_key"`
	Session         Session `json:"session"`
}

// tokenEncoding has one text for each sequence of bytes, so that a token has no second spelling. Its alphabet needs no escaping
// in headers and query strings.
func tokenEncoding() *base64.Encoding { return base64.RawURLEncoding.Strict() }

// Seal makes the credentials of a session.
func (t Token) Seal(k Keyring) (Credentials, error) {
	plain, err := json.Marshal(t)
	if err != nil {
		return Credentials{}, fmt.Errorf("encode session: %w", err)
	}
	sealed, err := k.Seal(tokenPurpose, plain)
	if err != nil {
		return Credentials{}, fmt.Errorf("seal session: %w", err)
	}
	return Credentials{
		AccessKeyID: t.AccessKeyID, SecretAccessKey: t.SecretAccessKey,
		SessionToken: tokenEncoding().EncodeToString(sealed), Expires: t.Session.Expires,
	}, nil
}

// OpenToken reads what Seal made. It does not look at the expiry. The error wraps ErrToken when the text is no token of this
// server.
func OpenToken(k Keyring, text string) (Token, error) {
	if strings.ContainsAny(text, "\r\n") { // which base64 skips
		return Token{}, fmt.Errorf("%w: it has line ends", ErrToken)
	}
	sealed, err := tokenEncoding().DecodeString(text)
	if err != nil {
		return Token{}, fmt.Errorf("%w: %v", ErrToken, err)
	}
	plain, err := k.Open(tokenPurpose, sealed)
	if err != nil {
		return Token{}, fmt.Errorf("%w: %v", ErrToken, err)
	}
	var t Token
	if err := json.Unmarshal(plain, &t); err != nil {
		return Token{}, fmt.Errorf("decode session token: %w", err)
	}
	return t, nil
}
