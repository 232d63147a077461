package awsdata

import (
	"slices"
	"testing"
)

func TestMatching(t *testing.T) {
	d := load(t)
	for pattern, want := range map[string]int{
		"sqs:SendMessage":           1,
		"SQS:sendmessage":           1,
		"sqs:SendMessageBatches":    0,
		"sqs:Send*":                 1,
		"sq?:SendMessag?":           1,
		"lambda:*FunctionUrlConfig": 4,
		"lambda":                    0,
		"lambda:[A-Z]*":             0,
		"none:*":                    0,
	} {
		if got := d.Matching(pattern); len(got) != want {
			t.Errorf("%s: got %d actions %v, want %d", pattern, len(got), got, want)
		}
	}
	all := d.Matching("*")
	if len(all) < 15_000 || len(all) != len(d.Matching("*:*")) {
		t.Errorf("got %d actions in all", len(all))
	}
	if got := len(d.Matching("s3:*")); got != len(d.Names("s3")) {
		t.Errorf("s3:*: got %d actions", got)
	}
}

func TestSupports(t *testing.T) {
	d := load(t)
	for _, tt := range []struct {
		action, key string
		want        bool
	}{
		{"s3:GetObject", "s3:ExistingObjectTag/team", true},
		{"s3:GetObject", "S3:existingobjecttag/team", true},
		{"s3:GetObject", "s3:prefix", false},
		{"s3:ListBucket", "s3:prefix", true},
		{"lambda:GetFunction", "aws:ResourceTag/team", true}, // by its resource type
		{"lambda:ListFunctions", "aws:ResourceTag/team", false},
	} {
		a, ok := d.Action(tt.action)
		if !ok {
			t.Fatalf("no action %s", tt.action)
		}
		if got := d.Supports(a, tt.key); got != tt.want {
			t.Errorf("%s, %s: got %t", tt.action, tt.key, got)
		}
	}
}

func TestServicesOwn(t *testing.T) {
	d := load(t)
	if got := d.ConditionKeys("sqs"); got == nil || !slices.IsSorted(got) {
		t.Errorf("keys of sqs: %v", got)
	}
	types := d.ResourceTypes("sqs")
	if len(types) != 1 || types[0].Name != "queue" {
		t.Errorf("resource types of sqs: %v", types)
	}
	if d.ConditionKeys("none") != nil || d.ResourceTypes("none") != nil {
		t.Error("a service that is not there has keys or types")
	}
}
