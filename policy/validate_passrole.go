package policy

import "strings"

// grant is how a statement comes to allow an action.
type grant int

const (
	notGranted grant = iota
	byName
	byWildcard
	byNotAction
)

// grantOf tells how a statement allows a known action. A name outweighs a wildcard beside it.
func grantOf(s *statement, action string) grant {
	if s.Effect != Allow {
		return notGranted
	}
	found := notGranted
	for _, a := range s.Action {
		switch {
		case strings.EqualFold(a.Value, action):
			return byName
		case includes(a.Value, action):
			found = byWildcard
		}
	}
	if len(s.NotAction) > 0 {
		found = byNotAction
	}
	for _, a := range s.NotAction {
		if includes(a.Value, action) {
			return notGranted
		}
	}
	return found
}

// includes is covers, for patterns that may leave the service open too.
func includes(pattern, known string) bool {
	if pattern == "*" {
		return true
	}
	if name, ok := strings.CutPrefix(pattern, "*:"); ok {
		service, _, _ := strings.Cut(known, ":")
		pattern = service + ":" + name
	}
	return covers(pattern, known)
}

// roleGrant describes an action on roles that is dangerous on more roles than were meant.
type roleGrant struct {
	severity Severity
	action   string
	// danger says what such a statement lets its holder do, remedy what else than a list of ARNs would prevent it.
	danger, remedy string
	// prefix is what the resource part of every ARN in question begins with: a pattern that is open before its end covers all.
	prefix string
	// key limits the action when it is in the condition; limitsNotResource tells whether it does so beside NotResource too.
	key               string
	limitsNotResource bool
	// notResource and resource are the codes by how the action is granted.
	notResource, resource map[grant]string
}

// roleGrants are the two of Access Analyzer. That iam:PassedToService limits passing a role is in its message; that
// iam:AWSServiceName limits the creation of service-linked roles follows from its list of managed policies with the finding, in
// which those with the key are missing.
func roleGrants() []roleGrant {
	return []roleGrant{
		{
			severity: SecurityWarning, action: passRole, danger: "passes any role to any service",
			remedy: ", or add the condition key iam:PassedToService", prefix: "role/", key: "iam:passedtoservice",
			notResource: map[grant]string{
				byName:      "PASS_ROLE_WITH_NOT_RESOURCE",
				byWildcard:  "PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE",
				byNotAction: "PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE",
			},
			resource: map[grant]string{
				byName:      "PASS_ROLE_WITH_STAR_IN_RESOURCE",
				byWildcard:  "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE",
				byNotAction: "PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION",
			},
		},
		{
			severity: Warning, action: createSLR, danger: "creates service-linked roles for any service",
			prefix: "role/aws-service-role/", key: "iam:awsservicename", limitsNotResource: true,
			notResource: map[grant]string{
				byName:      "CREATE_SLR_WITH_NOT_RESOURCE",
				byWildcard:  "CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE",
				byNotAction: "CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE",
			},
			resource: map[grant]string{
				byName:      "CREATE_SLR_WITH_STAR_IN_RESOURCE",
				byWildcard:  "CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE",
				byNotAction: "CREATE_SLR_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION",
			},
		},
	}
}

// noteRoles reports statements that allow an action on roles without saying on which.
func (c *checker) noteRoles() {
	if c.kind != Identity && c.kind != Inline && c.kind != Session {
		return // the other kinds do not give anybody permissions in IAM
	}
	grants := roleGrants()
	c.each(func(s *statement) {
		for i := range grants {
			c.noteRoleGrant(s, &grants[i])
		}
	})
}

func (c *checker) noteRoleGrant(s *statement, g *roleGrant) {
	how := grantOf(s, g.action)
	if how == notGranted {
		return
	}
	limited := s.hasKey(g.key)
	if len(s.NotResource) > 0 && !(limited && g.limitsNotResource) {
		c.note(g.severity, g.notResource[how], s.in(s.At.NotResource),
			"With NotResource the statement allows %s on every role that is not listed, and so %s; list ARNs in Resource.", g.action, g.danger)
	}
	if limited {
		return
	}
	for _, r := range s.Resource {
		if isOpen(r.Value, g.prefix) {
			c.note(g.severity, g.resource[how], r.Span,
				"The statement allows %s on %s, and so %s; list the ARNs of roles%s.", g.action, brief(r.Value), g.danger, g.remedy)
			return
		}
	}
}

// isOpen tells whether a pattern covers all resources of IAM whose last part begins with prefix. Behind more text than that a
// wildcard is a naming convention, which Access Analyzer accepts: arn:aws:iam::*:role/Service*.
func isOpen(resource, prefix string) bool {
	parts := strings.SplitN(resource, ":", 6)
	if len(parts) < 6 {
		return resource == "*" || len(parts) > 2 && parts[2] == "iam" // IAM reads what is missing as *
	}
	i := strings.IndexAny(parts[5], "*?")
	return parts[2] == "iam" && i >= 0 && strings.HasPrefix(prefix, parts[5][:i])
}
