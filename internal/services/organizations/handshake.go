package organizations

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// handshake is the stored form of an invitation, the one kind of handshake that there is here.
type handshake struct {
	ID           string               `json:"id"`
	Organization string               `json:"organization"`
	Management   string               `json:"management"`
	Account      string               `json:"account"`
	State        types.HandshakeState `json:"state"`
	Requested    time.Time            `json:"requested"`
	Expires      time.Time            `json:"expires"`
	Notes        string               `json:"notes,omitempty"`
	Tags         []tag                `json:"tags,omitempty"`
	// Target is how the account was named; Email and Name are those of the management account, Features the organization's.
	Target   types.HandshakePartyType     `json:"target"`
	TargetID string                       `json:"target_id"`
	Email    string                       `json:"email"`
	Name     string                       `json:"name"`
	Features types.OrganizationFeatureSet `json:"features"`
}

// handshakeLife is how long an invitation stands: "a handshake expires 15 days after it is requested".
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_invites.html
const handshakeLife = 15 * 24 * time.Hour

// handshakeKept is how long a handshake can be seen after it ended: "for 30 days before they are deleted" (API_ListHandshakesForAccount).
const handshakeKept = 30 * 24 * time.Hour

// stateAt is the state with time taken into account.
func (h *handshake) stateAt(now time.Time) types.HandshakeState {
	if h.State == types.HandshakeStateOpen && !now.Before(h.Expires) {
		return types.HandshakeStateExpired
	}
	return h.State
}

func (h *handshake) inviter() string { return h.Management }

func (h *handshake) invitee() string { return h.Account }

// concerns tells whether an account is one of the two.
func (h *handshake) concerns(account string) bool {
	return account == h.Account || account == h.Management
}

func putHandshake(tx store.Tx, h *handshake) error { return store.PutJSON(tx, handshakePrefix+h.ID, h) }

// handshakes gives those that fit.
func handshakes(r store.Reader, fits func(*handshake) bool) ([]*handshake, error) {
	all, err := scan[*handshake](r, handshakePrefix)
	return slices.DeleteFunc(all, func(h *handshake) bool { return !fits(h) }), err
}

// openInvitations are those of the organization that can still be accepted.
func (v *view) openInvitations() ([]*handshake, error) {
	return handshakes(v.r, func(h *handshake) bool {
		return h.Organization == v.org.ID && h.stateAt(v.call.Time) == types.HandshakeStateOpen
	})
}

// dropHandshakes removes those of an organization that goes.
func dropHandshakes(tx store.Tx, organization string) error {
	found, err := handshakes(tx, func(h *handshake) bool { return h.Organization == organization })
	if err != nil {
		return err
	}
	for _, h := range found {
		if err := tx.Delete(handshakePrefix + h.ID); err != nil {
			return err
		}
	}
	return nil
}

func inviteAccount(c *change, in *sdk.InviteAccountToOrganizationInput) (*sdk.InviteAccountToOrganizationOutput, error) {
	tags, err := checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := checkLength(aws.ToString(in.Notes), 0, maxNotes); err != nil {
		return nil, err
	}
	a, err := c.invited(in.Target)
	if err != nil {
		return nil, err
	}
	open, err := c.openInvitations()
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(open, func(h *handshake) bool { return h.Account == a.ID }) {
		return nil, handshakeExists()
	}
	if err := c.checkAccountCount(); err != nil {
		return nil, err
	}
	if err := c.checkInvitationRate(); err != nil {
		return nil, err
	}
	manager := c.org.Nodes[c.org.Management]
	h := &handshake{
		ID: newID("h-", handshakeIDLength), Organization: c.org.ID, Management: c.org.Management, Account: a.ID,
		State: types.HandshakeStateOpen, Requested: c.now(), Expires: c.now().Add(handshakeLife), Notes: aws.ToString(in.Notes), Tags: tags,
		Target: in.Target.Type, TargetID: *in.Target.Id, Email: manager.Email, Name: manager.Name, Features: c.org.FeatureSet,
	}
	return &sdk.InviteAccountToOrganizationOutput{Handshake: c.wireHandshake(h, c.call.Time)}, putHandshake(c.tx, h)
}

