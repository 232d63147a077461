package lambda

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/uuid"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func addPermissionReference(c *service.Call, in *sdk.AddPermissionInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.NamespacedName)
	v.RequiredText("statementId", in.StatementId, request.StatementID)
	v.RequiredText("action", in.Action, actionText)
	v.RequiredText("principal", in.Principal, principalText)
	v.Text("sourceArn", in.SourceArn, sourceARNText)
	v.Text("sourceAccount", in.SourceAccount, sourceAccountText)
	v.Text("eventSourceToken", in.EventSourceToken, eventSourceTokenText)
	v.Text("principalOrgID", in.PrincipalOrgID, request.OrganizationID)
	request.Enum(&v, "functionUrlAuthType", in.FunctionUrlAuthType, in.FunctionUrlAuthType.Values())
	return v.Resolve(c, r, in.Qualifier)
}

func (s *Service) addPermissionTarget(
	ctx context.Context, c *service.Call, in *sdk.AddPermissionInput,
) (service.Target, error) {
	r, err := addPermissionReference(c, in)
	if err != nil {
		return service.Target{}, err
	}
	t, err := s.target(ctx, c, "lambda:AddPermission", r)
	if err != nil {
		return service.Target{}, err
	}
	return withKeys(t, func(keys *authz.Context) {
		keys.Set("lambda:Principal", *in.Principal)
		if in.FunctionUrlAuthType != "" {
			keys.Set("lambda:FunctionUrlAuthType", string(in.FunctionUrlAuthType))
		}
	}), nil
}

func (s *Service) addPermission(
	ctx context.Context, c *service.Call, in *sdk.AddPermissionInput,
) (*sdk.AddPermissionOutput, error) {
	r, err := addPermissionReference(c, in)
	if err != nil {
		return nil, err
	}
	if r.Qualifier == request.Latest {
		return nil, fault.InvalidParameter("We currently do not support adding policies for $LATEST.")
	}
	text, err := newStatement(r, in)
	if err != nil {
		return nil, err
	}
	added, err := s.newPermission(ctx, in, text)
	if err != nil {
		return nil, err
	}
	revision := uuid.NewString()
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		p, err := s.policyToAddTo(tx, r, in.RevisionId)
		if err != nil {
			return err
		}
		if p.find(*in.StatementId) >= 0 {
			return fault.Conflict("The statement id (%s) provided already exists. "+
				"Please provide a new statement id, or remove the existing statement.", *in.StatementId)
		}
		p.RevisionID = revision
		p.Statements = append(p.Statements, added)
		if size := len(p.text()); size > maxPolicyLength {
			return fault.New("PolicyLengthExceededException", http.StatusBadRequest,
				"The final policy size (%d) is bigger than the limit (%d).", size, maxPolicyLength)
		}
		return putPolicy(tx, r, p)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.AddPermissionOutput{Statement: aws.String(text)}, nil
}

// policyToAddTo loads a function's policy, a new one if it has none. With a policy, the revision must be the policy's; without, the
// function's own (lambda.md 1.3, U12).
func (s *Service) policyToAddTo(tx store.Tx, r request.Function, revision *string) (*resourcePolicy, error) {
	f, err := s.load(tx, r)
	switch {
	case errors.Is(err, store.ErrNotFound) && r.Qualifier != "" && !request.IsVersion(r.Qualifier) && !strings.Contains(r.Qualifier, "$"):
		return nil, fault.NotFound("Cannot find alias arn: %s", r.ARN())
	case errors.Is(err, store.ErrNotFound):
		return nil, fault.FunctionNotFound(r.ARN())
	case err != nil:
		return nil, err
	}
	p, err := store.GetJSON[resourcePolicy](tx, policyKey(r))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	current := p.RevisionID
	if err != nil {
		current = f.version.RevisionID
	}
	if revision != nil && *revision != current {
		return nil, fault.PreconditionFailed("GetPolicy")
	}
	return &p, nil
}

