package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseOperator(t *testing.T) {
	for _, test := range []struct {
		text string
		want Operator
		ok   bool
	}{
		{"StringEquals", Operator{Name: "StringEquals"}, true},
		{"ForAllValues:StringNotLikeIfExists", Operator{ForAllValues, "StringNotLike", true}, true},
		{"ForAnyValue:ArnLike", Operator{ForAnyValue, "ArnLike", false}, true},
		{"Null", Operator{Name: "Null"}, true},
		{"NullIfExists", Operator{}, false},
		{"stringEquals", Operator{}, false},
		{"StringLikeIgnoreCase", Operator{}, false},
		{"ForAnyValue::StringEquals", Operator{}, false},
		{"ForSomeValues:StringEquals", Operator{}, false},
		{":StringEquals", Operator{}, false},
		{"StringEqualsIfExistsIfExists", Operator{}, false},
		{"IfExists", Operator{}, false},
		{"", Operator{}, false},
	} {
		got, ok := ParseOperator(test.text)
		if got != test.want || ok != test.ok {
			t.Errorf("ParseOperator(%q) = %+v, %t; want %+v, %t", test.text, got, ok, test.want, test.ok)
		}
		if ok && got.String() != test.text {
			t.Errorf("ParseOperator(%q).String() = %q", test.text, got.String())
		}
	}
}

func TestSplitVariables(t *testing.T) {
	literal := func(s string) Part { return Part{Text: s} }
	for _, test := range []struct {
		text string
		want []Part
	}{
		{"", nil},
		{"plain *", []Part{literal("plain *")}},
		{"a${aws:username}b", []Part{literal("a"), {Kind: Variable, Text: "aws:username"}, literal("b")}},
		{"${aws:PrincipalTag/a team}", []Part{{Kind: Variable, Text: "aws:PrincipalTag/a team"}}},
		{"${aws:x, 'd'}", []Part{{Kind: Variable, Text: "aws:x", Default: "d", HasDefault: true}}},
		{"${aws:x, ''}", []Part{{Kind: Variable, Text: "aws:x", HasDefault: true}}},
		{"${*}${?}${$}", []Part{{Kind: Escaped, Text: "*"}, {Kind: Escaped, Text: "?"}, {Kind: Escaped, Text: "$"}}},
		{"a${b", []Part{literal("a${b")}},
		{"$a{}", []Part{literal("$a{}")}},
		{"${}", []Part{{Kind: Malformed}}},
		{"${ a}", []Part{{Kind: Malformed, Text: " a"}}},
		{"${a,'d'}", []Part{{Kind: Malformed, Text: "a,'d'"}}},
		{"${a, 'd}", []Part{{Kind: Malformed, Text: "a, 'd"}}},
		{"${a, 'd'e'}", []Part{{Kind: Malformed, Text: "a, 'd'e'"}}},
		{"${a${b}}", []Part{{Kind: Malformed, Text: "a${b"}, literal("}")}},
		{"${**}", []Part{{Kind: Malformed, Text: "**"}}},
	} {
		if diff := cmp.Diff(test.want, SplitVariables(test.text)); diff != "" {
			t.Errorf("SplitVariables(%q): -want +got\n%s", test.text, diff)
		}
	}
}

func FuzzSplitVariables(f *testing.F) {
	f.Add("a${aws:x, 'd'}${*}${b")
	f.Fuzz(func(t *testing.T, text string) {
		var b strings.Builder
		for _, p := range SplitVariables(text) {
			switch {
			case p.Kind == Literal:
				b.WriteString(p.Text)
			case p.HasDefault:
				b.WriteString("${" + p.Text + ", '" + p.Default + "'}")
			default:
				b.WriteString("${" + p.Text + "}")
			}
		}
		if b.String() != text {
			t.Errorf("parts of %q join to %q", text, b.String())
		}
	})
}

func TestSize(t *testing.T) {
	text := []byte("{\t\"a\" :\r\n \"é\u00a0ö\"}")
	for _, test := range []struct {
		kind Kind
		want int
	}{
		{Identity, 11}, {Inline, 11}, {Trust, 11}, {Session, 16}, {ServiceControl, 16}, {ResourceControl, 16}, {VPCEndpoint, 16}, {Resource, 19},
	} {
		if got := Size(text, test.kind); got != test.want {
			t.Errorf("Size(%s) = %d, want %d", test.kind, got, test.want)
		}
	}
}
