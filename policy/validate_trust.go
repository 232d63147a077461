package policy

import (
	"slices"
	"strings"
)

// noteTrust reports what role trust policies allow that cannot happen, or to more callers than were meant.
func (c *checker) noteTrust(s *statement) {
	if c.kind != Trust || s.Principal == nil {
		return
	}
	if s.Principal.Any {
		c.note(Error, "ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL", s.Principal.Span,
			"A trust policy that names everybody lets any account try; name the principals that may assume the role.")
	}
	c.noteRedundantSessions(s.Principal)
	if s.Effect != Allow {
		return
	}
	c.noteMismatch(s)
	c.noteMissingAction(s)
	hosts := make(map[string]bool)
	for name := range s.keys {
		host, _, _ := strings.Cut(name, ":")
		hosts[host] = true
	}
	for _, e := range s.Principal.Entries {
		if host := oidcHost(e); host != "" {
			c.noteProvider(s, e, host, hosts[host])
		}
	}
}

// noteRedundantSessions reports sessions whose role is named beside them. A session's ARN has the role's name without its path.
func (c *checker) noteRedundantSessions(p *Principals) {
	roles := make(map[string]bool)
	for _, e := range p.Entries {
		if account, role, ok := roleOf(e, "iam", "role"); ok {
			roles[account+"/"+role[strings.LastIndexByte(role, '/')+1:]] = true
		}
	}
	for _, e := range p.Entries {
		account, rest, ok := roleOf(e, "sts", "assumed-role")
		role, _, _ := strings.Cut(rest, "/")
		if ok && roles[account+"/"+role] {
			c.note(Suggestion, "REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY", e.Value.Span,
				"The role %s is named too, with all its sessions; remove the session.", brief(role))
		}
	}
}

// roleOf takes the account and the name from the ARN of a role or session.
func roleOf(e PrincipalEntry, service, kind string) (account, name string, ok bool) {
	parts := strings.SplitN(e.Value.Value, ":", 6)
	if e.Type != "AWS" || len(parts) < 6 || parts[2] != service {
		return "", "", false
	}
	name, ok = strings.CutPrefix(parts[5], kind+"/")
	return parts[4], name, ok
}

// isSAML tells a SAML provider from the others, which are OpenID Connect's.
func isSAML(e PrincipalEntry) bool {
	return e.Type == "Federated" && strings.Contains(e.Value.Value, ":saml-provider/")
}

// noteMismatch reports actions that a principal of the statement cannot call.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html, API_AssumeRoleWithWebIdentity.html
func (c *checker) noteMismatch(s *statement) {
	var saml, oidc, other bool
	for _, e := range s.Principal.Entries {
		saml = saml || isSAML(e)
		oidc = oidc || e.Type == "Federated" && !isSAML(e)
		other = other || e.Type != "Federated"
	}
	for _, a := range s.Action {
		mismatch, who := false, ""
		switch {
		case strings.EqualFold(a.Value, assumeSAML):
			mismatch, who = oidc || other, "SAML providers in Federated"
		case strings.EqualFold(a.Value, assumeWeb):
			mismatch, who = saml || other, "OpenID Connect providers in Federated"
		case strings.EqualFold(a.Value, assumeRole):
			mismatch, who = saml || oidc, "accounts, users, roles and services"
		}
		if mismatch {
			c.note(Error, "MISMATCHED_ACTION_FOR_PRINCIPAL", a.Span,
				"%s is for %s, and the statement names another principal; give each its own statement.", a.Value, who)
		}
	}
}

// noteMissingAction reports conditions on what a caller sets by an action that the statement does not allow.
func (c *checker) noteMissingAction(s *statement) {
	missing := map[string]bool{setSource: !allows(s.Action, setSource), tagSession: !allows(s.Action, tagSession)}
	for _, u := range s.uses {
		needed := ""
		switch {
		case u.name == "sts:sourceidentity":
			needed = setSource
		case u.name == "sts:transitivetagkeys", u.name == "aws:tagkeys", strings.HasPrefix(u.name, "aws:requesttag/"):
			needed = tagSession
		}
		if missing[needed] && !u.isNull() {
			c.note(Error, "MISSING_ACTION_FOR_CONDITION_KEY", u.Key.Span,
				"A caller sets %s by %s, which the statement does not allow; add the action.", brief(u.Key.Value), needed)
		}
	}
}

