package lambda

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

// Limits of the model.
const (
	maxSubnets        = 16
	maxSecurityGroups = 5
)

func (s settings) validateNetwork(v *request.Validator) {
	if s.VpcConfig == nil {
		return
	}
	validateIDs(v, "vpcConfig.subnetIds", s.VpcConfig.SubnetIds, maxSubnets, subnetText)
	validateIDs(v, "vpcConfig.securityGroupIds", s.VpcConfig.SecurityGroupIds, maxSecurityGroups, securityGroupText)
}

// validateIDs checks a list of ids. The words are recorded: https://github.com/appleboy/lambda-action/issues/72 and
// https://github.com/aws-solutions/simple-file-manager-for-amazon-efs/issues/75.
func validateIDs(v *request.Validator, member string, ids []string, most int, t request.Text) {
	if len(ids) > most {
		v.Fail("'"+request.List(ids)+"'", member, "Member must have length less than or equal to "+strconv.Itoa(most))
	}
	for _, id := range ids {
		if len(t.Violated(id)) > 0 {
			v.Fail("'"+request.List(ids)+"'", member, "Member must satisfy constraint: [Member must have length less than or equal to "+
				strconv.Itoa(t.Max)+", Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: ^"+
				t.Pattern.Source+"$, Member must not be null]")
			return
		}
	}
}

// vpcOf finds the VPC of subnets; "" for none.
func (s *Service) vpcOf(subnets []string) (string, error) {
	vpc := ""
	for _, id := range subnets {
		of, ok := s.VPCs(id)
		switch {
		case !ok: // the form is recorded for security groups, the message is EC2's
			return "", fault.InvalidParameter("Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. "+
				"EC2 Error Message: The subnet ID '%s' does not exist", id)
		case vpc != "" && of != vpc: // the text is ours
			return "", fault.InvalidParameter("The subnets of a function must be in one VPC. %s is not in %s.", id, vpc)
		}
		vpc = of
	}
	return vpc, nil
}

// applyNetwork attaches a function to a VPC, or detaches it by empty lists. A list that is not given stays. checkNetwork finds the VPC.
func (v *version) applyNetwork(given *types.VpcConfig) {
	network := types.VpcConfigResponse{SubnetIds: []string{}, SecurityGroupIds: []string{}, Ipv6AllowedForDualStack: aws.Bool(false)}
	if v.Network != nil {
		network = *v.Network
	}
	if given.SubnetIds != nil {
		network.SubnetIds = given.SubnetIds
	}
	if given.SecurityGroupIds != nil {
		network.SecurityGroupIds = given.SecurityGroupIds
	}
	if given.Ipv6AllowedForDualStack != nil {
		network.Ipv6AllowedForDualStack = given.Ipv6AllowedForDualStack
	}
	v.Network = &network
}

// attached tells whether a version is in a VPC.
func (v *version) attached() bool { return v.Network != nil && len(v.Network.SubnetIds) > 0 }

// checkNetwork completes what applyNetwork made.
func (s *Service) checkNetwork(v *version) error {
	if v.Network == nil {
		return nil
	}
	if (len(v.Network.SubnetIds) == 0) != (len(v.Network.SecurityGroupIds) == 0) {
		// https://github.com/aws/aws-sdk-js/issues/1293
		return fault.InvalidParameter("SubnetIds and SecurityIds must coexist or be both empty list.")
	}
	id, err := s.vpcOf(v.Network.SubnetIds)
	network := *v.Network // it may be that of the version in memory, which is shared
	network.VpcId = &id
	v.Network = &network
	return err
}

// networkNeeds are the permissions by which Lambda looks at subnets and security groups for the caller (lambda.md 2.2).
func (s settings) networkNeeds(c *service.Call) []service.Need {
	if s.VpcConfig == nil {
		return nil
	}
	var needs []service.Need
	describe := func(action string, ids []string) {
		if len(ids) == 0 {
			return
		}
		need := service.Need{Action: "ec2:" + action, Target: service.Target{ARN: "*"}}
		need.Target.Keys.Set("ec2:Region", c.Region)
		need.Denied = func(authz.Decision) error {
			return fault.AccessDenied("Your access has been denied by EC2, please make sure your request credentials have permission to " +
				action + " for " + ids[0] + ". EC2 Error Code: UnauthorizedOperation. " +
				"EC2 Error Message: You are not authorized to perform this operation.") // recorded
		}
		needs = append(needs, need)
	}
	describe("DescribeSecurityGroups", s.VpcConfig.SecurityGroupIds)
	describe("DescribeSubnets", s.VpcConfig.SubnetIds)
	describe("DescribeVpcs", s.VpcConfig.SubnetIds)
	return needs
}
