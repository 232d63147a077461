package record

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/licet/licet/internal/awserr"
)

const (
	MaxPassword = 128
	// passwordRounds is how often a password is hashed, so that guessing takes long.
	PasswordRounds    = 600_000
	passwordSaltBytes = 16
	// maxPasswordHistory is the most that a password policy can ask for.
	MaxPasswordHistory = 24
)

// LoginProfile is the stored form of a user's password.
type LoginProfile struct {
	Created time.Time `json:"created"`
	// Changed is when the password was made or changed last.
	Changed       time.Time `json:"changed"`
	ResetRequired bool      `json:"reset_required,omitempty"`
	Passwords
}

// Passwords are hashes of a user's passwords, the one in effect first. All have one salt, so that a new password is hashed once to
// be compared with all of them.
type Passwords struct {
	Salt   []byte   `json:"salt"`
	Rounds int      `json:"rounds"`
	Hashes [][]byte `json:"hashes"`
}

// NewPasswords makes the first hash. It takes long: never call it in a transaction.
func NewPasswords(password string, rounds int) (Passwords, error) {
	p := Passwords{Salt: make([]byte, passwordSaltBytes), Rounds: rounds}
	rand.Read(p.Salt) // never fails: crypto/rand
	hash, err := p.Hash(password)
	p.Hashes = [][]byte{hash}
	return p, err
}

// Hash takes long: never call it in a transaction.
func (p *Passwords) Hash(password string) ([]byte, error) {
	hash, err := pbkdf2.Key(sha256.New, password, p.Salt, p.Rounds, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// IsCurrent tells whether a hash is that of the password in effect.
func (p *Passwords) IsCurrent(hash []byte) bool { return hmac.Equal(p.Hashes[0], hash) }

// Replace makes a hash the one in effect, unless it is among those that may not be used again.
func (p *Passwords) Replace(hash []byte, policy *PasswordPolicy) error {
	last := p.Hashes[:min(policy.reusePrevention(), len(p.Hashes))]
	if slices.ContainsFunc(last, func(old []byte) bool { return hmac.Equal(old, hash) }) {
		return passwordViolation("Policy constraint violation with password reuse prevention when changing the password.") // third-party logs
	}
	p.Hashes = slices.Insert(p.Hashes, 0, hash)
	p.Hashes = p.Hashes[:min(MaxPasswordHistory, len(p.Hashes))]
	return nil
}

func passwordViolation(format string, args ...any) error {
	return awserr.New("PasswordPolicyViolation", http.StatusBadRequest, format, args...)
}

// requirement is a kind of character that a password policy can ask for.
type requirement struct {
	text  string
	chars string
}

const (
	upperCase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lowerCase = "abcdefghijklmnopqrstuvwxyz"
	numbers   = "0123456789"
	// symbols of https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html, RequireSymbols.
	symbols = "!@#$%^&*()_+-=[]{}|'"
)

// Accept tells what a password lacks by the policy of its account; nil is the default policy, which asks for three of the four kinds
// of characters (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html). The texts are from
// logs of AWS's clients.
func (p *PasswordPolicy) Accept(password string) error {
	const defaultKinds = 3
	var lacks, kinds []string
	if least := p.minimumLength(); utf8.RuneCountInString(password) < least {
		lacks = append(lacks, fmt.Sprintf("Password should have a minimum length of %d", least))
	}
	all := []requirement{
		{"Password should have at least one uppercase letter", upperCase}, {"Password should have at least one lowercase letter", lowerCase},
		{"Password should have at least one number", numbers}, {"Password should have at least one symbol", symbols},
	}
	for i, r := range all {
		if strings.ContainsAny(password, r.chars) {
			continue
		}
		kinds = append(kinds, r.text)
		if p != nil && []bool{p.RequireUppercase, p.RequireLowercase, p.RequireNumbers, p.RequireSymbols}[i] {
			lacks = append(lacks, r.text)
		}
	}
	if more := defaultKinds - (len(all) - len(kinds)); p == nil && more > 0 {
		lacks = append(lacks, fmt.Sprintf("Password should meet %d more of the following requirements: %s", more, strings.Join(kinds, ", ")))
	}
	if lacks == nil {
		return nil
	}
	return passwordViolation("%s", strings.Join(lacks, ", "))
}

func (p *PasswordPolicy) minimumLength() int {
	if p == nil {
		return 8
	}
	return int(p.MinimumLength)
}

func (p *PasswordPolicy) reusePrevention() int {
	if p == nil {
		return 0
	}
	return int(aws.ToInt32(p.ReusePrevention))
}