// newStatement writes the statement that a request asks for: rules of generation in lambda.md 1.2.
func newStatement(r request.Function, in *sdk.AddPermissionInput) (string, error) {
	principal, err := principalOf(r.Partition, *in.Principal)
	if err != nil {
		return "", err
	}
	text, err := encodeJSON(statement{
		Sid: *in.StatementId, Effect: "Allow", Principal: principal, Action: *in.Action, Resource: r.ARN(),
		Condition: statementConditions(in),
	})
	if err != nil {
		return "", fmt.Errorf("encode statement: %w", err)
	}
	return text, nil
}

func statementConditions(in *sdk.AddPermissionInput) *conditions {
	var all conditions
	equals := stringEquals{
		SourceAccount:       aws.ToString(in.SourceAccount),
		PrincipalOrgID:      aws.ToString(in.PrincipalOrgID),
		FunctionURLAuthType: string(in.FunctionUrlAuthType),
		EventSourceToken:    aws.ToString(in.EventSourceToken),
	}
	if equals != (stringEquals{}) {
		all.StringEquals = &equals
	}
	if in.InvokedViaFunctionUrl != nil {
		all.Bool = &boolKeys{InvokedViaFunctionURL: fmt.Sprint(*in.InvokedViaFunctionUrl)}
	}
	if in.SourceArn != nil {
		all.ArnLike = &arnLike{SourceARN: *in.SourceArn}
	}
	if all == (conditions{}) {
		return nil
	}
	return &all
}

// The forms of a principal. AWS checks service names against a list that it does not publish (lambda.md U4); here every name below
// Amazon's domains is one.
var (
	servicePrincipal  = regexp.MustCompile(`\A[a-z0-9][a-z0-9.-]*\.amazon(aws)?\.com\z`)
	accountPrincipal  = regexp.MustCompile(`\Aarn:aws[a-zA-Z-]*:iam::\d{12}:root\z`)
	identityPrincipal = regexp.MustCompile(`\Aarn:aws[a-zA-Z-]*:iam::\d{12}:(user|role)/[^*?]+\z`)
	sessionPrincipal  = regexp.MustCompile(`\Aarn:aws[a-zA-Z-]*:sts::\d{12}:(assumed-role/[^/*?]+/[^/*?]+|federated-user/[^/*?]+)\z`)
)

func principalOf(partition, principal string) (any, error) {
	switch {
	case principal == "*":
		return "*", nil
	case request.IsAccount(principal):
		return statementPrincipal{AWS: "arn:" + partition + ":iam::" + principal + ":root"}, nil
	case servicePrincipal.MatchString(principal):
		return statementPrincipal{Service: principal}, nil
	case accountPrincipal.MatchString(principal), sessionPrincipal.MatchString(principal), identityPrincipal.MatchString(principal):
		return statementPrincipal{AWS: principal}, nil
	}
	return nil, invalidPrincipal()
}

func invalidPrincipal() error {
	return fault.InvalidParameter("The provided principal was invalid. Please check the principal and try again.")
}

// newPermission is what is kept of a new statement. Users and roles must exist.
func (s *Service) newPermission(ctx context.Context, in *sdk.AddPermissionInput, text string) (permission, error) {
	p := permission{
		Sid: *in.StatementId, Text: text, Principal: *in.Principal, FunctionURLAuthType: string(in.FunctionUrlAuthType),
	}
	if !identityPrincipal.MatchString(p.Principal) {
		return p, nil
	}
	var err error
	if p.PrincipalID, err = s.Principals.UniqueID(ctx, p.Principal); err != nil {
		return permission{}, fmt.Errorf("look up principal %s: %w", p.Principal, err)
	}
	if p.PrincipalID == "" {
		return permission{}, invalidPrincipal()
	}
	p.Text, err = replacePrincipal(text, p.Principal, p.PrincipalID)
	return p, err
}
