package organizations

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

const (
	manager  = "111122223333"
	stranger = "999988887777"

	scpType = types.PolicyTypeServiceControlPolicy
	rcpType = types.PolicyTypeResourceControlPolicy

	denyS3 = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`
)

// world is a service with its directory on one store, and the accounts that there are.
type world struct {
	t        testing.TB
	db       *countingDB
	s        *Service
	d        *Directory
	ops      map[string]service.Operation
	now      time.Time
	accounts []Account
}

// countingDB counts reads.
type countingDB struct {
	store.DB
	views int
}

func (c *countingDB) View(ctx context.Context, fn func(store.Reader) error) error {
	c.views++
	return c.DB.View(ctx, fn)
}

// madeAccounts is where those are that were made since.
const madeAccounts = "accounts-of-the-test/"

// all gives the accounts that a transaction sees.
func (w *world) all(r store.Reader) ([]Account, error) {
	made, err := scan[Account](r, madeAccounts)
	return slices.Concat(w.accounts, made), err
}

func (w *world) find(r store.Reader, is func(Account) bool) (Account, bool, error) {
	all, err := w.all(r)
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i], true, err
	}
	return Account{}, false, err
}

func (w *world) Account(r store.Reader, id string) (Account, bool, error) {
	return w.find(r, func(a Account) bool { return a.ID == id })
}

func (w *world) AccountOfEmail(r store.Reader, email string) (Account, bool, error) {
	return w.find(r, func(a Account) bool { return a.Email == email })
}

func (w *world) CreateAccount(tx store.Tx, name, email, role, trusted string, _ time.Time) (string, error) {
	if role == "" || trusted != manager {
		w.t.Errorf("made with role %q that trusts %q", role, trusted)
	}
	all, err := w.all(tx)
	if err != nil {
		return "", err
	}
	id := fmt.Sprintf("%012d", len(all))
	return id, store.PutJSON(tx, madeAccounts+id, Account{id, name, email})
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		t: t, db: &countingDB{DB: storetest.New(t)}, now: time.Date(2026, 3, 1, 12, 0, 0, 5e8, time.UTC),
		ops: make(map[string]service.Operation),
		accounts: []Account{
			{manager, "Manager", "manager@example.com"}, {stranger, "Stranger", "stranger@example.com"},
		},
	}
	w.s = New(Config{DB: w.db, Accounts: w, Partition: "aws"})
	w.d = NewDirectory(w.db, "aws")
	t.Cleanup(w.d.Close)
	for _, op := range w.s.operations() {
		w.ops[op.Name] = op
	}
	return w
}

// as makes a call of an account, as dispatch does for one that is allowed; the operation is told by the type of the input.
func (w *world) as(account string, in any) (any, error) {
	w.t.Helper()
	name := strings.TrimSuffix(reflect.TypeOf(in).Elem().Name(), "Input")
	op, ok := w.ops[name]
	if !ok {
		w.t.Fatalf("no operation %s", name)
	}
	c := w.call(account, name)
	var err error
	if c.Judged, err = op.Needs(w.t.Context(), c, in); err != nil {
		return nil, err
	}
	return op.Handle(w.t.Context(), c, in)
}

func (w *world) call(account, operation string) *service.Call {
	c := &service.Call{Account: account, Region: "us-east-1", Partition: "aws", Time: w.now, Service: "organizations", Operation: operation}
	c.Caller.Account = account
	return c
}

// must makes a call of the manager that succeeds.
func must[Out any](w *world, in any) *Out {
	w.t.Helper()
	out, err := w.as(manager, in)
	if err != nil {
		w.t.Fatalf("%T: %v", in, err)
	}
	return out.(*Out)
}

// found makes the manager's organization and gives the id of its root.
func (w *world) found(enabled ...types.PolicyType) string {
	w.t.Helper()
	must[sdk.CreateOrganizationOutput](w, &sdk.CreateOrganizationInput{})
	root := *must[sdk.ListRootsOutput](w, &sdk.ListRootsInput{}).Roots[0].Id
	for _, policyType := range enabled {
		must[sdk.EnablePolicyTypeOutput](w, &sdk.EnablePolicyTypeInput{RootId: &root, PolicyType: policyType})
	}
	return root
}

func (w *world) member(email string) string {
	w.t.Helper()
	status := must[sdk.CreateAccountOutput](w, &sdk.CreateAccountInput{AccountName: aws.String("member"), Email: &email}).CreateAccountStatus
	return *must[sdk.DescribeCreateAccountStatusOutput](w, &sdk.DescribeCreateAccountStatusInput{
		CreateAccountRequestId: status.Id,
	}).CreateAccountStatus.AccountId
}

func (w *world) unit(parent, name string) string {
	w.t.Helper()
	return *must[sdk.CreateOrganizationalUnitOutput](w, &sdk.CreateOrganizationalUnitInput{
		ParentId: &parent, Name: &name,
	}).OrganizationalUnit.Id
}

func (w *world) policy(policyType types.PolicyType, name, content string) string {
	w.t.Helper()
	return *must[sdk.CreatePolicyOutput](w, &sdk.CreatePolicyInput{
		Name: &name, Type: policyType, Content: &content, Description: aws.String(""),
	}).Policy.PolicySummary.Id
}

func (w *world) attach(policy, target string) {
	w.t.Helper()
	must[sdk.AttachPolicyOutput](w, &sdk.AttachPolicyInput{PolicyId: &policy, TargetId: &target})
}

// failureOf is code and reason of an error for a client.
func failureOf(err error) string {
	e, ok := errors.AsType[*awserr.Error](err)
	if !ok {
		return fmt.Sprint(err)
	}
	return strings.TrimSpace(e.Code + " " + e.Members["Reason"])
}
