package policy

import "strings"

// noteResources reports ARNs that AWS saves though no resource has them. Of services it knows IAM and S3, as the refusals do.
func (c *checker) noteResources(s *statement) {
	if c.rules.resource == forbidden {
		return
	}
	for _, list := range [][]Text{s.Resource, s.NotResource} {
		for _, t := range list {
			if code, _ := c.resourceProblem(t.Value); code == "" && t.Value != "*" {
				c.noteARN(t)
			}
		}
	}
}

func (c *checker) noteARN(t Text) {
	parts := strings.SplitN(t.Value, ":", 6)
	if strings.Contains(strings.Join(parts[:min(5, len(parts))], ":"), "${") && c.d.Version == Version2012 {
		c.note(Error, "VARIABLE_UNSUPPORTED_IN_ELEMENT", t.Span,
			"A variable before the fifth colon of an ARN has no value; use it in the last part, or write * in its place.")
		return
	}
	if service := parts[2]; service != strings.ToLower(service) {
		c.note(Error, "INVALID_ARN_SERVICE_CASE", t.Span,
			"The service in the ARN must be in lower case; write %s.", brief(strings.ToLower(service)))
	}
	if len(parts) < 6 {
		if !strings.HasSuffix(t.Value, "*") {
			c.note(Error, "MISSING_ARN_FIELD", t.Span,
				"The ARN has %d of the six fields arn:partition:service:region:account:resource; write them all.", len(parts))
		}
		return
	}
	c.noteRegion(t, parts[3])
	c.noteAccount(t, parts)
	if parts[5] == "" {
		c.note(Error, "INVALID_ARN_RESOURCE", t.Span, "The ARN names no resource behind its fifth colon; name one, or write *.")
	}
}

func (c *checker) noteRegion(t Text, region string) {
	if region != "" && !strings.ContainsAny(region, "*?") && !isRegion(region) {
		c.note(Error, "INVALID_ARN_REGION", t.Span, "%s is not the name of a Region; write one such as us-east-1.", brief(region))
	}
}

// isRegion checks the form of a Region's name: words and a number, us-gov-west-1. Which Regions there are is not asked.
// https://docs.aws.amazon.com/general/latest/gr/rande.html
func isRegion(s string) bool {
	words := strings.Split(s, "-")
	if last := len(words) - 1; last < 2 || !isDigits(words[last]) {
		return s == "aws-global"
	}
	return !strings.ContainsFunc(strings.Join(words[:len(words)-1], ""), func(r rune) bool { return r < 'a' || r > 'z' })
}

// noteAccount checks the account of an ARN: twelve digits, or one of the names under which AWS itself owns resources.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
func (c *checker) noteAccount(t Text, parts []string) {
	service, account := parts[2], parts[4]
	switch {
	case account == "" && service == "iam":
		c.note(Error, "MISSING_ARN_ACCOUNT", t.Span, "The ARN of an IAM resource needs an account; write its twelve digits, or *.")
	case account == "" || strings.ContainsAny(account, "*?"):
	case service == "s3" && parts[3] == "" && isBucket(parts[5]):
		c.note(Error, "ARN_ACCOUNT_NOT_ALLOWED", t.Span, "The ARN of a bucket or object has no account; leave that field empty.")
	case !isAccount(account) && !isOwner(account):
		c.note(Error, "INVALID_ARN_ACCOUNT", t.Span, "%s is not an account; write twelve digits.", brief(account))
	}
}

// isBucket is false for what S3 has beside buckets and objects under an account: multi-Region access points.
func isBucket(resource string) bool {
	kind, _, slash := strings.Cut(resource, "/")
	return !(slash && kind == "accesspoint") && !strings.ContainsAny(kind, "*?$")
}

func isAccount(s string) bool { return len(s) == 12 && isDigits(s) }

func isOwner(s string) bool {
	switch s {
	case "aws", "aws-marketplace", "aws-managed", "amazon", "cloudfront", "third-party":
		return true
	}
	return false
}

// isDigits tells whether text is one or more ASCII digits.
func isDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }
