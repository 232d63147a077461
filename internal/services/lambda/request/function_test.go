package request

import (
	"regexp"
	"strings"
	"testing"

	"github.com/licet/licet/internal/service"
)

const (
	account  = "111122223333"
	stranger = "444455556666"
	region   = "eu-central-1"
	arnOfF   = "arn:aws:lambda:eu-central-1:111122223333:function:f"
)

var testCall = &service.Call{Account: account, Region: region, Partition: "aws"}

func TestParseName(t *testing.T) {
	mine := Function{Partition: "aws", Region: region, Account: account, Name: "f"}
	with := func(change func(*Function)) *Function {
		r := mine
		change(&r)
		return &r
	}
	for name, want := range map[string]*Function{
		"f":                         &mine,
		"f:live":                    with(func(r *Function) { r.Qualifier = "live" }),
		"f:$LATEST":                 with(func(r *Function) { r.Qualifier = "$LATEST" }),
		"f:7":                       with(func(r *Function) { r.Qualifier = "7" }),
		"function:f":                &mine,
		"111122223333:function:f":   &mine,
		"444455556666:function:f:7": with(func(r *Function) { r.Account, r.Qualifier = stranger, "7" }),
		"us-east-1:444455556666:function:f": with(func(r *Function) {
			r.Region, r.Account = "us-east-1", stranger
		}),
		arnOfF:           &mine,
		arnOfF + ":live": with(func(r *Function) { r.Qualifier = "live" }),
		"arn:aws-us-gov:lambda:us-gov-west-1:444455556666:function:f": with(func(r *Function) {
			r.Partition, r.Region, r.Account = "aws-us-gov", "us-gov-west-1", stranger
		}),
		// A name that looks like a region.
		"my-func-1:live": with(func(r *Function) { r.Name, r.Qualifier = "my-func-1", "live" }),
		"my:function":    with(func(r *Function) { r.Name, r.Qualifier = "my", "function" }),
		"111122223333:f": with(func(r *Function) { r.Name, r.Qualifier = account, "f" }),
		"function":       with(func(r *Function) { r.Name = "function" }),

		"":                                     nil,
		"f:":                                   nil,
		":f":                                   nil,
		"f g":                                  nil,
		"f\n":                                  nil,
		"f*":                                   nil,
		"f:$OTHER":                             nil,
		"f:1:2":                                nil,
		"1111:function:f":                      nil,
		"us-east-1:function:f":                 nil,
		"arn:aws:lambda:f":                     nil,
		"arn:aws:lambda:us-east-1:f":           nil,
		"arn:aws:s3:us-east-1:111122223333:f":  nil,
		"arn:aws:lambda:us-east-1::function:f": nil,
		"arn::lambda:us-east-1:111122223333:function:f": nil,
		strings.Replace(arnOfF, "function", "layer", 1): nil,
	} {
		got, ok := parseName(testCall, name, FunctionName.Pattern)
		if ok != (want != nil) {
			t.Errorf("%q: got %+v, %v", name, got, ok)
		} else if ok && got != *want {
			t.Errorf("%q: got %+v, want %+v", name, got, *want)
		}
	}
}

// FuzzParseName: a name that is taken satisfies the model's pattern, has no separator in its parts, and its ARN reads back.
func FuzzParseName(f *testing.F) {
	for _, s := range []string{"f", "f:1", arnOfF + ":live", "111122223333:function:f",
		"us-east-1:111122223333:function:f:$LATEST", "a.b"} {
		f.Add(s)
	}
	part := regexp.MustCompile(`\A[a-zA-Z0-9-_.]+\z`)
	f.Fuzz(func(t *testing.T, s string) {
		for _, p := range []*Pattern{FunctionName.Pattern, NamespacedName.Pattern} {
			r, ok := parseName(testCall, s, p)
			if !ok {
				continue
			}
			if !p.compiled.MatchString(s) {
				t.Fatalf("%q taken against the pattern", s)
			}
			if !part.MatchString(r.Name) || !IsAccount(r.Account) || !part.MatchString(r.Region) {
				t.Fatalf("%q: got %+v", s, r)
			}
			if back, ok := parseName(testCall, r.ARN(), p); !ok || back != r {
				t.Fatalf("%q: ARN %s reads as %+v, want %+v", s, r.ARN(), back, r)
			}
		}
	})
}
