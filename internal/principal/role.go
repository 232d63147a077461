package principal

import (
	"crypto/rand"
	"encoding/base64"
	"errors"

	"github.com/licet/licet/policy"
)

// ErrNoRole means that a role does not exist.
var ErrNoRole = errors.New("principal: no such role")

// ErrNoProvider means that an identity provider does not exist.
var ErrNoProvider = errors.New("principal: no such identity provider")

// Role is a role as those see it who make sessions of it.
type Role struct {
	// ARN with path, Name, unique id (AROA…) and owner.
	ARN     string
	Name    string
	ID      string
	Account string
	// MaxSessionSeconds bounds the sessions that clients may ask for.
	MaxSessionSeconds int32
	// Generation of the role; see Session.
	Generation int64
	Tags       map[string]string
	// Trust is the role's trust policy, in which users and roles stand by their unique ids.
	Trust *policy.Document
}

// NewSecretAccessKey makes a secret of 40 characters, as AWS's are.
func NewSecretAccessKey() string {
	var b [30]byte
	rand.Read(b[:]) // never fails: crypto/rand
	return base64.StdEncoding.EncodeToString(b[:])
}
