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
	"github.com/licet/licet/internal/store"
)

func addPermissionReference(c *service.Call, in *sdk.AddPermissionInput) (reference, error) {
	var v validator
	r := v.name(c, in.FunctionName, namespacedNameText)
	v.requiredText("statementId", in.StatementId, statementIDText)
	v.requiredText("action", in.Action, actionText)
	v.requiredText("principal", in.Principal, principalText)
	v.text("sourceArn", in.SourceArn, sourceARNText)
	v.text("sourceAccount", in.SourceAccount, sourceAccountText)
	v.text("eventSourceToken", in.EventSourceToken, eventSourceTokenText)
	v.text("principalOrgID", in.PrincipalOrgID, principalOrgIDText)
	enum(&v, "functionUrlAuthType", in.FunctionUrlAuthType, in.FunctionUrlAuthType.Values())
	return v.resolve(c, r, in.Qualifier)
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
	if r.qualifier == latest {
		return nil, invalidParameter("We currently do not support adding policies for $LATEST.")
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
			return conflict("The statement id (%s) provided already exists. "+
				"Please provide a new statement id, or remove the existing statement.", *in.StatementId)
		}
		p.RevisionID = revision
		p.Statements = append(p.Statements, added)
		if size := len(p.text()); size > maxPolicyLength {
			return userError("PolicyLengthExceededException", http.StatusBadRequest,
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
func (s *Service) policyToAddTo(tx store.Tx, r reference, revision *string) (*resourcePolicy, error) {
	f, err := s.loadFunction(tx, r)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, functionNotFound(r.arn())
	case err != nil:
		return nil, err
	case r.qualifier != "" && !isVersion(r.qualifier) && !strings.Contains(r.qualifier, "$"):
		return nil, notFound("Cannot find alias arn: %s", r.arn())
	case r.qualifier != "":
		return nil, functionNotFound(r.arn())
	}
	p, err := store.GetJSON[resourcePolicy](tx, policyKey(r))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	current := p.RevisionID
	if err != nil {
		current = f.RevisionID
	}
	if revision != nil && *revision != current {
		return nil, preconditionFailed("GetPolicy")
	}
	return &p, nil
}

// newStatement writes the statement that a request asks for: rules of generation in lambda.md 1.2.
func newStatement(r reference, in *sdk.AddPermissionInput) (string, error) {
	principal, err := principalOf(r.partition, *in.Principal)
	if err != nil {
		return "", err
	}
	text, err := encodeJSON(statement{
		Sid: *in.StatementId, Effect: "Allow", Principal: principal, Action: *in.Action, Resource: r.arn(),
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
	case isAccount(principal):
		return statementPrincipal{AWS: "arn:" + partition + ":iam::" + principal + ":root"}, nil
	case servicePrincipal.MatchString(principal):
		return statementPrincipal{Service: principal}, nil
	case accountPrincipal.MatchString(principal), sessionPrincipal.MatchString(principal), identityPrincipal.MatchString(principal):
		return statementPrincipal{AWS: principal}, nil
	}
	return nil, invalidPrincipal()
}

func invalidPrincipal() error {
	return invalidParameter("The provided principal was invalid. Please check the principal and try again.")
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
