package authztest

import (
	"slices"

	"github.com/licet/licet/authz"
)

// callers who make requests; those that a decision treats alike stand for each other.
var callers = []authz.Principal{
	named("arn:aws:iam::111122223333:user/alice", "AIDAALICE"),
	named("arn:aws:sts::111122223333:assumed-role/r/s", "AROAROLE"),
	named("arn:aws:iam::111122223333:user/alice", ""),
	{
		Kind: authz.AssumedRole, Account: "111122223333", ARN: "arn:aws:sts::111122223333:assumed-role/r/s", ID: "AROAROLE",
		IssuerARN: "arn:aws:iam::111122223333:role/ci/r", SessionName: "s",
	},
	named("arn:aws:sts::111122223333:federated-user/bob", "AIDAALICE"),
	named("arn:aws:sts::111122223333:federated-user/bob", "AIDAALICE"),
	named("arn:aws:iam::111122223333:user/alice", "AIDAALICE"),
	named("arn:aws:sts::111122223333:assumed-role/r/s", "AROAROLE"),
	named("arn:aws:iam::111122223333:root", "111122223333"),
	named("sns.amazonaws.com", ""),
	named("anonymous", ""),
	named("web accounts.google.com", ""),
	named("saml arn:aws:iam::111122223333:saml-provider/p", ""),
	named("arn:aws:iam::999999999999:user/alice", "AIDAOTHER"),
	named("arn:aws:sts::999999999999:assumed-role/r/s", "AROAOTHER"),
	named("arn:aws-cn:iam::111122223333:user/alice", "AIDACHINA"),
	{
		Kind: authz.AssumedRole, Account: "111122223333", ARN: "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/s", ID: "AROASLR",
		IssuerARN: "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX", SessionName: "s", ServiceLinked: true,
	},
}

func named(text, id string) authz.Principal {
	p := Principal(text)
	p.ID = id
	return p
}

