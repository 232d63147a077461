package simulator

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/simulation"
)

func (s *handlers) simulateCustomPolicy(
	ctx context.Context, c *service.Call, in *sdk.SimulateCustomPolicyInput,
) (*sdk.SimulateCustomPolicyOutput, error) {
	r, err := s.simulate(ctx, in, simulation.Question{Principal: authz.Principal{Kind: authz.User, Account: c.Account}})
	if err != nil {
		return nil, err
	}
	return &sdk.SimulateCustomPolicyOutput{EvaluationResults: r.Items, IsTruncated: r.Truncated, Marker: r.Marker}, nil
}

// simulate answers a request for a simulation. q has what the request does not say: whose policies are there already.
func (s *handlers) simulate(
	ctx context.Context, in *sdk.SimulateCustomPolicyInput, q simulation.Question,
) (request.Listing[types.EvaluationResult], error) {
	var none request.Listing[types.EvaluationResult]
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
		return none, request.InvalidInput("The simulation has too many resources and statements.") // AWS's bound is not known
	}
	from, err := newSimulationPage(in, each)
	if err != nil {
		return none, err
	}
	simulator := simulation.New(q, s.actions)
	out := request.Listing[types.EvaluationResult]{Items: []types.EvaluationResult{}}
	for _, action := range in.ActionNames[from.first:from.end] {
		if err := ctx.Err(); err != nil {
			return none, err
		}
		out.Items = append(out.Items, simulator.Result(action))
	}
	if from.end < len(in.ActionNames) {
		out.Truncated, out.Marker = true, request.NewMarker(simulationMarker(from.end))
	}
	return out, nil
}

// checkSimulation checks what can be told from the members of a request alone.
func (s *handlers) checkSimulation(in *sdk.SimulateCustomPolicyInput) error {
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