// checkInvitationRate counts the invitations of a day, and forgets those that ended long ago: at the latest when they expired.
func (c *change) checkInvitationRate() error {
	all, err := handshakes(c.r, func(h *handshake) bool { return h.Organization == c.org.ID })
	if err != nil {
		return err
	}
	today := 0
	for _, h := range all {
		switch {
		case c.call.Time.Sub(h.Expires) >= handshakeKept:
			if err := c.tx.Delete(handshakePrefix + h.ID); err != nil {
				return err
			}
		case c.call.Time.Sub(h.Requested) < 24*time.Hour && h.State != types.HandshakeStateAccepted:
			today++
		}
	}
	if today >= maxInvites {
		return handshakeConstraint(types.HandshakeConstraintViolationExceptionReasonHandshakeRateLimitExceeded,
			"You attempted to exceed the number of handshakes that you can send in one day.")
	}
	return nil
}

// invited finds whom an invitation is for.
func (c *change) invited(target *types.HandshakeParty) (a Account, err error) {
	var ok bool
	switch target.Type {
	case types.HandshakePartyTypeAccount:
		a, ok, err = c.accounts.Account(c.tx, *target.Id)
	case types.HandshakePartyTypeEmail:
		a, ok, err = c.accounts.AccountOfEmail(c.tx, *target.Id)
	default:
		return Account{}, invalidInput(types.InvalidInputExceptionReasonInvalidPartyTypeTarget,
			"You specified the wrong type of entity (account, organization, or email) as a party.")
	}
	switch {
	case err != nil:
		return Account{}, err
	case !ok: // AWS cannot say so of an email address, to which it writes
		return Account{}, handshakeConstraint(types.HandshakeConstraintViolationExceptionReasonTargetAccountValidationFailure,
			"You can't invite an account that doesn't exist.") // our text
	case c.org.Nodes[a.ID] != nil:
		return Account{}, handshakeConstraint(types.HandshakeConstraintViolationExceptionReasonAlreadyInAnOrganization,
			"The account is already a member of an organization.")
	}
	return a, nil
}

// withHandshake lets an account answer an invitation. party says which of the two accounts may.
func (s *Service) withHandshake(
	ctx context.Context, c *service.Call, id *string, party func(*handshake) string, state types.HandshakeState,
	then func(store.Tx, *handshake) error,
) (out *types.Handshake, err error) {
	err = s.db.Update(ctx, func(tx store.Tx) error {
		h, err := s.readHandshake(tx, id)
		if err != nil {
			return err
		}
		switch now := h.stateAt(c.Time); {
		case party(h) != c.Account:
			return noSay()
		case now == state:
			return alreadyInState(now)
		case now != types.HandshakeStateOpen:
			return invalidTransition(now)
		}
		h.State = state
		if then != nil {
			if err := then(tx, h); err != nil {
				return err
			}
		}
		out = s.wireHandshake(h, c.Time)
		return putHandshake(tx, h)
	})
	return out, err
}

func (s *Service) readHandshake(r store.Reader, id *string) (*handshake, error) {
	h, err := store.GetJSON[*handshake](r, handshakePrefix+aws.ToString(id))
	if isMissing(err) {
		return nil, handshakeNotFound()
	}
	return h, err
}

func (s *Service) acceptHandshake(
	ctx context.Context, c *service.Call, in *sdk.AcceptHandshakeInput,
) (*sdk.AcceptHandshakeOutput, error) {
	h, err := s.withHandshake(ctx, c, in.HandshakeId, (*handshake).invitee, types.HandshakeStateAccepted, func(tx store.Tx, h *handshake) error {
		old, err := organizationOf(tx, c.Account)
		if err != nil {
			return err
		}
		if old != nil {
			return handshakeConstraint(types.HandshakeConstraintViolationExceptionReasonAlreadyInAnOrganization,
				"The account is already a member of an organization.")
		}
		o, err := store.GetJSON[*tree](tx, organizationKey(h.Organization))
		if err != nil {
			return err
		}
		ch := change{view{Service: s, r: tx, call: c, org: o}, tx}
		if err := ch.join(c.Account, types.AccountJoinedMethodInvited, h.Tags); err != nil {
			return err
		}
		return putOrganization(tx, o)
	})
	return &sdk.AcceptHandshakeOutput{Handshake: h}, err
}

func (s *Service) declineHandshake(
	ctx context.Context, c *service.Call, in *sdk.DeclineHandshakeInput,
) (*sdk.DeclineHandshakeOutput, error) {
	h, err := s.withHandshake(ctx, c, in.HandshakeId, (*handshake).invitee, types.HandshakeStateDeclined, nil)
	return &sdk.DeclineHandshakeOutput{Handshake: h}, err
}

