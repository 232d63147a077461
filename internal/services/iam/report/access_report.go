package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// Usage knows when principals last asked for something. It is safe for concurrent use.
type Usage interface {
	// LastUses gives what a user or role, by unique id, asked for in AWS's tracking period, by service.
	LastUses(ctx context.Context, account, principalID string) ([]ServiceUse, error)
	// AccountUses gives what the users, roles and root user of an account asked for in that period, by service, without the actions.
	AccountUses(ctx context.Context, account string) ([]ServiceUse, error)
}

// ServiceUse is what a principal last asked of a service, as a whole and by action.
type ServiceUse struct {
	Service string
	Use
	Actions map[string]Use
}

// Use is when and where something was asked for.
type Use struct {
	Time   time.Time `json:"time"`
	Region string    `json:"region"`
}

// reportsKept is how long a report can be read.
const reportsKept = 24 * time.Hour

// accessReport is the stored form of a report of last uses: what its job found when it was made.
type accessReport struct {
	ID string `json:"id"`
	// Owner is who may read it: a user for all of its keys, a session alone.
	Owner       string         `json:"owner"`
	Granularity string         `json:"granularity"`
	Created     time.Time      `json:"created"`
	Services    []string       `json:"services"`
	Entities    []reportEntity `json:"entities"`
}

// reportEntity is a user or role that a report is about, with what it asked of the services of the report.
type reportEntity struct {
	Kind record.Kind              `json:"kind"`
	ID   string                   `json:"id"`
	ARN  string                   `json:"arn"`
	Uses map[string]reportService `json:"uses,omitempty"` // by service
}

type reportService struct {
	Use
	Actions map[string]Use `json:"actions,omitempty"`
}

func reportPrefix(account string) string { return "iam/" + account + "/access-report/" }

// reportOwner is who owns the reports that a caller makes: "JobId … must be used by the same role within a session, or by the same
// user".
func reportOwner(c *principal.Caller) string {
	switch {
	case c.Session != nil:
		return c.AccessKeyID
	case c.ID != "":
		return c.ID
	default:
		return c.Account
	}
}

// reportOn gathers the services that an identity or policy grants, and what the users and roles that have it asked of them.
func (s *handlers) reportOn(ctx context.Context, c *service.Call, policies []authz.Policy, entities []*record.Identity) (*accessReport, error) {
	services, err := grantedServices(ctx, s.actions, policies)
	if err != nil {
		return nil, err
	}
	r := &accessReport{Services: services}
	for _, e := range entities {
		uses, err := s.usage.LastUses(ctx, c.Account, e.ID)
		if err != nil {
			return nil, fmt.Errorf("find last uses of %s %s: %w", e.Kind, e.Name, err)
		}
		entry := reportEntity{Kind: e.Kind, ID: e.ID, ARN: s.IdentityARN(c.Account, e), Uses: make(map[string]reportService)}
		for _, u := range uses {
			if _, granted := slices.BinarySearch(services, u.Service); granted {
				entry.Uses[u.Service] = reportService{Use: u.Use, Actions: u.Actions}
			}
		}
		r.Entities = append(r.Entities, entry)
	}
	return r, nil
}

// putReport keeps a report under a prefix, and forgets some of those that are too old: more than are made. Ids sort by time.
func (s *handlers) putReport(ctx context.Context, prefix, id string, now time.Time, report any) error {
	return s.DB.Update(ctx, func(tx store.Tx) error {
		items, err := tx.Scan(prefix, "", 8)
		if err != nil {
			return err
		}
		for _, item := range items {
			old, err := store.DecodeJSON[struct {
				Created time.Time `json:"created"`
			}](item)
			if err != nil {
				return err
			}
			if now.Sub(old.Created) < reportsKept {
				break
			}
			if err := tx.Delete(item.Key); err != nil {
				return err
			}
		}
		return store.PutJSON(tx, prefix+id, report)
	})
}

// report reads a report of the caller's own.
func (s *handlers) report(ctx context.Context, c *service.Call, jobID *string) (r accessReport, err error) {
	if err := checkJobID(jobID); err != nil {
		return r, err
	}
	err = s.DB.View(ctx, func(tx store.Reader) (err error) {
		r, err = store.GetJSON[accessReport](tx, reportPrefix(c.Account)+*jobID)
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && r.Owner != reportOwner(&c.Caller) {
		return r, noSuchJob(*jobID)
	}
	return r, err
}

func checkJobID(id *string) error {
	if id == nil {
		return request.Violation("jobId", "Member must not be null")
	}
	return request.CheckLength("jobId", *id, 36, 36)
}

// noSuchJob has a text of ours: AWS's is not known.
func noSuchJob(id string) error {
	return request.NoSuchEntity("The job with id %s cannot be found.", id)
}

// users are the entities that asked something of a service, the last first.
func (r *accessReport) users(service string) []reportEntity {
	var out []reportEntity
	for _, e := range r.Entities {
		if _, ok := e.Uses[service]; ok {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b reportEntity) int {
		return cmp.Or(b.Uses[service].Time.Compare(a.Uses[service].Time), cmp.Compare(a.ARN, b.ARN))
	})
	return out
}
