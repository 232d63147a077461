package organizations

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/store"
)

// defaultRole is the role of a new account that the management account may assume.
const defaultRole = "OrganizationAccountAccessRole"

// newAccount holds the names of a new account against the model. requestTags has done so with its tags.
func newAccount(v *view, in any, _ *authz.Context) error {
	input := in.(*sdk.CreateAccountInput)
	if err := check(input.AccountName, v.patterns.accountName); err != nil {
		return err
	}
	if err := check(input.Email, v.patterns.email); err != nil {
		return err
	}
	if input.RoleName != nil && !v.patterns.roleName.MatchString(*input.RoleName) {
		return invalidInput(types.InvalidInputExceptionReasonInvalidRoleName, "You provided a role name that isn't valid.")
	}
	return checkLength(*input.Email, minEmail, maxEmail)
}

// createAccount makes an account at once and answers IN_PROGRESS, as AWS does, which takes its time.
func createAccount(c *change, in *sdk.CreateAccountInput) (*sdk.CreateAccountOutput, error) {
	if err := c.checkAccountCount(); err != nil {
		return nil, err
	}
	request := accountRequest{ID: newID("car-", requestIDLength), Name: *in.AccountName, Requested: c.now()}
	_, taken, err := c.accounts.AccountOfEmail(c.tx, *in.Email)
	switch {
	case err != nil:
		return nil, err
	case taken:
		request.Failure = types.CreateAccountFailureReasonEmailAlreadyExists
	default:
		if request.Account, err = c.makeAccount(in); err != nil {
			return nil, err
		}
	}
	if err := store.PutJSON(c.tx, requestPrefix(c.org.ID)+request.ID, request); err != nil {
		return nil, err
	}
	status := wireRequest(accountRequest{ID: request.ID, Name: request.Name, Requested: request.Requested})
	return &sdk.CreateAccountOutput{CreateAccountStatus: &status}, nil
}

func (c *change) makeAccount(in *sdk.CreateAccountInput) (id string, err error) {
	tags, err := checkTags(in.Tags)
	if err != nil {
		return "", err
	}
	role := defaultRole
	if in.RoleName != nil {
		role = *in.RoleName
	}
	if id, err = c.accounts.CreateAccount(c.tx, *in.AccountName, *in.Email, role, c.org.Management, c.now()); err != nil {
		return "", err
	}
	return id, c.join(id, types.AccountJoinedMethodCreated, tags)
}

// checkAccountCount counts accounts, and invitations that are open, against the quota.
func (v *view) checkAccountCount() error {
	open, err := v.openInvitations()
	if err != nil {
		return err
	}
	have := len(v.org.sorted(func(n *node) bool { return n.Kind == types.TargetTypeAccount }))
	if have+len(open) >= maxAccounts {
		return constraint(types.ConstraintViolationExceptionReasonAccountNumberLimitExceeded,
			"You have exceeded the allowed number of AWS accounts.")
	}
	return nil
}

func describeCreateAccountStatus(
	v *view, in *sdk.DescribeCreateAccountStatusInput,
) (*sdk.DescribeCreateAccountStatusOutput, error) {
	request, err := store.GetJSON[accountRequest](v.r, requestPrefix(v.org.ID)+*in.CreateAccountRequestId)
	if isMissing(err) {
		return nil, requestNotFound()
	}
	if err != nil {
		return nil, err
	}
	status := wireOutcome(request)
	return &sdk.DescribeCreateAccountStatusOutput{CreateAccountStatus: &status}, nil
}

func listCreateAccountStatus(v *view, in *sdk.ListCreateAccountStatusInput) (*sdk.ListCreateAccountStatusOutput, error) {
	requests, err := scan[accountRequest](v.r, requestPrefix(v.org.ID))
	if err != nil {
		return nil, err
	}
	requests = slices.DeleteFunc(requests, func(r accountRequest) bool {
		return len(in.States) > 0 && !slices.Contains(in.States, wireOutcome(r).State)
	})
	statuses, next, err := paged(requests, func(r accountRequest) string { return r.ID }, in.MaxResults, in.NextToken, wireOutcome)
	return &sdk.ListCreateAccountStatusOutput{CreateAccountStatuses: statuses, NextToken: next}, err
}

// wireRequest is a request that has just been made.
func wireRequest(r accountRequest) types.CreateAccountStatus {
	return types.CreateAccountStatus{
		Id: aws.String(r.ID), AccountName: aws.String(r.Name), RequestedTimestamp: aws.Time(r.Requested),
		State: types.CreateAccountStateInProgress,
	}
}

// wireOutcome is a request with what became of it.
func wireOutcome(r accountRequest) types.CreateAccountStatus {
	out := wireRequest(r)
	out.CompletedTimestamp = aws.Time(r.Requested)
	if r.Failure != "" {
		out.State, out.FailureReason = types.CreateAccountStateFailed, r.Failure
		return out
	}
	out.State, out.AccountId = types.CreateAccountStateSucceeded, aws.String(r.Account)
	return out
}
