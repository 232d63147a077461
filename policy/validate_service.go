package policy

import (
	"slices"
	"strings"
)

// noteReferences reports principals that are written in a way that AWS advises against.
func (c *checker) noteReferences(s *statement) {
	for _, p := range []*Principals{s.Principal, s.NotPrincipal} {
		if p == nil || c.rules.principal == forbidden {
			continue
		}
		for _, e := range p.Entries {
			switch {
			case e.Type == "Federated" && c.kind != Trust:
				c.note(Error, "FEDERATED_PRINCIPAL_NOT_SUPPORTED", e.Value.Span,
					"An identity provider can stand only in the trust policy of a role; name the role, or its sessions.")
			case e.Type == "AWS" && strings.HasPrefix(e.Value.Value, "AROA"):
				c.note(Warning, "INVALID_ROLE_REFERENCE", e.Value.Span,
					"The id %s stands for a role that may be gone; write the ARN of the role.", brief(e.Value.Value))
			case e.Type == "AWS" && strings.HasPrefix(e.Value.Value, "AIDA"):
				c.note(Warning, "INVALID_USER_REFERENCE", e.Value.Span,
					"The id %s stands for a user who may be gone; write the ARN of the user.", brief(e.Value.Value))
			}
		}
	}
}

// noteServices checks what a resource-based policy allows to service principals, which act for anybody unless a condition says for
// whom: the confused deputy problem. Trust policies are left out: there the account of the role is the one it is done for.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func (c *checker) noteServices(s *statement) {
	if c.kind != Resource || s.Effect != Allow || s.Principal == nil {
		return
	}
	var service *PrincipalEntry
	others := false
	for i, e := range s.Principal.Entries {
		if e.Type != "Service" {
			others = true
		} else if service == nil {
			service = &s.Principal.Entries[i]
		}
	}
	if service == nil {
		return
	}
	if !others {
		c.noteKeysForServices(s)
	}
	if s.hasKey("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths") {
		return
	}
	const remedy = "aws:SourceArn, aws:SourceAccount, aws:SourceOrgID or aws:SourceOrgPaths"
	if i := slices.IndexFunc(s.uses, func(u use) bool { return u.key != nil && u.key.CallerSet }); i >= 0 {
		c.note(Suggestion, "RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL", s.uses[i].Key.Span,
			"%s does not say for whom %s acts; use %s.", s.uses[i].key.Name, brief(service.Value.Value), remedy)
		return
	}
	c.note(SecurityWarning, "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL", service.Value.Span,
		"%s may act for anybody who uses it; say for whom by a condition on %s.", brief(service.Value.Value), remedy)
}

// noteKeysForServices reports conditions that no call of a service principal fulfils, because it lacks the key: it belongs to no
// organization, has no name and no tags, and is no session.
func (c *checker) noteKeysForServices(s *statement) {
	for _, u := range s.uses {
		if u.key == nil || u.isNull() || u.negated() || u.op.IfExists || u.op.Set == ForAllValues {
			continue
		}
		absent := u.key.Group == SessionKeys
		switch u.key.Name {
		case "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalTag", "aws:username":
			absent = true
		}
		if absent {
			c.note(Error, "UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL", u.Key.Span,
				"A service principal has no %s, so that the statement never allows it anything; remove the key.", u.key.Name)
		}
	}
}

// notePairs reports keys that are safe only beside another one: private addresses are the same in many networks.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-vpcsourceip
func (c *checker) notePairs(s *statement) {
	for _, u := range s.uses {
		missing := ""
		switch {
		case u.isNull():
		case u.name == "aws:vpcsourceip" && !s.hasKey("aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn"):
			missing = "aws:SourceVpc, aws:SourceVpce or aws:SourceVpcArn"
		case u.name == "aws:ec2instancesourceprivateipv4" && s.Effect == Allow && !s.hasKey("aws:ec2instancesourcevpc"):
			missing = "aws:Ec2InstanceSourceVpc"
		}
		if missing != "" {
			c.note(SecurityWarning, "MISSING_PAIRED_CONDITION_KEYS", u.Key.Span,
				"Other networks have the same private addresses; beside %s add a condition on %s.", u.key.Name, missing)
		}
	}
}

// noteTags reports NotAction beside a tag of the resource: some of the many actions never have the key.
func (c *checker) noteTags(s *statement) {
	if len(s.NotAction) == 0 {
		return
	}
	for _, u := range s.uses {
		if u.key == nil || u.key.Name != "aws:ResourceTag" {
			continue
		}
		if s.Effect == Deny {
			c.note(SecurityWarning, "DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", u.Key.Span,
				"Actions that do not know tags lack %s and are not denied; list actions in Action.", brief(u.Key.Value))
		} else {
			c.note(Suggestion, "ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", u.Key.Span,
				"Actions that do not know tags lack %s and are not allowed; list actions in Action.", brief(u.Key.Value))
		}
	}
}

// noteOrganization reports resource control policies that bind callers other than those that were meant: they judge users and
// roles as well as service principals, which lack each other's keys.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
func (c *checker) noteOrganization(s *statement) {
	if c.kind != ResourceControl {
		return
	}
	isService := s.hasKey("aws:principalisawsservice")
	nullChecked := slices.ContainsFunc(s.uses, func(u use) bool {
		return u.isNull() && (u.name == "aws:sourceaccount" || u.name == "aws:sourcearn")
	})
	for _, u := range s.uses {
		if u.key == nil || u.isNull() {
			continue
		}
		switch u.key.Name {
		case "aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalTag", "aws:PrincipalType",
			"aws:userid", "aws:username":
			if !isService {
				c.note(Warning, "RCP_MISSING_RELATED_PRINCIPAL_CONDITION_KEY", u.Key.Span,
					`The policy binds services too, which have other values of %s; add "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}.`,
					brief(u.Key.Value))
			}
		case "aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths":
			if !isService {
				c.note(Warning, "RCP_MISSING_RELATED_SERVICE_PRINCIPAL_CONDITION_KEY", u.Key.Span,
					`The policy binds users and roles too, which lack %s; add "Bool": {"aws:PrincipalIsAWSService": "true"}.`, u.key.Name)
			}
			if !nullChecked {
				c.note(Warning, "RCP_MISSING_SERVICE_CONDITION_KEY_NULL_CHECK", u.Key.Span,
					`Some calls of services lack %s; add "Null": {"aws:SourceAccount": "false"}.`, u.key.Name)
			}
		}
	}
}

// noteTraps reports the two conditions on keys of a service that Access Analyzer knows to protect less than they seem to.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
func (c *checker) noteTraps(s *statement) {
	hasSelect := s.hasKey("dynamodb:select")
	for _, u := range s.uses {
		if !u.known || u.isNull() {
			continue
		}
		if u.name == "dynamodb:attributes" && s.Effect == Allow && !hasSelect {
			c.note(SecurityWarning, "DYNAMODB_ATTRIBUTES_WITHOUT_SELECT", u.Key.Span,
				"A read that asks for no attributes returns them all; add a condition that dynamodb:Select is SPECIFIC_ATTRIBUTES.")
		}
		if u.name == "s3:prefix" && u.negated() == (s.Effect == Allow) {
			c.note(SecurityWarning, "S3_PREFIX_IN_NEGATIVE_CONTEXT", u.Key.Span,
				"Listing by a shorter prefix escapes the condition; list allowed prefixes by Allow with StringLike, or Deny with StringNotLike.")
		}
	}
}
