package console

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/edge"
)

func (c *Console) listRoles(v *visit) (listed[types.Role], error) {
	return list(pages(func(marker *string) ([]types.Role, *string, error) {
		out, err := ask[iam.ListRolesOutput](c, v, "iam", "ListRoles", &iam.ListRolesInput{Marker: marker})
		if err != nil {
			return nil, nil, err
		}
		return out.Roles, out.Marker, nil
	}))
}

func (c *Console) listUsers(v *visit) (listed[types.User], error) {
	return list(pages(func(marker *string) ([]types.User, *string, error) {
		out, err := ask[iam.ListUsersOutput](c, v, "iam", "ListUsers", &iam.ListUsersInput{Marker: marker})
		if err != nil {
			return nil, nil, err
		}
		return out.Users, out.Marker, nil
	}))
}

func (c *Console) roles(w http.ResponseWriter, v *visit) error {
	body, err := c.listRoles(v)
	if err != nil {
		return err
	}
	return c.show(w, v, "roles", "Roles", body)
}

type rolePage struct {
	Name    string
	Role    *types.Role
	Refused *refusal
	Trust   *policyText
	// Inline and Managed are the role's policies, Boundary its boundary.
	Inline, Managed listed[*policyText]
	Boundary        *policyText
	BoundaryDenied  *refusal
	Last            listed[entry]
	// Least is the least policy for what was recorded; nil when nothing was.
	Least       *edge.LeastPolicy
	LeastDenied *refusal
	LeastNote   string
}

func (c *Console) role(w http.ResponseWriter, v *visit) error {
	name := v.PathValue("name")
	body := rolePage{Name: name}
	out, err := ask[iam.GetRoleOutput](c, v, "iam", "GetRole", &iam.GetRoleInput{RoleName: &name})
	if body.Refused, err = refused(err); err != nil {
		return err
	}
	if body.Inline.Items, err = c.inlinePolicies(v, name); err != nil {
		if body.Inline.Denied, err = refused(err); err != nil {
			return err
		}
	}
	if body.Managed.Items, err = c.managedPolicies(v, name); err != nil {
		if body.Managed.Denied, err = refused(err); err != nil {
			return err
		}
	}
	if out != nil && out.Role != nil {
		body.Role = out.Role
		if err := c.fillRole(v, &body); err != nil {
			return err
		}
	}
	return c.show(w, v, "role", name, body)
}

func (c *Console) fillRole(v *visit, body *rolePage) (err error) {
	if body.Trust, err = textOfEncoded("trust policy of "+body.Name, "", body.Role.AssumeRolePolicyDocument); err != nil {
		return err
	}
	if b := body.Role.PermissionsBoundary; b != nil {
		body.Boundary, err = c.managedPolicy(v, text(b.PermissionsBoundaryArn))
		if body.BoundaryDenied, err = refused(err); err != nil {
			return err
		}
	}
	arn := text(body.Role.Arn)
	if body.Last, err = c.entries(v, audit.Filter{Principal: arn}, shownDenials, nil); err != nil {
		return err
	}
	least, err := c.config.Log.LeastPolicyOf(v.Context(), v.caller, arn, audit.Filter{})
	if err == nil {
		body.Least = &least
		return nil
	}
	body.LeastDenied, err = refused(err)
	if message, ok := forClient(err); ok {
		body.LeastNote, err = message, nil
	}
	return err
}

func (c *Console) inlinePolicies(v *visit, role string) ([]*policyText, error) {
	names, _, err := pages(func(marker *string) ([]string, *string, error) { // quotas bound the policies of a role
		out, err := ask[iam.ListRolePoliciesOutput](c, v, "iam", "ListRolePolicies", &iam.ListRolePoliciesInput{RoleName: &role, Marker: marker})
		if err != nil {
			return nil, nil, err
		}
		return out.PolicyNames, out.Marker, nil
	})
	if err != nil {
		return nil, err
	}
	var all []*policyText
	for _, name := range names {
		got, err := ask[iam.GetRolePolicyOutput](c, v, "iam", "GetRolePolicy", &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
		if err != nil {
			return nil, err
		}
		t, err := textOfEncoded(name, "", got.PolicyDocument)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

func (c *Console) managedPolicies(v *visit, role string) ([]*policyText, error) {
	attached, _, err := pages(func(marker *string) ([]types.AttachedPolicy, *string, error) {
		out, err := ask[iam.ListAttachedRolePoliciesOutput](c, v, "iam", "ListAttachedRolePolicies",
			&iam.ListAttachedRolePoliciesInput{RoleName: &role, Marker: marker})
		if err != nil {
			return nil, nil, err
		}
		return out.AttachedPolicies, out.Marker, nil
	})
	if err != nil {
		return nil, err
	}
	var all []*policyText
	for _, p := range attached {
		t, err := c.managedPolicy(v, text(p.PolicyArn))
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// managedPolicy reads the version of a managed policy that is in force.
func (c *Console) managedPolicy(v *visit, arn string) (*policyText, error) {
	got, err := ask[iam.GetPolicyOutput](c, v, "iam", "GetPolicy", &iam.GetPolicyInput{PolicyArn: &arn})
	if err != nil {
		return nil, err
	}
	version, err := ask[iam.GetPolicyVersionOutput](c, v, "iam", "GetPolicyVersion",
		&iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: got.Policy.DefaultVersionId})
	if err != nil {
		return nil, err
	}
	return textOfEncoded(text(got.Policy.PolicyName), arn, version.PolicyVersion.Document)
}

// textOfEncoded shows a policy as IAM answers it: URL-encoded.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html
func textOfEncoded(name, arn string, encoded *string) (*policyText, error) {
	source, err := url.PathUnescape(text(encoded))
	if err != nil {
		return nil, fmt.Errorf("read policy %s: %w", name, err)
	}
	t, err := textOfDocument(name, arn, source)
	if err != nil {
		return nil, fmt.Errorf("read policy %s: %w", name, err)
	}
	return t, nil
}
