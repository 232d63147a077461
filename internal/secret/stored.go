package secret

// Stored are the purposes of what is sealed in the store, and must be sealed anew before a key can go. All others are of what passes: tokens,
// links, messages and cookies, which end by themselves.
var Stored = []string{
	"access-key", "saml-private-key", "outbound-federation", "mfa-seed", "server-certificate", // record.SealSecret
	"lambda-environment",
	CheckPurpose,
}

// Passing are the purposes of what passes.
var Passing = []string{"session", "code-link", "authorization-message", "console session"}

// CheckPurpose is that of a value by which a store knows its key.
const CheckPurpose = "check"
