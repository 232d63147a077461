package organizations

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// Account is an AWS account as Organizations sees it.
type Account struct{ ID, Name, Email string }

// Accounts makes and finds accounts, inside the transaction at hand.
type Accounts interface {
	// Account finds an account; ok is false when there is none.
	Account(r store.Reader, id string) (a Account, ok bool, err error)
	// AccountOfEmail finds the account of an email address; ok is false when there is none.
	AccountOfEmail(r store.Reader, email string) (a Account, ok bool, err error)
	// CreateAccount makes an account with a role that another account, the trusted one, may assume and that may do everything. It gives
	// the new account's id.
	CreateAccount(tx store.Tx, name, email, role, trusted string, now time.Time) (id string, err error)
}

// Config is what a Service needs; every field is required.
type Config struct {
	DB       store.DB
	Accounts Accounts
	// Partition of the ARNs, such as "aws".
	Partition string
}

// Service is the Organizations API.
type Service struct {
	names
	db       store.DB
	accounts Accounts
	patterns patterns
	// lastDelegation is the resource policy that was asked for last: as long as its document is the same pointer, dispatch need not compile
	// it again.
	lastDelegation atomic.Pointer[authz.Policy]
}

// New makes the service.
func New(c Config) *Service {
	return &Service{names: names{c.Partition}, db: c.DB, accounts: c.Accounts, patterns: newPatterns()}
}

// Definition joins the operations with their wire form.
func (s *Service) Definition(api *protocol.API, codec protocol.Codec) service.Service {
	return service.Service{API: api, Codec: codec, Operations: s.operations(), Denial: accessDenied}
}

// say is who has one in an operation beside the management account.
type say int

const (
	management     say = iota // nobody else, but for those whom the resource policy lets in
	administrators            // delegated administrators too
	members                   // every account of the organization
)

// view is what an operation works on: the organization of the caller inside one transaction. org is nil only where a target is looked
// up for a caller without organization.
type view struct {
	*Service
	r    store.Reader
	call *service.Call
	org  *tree
	// blind is true where a target is looked up for a caller who has no say: what is there must not show in the target.
	blind bool
}

// change is a view that may be changed; the organization is written when the operation succeeds.
type change struct {
	view
	tx store.Tx
}

// enter reads the caller's organization, in which its account must have a say.
func (s *Service) enter(r store.Reader, c *service.Call, who say) (view, error) {
	o, err := organizationOf(r, c.Account)
	switch {
	case err != nil:
		return view{}, err
	case o == nil:
		return view{}, notInUse()
	}
	v := view{Service: s, r: r, call: c, org: o}
	if v.hasSay(who) || v.delegated(c.Operation, who) && v.wasDelegated() {
		return v, nil
	}
	return view{}, noSay()
}

// hasSay tells whether the caller's account has one of its own, without the resource policy.
func (v *view) hasSay(who say) bool {
	return v.org.Management == v.call.Account || who == members || who == administrators && v.isAdministrator()
}

// handler does an operation for those who have a say in it.
type handler[In, Out any] struct {
	who say
	do  service.Handler[In, Out]
}

// anybody is the handler of an operation that looks itself who has a say.
func anybody[In, Out any](do service.Handler[In, Out]) handler[In, Out] {
	return handler[In, Out]{members, do}
}

// reading makes a handler that changes nothing.
func reading[In, Out any](s *Service, who say, do func(*view, *In) (*Out, error)) handler[In, Out] {
	return handler[In, Out]{who, func(ctx context.Context, c *service.Call, in *In) (out *Out, err error) {
		err = s.db.View(ctx, func(r store.Reader) error {
			v, err := s.enter(r, c, who)
			if err != nil {
				return err
			}
			out, err = do(&v, in)
			return err
		})
		return out, err
	}}
}

// changing makes a handler that changes the organization.
func changing[In, Out any](s *Service, who say, do func(*change, *In) (*Out, error)) handler[In, Out] {
	return handler[In, Out]{who, func(ctx context.Context, c *service.Call, in *In) (out *Out, err error) {
		err = s.db.Update(ctx, func(tx store.Tx) error {
			v, err := s.enter(tx, c, who)
			if err != nil {
				return err
			}
			if out, err = do(&change{v, tx}, in); err != nil {
				return err
			}
			return putOrganization(tx, v.org)
		})
		return out, err
	}}
}

// now is the time of the call, as records keep it.
func (v *view) now() time.Time { return v.call.Time.UTC().Truncate(time.Millisecond) }
