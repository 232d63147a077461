package lambda

import (
	"context"
	"fmt"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

// needs are the permissions that a caller needs to give a function its role and its layers (lambda.md 2.2).
func (s *Service) needs(ctx context.Context, c *service.Call, given settings, functionARN string) ([]service.Need, error) {
	var needs []service.Need
	if given.Role != nil {
		need, err := passRole(c, *given.Role, functionARN)
		if err != nil {
			return nil, err
		}
		needs = append(needs, need)
	}
	for _, arn := range given.Layers {
		target, err := s.layers.Target(ctx, arn)
		if err != nil {
			return nil, err
		}
		needs = append(needs, service.Need{Action: "lambda:GetLayerVersion", Target: target})
	}
	return needs, nil
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
