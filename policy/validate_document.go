package policy

import "strings"

// checkID refuses an Id where the grammar has none.
func (c *checker) checkID() {
	if c.d.ID != "" && c.rules.id == forbidden {
		c.fail("INVALID_POLICY_ELEMENT", c.or(c.d.IDAt), syntaxErrors)
	}
}

func (c *checker) checkVersion() {
	if c.rules.version2012 && c.d.Version != Version2012 {
		c.fail("INVALID_VERSION", c.or(c.d.VersionAt), "Policy document must be version 2012-10-17 or greater.")
	}
}

// or is the place of an element, or of the whole document when the element is absent.
func (c *checker) or(element Span) Span {
	if element == (Span{}) {
		return Span{0, len(c.d.Source)}
	}
	return element
}

// in is the place of an element, or of the statement when the element is absent.
func (s *statement) in(element Span) Span {
	if element == (Span{}) {
		return s.Span
	}
	return element
}

// checkSids wants them unique. Access Analyzer does so for every type of policy (UNIQUE_SIDS_REQUIRED).
func (c *checker) checkSids() {
	seen := make(map[string]bool)
	c.each(func(s *statement) {
		if c.rules.plainSid && strings.ContainsFunc(s.Sid, notAlphanumeric) {
			c.fail("UNSUPPORTED_SID", s.in(s.At.Sid),
				"Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
		}
		if s.Sid != "" && seen[s.Sid] {
			c.fail("UNIQUE_SIDS_REQUIRED", s.in(s.At.Sid), "Statement IDs (SID) in a single policy must be unique.")
		}
		seen[s.Sid] = true
	})
}

func notAlphanumeric(r rune) bool {
	return !('0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z')
}

func (c *checker) checkHasAction(s *statement) {
	if len(s.Action)+len(s.NotAction) > 0 {
		return
	}
	message := "Policy statement must contain actions."
	if c.rules.fields {
		message = "Missing required field Action"
	}
	code := "MISSING_ACTION"
	if s.Action != nil || s.NotAction != nil {
		code = "EMPTY_ARRAY_ACTION"
	}
	c.fail(code, s.in(either(s.At.Action, s.At.NotAction)), "%s", message)
}

func (c *checker) checkHasResource(s *statement) {
	if c.rules.resource != required || len(s.Resource)+len(s.NotResource) > 0 {
		return
	}
	message := "Policy statement must contain resources."
	if c.rules.fields {
		message = "Missing required field Resource"
	}
	code := "MISSING_RESOURCE"
	if s.Resource != nil || s.NotResource != nil {
		code = "EMPTY_ARRAY_RESOURCE"
	}
	c.fail(code, s.in(either(s.At.Resource, s.At.NotResource)), "%s", message)
}

// either is the place of an element or of its negation, of which a statement has one at most.
func either(element, negation Span) Span {
	if element == (Span{}) {
		return negation
	}
	return element
}

// checkKindOnly applies the rules of a single kind.
func (c *checker) checkKindOnly(s *statement) {
	switch c.kind {
	case Trust:
		c.checkTrustActions(s)
	case ResourceControl:
		if s.Effect != Deny {
			c.fail("RCP_SYNTAX_ERROR_ALLOW", s.in(s.At.Effect), "Only RCPFullAWSAccess may have a statement with Effect Allow.")
		}
		if s.NotAction != nil {
			c.fail("RCP_SYNTAX_ERROR_NOTACTION", s.in(s.At.NotAction), "A resource control policy cannot have NotAction.")
		}
	}
}

// noteVersion recommends the element: without it the document is of Version2008.
func (c *checker) noteVersion() {
	if !c.d.HasVersion {
		c.note(Warning, "MISSING_VERSION", c.or(c.d.VersionAt),
			`The policy has no Version and is read as %s; add "Version": "%s".`, Version2008, Version2012)
	}
}

// noteSize compares the document with the quota of its kind. Saving it fails with LimitExceeded, if it fails: that is for the
// service that saves.
func (c *checker) noteSize() {
	limit, size := Limit(c.kind), Size(c.d.Source, c.kind)
	if limit == 0 || size <= limit {
		return
	}
	severity, code := Warning, "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"
	switch c.kind {
	case ServiceControl:
		severity, code = Error, "POLICY_SIZE_EXCEEDS_SCP_QUOTA"
	case ResourceControl:
		severity, code = Error, "POLICY_SIZE_EXCEEDS_RCP_QUOTA"
	case Trust:
		code = "POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA"
	case Resource, VPCEndpoint:
		code = "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA"
	}
	c.note(severity, code, c.or(Span{}), "The policy counts %d characters, and %d is the most for its type; split it.", size, limit)
}
