package policy

import (
	"encoding/base64"
	"net/netip"
	"strings"
)

// noteValues checks the values of conditions against what their operators compare.
func (c *checker) noteValues(s *statement) {
	for _, u := range s.uses {
		if !u.known {
			continue
		}
		if (u.family() == bools || u.isNull()) && u.op.Set == NoSet && len(u.Values) > 1 {
			c.note(Error, "INVALID_CONDITION_MULTIPLE_BOOLEAN", u.Values[1].Span,
				"%s takes one value, and true and false together always match; keep one.", u.op)
		}
		for _, v := range u.Values {
			c.noteValue(u, v)
		}
		if u.family() == addresses && u.name == "aws:sourceip" {
			c.notePrivate(u)
		}
	}
}

func (c *checker) noteValue(u use, v Text) {
	f := u.family()
	if f != strs && f != arns && c.hasVariable(v.Value) {
		c.note(Error, "INVALID_VARIABLE_FOR_OPERATOR", v.Span,
			"%s does not take variables; only string and ARN operators do.", u.op)
		return
	}
	switch f {
	case strs:
		c.noteForm(u, v)
	case numbers:
		if !isNumber(v.Value) {
			c.note(Warning, "TYPE_MISMATCH_NUMBER", v.Span, "%s compares numbers, and this is none; write digits, with a point if need be.", u.op)
		}
	case binaries:
		if _, err := base64.StdEncoding.DecodeString(v.Value); err != nil {
			c.note(Warning, "TYPE_MISMATCH_STRING", v.Span, "%s compares bytes in base64, and this is not base64; encode it.", u.op)
		}
	case dates:
		if u.name != "aws:epochtime" && len(v.Value) != len("2026") && isDigits(v.Value) {
			c.note(Warning, "INVALID_DATE_VALUE", v.Span,
				"Seconds since 1970 may not stand for the time that is meant; write the date as YYYY-MM-DD or with its time.")
		}
	case addresses:
		c.noteAddress(u, v)
	case bools, noFamily: // no family: Null
		if !strings.EqualFold(v.Value, "true") && !strings.EqualFold(v.Value, "false") {
			c.note(Warning, "TYPE_MISMATCH_BOOLEAN", v.Span, "%s takes true or false; write one of them.", u.op)
		}
	case arns:
	}
}

// isNumber takes an integer or a decimal (iam.md C8).
func isNumber(s string) bool {
	whole, fraction, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	return isDigits(whole) && (!point || isDigits(fraction))
}

// noteAddress wants an address or a range in CIDR form, without bits behind the mask.
func (c *checker) noteAddress(u use, v Text) {
	network, ok := readNetwork(v.Value)
	switch {
	case !ok:
		c.note(Error, "TYPE_MISMATCH_IP_RANGE", v.Span,
			"%s compares IP addresses, and this is neither an address nor a range; write it as 203.0.113.0/24.", u.op)
	case network != network.Masked():
		c.note(Suggestion, "IMPROVE_IP_RANGE", v.Span, "The bits behind the mask are ignored; write %s.", network.Masked())
	}
}

// readNetwork reads a range, or an address as a range of one.
func readNetwork(s string) (netip.Prefix, bool) {
	if network, err := netip.ParsePrefix(s); err == nil {
		return network, true
	}
	address, err := netip.ParseAddr(s)
	if err != nil || address.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(address, address.BitLen()), true
}

// notePrivate reports private addresses in aws:SourceIp, which is always a public one: it is absent behind a VPC endpoint.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourceip
func (c *checker) notePrivate(u use) {
	var private []Text
	for _, v := range u.Values {
		if network, ok := readNetwork(v.Value); ok && isPrivate(network) {
			private = append(private, v)
		}
	}
	if len(private) == 0 {
		return
	}
	all, some, effect := "PRIVATE_IP_ADDRESS", "PRIVATE_IP_ADDRESS_SUBSET", "never"
	if u.negated() {
		all, some, effect = "PRIVATE_NOT_IP_ADDRESS", "PRIVATE_NOT_IP_ADDRESS_SUBSET", "always"
	}
	if len(private) == len(u.Values) {
		c.note(Error, all, u.Span, "aws:SourceIp is a public address, so that with private ones alone the condition %s holds; "+
			"list public addresses, or use aws:VpcSourceIp.", effect)
		return
	}
	for _, v := range private {
		c.note(Suggestion, some, v.Span, "aws:SourceIp is a public address, and this private one has no effect; use aws:VpcSourceIp for it.")
	}
}

// isPrivate tells whether a range is within the private ones of RFC 1918 and RFC 4193.
func isPrivate(network netip.Prefix) bool {
	bits := 7 // fc00::/7
	if network.Addr().Is4() {
		switch network.Addr().As4()[0] {
		case 10:
			bits = 8
		case 172:
			bits = 12
		default:
			bits = 16
		}
	}
	return network.Addr().IsPrivate() && network.Bits() >= bits
}

// noteForm checks the values of keys whose values have a known form. Patterns and variables are left alone.
func (c *checker) noteForm(u use, v Text) {
	if u.like() && strings.ContainsAny(v.Value, "*?") || c.hasVariable(v.Value) {
		return
	}
	switch u.name {
	case "aws:sourcevpc":
		if !isVPC(v.Value, "vpc-") {
			c.note(Error, "INVALID_VPC_FORMAT", v.Span, "This is not a VPC; write vpc- and 8 or 17 letters and digits.")
		}
	case "aws:sourcevpce":
		if !isVPC(v.Value, "vpce-") {
			c.note(Error, "INVALID_VPCE_FORMAT", v.Span, "This is not a VPC endpoint; write vpce- and 8 or 17 letters and digits.")
		}
	case "aws:requestedregion":
		if !isRegion(v.Value) && !strings.ContainsAny(v.Value, "*?") {
			c.note(Error, "INVALID_REGION", v.Span, "This is not the name of a Region; write one such as us-east-1.")
		}
	default:
		if labels := principalLabels(u.name); labels > 0 && !isServicePrincipal(v.Value, labels) {
			c.note(Error, "INVALID_SERVICE_PRINCIPAL_FORMAT", v.Span,
				"This is not a service principal; write it in lower case and in full, as %s.", principalExample(labels))
		}
	}
}

func isVPC(s, prefix string) bool {
	id, ok := strings.CutPrefix(s, prefix)
	return ok && (len(id) == 8 || len(id) == 17) && !strings.ContainsFunc(id, notAlphanumeric)
}

// principalLabels is the number of labels that the service principals have in a key's values at least, or 0 for other keys.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
func principalLabels(key string) int {
	switch key {
	case "kms:viaservice":
		return 4
	case "iam:passedtoservice", "iam:awsservicename", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:calledviaawsmcp",
		"aws:principalservicename", "aws:principalservicenameslist":
		return 3
	}
	return 0
}

func principalExample(labels int) string {
	if labels == 4 {
		return "service.region.amazonaws.com"
	}
	return "service.amazonaws.com"
}

func isServicePrincipal(s string, labels int) bool {
	parts := strings.Split(s, ".")
	for _, p := range parts {
		if p == "" || strings.ContainsFunc(p, func(r rune) bool { return r != '-' && (notAlphanumeric(r) || 'A' <= r && r <= 'Z') }) {
			return false
		}
	}
	return len(parts) >= labels
}
