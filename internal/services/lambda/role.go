package lambda

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

// needs are the permissions that a caller needs to give a function its role, its layers, its VPC, its file systems and its key
// (lambda.md 2.2).
func (s *Service) needs(ctx context.Context, c *service.Call, given settings, functionARN string) ([]service.Need, error) {
	var needs []service.Need
	if given.Role != nil {
		need, err := passRole(c, *given.Role, functionARN)
		if err != nil {
			return nil, err
		}
		needs = append(needs, need)
	}
	if len(given.Layers) > maxLayers { // each is a decision, which is logged
		return nil, tooManyLayers()
	}
	for _, version := range given.Layers {
		target, err := s.layers.Target(ctx, version)
		if err != nil {
			return nil, err
		}
		needs = append(needs, service.Need{Action: "lambda:GetLayerVersion", Target: target})
	}
	fileSystems, err := given.fileSystemNeeds()
	if err != nil {
		return nil, err
	}
	return slices.Concat(needs, given.networkNeeds(c), fileSystems, given.encryptionNeeds(c)), nil
}

// passRole: keys from https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html. The role's tags are not keys:
// AWS does not evaluate them for iam:PassRole (lambda.md 2.6).
func passRole(c *service.Call, role, functionARN string) (service.Need, error) {
	account, err := roleAccount(role)
	if err != nil {
		return service.Need{}, err
	}
	need := service.Need{Action: "iam:PassRole", Target: service.Target{ARN: role, Account: account}}
	need.Target.Keys.Set("iam:PassedToService", "lambda.amazonaws.com")
	need.Target.Keys.Set("iam:AssociatedResourceArn", functionARN)
	if account != c.Account {
		need.Denied = func(authz.Decision) error { return fault.CrossAccountRole() }
	}
	return need, nil
}

func roleAccount(role string) (string, error) {
	a, err := arn.Parse(role)
	if err != nil { // its pattern is that of an ARN
		return "", fmt.Errorf("parse role: %w", err)
	}
	return a.AccountID, nil
}

// checkRole refuses a role that a function could not use (lambda.md 3.1).
func (s *Service) checkRole(ctx context.Context, c *service.Call, role string, function request.Function) error {
	account, err := roleAccount(role)
	if err != nil {
		return err
	}
	if account != function.Account {
		return fault.CrossAccountRole()
	}
	ok, err := s.Roles.CanAssume(ctx, c, role, function.FunctionARN())
	if err != nil {
		return fmt.Errorf("check trust of %s: %w", role, err)
	}
	if !ok {
		return fault.CannotAssume()
	}
	return nil
}

// checkTargets refuses a role that may not do what the configuration needs of it: Lambda tries it when a role or a target is given
// (lambda.md 3.1). The simulated network interfaces are all of the account, as the Developer Guide grants them
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html, required IAM permissions).
func (s *Service) checkTargets(ctx context.Context, given settings, v *version, r request.Function) error {
	simulate := func(service, action, resource string) error {
		ok, err := s.Roles.Allows(ctx, v.Role, r.FunctionARN(), strings.ToLower(service)+":"+action, resource)
		if err != nil {
			return fmt.Errorf("simulate %s for %s: %w", action, v.Role, err)
		}
		if !ok {
			return fault.InvalidParameter("The provided execution role does not have permissions to call %s on %s", action, service)
		}
		return nil
	}
	if v.attached() && (given.VpcConfig != nil || given.Role != nil) {
		interfaces := "arn:" + r.Partition + ":ec2:" + r.Region + ":" + r.Account + ":*/*"
		for _, try := range [][2]string{
			{"CreateNetworkInterface", interfaces}, {"DescribeNetworkInterfaces", "*"}, {"DeleteNetworkInterface", interfaces},
		} {
			if err := simulate("EC2", try[0], try[1]); err != nil {
				return err
			}
		}
	}
	if v.DeadLetter == "" || given.DeadLetterConfig == nil && given.Role == nil {
		return nil
	}
	if service, action := deadLetterAction(v.DeadLetter); action != "" {
		return simulate(service, action, v.DeadLetter)
	}
	// The text is ours. FIFO queues and topics: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html.
	return fault.InvalidParameter("The target of a dead letter queue must be a standard SQS queue or SNS topic: %s", v.DeadLetter)
}

// deadLetterAction is what the role of a function does with its dead letters.
func deadLetterAction(target string) (service, action string) {
	a, err := arn.Parse(target)
	switch {
	case err != nil || a.Resource == "" || strings.HasSuffix(a.Resource, ".fifo"):
	case a.Service == "sqs":
		return "SQS", "SendMessage"
	case a.Service == "sns":
		return "SNS", "Publish"
	}
	return "", ""
}
