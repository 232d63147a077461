package policy

import (
	"path"
	"slices"
	"strings"
)

// checkActions checks the form of actions. Whether they exist is not asked: AWS saves actions that do not.
func (c *checker) checkActions(s *Statement) {
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
		return "MISSING_SERVICE", "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	case strings.Contains(name, ":"):
		return "INVALID_ACTION", "Actions/Condition can contain only one colon."
	case vendor == "*":
		return "", ""
	case vendor == "" || strings.ContainsFunc(vendor, func(r rune) bool { return r != '-' && r != '.' && notAlphanumeric(r) }):
		return "INVALID_SERVICE_IN_ACTION", "Vendor " + vendor + " is not valid"
	}
	return "", ""
}

// checkTrustActions lets a trust policy name only the actions that make a role session, each of which a wildcard may cover.
// NotAction would name all others. The message is recorded from AWS.
func (c *checker) checkTrustActions(s *Statement) {
	const message = "AssumeRole policy may only specify STS AssumeRole actions."
	if s.NotAction != nil {
		c.fail("UNSUPPORTED_ACTION_IN_POLICY", s.Span, message)
	}
	for _, a := range s.Action {
		if !isTrustAction(strings.ToLower(a.Value)) {
			c.fail("UNSUPPORTED_ACTION_IN_POLICY", a.Span, message)
		}
	}
}

// isTrustAction tells whether a lower-case action names or covers an action that concerns a role's trust policy.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
func isTrustAction(action string) bool {
	name, ok := strings.CutPrefix(action, "sts:")
	if !ok || strings.ContainsAny(name, `[\`) { // path.Match knows more than * and ?
		return false
	}
	return slices.ContainsFunc([]string{
		"assumerole", "assumerolewithsaml", "assumerolewithwebidentity", "setcontext", "setsourceidentity", "tagsession",
	}, func(known string) bool {
		matched, err := path.Match(name, known)
		return matched && err == nil
	})
}
