package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/simulation"
)

func (s *simulatorHandlers) simulateCustomPolicy(
	ctx context.Context, c *service.Call, in *sdk.SimulateCustomPolicyInput,
) (*sdk.SimulateCustomPolicyOutput, error) {
	r, err := s.simulate(ctx, in, simulation.Question{Principal: authz.Principal{Kind: authz.User, Account: c.Account}})
	if err != nil {
		return nil, err
	}
	return &sdk.SimulateCustomPolicyOutput{EvaluationResults: r.items, IsTruncated: r.truncated, Marker: r.marker}, nil
}

// simulate answers a request for a simulation. q has what the request does not say: whose policies are there already.
func (s *simulatorHandlers) simulate(ctx context.Context, in *sdk.SimulateCustomPolicyInput, q simulation.Question) (listing[types.EvaluationResult], error) {
	var none listing[types.EvaluationResult]
	if err := s.checkSimulation(in); err != nil {
		return none, err
	}
	if err := s.simulatedPolicies(in, &q); err != nil {
		return none, err
	}
	if err := s.simulatedCaller(in, &q); err != nil {
		return none, err
	}
	if err := simulatedContext(in.ContextEntries, &q); err != nil {
		return none, err
	}
	each := weightOf(&q)
	if each > simulationSize {
		return none, invalidInput("The simulation has too many resources and statements.") // AWS's bound is not known
	}
	from, err := newSimulationPage(in, each)
	if err != nil {
		return none, err
	}
	simulator := simulation.New(q, s.actions)
	out := listing[types.EvaluationResult]{items: []types.EvaluationResult{}}
	for _, action := range in.ActionNames[from.first:from.end] {
		if err := ctx.Err(); err != nil {
			return none, err
		}
		out.items = append(out.items, simulator.Result(action))
	}
	if from.end < len(in.ActionNames) {
		out.truncated, out.marker = true, newMarker(simulationMarker(from.end))
	}
	return out, nil
}

// checkSimulation checks what can be told from the members of a request alone.
func (s *simulatorHandlers) checkSimulation(in *sdk.SimulateCustomPolicyInput) error {
	if err := checkActionNames(in.ActionNames); err != nil {
		return err
	}
	if err := checkResourceARNs(in.ResourceArns); err != nil {
		return err
	}
	explicit := len(in.ResourceArns) > 0 && in.ResourceArns[0] != "*"
	if !explicit {
		return nil
	}
	if err := s.checkSameAuthorization(in.ActionNames); err != nil {
		return err
	}
	return checkResourceHandling(aws.ToString(in.ResourceHandlingOption), in.ActionNames)
}
