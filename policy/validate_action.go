package policy

import (
	"path"
	"slices"
	"strings"
)

// checkActions checks the form of actions. Whether they exist is not asked: AWS saves actions that do not.
func (c *checker) checkActions(s *statement) {
	for _, list := range [][]Text{s.Action, s.NotAction} {
		for _, a := range list {
			if code, message := actionProblem(a.Value); code != "" {
				c.fail(code, a.Span, "%s", message)
			}
		}
	}
}

// actionProblem speaks of vendors, as AWS's messages do (iam.md L4, A1).
func actionProblem(action string) (code, message string) {
	if action == "*" {
		return "", ""
	}
	vendor, name, ok := strings.Cut(action, ":")
	switch {
	case !ok:
		return "INVALID_ACTION", "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	case strings.Contains(name, ":"):
		return "INVALID_ACTION", "Actions/Condition can contain only one colon."
	case vendor == "*":
		return "", ""
	case vendor == "" || strings.ContainsFunc(vendor, func(r rune) bool { return r != '-' && r != '.' && notAlphanumeric(r) }):
		return "INVALID_SERVICE_IN_ACTION", "Vendor " + vendor + " is not valid"
	}
	return "", ""
}

// noteActions reports actions that AWS saves though they name nothing, or more than was meant.
func (c *checker) noteActions(s *statement) {
	for _, list := range [][]Text{s.Action, s.NotAction} {
		for _, a := range list {
			vendor, name, ok := strings.Cut(a.Value, ":")
			if !ok {
				continue
			}
			if vendor == "*" {
				c.note(Suggestion, "WILDCARD_IN_SERVICE_NAME", a.Span,
					"The action %s is of every service, later ones too; name the service before the colon.", brief(a.Value))
			}
			if actionName := !strings.ContainsFunc(name, notInAction) && name != ""; !actionName && !strings.Contains(name, ":") {
				c.note(Error, "INVALID_ACTION", a.Span,
					"No action is called %q; names have letters and digits only, with * and ? as wildcards.", brief(name))
			}
		}
	}
}

func notInAction(r rune) bool { return r != '*' && r != '?' && notAlphanumeric(r) }

// noteOrganizationActions reports actions that a resource control policy does not take: they must name a service.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
func (c *checker) noteOrganizationActions(s *statement) {
	if c.kind != ResourceControl {
		return
	}
	for _, a := range s.Action {
		if strings.HasPrefix(a.Value, "*") {
			c.note(Error, "RCP_SYNTAX_ERROR_ACTION", a.Span,
				"A resource control policy cannot have the action %s; begin it with a service that supports such policies.", brief(a.Value))
		}
	}
}

// checkTrustActions lets a trust policy name only the actions that make a role session, each of which a wildcard may cover.
// NotAction would name all others. The message is recorded from AWS.
func (c *checker) checkTrustActions(s *statement) {
	const message = "AssumeRole policy may only specify STS AssumeRole actions."
	if s.NotAction != nil {
		c.fail("UNSUPPORTED_ACTION_IN_POLICY", s.in(s.At.NotAction), message)
	}
	for _, a := range s.Action {
		if !slices.ContainsFunc(trustActions(), func(known string) bool { return covers(a.Value, known) }) {
			c.fail("UNSUPPORTED_ACTION_IN_POLICY", a.Span, message)
		}
	}
}

// The trust actions that checks speak of.
const (
	assumeRole     = "sts:AssumeRole"
	assumeSAML     = "sts:AssumeRoleWithSAML"
	assumeWeb      = "sts:AssumeRoleWithWebIdentity"
	setSource      = "sts:SetSourceIdentity"
	tagSession     = "sts:TagSession"
	setContext     = "sts:SetContext"
	passRole       = "iam:PassRole"
	createSLR      = "iam:CreateServiceLinkedRole"
	rolesAnywhere  = "rolesanywhere.amazonaws.com"
	githubProvider = "token.actions.githubusercontent.com"
)

// trustActions are the actions that concern a role's trust policy.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
func trustActions() []string {
	return []string{assumeRole, assumeSAML, assumeWeb, setContext, setSource, tagSession}
}

// covers tells whether an action of a policy names or covers a known one. The service has no wildcards, the known action neither,
// so that matching takes linear time.
func covers(pattern, known string) bool {
	pattern, known = strings.ToLower(pattern), strings.ToLower(known)
	service, _, _ := strings.Cut(known, ":")
	if !strings.HasPrefix(pattern, service+":") || strings.ContainsAny(pattern, `[\`) { // path.Match knows more than * and ?
		return false
	}
	matched, err := path.Match(pattern, known)
	return matched && err == nil
}
