package policy

import (
	"fmt"
	"regexp"
	"strings"
)

// checkPrincipals checks who a statement speaks of, and that trust policies do not name resources.
func (c *checker) checkPrincipals(s *statement) {
	c.checkForbidden(s)
	if c.rules.principal == required && s.Principal == nil && s.NotPrincipal == nil {
		c.fail("MISSING_PRINCIPAL", s.Span, "Missing required field Principal")
	}
	for _, p := range []*Principals{s.Principal, s.NotPrincipal} {
		if p == nil || c.rules.principal == forbidden {
			continue
		}
		if c.kind == Trust && !p.Any && len(p.Entries) == 0 {
			// Recorded from AWS, class name and all.
			c.fail(emptyPrincipal(p), p.Span, "Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: "+
				"The passed in policy has a statement with no principals!")
		}
		for _, e := range p.Entries {
			if !c.isPrincipal(e) {
				c.fail(c.principalCode(e), e.Value.Span, "%s", InvalidPrincipal(e))
			}
		}
	}
	if c.kind == ResourceControl && s.Principal != nil && !s.Principal.matchesAll() {
		c.fail("RCP_SYNTAX_ERROR_PRINCIPAL", s.Principal.Span, "The Principal of a resource control policy must be \"*\".")
	}
}

// InvalidPrincipal is IAM's message for a principal that is malformed or does not exist (iam.md P4).
func InvalidPrincipal(e PrincipalEntry) string {
	kind := e.Type
	if kind != "CanonicalUser" {
		kind = strings.ToUpper(kind)
	}
	return fmt.Sprintf(`Invalid principal in policy: "%s":"%s"`, kind, e.Value.Value)
}

// matchesAll is true for "*" and {"AWS": "*"}, which are equal.
func (p *Principals) matchesAll() bool {
	return p.Any || len(p.Entries) == 1 && p.Entries[0].Type == "AWS" && p.Entries[0].Value.Value == "*"
}

// checkForbidden refuses elements that statements of the kind do not have. The messages for trust policies, and that principals
// are not specified in identity policies, are AWS's.
func (c *checker) checkForbidden(s *statement) {
	if p := s.Principal; p != nil && c.rules.principal == forbidden {
		c.fail(c.forbiddenPrincipal(), p.Span, "Policy document should not specify a principal.")
	}
	if p := s.NotPrincipal; p != nil {
		switch {
		case c.rules.principal == forbidden:
			c.fail(c.forbiddenPrincipal(), p.Span, "Policy document should not specify a principal.")
		case c.rules.notPrincipal == forbidden:
			c.fail(c.forbiddenNotPrincipal(), p.Span, "Has prohibited field NotPrincipal")
		case s.Effect == Allow:
			// "not supported": reference_policies_elements_notprincipal
			c.fail("ALLOW_WITH_NOT_PRINCIPAL", p.Span, "Allow with NotPrincipal is not supported.")
		}
	}
	if c.rules.resource == forbidden {
		if s.Resource != nil {
			c.fail("ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE", s.in(s.At.Resource), "Has prohibited field Resource")
		}
		if s.NotResource != nil {
			c.fail("ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE", s.in(s.At.NotResource), "Has prohibited field NotResource")
		}
	}
}

// forbiddenPrincipal is the code for a principal in a policy that has none.
func (c *checker) forbiddenPrincipal() string {
	if c.kind == ServiceControl {
		return "SCP_SYNTAX_ERROR_PRINCIPAL"
	}
	return "UNSUPPORTED_PRINCIPAL"
}

// forbiddenNotPrincipal is the code for NotPrincipal where only Principal may stand.
func (c *checker) forbiddenNotPrincipal() string {
	if c.kind == ResourceControl {
		return "RCP_SYNTAX_ERROR_PRINCIPAL"
	}
	return "ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL"
}

// principalCode is the code for a principal that is malformed.
func (c *checker) principalCode(e PrincipalEntry) string {
	switch {
	case strings.ContainsAny(e.Value.Value, "*?"):
		return "UNSUPPORTED_WILDCARD_IN_PRINCIPAL"
	case e.Type == "Service":
		return "INVALID_SERVICE_PRINCIPAL_FORMAT"
	case e.Type == "Federated" && c.kind == Trust:
		return "INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY"
	}
	return "INVALID_PRINCIPAL_FORMAT"
}

// emptyPrincipal is the code for a principal that names nobody.
func emptyPrincipal(p *Principals) string {
	if len(p.Empty) > 0 {
		return "EMPTY_ARRAY_PRINCIPAL"
	}
	return "EMPTY_OBJECT_PRINCIPAL"
}

// isPrincipal checks the form of a principal. No form takes wildcards but the single "*" (iam.md P1, P2, P8).
func (c *checker) isPrincipal(e PrincipalEntry) bool {
	v := e.Value.Value
	switch {
	case v == "*":
		return e.Type == "AWS"
	case v == "" || strings.ContainsAny(v, "*?"):
		return false
	case e.Type == "CanonicalUser":
		return c.kind == Resource // "most resource-based policies do not support this mapping": reference_policies_grammar
	}
	if c.principals == nil {
		c.principals = principalForms()
	}
	return c.principals.MatchString(e.Type + " " + v)
}

// principalForms matches a type of principal, a space, and a value: an account; the ARN of a user, role or session; the unique id
// of a user or role; CloudFront's origin access identities, whose account is "cloudfront"; a service; a provider by its ARN or host.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func principalForms() *regexp.Regexp {
	return regexp.MustCompile(`^(` + strings.Join([]string{
		`AWS [0-9]{12}`,
		`AWS A(IDA|ROA)[A-Z0-9]{12,}`,
		`AWS arn:[^:]+:iam::([0-9]{12}|cloudfront):(root|(user|role)/.+)`,
		`AWS arn:[^:]+:sts::[0-9]{12}:(assumed-role/[^/]+/[^/]+|federated-user/[^/]+)`,
		`Service [a-z0-9-]+(\.[a-z0-9-]+)+`,
		`Federated arn:[^:]+:iam::[0-9]{12}:(saml|oidc)-provider/.+`,
		`Federated [^:/]+\.[^:]+`,
	}, "|") + `)$`)
}
