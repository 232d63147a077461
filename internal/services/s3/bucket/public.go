package bucket

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/licet/licet/policy"
)

// IsPublic tells whether a policy is public in S3's sense: "S3 Block Public Access begins by assuming that the policy is public"; it is not
// when every Allow is for fixed principals, or has a condition by which only fixed values of certain keys get in
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status).
func IsPublic(d *policy.Document) bool { return slices.ContainsFunc(d.Statements, grantsPublic) }

func grantsPublic(s policy.Statement) bool {
	return s.Effect == policy.Allow && namesAnybody(s) && !slices.ContainsFunc(s.Condition, limits)
}

// namesAnybody tells whether a statement is for principals that are not fixed.
func namesAnybody(s policy.Statement) bool {
	if s.Principal == nil {
		return true // NotPrincipal
	}
	return s.Principal.Any || slices.ContainsFunc(s.Principal.Entries, func(e policy.PrincipalEntry) bool {
		return strings.ContainsAny(e.Value.Value, "*?")
	})
}

// limits tells whether a condition wants a key to be there, with one of fixed values.
func limits(c policy.Condition) bool {
	op, ok := policy.ParseOperator(c.Operator.Value)
	if !ok || op.IfExists || op.Set == policy.ForAllValues || len(c.Values) == 0 {
		return false
	}
	switch op.Name {
	case "StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress":
	default:
		return false
	}
	key := strings.ToLower(c.Key.Value)
	switch key {
	case "aws:sourceip":
		return !slices.ContainsFunc(c.Values, func(v policy.Text) bool { return isBroad(v.Value) })
	case "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:sourcearn", "aws:sourcevpc",
		"aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount", "aws:sourceorgid", "aws:userid", "aws:username",
		"s3:dataaccesspointarn", "s3:dataaccesspointaccount", "s3:x-amz-server-side-encryption-aws-kms-key-id":
		return !slices.ContainsFunc(c.Values, func(v policy.Text) bool { return !isFixed(key, v.Value) })
	}
	return false
}

// isBroad tells ranges of addresses that are not fixed: "RFC1918 ranges are not considered public", larger ones than these are.
func isBroad(value string) bool {
	p, err := netip.ParsePrefix(value)
	if err != nil {
		a, err := netip.ParseAddr(value)
		return err != nil || !a.IsValid()
	}
	if p.Addr().Is4() {
		return p.Bits() < 8
	}
	return p.Bits() < 32
}

// isFixed tells values without wildcards and variables. Those of ARNs may stand behind the account, that of a user id behind the id of the
// role.
func isFixed(key, value string) bool {
	if value == "" || strings.Contains(value, "${") {
		return false
	}
	i := strings.IndexAny(value, "*?")
	if i < 0 {
		return true
	}
	fixed := value[:i]
	switch key {
	case "aws:userid":
		return strings.HasSuffix(fixed, ":") && i == len(value)-1
	case "aws:principalorgpaths":
		return strings.HasPrefix(fixed, "o-") && strings.Contains(fixed, "/")
	}
	parts := strings.SplitN(fixed, ":", 6)
	return len(parts) == 6 && parts[0] == "arn" && (parts[4] != "" || parts[5] != "")
}