func allows(actions []Text, known string) bool {
	return slices.ContainsFunc(actions, func(a Text) bool { return covers(a.Value, known) })
}

// noteRolesAnywhere reports a trust policy by which IAM Roles Anywhere cannot assume the role: it needs three actions, in
// whichever statements.
// https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
func (c *checker) noteRolesAnywhere() {
	if c.kind != Trust {
		return
	}
	var named *Text
	missing := []string{assumeRole, setSource, tagSession}
	c.each(func(s *statement) {
		if s.Effect != Allow || s.Principal == nil {
			return
		}
		i := slices.IndexFunc(s.Principal.Entries, func(e PrincipalEntry) bool {
			return e.Type == "Service" && e.Value.Value == rolesAnywhere
		})
		if i < 0 {
			return
		}
		if named == nil {
			named = &s.Principal.Entries[i].Value
		}
		missing = slices.DeleteFunc(missing, func(action string) bool { return allows(s.Action, action) })
	})
	if named != nil && len(missing) > 0 {
		c.note(Error, "MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY", named.Span,
			"IAM Roles Anywhere cannot assume the role without %s; allow it.", strings.Join(missing, " and "))
	}
}

// oidcHost is the host, and path, of an OpenID Connect provider, with which its condition keys begin; "" for other principals.
func oidcHost(e PrincipalEntry) string {
	if e.Type != "Federated" || isSAML(e) {
		return ""
	}
	if _, host, ok := strings.Cut(e.Value.Value, ":oidc-provider/"); ok {
		return strings.ToLower(host)
	}
	return strings.ToLower(e.Value.Value)
}

// noteProvider wants the subject of GitHub's tokens in the condition, and some claim of every other provider's: its tokens are
// made for anybody's workloads or users.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
func (c *checker) noteProvider(s *statement, e PrincipalEntry, host string, limited bool) {
	switch {
	case host == githubProvider:
		if !s.hasKey(host + ":sub") {
			c.note(SecurityWarning, "MISSING_GITHUB_REPO_CONDITION_KEY", e.Value.Span,
				"Workflows of every repository on GitHub can assume the role; add a condition on %s:sub.", githubProvider)
		}
	case !limited:
		c.note(SecurityWarning, "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL", e.Value.Span,
			"Everybody to whom the provider gives a token can assume the role; add a condition on one of its claims, such as %s:sub.",
			brief(host))
	}
}

// noteClaims checks conditions on the claims of OpenID Connect tokens.
func (c *checker) noteClaims(s *statement) {
	if c.kind != Trust {
		return
	}
	hasRef := s.hasKey(githubProvider + ":ref")
	for _, u := range s.uses {
		switch {
		case !strings.HasSuffix(u.name, ":aud"):
		case u.op.Set == ForAnyValue:
			c.note(SecurityWarning, "FORANYVALUE_WITH_AUDIENCE_CLAIM_TYPE", u.Operator.Span,
				"A token has one audience, for which set operators are not meant; remove ForAnyValue:.")
		case u.op.Set == ForAllValues:
			c.note(Suggestion, "CONFIRM_AUDIENCE_CLAIM_TYPE", u.Operator.Span,
				"A token has one audience, and ForAllValues holds without any; remove ForAllValues:.")
		}
		if u.name == githubProvider+":sub" && !u.negated() {
			for _, v := range u.Values {
				if !isSpecificSubject(v.Value, u.like(), hasRef) {
					c.note(Warning, "SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED", v.Span,
						"The subject leaves repository or branch open; write repo:OWNER/REPOSITORY:ref:refs/heads/BRANCH, or add a "+
							"condition on %s:ref.", githubProvider)
				}
			}
		}
	}
}

// isSpecificSubject tells whether a subject of GitHub names owner, repository and branch. The branch may stand in the ref claim.
// https://docs.github.com/en/actions/reference/security/oidc
func isSpecificSubject(subject string, wildcards, hasRef bool) bool {
	rest, ok := strings.CutPrefix(subject, "repo:")
	repository, context, _ := strings.Cut(rest, ":")
	owner, name, _ := strings.Cut(repository, "/")
	if !ok || owner == "" || name == "" || wildcards && strings.ContainsAny(repository, "*?") {
		return false
	}
	branch, ok := strings.CutPrefix(context, "ref:")
	return hasRef || ok && branch != "" && !(wildcards && strings.ContainsAny(branch, "*?"))
}
