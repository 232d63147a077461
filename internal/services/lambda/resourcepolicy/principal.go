package resourcepolicy

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/policy"
)

// The forms of a principal. AWS checks service names against a list that it does not publish (lambda.md U4); here every name below
// Amazon's domains is one, as those of all services are that are known to call functions.
var (
	servicePrincipal  = regexp.MustCompile(`\A[a-z0-9][a-z0-9.-]*\.amazon(aws)?\.com\z`)
	accountPrincipal  = regexp.MustCompile(`\Aarn:aws[a-zA-Z-]*:iam::(\d{12}):root\z`)
	identityPrincipal = regexp.MustCompile(`\Aarn:aws[a-zA-Z-]*:iam::\d{12}:(user|role)/[^*?]+\z`)
	sessionPrincipal  = regexp.MustCompile(`\Aarn:aws[a-zA-Z-]*:sts::\d{12}:(assumed-role/[^/*?]+/[^/*?]+|federated-user/[^/*?]+)\z`)
)

func invalidPrincipal() error {
	return fault.InvalidParameter("The provided principal was invalid. Please check the principal and try again.")
}

// entryOf is a principal of AddPermission as an entry of a Principal element.
func entryOf(name string) policy.PrincipalEntry {
	e := policy.PrincipalEntry{Type: "AWS", Value: policy.Text{Value: name}}
	if servicePrincipal.MatchString(name) {
		e.Type = "Service"
	}
	return e
}

// elementOf is the Principal element of a statement for one entry.
func elementOf(e policy.PrincipalEntry) statementPrincipal {
	if e.Type == "Service" {
		return statementPrincipal{Service: e.Value.Value}
	}
	return statementPrincipal{AWS: e.Value.Value}
}

// stored gives the form in which a principal is kept: users and roles by their unique ids, accounts by their ARNs. Users and roles must
// exist. Nobody else than these, sessions and services can call Lambda.
func (m *Service) stored(ctx context.Context, partition string, e policy.PrincipalEntry) (string, error) {
	value, known := e.Value.Value, false
	var err error
	switch {
	case e.Type == "Service":
		known = servicePrincipal.MatchString(value)
	case e.Type != "AWS":
	case value == "*", accountPrincipal.MatchString(value), sessionPrincipal.MatchString(value):
		known = true
	case request.IsAccount(value):
		return "arn:" + partition + ":iam::" + value + ":root", nil
	case isUniqueID(value): // as shown of a principal that was there before
		var arn string
		arn, err = m.principals.PrincipalARN(ctx, value)
		known = arn != ""
	case identityPrincipal.MatchString(value):
		value, err = m.principals.UniqueID(ctx, value)
		known = value != ""
	}
	if err != nil {
		return "", fmt.Errorf("look up principal %s: %w", e.Value.Value, err)
	}
	if !known {
		return "", invalidPrincipal()
	}
	return value, nil
}

func isUniqueID(text string) bool {
	return strings.HasPrefix(text, principal.UserIDPrefix) || strings.HasPrefix(text, principal.RoleIDPrefix)
}

// shown gives a kept principal as clients see it: users and roles who exist by their ARNs, those who are gone by their unique ids.
func (m *Service) shown(ctx context.Context, e policy.PrincipalEntry) (string, error) {
	value := e.Value.Value
	if e.Type != "AWS" || !isUniqueID(value) {
		return value, nil
	}
	arn, err := m.principals.PrincipalARN(ctx, value)
	if err != nil {
		return "", fmt.Errorf("look up principal %s: %w", value, err)
	}
	if arn == "" {
		return value, nil
	}
	return arn, nil
}

// shownText is a kept document as clients see it.
func (m *Service) shownText(ctx context.Context, d *policy.Document) (string, error) {
	text, err := policy.RewritePrincipals(d, func(e policy.PrincipalEntry) (string, error) { return m.shown(ctx, e) })
	return string(text), err
}