// others are principals who are named though they may not have called.
var others = []entry{
	{"AWS", "arn:aws:iam::111122223333:user/alice"},
	{"AWS", "arn:aws:iam::111122223333:user/Alice"},
	{"AWS", "arn:aws:iam::111122223333:user/*"},
	{"AWS", "arn:aws:iam::111122223333:role/r"},
	{"AWS", "arn:aws:sts::111122223333:assumed-role/r/s"},
	{"AWS", "arn:aws:sts::111122223333:federated-user/bob"},
	{"AWS", "111122223333"},
	{"AWS", "999999999999"},
	{"AWS", "arn:aws:iam::999999999999:root"},
	{"AWS", "arn:aws-cn:iam::111122223333:root"},
	{"AWS", "AIDAALICE"},
	{"AWS", "AROAROLE"},
	{"AWS", "sns.amazonaws.com"},
	{"AWS", ""},
	{"AWS", "*"},
	{"AWS", "${aws:PrincipalArn}"},
	{"Service", "sns.amazonaws.com"},
	{"Service", "lambda.amazonaws.com"},
	{"Service", "*"},
	{"Federated", "accounts.google.com"},
	{"Federated", "arn:aws:iam::111122223333:saml-provider/p"},
	{"Federated", "*"},
	{"CanonicalUser", "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},
	{"CanonicalUser", "*"},
}

// actions that are requested.
var actions = []string{
	"s3:GetObject", "s3:PutObject", "sts:AssumeRole", "lambda:InvokeFunction", "lambda:ListFunctions", "s3:GetObject", "sts:AssumeRole",
	"STS:assumerole", "s3:getobject", "kms:Decrypt", "\u212ams:Decrypt", "\u0131am:PassRole", "s3:GET\u0130", "s3:Get\xff", "s3:Get:Object",
	"s3:*", "s3", "*", "", ":",
}

var actionPatterns = []string{
	"*", "s3:*", "S3:Get*", "*:*", "sts:*", "lambda:*", "s3:G?tObject", "s3:getobject", "STS:AssumeRole", "lambda:Invoke*",
	"*Object", "?3:*", "*:GetObject", "s3:*:*", "s3*:*", "*3:*Object*", "kms:*", "\u212ams:*", "iam:*", "\u0131am:*", "s3:get\u0130",
	"s3:get\ufffd", "s3:Get?", "s3:${aws:username}", "s3:Get*Object", "s3:*Get*Ob?ect*", "s3", "s3*", "**", "?", "", ":", "s3:", "*:",
}

// resources that are requested.
var resources = []string{
	"arn:aws:s3:::b/alice", "arn:aws:s3:::b/x:y", "arn:aws:lambda:us-east-1:111122223333:function:f", "*",
	"arn:aws:s3:::b/alice", "arn:aws:lambda:us-east-1:111122223333:function:f:live", "arn:aws:lambda:us-east-1:111122223333:function:f:1",
	"arn:aws:iam::111122223333:role/ci/r", "arn:aws:s3:::b/a*ice", "arn:aws:s3:::b/a?ice", "arn:aws:s3:::b/${aws:username}",
	"arn:aws:s3:::b/\u65e5\u672c", "arn:aws:s3:::b/\xff", "arn:aws:s3:::b/a\xe6\x97", "arn:aws:s3:::B/Alice", "arn:aws:s3:::b/a\nb",
	"arn:aws-cn:s3:::b/alice", "arn:aws:s3:::", "arn:aws:s3", "arn:aws:s3:us:east:1:b/alice", "b/alice", ":::::", "",
}

var resourcePatterns = []string{
	"*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::*", "arn:aws:lambda:*:function:f",
	"arn:aws:lambda:*:*:function:*",
	"arn:aws:s3:::b/?lice", "arn:aws:s3:::b/${aws:PrincipalTag/team}*", "arn:aws:s3:::b/${aws:PrincipalTag/team, 'alice'}",
	"arn:aws:s3:::${aws:nothing, 'b'}/alice", "arn:aws:s3:::b/${aws:nothing}", "arn:aws:s3:::b/${aws:TagKeys}", "arn:aws:s3:::b/${*}",
	"arn:aws:s3:::b/a${*}ice", "arn:aws:s3:::b/a${?}ice", "arn:aws:s3:::b/${$}{aws:username}", "arn:aws:s3:::b/${}",
	"arn:aws:s3:::b/${aws:username", "arn:aws:s3:::b/${ aws:username}", "arn:aws:s3:::b/${aws:username,'x'}",
	"arn:aws:s3:::b/${AWS:UserName}",
	"arn:${aws:nothing, 'aws'}:s3:::b/alice", "arn:aws:s3::${aws:username}:b/*", "${aws:username}*", "${*}", "arn:aws:s3:::${*}",
	"arn:aws:s3:*", "arn:aws:*:b/alice", "arn:*", "arn:aws:s3", "arn:aws:s3:::", "arn:aws:s3::", "arn:aws:lambda:us-east-1", "arn:aws:l*",
	"arn:aws:s?:::b/alice", "arn:a*s:s3:::b/alice", "a*n:*s:s3:::b/alice", "arn:aws:lambda:us-*:1111*:function:f",
	"arn:aws:lambda:us-*-1:1*3:*",
	"arn:aws:s3:::b/x?y", "arn:aws:s3:::b/x:*", "arn:aws:s3:us:*:b/alice", "*:*:*:*:*:*", "*:*", "**", "*alice", "?", "?*",
	"arn:aws:lambda:us-east-1:111122223333:function:f", "arn:aws:lambda:us-east-1:111122223333:function:f*",
	"arn:aws:lambda:us-east-1:111122223333:function:f:*", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::*:role/ci/?",
	"arn:aws:s3:::b/\ufffd", "arn:aws:s3:::b/?", "arn:aws:s3:::b/??", "b/alice", "",
}

// family is a group of condition operators with keys and values that they are for.
type family struct {
	operators []string
	// key has a single value by nature, listKey a list. Both are in requests and in policies.
	key, listKey string
	// values are those of requests and of policies.
	values []string
	// got are values of requests alone, want those of policies; want begins with values.
	got, want []string
}

var families = []family{
	newFamily("aws:username", "aws:TagKeys",
		[]string{"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"},
		[]string{"alice", "bob", "a*", "*", "ALICE", "", "a?ice", "${aws:username}"},
		[]string{"a\xff", "\xff", "alice\n"},
		[]string{
			"alice\x00bob", "a*", "*", "?lice", "al??e", "**", "*a*", "*l*c*", "${aws:username}", "${aws:PrincipalTag/team}", "x${aws:username}*",
			"${AWS:UserName}", "${aws:nothing}", "${aws:nothing, 'alice'}", "${aws:username, 'bob'}", "${aws:TagKeys}", "${*}", "al${*}ce",
			"${*}", "a${*}", "${*}e", "a${?}ice", "${?}lice", "${aws:username}",
			"${?}", "${$}{aws:username}", "${", "${aws:username", "${}", "${ aws:username}", "${aws:username,'x'}", "${aws:username, 'x}",
			"${a,b}",
		}),
	newFamily("aws:PrincipalTag/team", "aws:RequestTag/\u0130",
		[]string{"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"},
		[]string{
			"i", "I", "\u0130", "\u0131", "k", "\u212a", "s", "\u017f", "\u00df", "ss", "SS", "\u03c3", "\u03c2", "\u65e5\u672c",
			"e\u0301", "\u00e9", "\ufffd",
		},
		[]string{"\xe6\x97", "\xff"},
		[]string{"?", "??", "\u65e5?", "*\u672c", "${aws:PrincipalTag/team}", "${aws:requesttag/i}", "${aws:PrincipalTag/TEAM, '\u0131'}"}),
	newFamily("s3:max-keys", "test:Numbers",
		[]string{
			"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
			"NumericGreaterThanEquals",
		},
		[]string{"5", "10", "10.0", "-3", "0", "007", "10.50", "0.1", "99999999999999999999999999999999999999", "-99999999999999999999.5"},
		[]string{"3", "4.5", "100", "-7", "ten", "", "1e1", "+5"},
		[]string{
			"-1000", "1000", "6", "4.99", "-0", "0.10", "99999999999999999999999999999999999998", "1e1", "10abc", "", "+5", " 5",
			"5.", ".5", "--5", "\u0665", "5*", "${s3:max-keys}",
		}),
	newFamily("aws:CurrentTime", "test:Dates",
		[]string{"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"},
		[]string{
			"2026-01-01T00:00:00Z", "1767225600", "2026-01-01", "2026", "2026-01", "2026-01-01T00:00Z", "2025-12-31T19:00:00-05:00",
			"2026-01-01T00:00:00.5Z", "2026-06-15T12:00:00+05:30", "0", "2027",
		},
		[]string{"2030-12-31", "2019-02-01T12:00Z", "4000000000", "100000", "2031", "tomorrow", "1767225600000"},
		[]string{
			"1999", "2099-01-01", "1999-12-31T23:59Z", "5000000000", "2026-01-01T00:00:00,5Z", "2026-01-01T0:00:00Z",
			"2026-01-01T00:00:00", "253402300799", "253402300800", "-1", "20260101",
			"99999999999999999999", "2023-02-29", "2024-02-29", "2016-12-31T23:59:60Z", "2026-01-01 00:00:00Z", "2026-1-1", "", "junk",
			"2026*",
			"${aws:CurrentTime}",
		}),
	newFamily("aws:SecureTransport", "test:Bools", []string{"Bool"},
		[]string{"true", "false", "TRUE", "False"},
		[]string{"yes", ""},
		[]string{"tRuE", "1", "", " true", "truer", "${aws:SecureTransport}", "${aws:nothing, 'true'}", "${aws:nothing}", "${}", "*"}),
	newFamily("test:Digest", "test:Digests", []string{"BinaryEquals"},
		[]string{"aGk=", "aGkh", "", "YQ==", "/+8="},
		[]string{"aGk", "\xff"},
		[]string{"YR==", "aGk=\n", "_-8=", "!!!!", "aGk*", "${test:Digest}"}),
	newFamily("aws:SourceIp", "test:Addresses", []string{"IpAddress", "NotIpAddress"},
		[]string{"192.0.2.7", "192.0.2.200", "2001:db8::1", "2001:0db8:0:0:0:0:0:1", "::ffff:192.0.2.7", "::ffff:c000:207", "::1"},
		[]string{"fe80::1%eth0", "192.0.2", "192.0.2.0/24", ""},
		[]string{
			"192.0.2.0/24", "192.0.2.9/25", "192.0.2.7/32", "192.0.2.7/33", "0.0.0.0/0", "::/0", "2001:db8::/32", "::ffff:192.0.2.0/120",
			"::ffff:0:0/96", "::ffff:0:0/90", "fe80::/10", "fe80::1%eth0", "fe80::1%eth0/64", "192.0.2.07", "192.0.2", "192.0.2.0/024",
			"192.0.2.*",
			"junk", "", "${aws:SourceIp}",
		}),
	newFamily("aws:SourceArn", "test:Arns", []string{"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"},
		[]string{
			"arn:aws:iam::111122223333:user/alice", "arn:aws:sns:us-east-1:111122223333:t", "arn:aws:s3:::b/x:y",
			"arn:aws:lambda:us-east-1:111122223333:function:f",
		},
		[]string{"arn:aws:s3", "*", "", "arn:aws:s3:::b/\xff"},
		[]string{
			"arn:aws:iam::111122223333:user/*", "arn:aws:iam::*:user/${aws:username}", "arn:*:iam::1111*3333:*", "arn:aws:s3:::*",
			"arn:aws:sns:*:*:t",
			"arn:aws:s?s:*:*:?", "arn:aws:sns:*", "arn:aws:*", "arn:aws:iam::*", "*:*:*:*:*:*", "*:*:*:*:*", "*", "arn:aws:s3:::b/x*",
			"arn:aws:lambda:*:function:f",
			"arn:aws:lambda:*:*:function:*", "arn:aws:${aws:nothing, 'sns:us-east-1'}:111122223333:t", "arn:aws:sns:${*}:111122223333:t",
			"${aws:SourceArn}",
			"arn:aws:iam::111122223333:user/${aws:nothing}", "arn:aws:iam::${}:user/alice", "arn:aws:s3", ":::::", "",
		}),
	newFamily("aws:TokenIssueTime", "aws:CalledVia", []string{"Null"},
		[]string{"true", "false"}, []string{""},
		[]string{"TRUE", "False", "maybe", "", "${aws:nothing, 'true'}"}),
	newFamily("aws:userid", "aws:PrincipalOrgPaths",
		[]string{
			"stringEquals", "StringEqual", "StringEqualsifExists", "ForSomeValues:StringEquals", "StringLikeIgnoreCase", "NumericBetween",
			"NumericDateEquals",
			"Numeric", "Date", "", ":", "NotNull", "Arn", "Bool:StringEquals", "StringEqualsIfExists",
		},
		[]string{"AIDAALICE", "AROAROLE:s"}, []string{""}, []string{"AIDA*", "*:s"}),
}

// often are indices of families, as often as they have operators to try.
var often = []int{0, 0, 0, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 5, 6, 6, 7, 7, 7, 7, 8, 9}

func newFamily(key, listKey string, operators, values, got, want []string) family {
	want = slices.Concat(values, want)
	return family{operators: operators, key: key, listKey: listKey, values: values, got: got, want: want}
}