func (s *Service) cancelHandshake(
	ctx context.Context, c *service.Call, in *sdk.CancelHandshakeInput,
) (*sdk.CancelHandshakeOutput, error) {
	h, err := s.withHandshake(ctx, c, in.HandshakeId, (*handshake).inviter, types.HandshakeStateCanceled, nil)
	return &sdk.CancelHandshakeOutput{Handshake: h}, err
}

func (s *Service) describeHandshake(
	ctx context.Context, c *service.Call, in *sdk.DescribeHandshakeInput,
) (*sdk.DescribeHandshakeOutput, error) {
	var out *types.Handshake
	err := s.db.View(ctx, func(r store.Reader) error {
		h, err := s.readHandshake(r, in.HandshakeId)
		if err != nil {
			return err
		}
		if !h.concerns(c.Account) {
			return noSay()
		}
		out = s.wireHandshake(h, c.Time)
		return nil
	})
	return &sdk.DescribeHandshakeOutput{Handshake: out}, err
}

func (s *Service) listHandshakesForAccount(
	ctx context.Context, c *service.Call, in *sdk.ListHandshakesForAccountInput,
) (*sdk.ListHandshakesForAccountOutput, error) {
	var out *sdk.ListHandshakesForAccountOutput
	err := s.db.View(ctx, func(r store.Reader) error {
		found, next, err := s.listHandshakes(r, c, in.Filter, in.MaxResults, in.NextToken, func(h *handshake) bool {
			return h.Account == c.Account
		})
		out = &sdk.ListHandshakesForAccountOutput{Handshakes: found, NextToken: next}
		return err
	})
	return out, err
}

func listHandshakesForOrganization(
	v *view, in *sdk.ListHandshakesForOrganizationInput,
) (*sdk.ListHandshakesForOrganizationOutput, error) {
	found, next, err := v.listHandshakes(v.r, v.call, in.Filter, in.MaxResults, in.NextToken, func(h *handshake) bool {
		return h.Organization == v.org.ID
	})
	return &sdk.ListHandshakesForOrganizationOutput{Handshakes: found, NextToken: next}, err
}

func (s *Service) listHandshakes(
	r store.Reader, c *service.Call, filter *types.HandshakeFilter, maxResults *int32, token *string, fits func(*handshake) bool,
) ([]types.Handshake, *string, error) {
	found, err := handshakes(r, func(h *handshake) bool {
		return fits(h) && (filter == nil || filter.ActionType == "" || filter.ActionType == types.ActionTypeInviteAccountToOrganization)
	})
	if err != nil {
		return nil, nil, err
	}
	return paged(found, func(h *handshake) string { return h.ID }, maxResults, token, func(h *handshake) types.Handshake {
		return *s.wireHandshake(h, c.Time)
	})
}

func (s *Service) wireHandshake(h *handshake, now time.Time) *types.Handshake {
	resource := func(t types.HandshakeResourceType, value string) types.HandshakeResource {
		return types.HandshakeResource{Type: t, Value: aws.String(value)}
	}
	from := resource(types.HandshakeResourceTypeOrganization, h.Organization)
	from.Resources = []types.HandshakeResource{
		resource(types.HandshakeResourceTypeMasterEmail, h.Email), resource(types.HandshakeResourceTypeMasterName, h.Name),
		resource(types.HandshakeResourceTypeOrganizationFeatureSet, string(h.Features)),
	}
	to := resource(types.HandshakeResourceType(h.Target), h.TargetID) // both enumerations have ACCOUNT and EMAIL
	out := &types.Handshake{
		Action: types.ActionTypeInviteAccountToOrganization, Arn: aws.String(s.handshakeARN(h)), Id: aws.String(h.ID),
		ExpirationTimestamp: aws.Time(h.Expires), RequestedTimestamp: aws.Time(h.Requested), State: h.stateAt(now),
		Parties: []types.HandshakeParty{
			{Id: aws.String(h.Organization), Type: types.HandshakePartyTypeOrganization},
			{Id: aws.String(h.TargetID), Type: h.Target},
		},
		Resources: []types.HandshakeResource{from, to},
	}
	if h.Notes != "" {
		out.Resources = append(out.Resources, resource(types.HandshakeResourceTypeNotes, h.Notes))
	}
	return out
}
