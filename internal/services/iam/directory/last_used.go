package directory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/store"
)

const (
	lastUsedInterval = 10 * time.Second
	// lastUsedWaiting is how many uses may wait to be written.
	lastUsedWaiting = 16384
	// lastUsedChunk is how many uses are written in one transaction.
	lastUsedChunk = 256
)

// LastUse is the stored form of the last use of an access key or role.
type LastUse struct {
	Time time.Time `json:"time"`
	// Region of the signature and signing name of the service.
	Region  string `json:"region"`
	Service string `json:"service"`
}

// LastUsed knows when access keys and roles were last used. Noting a use writes nothing; Run does that every few seconds, so that a
// crash loses the uses of that time. Safe for concurrent use.
type LastUsed struct {
	db store.DB

	// flushMu is held while uses are written. Lock order: flushMu, then mu.
	flushMu sync.Mutex
	// mu guards waiting: uses that may not be in the store yet, by the id of the access key or role.
	mu      sync.Mutex
	waiting map[string]LastUse
}

// NewLastUsed makes the memory of uses that is kept in db. The context of Note and Run must permit changes that no caller asked for,
// if the store wants that.
func NewLastUsed(db store.DB) *LastUsed {
	return &LastUsed{db: db, waiting: make(map[string]LastUse)}
}

// Note takes in that a caller made a call, be it permitted or not
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html). A session counts as a use of its role, and
// one of a user as no use. When too many uses wait it writes them; an error means that this could not be done.
func (l *LastUsed) Note(ctx context.Context, caller *principal.Caller, now time.Time, region, service string) error {
	id := usedID(caller)
	if id == "" {
		return nil
	}
	l.mu.Lock()
	had, waits := l.waiting[id]
	full := !waits && len(l.waiting) >= lastUsedWaiting
	if !full && now.After(had.Time) {
		l.waiting[id] = LastUse{Time: now, Region: region, Service: service}
	}
	l.mu.Unlock()
	if !full {
		return nil
	}
	if err := l.flush(ctx); err != nil {
		return err
	}
	return l.Note(ctx, caller, now, region, service)
}

// usedID is the id of what a caller uses; "" when no use of it is kept.
func usedID(caller *principal.Caller) string {
	if s := caller.Session; s != nil {
		return s.RoleID
	}
	return caller.AccessKeyID
}

// Run writes what was noted every few seconds until ctx ends, and what is left then. The error is that of the last write.
func (l *LastUsed) Run(ctx context.Context) error {
	tick := time.NewTicker(lastUsedInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return l.flush(context.WithoutCancel(ctx))
		case <-tick.C:
			// What could not be written waits for the next time; when too much waits, Note says so.
			_ = l.flush(ctx)
		}
	}
}

// flush writes the uses that wait now. After an error they wait on.
func (l *LastUsed) flush(ctx context.Context) error {
	l.flushMu.Lock()
	defer l.flushMu.Unlock()
	l.mu.Lock()
	batch := maps.Clone(l.waiting)
	l.mu.Unlock()
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(batch)), lastUsedChunk) {
		if err := l.db.Update(ctx, func(tx store.Tx) error {
			for _, id := range ids {
				if err := putLastUse(tx, id, batch[id]); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return fmt.Errorf("write last uses of access keys and roles: %w", err)
		}
		l.mu.Lock()
		for _, id := range ids {
			if l.waiting[id] == batch[id] {
				delete(l.waiting, id)
			}
		}
		l.mu.Unlock()
	}
	return nil
}

// putLastUse keeps a use, unless its key or role is gone meanwhile or another process knows of a later one.
func putLastUse(tx store.Tx, id string, u LastUse) error {
	_, err := tx.Get(usedThingKey(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	had, err := getLastUse(tx, id)
	if err != nil || !u.Time.After(had.Time) {
		return err
	}
	return store.PutJSON(tx, record.LastUsedKey(id), u)
}

// Of gives the last use of an access key or role; the zero value when there was none.
func (l *LastUsed) Of(r store.Reader, id string) (LastUse, error) {
	l.mu.Lock()
	waiting := l.waiting[id]
	l.mu.Unlock()
	kept, err := getLastUse(r, id)
	if waiting.Time.After(kept.Time) {
		return waiting, err
	}
	return kept, err
}

func getLastUse(r store.Reader, id string) (LastUse, error) {
	u, err := store.GetJSON[LastUse](r, record.LastUsedKey(id))
	if errors.Is(err, store.ErrNotFound) {
		return LastUse{}, nil
	}
	return u, err
}

// usedThingKey is where the store has the access key or role of an id.
func usedThingKey(id string) string {
	if account, ok := principal.AccountOf(id); ok && strings.HasPrefix(id, principal.RoleIDPrefix) {
		return record.IdentityKey(account, record.RoleKind, id)
	}
	return record.AccessKeyKey(id)
}

// neverUsed stands for region and service of what was not used
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyLastUsed.html).
const neverUsed = "N/A"

// Wire is a use as AWS shows it: to the minute.
func (u LastUse) Wire() *types.AccessKeyLastUsed {
	if u.Time.IsZero() {
		return &types.AccessKeyLastUsed{Region: aws.String(neverUsed), ServiceName: aws.String(neverUsed)}
	}
	return &types.AccessKeyLastUsed{
		LastUsedDate: aws.Time(u.Time.UTC().Truncate(time.Minute)), Region: aws.String(u.Region), ServiceName: aws.String(u.Service),
	}
}
