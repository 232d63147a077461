package authz_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/authz/reference"
)

// operatorValues are values for the operators that read their values alike, chosen where readers and orders go wrong: both sides are
// taken from them.
var operatorValues = map[string][]string{
	"StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike StringNotLike": {
		"", "a", "A", "ab", "a\x00b", "i", "I", "İ", "ı", "k", "K", "s", "ſ", "ß", "é", "e\u0301", "*", "?", "a*", "*a", "${k:o}",
		"${k:o, 'd'}", "${k:absent, 'd'}", "${k:absent}", "${k:absent}${ }", "${k:o}${ }", "x${k:o}*", "*${k:o}", "${*}", "xo", "d", "o", "xx", "x", "ax",
	},
	"ArnLike ArnNotEquals": {
		"arn:aws:s3:::b", "arn:aws:s3:::b/*", "arn:*:s3:::b", "arn:aws:s3::", "arn:aws:s3:::b:c", "arn:aws:s*:b", "arn:aws:?3:::b",
		"arn:aws:s3:::${k:o}", "arn:aws:s3:::o", "*", "arn:aws:s3:::b?", "arn:aws:s3:::b/é", "${k:arn}", "${k:arn}*", "arn:aws:*:::b*c",
	},
	"NumericEquals NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan NumericGreaterThanEquals": {
		"0", "-0", "1", "01", "1.0", "1.5", "-1", "-1.5", "-2", "0.1", "00.10", "2", "9", "10", "11", "999999999999999999",
		"1000000000000000000", "9999999999999999999999", "-999999999999999999", "-1000000000000000000", "+1", "1.", ".5", "1e3", "1 ", "/",
		":", "",
	},
	"DateEquals DateNotEquals DateLessThan DateLessThanEquals DateGreaterThan DateGreaterThanEquals": {
		"2020", "2020-01", "2020-01-01", "2020-01-01T00:00Z", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.5Z",
		"2020-01-01T00:00:00.000000001Z", "2019-12-31T23:59:59.999999999Z", "2020-01-01T01:00:00+01:00", "2020-01-01T00:00:01Z",
		"2019-12-31T23:59:59Z", "2020-02-28T12:34:56Z", "2020-02-29T12:34:56Z", "2020-02-30T00:00:00Z", "2021-02-29T00:00:00Z",
		"2020-12-28T23:59:59Z", "2020-13-01T00:00:00Z", "2020-00-10T00:00:00Z", "2020-01-00T00:00:00Z", "2020-01-01T24:00:00Z",
		"2020-01-01T00:60:00Z", "2020-01-01T00:00:60Z", "2020-01-01T00:00:0/Z", "2020-01-01T00:00:0:Z", "2020-01-01T00:00:00z",
		"2020-01-01 00:00:00Z", "2020-01-01T1:00:00Z", "2020-01-01T00:00:00,5Z", "20200101", "1577836800", "1577836801", "1577836800.5",
		"253402300799", "253402300800", "-1", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "99999-01-01", "2020-1-1", "2020-01-0",
	},
	"Bool": {"true", "TRUE", "false", "False", "t", "f", "trua", "", "1", "${k:bool}", "${k:absent}", "${k:bool, 'false'}"},
	"BinaryEquals": {
		"YQ==", "YQ", "YR==", "Y\nQ==", "", "aGFsbG8=", "aGFsbA==", "====", "aGFsbG8gd2VsdA==",
	},
	"IpAddress NotIpAddress": {
		"192.0.2.0", "192.0.2.1", "192.0.2.255", "192.0.3.0", "192.0.1.255", "192.0.2.0/24", "192.0.2.9/24", "192.0.2.0/31", "0.0.0.0",
		"0.0.0.0/0", "255.255.255.255", "255.255.255.255/32", "255.255.255.0/24", "::ffff:192.0.2.1", "::ffff:192.0.2.0/120", "::ffff:0:0/96",
		"::ffff:0:0/95", "::192.0.2.1", "::", "::/0", "::/1", "::1/128", "2001:db8::", "2001:db8::/32", "2001:db8::/33", "2001:db8:8000::",
		"2001:db8:7fff::", "2001:db8::/64", "2001:db8:0:0:ffff::", "2001:db8:0:1::", "2001:db8::/65", "2001:db8:0:0:8000::",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff::/16", "fe80::1%eth0", "fe80::1", "fe80::1%eth0/64", "192.0.2.1/33", "01.2.3.4", "",
	},
	"Null": {"true", "false", "TRUE", "1", ""},
}

// TestEveryPair compares the evaluators on every pair of values of an operator, in one form of it or another. The other values are
// there, too, in conditions of statements about another action, so that they divide the values of the index by key. Short tests take a
// third of the values for the policies.
func TestEveryPair(t *testing.T) {
	for operators, values := range operatorValues {
		for operator := range strings.FieldsSeq(operators) {
			t.Run(operator, func(t *testing.T) {
				forms := []string{"%s", "%s", "%sIfExists", "%s", "ForAllValues:%s", "%s", "ForAnyValue:%sIfExists"}
				for i, want := range values {
					if testing.Short() && i%3 != 0 {
						continue
					}
					checkPairs(t, fmt.Sprintf(forms[i%len(forms)], operator), want, values[(i+1)%len(values)], values)
				}
			})
		}
	}
}

// checkPairs asks for each value of a request whether an Allow, and a Deny, with the condition match.
func checkPairs(t *testing.T, operator, want, second string, values []string) {
	t.Helper()
	for _, effect := range []string{"Allow", "Deny"} {
		statements := []string{conditional(effect, "a:b", operator, want), conditional(effect, "c:d", operator, want, second)}
		asked := authz.Policies{Identity: []authz.Policy{named("p", strings.Join(statements, ","))}}
		for _, v := range values {
			statements = append(statements, conditional("Allow", "a:none", operator, v))
		}
		set := authz.CompileIndexed(authz.Policies{Identity: []authz.Policy{named("p", strings.Join(statements, ","))}})
		for _, action := range []string{"a:b", "c:d"} {
			for _, got := range append([]string{"absent", "none of these", "0001-01-01"}, values...) {
				req := alice(action, "arn:aws:s3:::b")
				req.Context.Set("k:o", "o")
				req.Context.Set("k:arn", "arn:aws:s3:::b")
				req.Context.Set("k:bool", "true")
				if got != "absent" {
					req.Context.Set("k:k", got)
				}
				d := reference.Decide(req, asked)
				if c := set.Decide(&req); c.Allowed != d.Allowed || c.Explicit != d.Explicit || c.Statement != d.Statement {
					t.Fatalf("%s %s %q, got %q, action %s: %v %v %d, the reference says %v %v %d", effect, operator, want, got, action,
						c.Allowed, c.Explicit, c.Statement, d.Allowed, d.Explicit, d.Statement)
				}
			}
		}
	}
}

// conditional is a statement with one condition on k:k.
func conditional(effect, action, operator string, values ...string) string {
	list, err := json.Marshal(values)
	if err != nil {
		panic(err) // strings always encode
	}
	return fmt.Sprintf(`{"Effect":%q,"Action":%q,"Resource":"*","Condition":{%q:{"k:k":%s}}}`, effect, action, operator, list)
}
