package policylint

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/licet/licet/policy"
)

// Types are the names by which a person tells of what type a policy is.
func Types() []string {
	return []string{"identity", "inline", "boundary", "session", "resource", "trust", "scp", "rcp", "vpc-endpoint"}
}

// KindOf gives the kind of policy that has one of the names.
func KindOf(name string) (policy.Kind, bool) {
	switch name {
	case "identity", "boundary": // a boundary is a managed policy: access_policies_boundaries in the IAM User Guide
		return policy.Identity, true
	case "inline":
		return policy.Inline, true
	case "session":
		return policy.Session, true
	case "resource":
		return policy.Resource, true
	case "trust":
		return policy.Trust, true
	case "scp":
		return policy.ServiceControl, true
	case "rcp":
		return policy.ResourceControl, true
	case "vpc-endpoint":
		return policy.VPCEndpoint, true
	}
	return "", false
}

// Guess tells of which type a policy is, as far as the document shows: who has principals is a resource policy or, without resources and
// about sessions, a trust policy; who has none is identity-based. Boundaries and SCPs look like these, RCPs like resource policies. A text
// that cannot be parsed is taken for identity-based.
func Guess(text []byte) (name string) {
	d, err := policy.Parse(text)
	if err != nil {
		return "identity"
	}
	principals, resources, sessions := false, false, true
	for _, s := range d.Statements {
		principals = principals || s.Principal != nil || s.NotPrincipal != nil
		resources = resources || s.Resource != nil || s.NotResource != nil
		for _, a := range s.Action {
			sessions = sessions && strings.HasPrefix(strings.ToLower(a.Value), "sts:")
		}
	}
	switch {
	case principals && !resources && sessions:
		return "trust"
	case principals:
		return "resource"
	case d.Version != policy.Version2012: // managed policies must be of it
		return "inline"
	}
	return "identity"
}

// IsPolicy tells whether a file of a folder seems to be a policy: a JSON object with a Statement, or a text that is not JSON and has the
// words of one.
func IsPolicy(text []byte) bool {
	if !json.Valid(text) {
		return bytes.Contains(text, []byte(`"Statement"`)) && bytes.Contains(text, []byte(`"Effect"`))
	}
	var members map[string]json.RawMessage
	return json.Unmarshal(text, &members) == nil && members["Statement"] != nil
}
