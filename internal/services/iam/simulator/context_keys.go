package simulator

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/policy"
)

func (s *handlers) getContextKeysForCustomPolicy(
	_ context.Context, _ *service.Call, in *sdk.GetContextKeysForCustomPolicyInput,
) (*sdk.GetContextKeysForCustomPolicyOutput, error) {
	if len(in.PolicyInputList) == 0 {
		return nil, request.Violation("policyInputList", "Member must not be null")
	}
	keys, err := contextKeysOf(in.PolicyInputList)
	if err != nil {
		return nil, err
	}
	return &sdk.GetContextKeysForCustomPolicyOutput{ContextKeyNames: keys.names}, nil
}

// getContextKeysForPrincipalPolicy includes the boundary, but no policy of an organization: "This operation doesn't return context
// keys referenced by service control policies".
func (s *handlers) getContextKeysForPrincipalPolicy(
	ctx context.Context, c *service.Call, in *sdk.GetContextKeysForPrincipalPolicyInput,
) (*sdk.GetContextKeysForPrincipalPolicyOutput, error) {
	e, err := s.PolicySource(ctx, c, aws.ToString(in.PolicySourceArn))
	if err != nil {
		return nil, err
	}
	keys, err := contextKeysOf(in.PolicyInputList)
	if err != nil {
		return nil, err
	}
	q, err := s.questionAbout(ctx, e, exclusions{scp: true})
	if err != nil {
		return nil, err
	}
	for _, source := range q.Identity {
		keys.add(source.Policy.Document)
	}
	if q.Boundary != nil {
		keys.add(q.Boundary.Policy.Document)
	}
	return &sdk.GetContextKeysForPrincipalPolicyOutput{ContextKeyNames: keys.names}, nil
}

// contextKeys collects the condition keys that policies ask for, each once, as it was first written.
type contextKeys struct {
	names []string
	seen  map[string]bool // by folded name
}

func contextKeysOf(texts []string) (*contextKeys, error) {
	keys := &contextKeys{names: []string{}, seen: make(map[string]bool)}
	for i, text := range texts {
		doc, err := simulatedPolicy("Policy input list item", i, text)
		if err != nil {
			return nil, err
		}
		keys.add(doc)
	}
	return keys, nil
}

// add takes the keys of conditions and those of policy variables in resources and values.
func (k *contextKeys) add(doc *policy.Document) {
	for _, statement := range doc.Statements {
		for _, resources := range [][]policy.Text{statement.Resource, statement.NotResource} {
			k.addVariables(doc, resources)
		}
		for _, c := range statement.Condition {
			k.addName(c.Key.Value)
			k.addVariables(doc, c.Values)
		}
	}
}

// addVariables takes the names between "${" and "}", which documents of the older version do not have (iam.md V1).
func (k *contextKeys) addVariables(doc *policy.Document, texts []policy.Text) {
	if doc.Version != policy.Version2012 {
		return
	}
	for _, text := range texts {
		for _, part := range policy.SplitVariables(text.Value) {
			if part.Kind == policy.Variable {
				k.addName(part.Text)
			}
		}
	}
}

func (k *contextKeys) addName(name string) {
	if folded := authz.FoldKey(name); !k.seen[folded] {
		k.seen[folded] = true
		k.names = append(k.names, name)
	}
}
