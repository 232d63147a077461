package compat

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// IAM's denials name users, roles, groups and instance profiles by kind and name, with no word of whether they exist or of their
// path; policies by ARN, new ones by name; what is yet to be made by ARN.
func TestDenialNames(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), aws.String
	p, r, policy := server.newUser(t), server.newRole(t, trustLambda), server.newPolicy(t, allow("s3:*", "*"))
	pathed := unique("pathed")
	c := server.as(server.root).iam
	must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: &pathed, Path: s("/hidden/")}))(t)
	tags := []types.Tag{{Key: s("k"), Value: s("v")}}
	for _, tt := range []struct {
		action, resource string
		call             func(*iam.Client) error
	}{
		{"GetUser", "user " + p.name, func(c *iam.Client) error { _, err := c.GetUser(ctx, nil); return err }},
		{"GetUser", "user nobody", func(c *iam.Client) error {
			_, err := c.GetUser(ctx, &iam.GetUserInput{UserName: s("nobody")})
			return err
		}},
		{"GetUser", "user " + pathed, func(c *iam.Client) error {
			_, err := c.GetUser(ctx, &iam.GetUserInput{UserName: &pathed})
			return err
		}},
		{"CreateUser", arnPrefix + "user/a/nobody", func(c *iam.Client) error {
			_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: s("nobody"), Path: s("/a/")})
			return err
		}},
		{"ListUsers", arnPrefix + "user/", func(c *iam.Client) error { _, err := c.ListUsers(ctx, nil); return err }},
		{"GetLoginProfile", "user " + pathed, func(c *iam.Client) error {
			_, err := c.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: &pathed})
			return err
		}},
		{"AttachRolePolicy", "role " + r.name, func(c *iam.Client) error {
			_, err := c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &r.name, PolicyArn: &policy})
			return err
		}},
		{"TagRole", r.arn, func(c *iam.Client) error {
			_, err := c.TagRole(ctx, &iam.TagRoleInput{RoleName: &r.name, Tags: tags})
			return err
		}},
		{"PutRolePermissionsBoundary", r.arn, func(c *iam.Client) error {
			_, err := c.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: &r.name, PermissionsBoundary: &policy})
			return err
		}},
		{"DeleteRolePermissionsBoundary", "role " + r.name, func(c *iam.Client) error {
			_, err := c.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: &r.name})
			return err
		}},
		{"SimulatePrincipalPolicy", r.arn, func(c *iam.Client) error {
			_, err := c.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &r.arn, ActionNames: []string{"s3:GetObject"}})
			return err
		}},
		{"GetGroup", "group none", func(c *iam.Client) error {
			_, err := c.GetGroup(ctx, &iam.GetGroupInput{GroupName: s("none")})
			return err
		}},
		{"GetInstanceProfile", "instance profile none", func(c *iam.Client) error {
			_, err := c.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: s("none")})
			return err
		}},
		{"GetPolicy", "policy " + policy, func(c *iam.Client) error {
			_, err := c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &policy})
			return err
		}},
		{"CreatePolicy", "policy none", func(c *iam.Client) error {
			_, err := c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: s("none"), Path: s("/a/"), PolicyDocument: document(allow("s3:*", "*"))})
			return err
		}},
		{"ListPolicies", "policy path /", func(c *iam.Client) error { _, err := c.ListPolicies(ctx, nil); return err }},
		{"ListPolicies", "policy path /a/", func(c *iam.Client) error {
			_, err := c.ListPolicies(ctx, &iam.ListPoliciesInput{PathPrefix: s("/a/")})
			return err
		}},
		{"DeleteServerCertificate", "server certificate none", func(c *iam.Client) error {
			_, err := c.DeleteServerCertificate(ctx, &iam.DeleteServerCertificateInput{ServerCertificateName: s("none")})
			return err
		}},
	} {
		t.Run(tt.action+" "+tt.resource, func(t *testing.T) {
			check(t, tt.call(p.iam), failure{403, "AccessDenied", noPolicyAllows(p.arn, "iam:"+tt.action, tt.resource, "identity-based policy")})
		})
	}
}
