package console

import (
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
)

// words are what templates can say.
var words = template.FuncMap{
	"policyType": policyType,
	"verdict":    verdict,
	"sign":       sign,
	"clock":      func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
	"stamp":      func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) },
	"segment":    url.PathEscape,
	"query":      url.QueryEscape,
	"last":       func(text string) string { return text[strings.LastIndexAny(text, "/:")+1:] },
	"joined":     func(texts []string) string { return strings.Join(texts, ", ") },
	"text":       func(raw json.RawMessage) string { return string(raw) },
	"pages":      func() string { return Pages },
	"entries": func(l listed[entry], caption, empty string) any {
		return struct {
			List           listed[entry]
			Caption, Empty string
		}{l, caption, empty}
	},
	"copyable": func(text, label string) any { return struct{ Text, Label string }{text, label} },
	"within":   func(path, page string) bool { return path == page || strings.HasPrefix(path, page+"/") },
}

// policyType names a kind of policy for a person.
func policyType(t authz.PolicyType) string {
	switch t {
	case authz.ResourceControlPolicy:
		return "resource control policy"
	case authz.ServiceControlPolicy:
		return "service control policy"
	case authz.SessionPolicy:
		return "session policy"
	case authz.PermissionsBoundary:
		return "permissions boundary"
	case authz.IdentityBasedPolicy:
		return "identity-based policy"
	case authz.ResourceBasedPolicy:
		return "resource-based policy"
	case authz.RoleTrustPolicy:
		return "trust policy"
	case authz.VPCEndpointPolicy:
		return "VPC endpoint policy"
	default:
		return string(t) + " policy"
	}
}

func verdict(v authz.Verdict) string {
	switch v {
	case authz.Allowed:
		return "allows it"
	case authz.ImplicitDeny:
		return "does not allow it"
	case authz.ExplicitDeny:
		return "denies it"
	case authz.Bypassed:
		return "does not matter"
	case authz.NotApplicable:
		return "has no say"
	default:
		return string(v)
	}
}

// sign stands beside the words of a verdict, which never are told by colour alone.
func sign(v authz.Verdict) string {
	switch v {
	case authz.Allowed:
		return "✓"
	case authz.ImplicitDeny, authz.ExplicitDeny:
		return "✗"
	default:
		return "–"
	}
}

// forClient is the text of an error that is the client's to mend.
func forClient(err error) (string, bool) {
	e, ok := errors.AsType[*awserr.Error](err)
	if !ok || e.Status >= http.StatusInternalServerError {
		return "", false
	}
	return e.Message, true
}
