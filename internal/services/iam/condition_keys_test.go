package iam

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/iamapi"
)

// Every row sets the condition keys that the Service Authorization Reference gives its action, and no other of IAM's own.
func TestConditionKeys(t *testing.T) {
	data, err := awsdata.Load()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	s := aws.String
	tags := []types.Tag{{Key: s("Team"), Value: s("blue")}}
	w.group("x")
	must[sdk.CreateUserOutput](w, &sdk.CreateUserInput{UserName: s("x"), Tags: tags, PermissionsBoundary: s(readOnly)})
	must[sdk.CreateRoleOutput](w, &sdk.CreateRoleInput{RoleName: s("x"), Tags: tags, PermissionsBoundary: s(readOnly), AssumeRolePolicyDocument: s(trustEC2)})
	must[sdk.CreatePolicyOutput](w, &sdk.CreatePolicyInput{PolicyName: s("x"), Tags: tags, PolicyDocument: s(allowAll)})
	must[sdk.CreateInstanceProfileOutput](w, &sdk.CreateInstanceProfileInput{InstanceProfileName: s("x"), Tags: tags})
	rows := 0
	for _, api := range iamapi.API().Operations {
		op, ok := w.ops[api.Name]
		if !ok {
			continue
		}
		in := reflect.New(api.Input)
		for member, value := range map[string]any{
			"UserName": s("x"), "GroupName": s("x"), "RoleName": s("x"), "InstanceProfileName": s("x"), "PolicyName": s("x"), "PolicyArn": s("arn:aws:iam::111122223333:policy/x"),
			"PermissionsBoundary": s(readOnly), "Tags": tags, "TagKeys": []string{"Team"}, "AWSServiceName": s("lambda.amazonaws.com"),
			"AccessKeyId": s("AKIAIOSFODNN7EXAMPLE"), "Arn": s("arn:aws:iam::111122223333:user/x"), "PolicySourceArn": s("arn:aws:iam::111122223333:user/x"),
			"DeletionTaskId": s("task/aws-service-role/x.amazonaws.com/x/1"),
		} {
			if f := in.Elem().FieldByName(member); f.IsValid() && f.Type() == reflect.TypeOf(value) {
				f.Set(reflect.ValueOf(value))
			}
		}
		needs, err := op.Needs(t.Context(), &service.Call{Caller: w.root, Account: account}, in.Interface())
		if err != nil {
			continue // a row whose input needs other members; the count below keeps the walk honest
		}
		rows++
		for _, n := range needs {
			if diff := cmp.Diff(keysOf(n), keysByAWS(t, data, n.Action)); diff != "" {
				t.Errorf("%s, %s (-got +want):\n%s", api.Name, n.Action, diff)
			}
		}
	}
	if rows < 95 {
		t.Errorf("compared %d rows, want 95 or more", rows)
	}
}

// keysOf gives the condition keys of a need without those of the resource's tags, which a resource may have or not.
func keysOf(n service.Need) []string {
	var keys []string
	for name := range n.Target.Keys.All {
		name = strings.TrimSuffix(name, "/Team")
		if !strings.HasSuffix(name, ":ResourceTag") {
			keys = append(keys, strings.ToLower(name))
		}
	}
	slices.Sort(keys)
	return keys
}

// keysByAWS gives the same of an action, without the keys of role templates and security keys, which are not here.
func keysByAWS(t *testing.T, data *awsdata.Data, action string) []string {
	a, ok := data.Action(action)
	if !ok {
		t.Errorf("AWS has no action %s", action)
	}
	var keys []string
	for _, k := range a.ConditionKeys {
		k = strings.TrimSuffix(k, "/${TagKey}")
		if k != "iam:RoleTemplateARN" && k != "iam:RegisterSecurityKey" && !strings.HasPrefix(k, "iam:FIDO-") {
			keys = append(keys, strings.ToLower(k))
		}
	}
	slices.Sort(keys)
	return keys
}
