package record

import (
	"errors"

	"github.com/licet/licet/internal/store"
)

// PasswordPolicy is the stored form of an account's password policy.
type PasswordPolicy struct {
	MinimumLength    int32 `json:"minimum_length"`
	RequireUppercase bool  `json:"require_uppercase,omitempty"`
	RequireLowercase bool  `json:"require_lowercase,omitempty"`
	RequireNumbers   bool  `json:"require_numbers,omitempty"`
	RequireSymbols   bool  `json:"require_symbols,omitempty"`
	AllowChange      bool  `json:"allow_change,omitempty"`
	HardExpiry       *bool `json:"hard_expiry,omitempty"`
	// MaxAge is in days.
	MaxAge          *int32 `json:"max_age,omitempty"`
	ReusePrevention *int32 `json:"reuse_prevention,omitempty"`
}

// PasswordPolicyKey is where an account's policy is kept.
func PasswordPolicyKey(account string) string { return "iam/" + account + "/password-policy" }

// GetPasswordPolicy reads the policy of an account; nil when it has none.
func GetPasswordPolicy(r store.Reader, account string) (*PasswordPolicy, error) {
	p, err := store.GetJSON[*PasswordPolicy](r, PasswordPolicyKey(account))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return p, err
}
