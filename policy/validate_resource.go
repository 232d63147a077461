package policy

import (
	"fmt"
	"strings"
)

// eachResource checks the form of resources: with legacy, what AWS's older parser refuses before the other checks; else the rest.
func (c *checker) eachResource(legacy bool) {
	c.each(func(s *statement) {
		if c.rules.resource == forbidden {
			return
		}
		for _, list := range [][]Text{s.Resource, s.NotResource} {
			for _, t := range list {
				code, message := c.resourceProblem(t.Value)
				if code != "" && legacy == (message == legacyParsing) {
					c.fail(code, t.Span, "%s", message)
				}
			}
		}
	})
}

// resourceProblem says what is wrong with a resource, in AWS's words (iam.md L4); code is "" when nothing is. Missing segments
// at the end are allowed: IAM reads them as * (iam.md R4), except in SCPs and RCPs.
func (c *checker) resourceProblem(resource string) (code, message string) {
	if resource == "*" {
		return "", ""
	}
	notARN := fmt.Sprintf("Resource %s must be in ARN format or \"*\".", resource)
	parts := strings.SplitN(resource, ":", 6)
	if len(parts) < 2 {
		return "INVALID_ARN_RESOURCE", notARN
	}
	if !isPartition(parts[1]) {
		rest := append(parts[2:], "*", "*", "*", "*")[:4]
		return "INVALID_PARTITION", fmt.Sprintf("Partition \"%[1]s\" is not valid for resource \"arn:%[1]s:%[2]s\".",
			parts[1], strings.Join(rest, ":"))
	}
	switch {
	case parts[0] != "arn":
		return "INVALID_ARN_PREFIX", notARN
	case len(parts) < 3 || strings.ContainsAny(parts[2], "*?$"):
		return vendorCode(parts), "Resource vendor must be fully qualified and cannot contain regexes."
	case parts[2] == "", len(parts) < 6 && strings.Contains(resource, "::"):
		return "MISSING_ARN_FIELD", legacyParsing
	case len(parts) < 6 && c.wantsWholeARN(resource):
		return "MISSING_ARN_FIELD", notARN
	case parts[2] == "iam":
		return iamResourceProblem(resource, parts)
	case parts[2] == "s3" && len(parts) == 6 && parts[3] != "" && parts[4] == "":
		// Buckets have neither region nor account; access points and jobs have both.
		return "ARN_REGION_NOT_ALLOWED", fmt.Sprintf("Resource %s can not contain region information.", resource)
	}
	return "", ""
}

// vendorCode is the code for an ARN whose service is missing or a pattern.
func vendorCode(parts []string) string {
	switch {
	case len(parts) < 3:
		return "MISSING_ARN_FIELD"
	case strings.Contains(parts[2], "$"):
		return "VARIABLE_UNSUPPORTED_IN_ELEMENT"
	}
	return "WILDCARD_IN_SERVICE_NAME"
}

// wantsWholeARN tells whether an ARN that lacks segments is refused (iam.md R4).
func (c *checker) wantsWholeARN(resource string) bool {
	return c.kind == ResourceControl || c.kind == ServiceControl && !strings.HasSuffix(resource, "*")
}

// isPartition takes the partitions of AWS and patterns, which AWS's own managed policies contain ("arn:*:…").
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
func isPartition(s string) bool {
	switch s {
	case "aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc":
		return true
	}
	return strings.ContainsAny(s, "*?") && !strings.Contains(s, "$")
}

// iamResourceProblem checks what only IAM's ARNs have: no region, and a path that starts with the type of the resource.
func iamResourceProblem(resource string, parts []string) (code, message string) {
	if len(parts) > 3 && parts[3] != "" && parts[3] != "*" {
		return "ARN_REGION_NOT_ALLOWED", fmt.Sprintf("IAM resource %s cannot contain region information.", resource)
	}
	if len(parts) < 6 || parts[5] == "root" {
		return "", ""
	}
	types := []string{
		"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/", "sms-mfa/",
		"saml-provider/", "oidc-provider/", "report/", "access-report/",
	}
	kind, _, slash := strings.Cut(parts[5], "/")
	for _, t := range types {
		// A wildcard or a variable may stand for any part of the type.
		if strings.ContainsAny(kind, "*?$") || slash && kind+"/" == t {
			return "", ""
		}
	}
	return "INVALID_ARN_RESOURCE", "IAM resource path must either be \"*\" or start with " + strings.Join(types, ", ") + "."
}
