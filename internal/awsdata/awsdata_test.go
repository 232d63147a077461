package awsdata

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/policy"
)

func load(t testing.TB) *Data {
	t.Helper()
	d, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAction(t *testing.T) {
	d := load(t)
	got, ok := d.Action("LAMBDA:createfunction")
	want := Action{
		Service: "lambda", Name: "CreateFunction", AccessLevel: "Write",
		ResourceTypes: []ResourceTypeRef{{Name: "function", Required: true}},
		ConditionKeys: []string{
			"aws:RequestTag/${TagKey}", "aws:TagKeys", "lambda:CodeSigningConfigArn", "lambda:Layer", "lambda:SecurityGroupIds",
			"lambda:SubnetIds", "lambda:VpcIds",
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); !ok || diff != "" {
		t.Errorf("Action: %t, -want +got\n%s", ok, diff)
	}
	for _, action := range []string{
		"lambda:InvokeFunction", "lambda:InvokeFunctionUrl", "lambda:PassCapacityProvider", "lambda:GetDurableExecution",
		"iam:PassRole", "sts:AssumeRole", "sts:TagSession", "logs:PutLogEvents", "s3:GetObject", "sqs:ReceiveMessage",
	} {
		if a, ok := d.Action(action); !ok || a.Service+":"+a.Name != action {
			t.Errorf("Action(%q) = %+v, %t", action, a, ok)
		}
	}
	for _, action := range []string{"", "lambda", "lambda:", ":InvokeFunction", "lambda:Invoke*", "lambda:Nothing", "nothing:At", "*", "aws:x"} {
		if a, ok := d.Action(action); ok {
			t.Errorf("Action(%q) = %+v, want none", action, a)
		}
	}
}

func TestResourceType(t *testing.T) {
	d := load(t)
	got, ok := d.ResourceType("Lambda", "Function")
	want := ResourceType{
		Name:          "function",
		ARNPattern:    "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}",
		ConditionKeys: []string{"aws:ResourceTag/${TagKey}"},
	}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("ResourceType: %t, -want +got\n%s", ok, diff)
	}
	if _, ok := d.ResourceType("lambda", "bucket"); ok {
		t.Error("lambda has buckets")
	}
	if _, ok := d.ResourceType("nothing", "function"); ok {
		t.Error("an unknown service has functions")
	}
}

func TestConditionKey(t *testing.T) {
	d := load(t)
	for _, test := range []struct {
		service, key, name, kind string
		multi                    bool
	}{
		{"lambda", "lambda:layer", "lambda:Layer", "ArrayOfString", true},
		{"lambda", "lambda:FunctionArn", "lambda:FunctionArn", "ARN", false},
		{"lambda", "AWS:SourceIP", "aws:SourceIp", "IPAddress", false},
		{"lambda", "aws:ResourceTag/Team", "aws:ResourceTag/${TagKey}", "String", false},
		{"lambda", "aws:PrincipalTag/Team", "aws:PrincipalTag/${TagKey}", "String", false},
		{"s3", "s3:ExistingObjectTag/x", "s3:ExistingObjectTag/<key>", "String", false},
		{"unknown", "aws:CurrentTime", "aws:CurrentTime", "Date", false},
		{"s3", "lambda:SourceFunctionArn", "lambda:SourceFunctionArn", "ARN", false},
	} {
		got, ok := d.ConditionKey(test.service, test.key)
		if want := (ConditionKey{test.name, test.kind}); !ok || got != want || got.Multi() != test.multi {
			t.Errorf("ConditionKey(%s, %s) = %+v, %t; want %+v", test.service, test.key, got, ok, want)
		}
	}
	for _, key := range []string{"", "s3:prefix", "aws:PrincipalTag/", "aws:Nothing"} {
		if k, ok := d.ConditionKey("lambda", key); ok {
			t.Errorf("ConditionKey(lambda, %q) = %+v, want none", key, k)
		}
	}
}

func TestFits(t *testing.T) {
	for _, test := range []struct {
		key, template string
		want          bool
	}{
		{"a:b", "a:b", true},
		{"a:b", "a:c", false},
		{"a:tag/x", "a:tag/${key}", true},
		{"a:tag/x/y", "a:tag/<key>", true},
		{"a:tag/", "a:tag/${key}", false},
		{"a:x/1.type", "a:x/${i}.type", true},
		{"a:x/.type", "a:x/${i}.type", false},
		{"a:x/1.kind", "a:x/${i}.type", false},
		{"a:x/1/y/2", "a:x/${i}/y/${j}", true},
		{"a:x/1/y/", "a:x/${i}/y/${j}", false},
		{"a:x/1/z/2", "a:x/${i}/y/${j}", false},
		{"a", "a${", false},
	} {
		if got := fits(test.key, test.template); got != test.want {
			t.Errorf("fits(%q, %q) = %t", test.key, test.template, got)
		}
	}
}

// Every service is read, which shows that no table is damaged, and every name in it refers to something.
func TestServices(t *testing.T) {
	d := load(t)
	services := d.Services()
	if len(services) < 440 || !slices.IsSorted(services) || slices.Contains(services, GlobalService) {
		t.Errorf("%d services, sorted %t", len(services), slices.IsSorted(services))
	}
	actions := 0
	for _, name := range services {
		s, ok := d.service(name)
		if !ok {
			t.Fatalf("no service %s", name)
		}
		actions += len(s.Actions)
		for key, a := range s.Actions {
			if a.Service != name || strings.ToLower(a.Name) != key || a.AccessLevel == "" {
				t.Errorf("action %s:%s is %+v", name, key, a)
			}
		}
		for key, r := range s.ResourceTypes {
			if strings.ToLower(r.Name) != key || r.ARNPattern == "" {
				t.Errorf("resource type %s %s is %+v", name, key, r)
			}
		}
	}
	if actions < 21_000 {
		t.Errorf("%d actions", actions)
	}
	lambda, _ := d.service("lambda")
	if len(lambda.Actions) < 119 {
		t.Errorf("%d actions of lambda", len(lambda.Actions))
	}
}

func TestManagedPolicy(t *testing.T) {
	d := load(t)
	const arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
	got, ok := d.ManagedPolicy(arn)
	date := time.Date(2015, time.April, 9, 15, 3, 43, 0, time.UTC)
	want := ManagedPolicy{
		ARN: arn, Name: "AWSLambdaBasicExecutionRole", Path: "/service-role/", DefaultVersionID: "v1", CreateDate: date, UpdateDate: date,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(ManagedPolicy{})); !ok || diff != "" {
		t.Errorf("ManagedPolicy: %t, -want +got\n%s", ok, diff)
	}
	document := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}`
	if diff := cmp.Diff(document, got.Document()); diff != "" {
		t.Errorf("document: -want +got\n%s", diff)
	}
	for _, arn := range []string{"", strings.ToLower(arn), "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole"} {
		if p, ok := d.ManagedPolicy(arn); ok {
			t.Errorf("ManagedPolicy(%q) = %+v, want none", arn, p)
		}
	}
}

// AWS's own policies are also the largest body of policies that AWS has certainly accepted.
func TestManagedPoliciesAreValid(t *testing.T) {
	d := load(t)
	var arns []string
	for p := range d.ManagedPolicies() {
		arns = append(arns, p.ARN)
		if _, problem := policy.Problem([]byte(p.Document()), policy.Identity); problem != "" {
			t.Errorf("%s: %s", p.ARN, problem)
		}
		if p.UpdateDate.Before(p.CreateDate) || p.ARN != "arn:aws:iam::aws:policy"+p.Path+p.Name {
			t.Errorf("%+v", p)
		}
	}
	if len(arns) < 1500 || !slices.IsSorted(arns) {
		t.Errorf("%d policies, sorted %t", len(arns), slices.IsSorted(arns))
	}
	for range d.ManagedPolicies() {
		break // the iterator must stop
	}
}

func TestParsePolicyErrors(t *testing.T) {
	for _, line := range []string{"", "/a\tv1", "/a\tv1\tx\t2015-01-01T00:00:00Z", "/a\tv1\t2015-01-01T00:00:00Z\tx"} {
		if p, err := parsePolicy(line); err == nil {
			t.Errorf("parsePolicy(%q) = %+v", line, p)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	d := load(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, action := range []string{"lambda:InvokeFunction", "iam:PassRole", "s3:GetObject"} {
				if _, ok := d.Action(action); !ok {
					t.Errorf("no %s", action)
				}
			}
			if p, ok := d.ManagedPolicy("arn:aws:iam::aws:policy/AdministratorAccess"); !ok || p.Document() == "" {
				t.Error("no AdministratorAccess")
			}
		})
	}
	wg.Wait()
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		load(b)
	}
}

func BenchmarkFirstAction(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		d := load(b)
		if _, ok := d.Action("lambda:InvokeFunction"); !ok {
			b.Fatal("no lambda:InvokeFunction")
		}
	}
}

func BenchmarkAction(b *testing.B) {
	d := load(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := d.Action("lambda:InvokeFunction"); !ok {
			b.Fatal("no lambda:InvokeFunction")
		}
	}
}
