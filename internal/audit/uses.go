package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/store"
)

// UsePeriod is how long it is known that a principal asked for something: longer than records are kept.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html (tracking period)
const UsePeriod = 400 * 24 * time.Hour

// Use is when and where a principal last asked for something, whether it got it or not.
type Use struct {
	Time   time.Time `json:"time"`
	Region string    `json:"region"`
}

// ServiceUse is what a principal last asked of a service, as a whole and by action. Names are without the service's prefix.
type ServiceUse struct {
	Service string `json:"-"`
	Use
	Actions map[string]Use `json:"actions"`
}

// useKey names a ServiceUse.
type useKey struct{ account, principal, service string }

func (k useKey) prefix() string { return usePrefix + k.account + "/" + k.principal + "/" }

// uses are those that are not in the store yet. Safe for concurrent use.
type uses struct {
	mu    sync.Mutex
	fresh map[useKey]ServiceUse
}

// note takes in what a record says. It is the own permission of the operation that counts, not what it needs besides.
func (u *uses) note(rec *Record) {
	account, id, ok := user(&rec.Caller)
	if !ok || len(rec.Decisions) == 0 {
		return
	}
	service, action, _ := strings.Cut(rec.Decisions[0].Request.Action, ":")
	use := Use{Time: rec.Time.UTC(), Region: rec.Region}
	u.mu.Lock()
	defer u.mu.Unlock()
	key := useKey{account, id, service}
	known, ok := u.fresh[key]
	if !ok {
		known.Actions = make(map[string]Use, 1)
	}
	known.Use = later(known.Use, use)
	known.Actions[action] = later(known.Actions[action], use)
	u.fresh[key] = known
}

// user tells whose use a call is: that of a user or role, by unique id, or of the account's root user, whose id is the account.
// Sessions count for whom they belong to.
func user(c *principal.Caller) (account, id string, ok bool) {
	switch c.Kind {
	case authz.User, authz.AssumedRole, authz.FederatedUser, authz.Root:
		if id = c.ID; id == "" {
			id = c.Account
		}
		return c.Account, id, true
	default:
		return "", "", false
	}
}

func later(a, b Use) Use {
	if b.Time.After(a.Time) {
		return b
	}
	return a
}

// merge adds what is known from elsewhere.
func (s ServiceUse) merge(other ServiceUse) ServiceUse {
	out := ServiceUse{Service: s.Service, Use: later(s.Use, other.Use), Actions: maps.Clone(s.Actions)}
	if out.Actions == nil {
		out.Actions = make(map[string]Use, len(other.Actions))
	}
	for name, use := range other.Actions {
		out.Actions[name] = later(out.Actions[name], use)
	}
	return out
}

// take gives the fresh uses away, giveBack takes back what could not be written.
func (u *uses) take() map[useKey]ServiceUse {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.fresh
	u.fresh = make(map[useKey]ServiceUse)
	return taken
}

func (u *uses) giveBack(list map[useKey]ServiceUse) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for key, use := range list {
		u.fresh[key] = use.merge(u.fresh[key])
	}
}

// writeUses adds the fresh uses to those in the store. l.flushMu is held.
func (l *Log) writeUses(ctx context.Context) error {
	fresh := l.uses.take()
	keys := slices.Collect(maps.Keys(fresh))
	for part := range slices.Chunk(keys, chunk) {
		if err := l.db.Update(ctx, func(tx store.Tx) error {
			for _, key := range part {
				if err := putUse(tx, key, fresh[key]); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			l.uses.giveBack(fresh)
			return fmt.Errorf("write last uses: %w", err)
		}
		for _, key := range part {
			delete(fresh, key)
		}
	}
	return nil
}

func putUse(tx store.Tx, key useKey, use ServiceUse) error {
	at := key.prefix() + key.service
	item, err := tx.Get(at)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil {
		known, err := decodeUse(item)
		if err != nil {
			return err
		}
		use = known.merge(use)
	}
	value, err := json.Marshal(use)
	if err != nil {
		return err
	}
	// The time stands before the rest, so that what is too old is found without decoding it.
	return tx.Put(at, slices.Concat([]byte(use.Time.UTC().Format(keyTime)+"\n"), value))
}

func decodeUse(item store.Item) (ServiceUse, error) {
	var use ServiceUse
	_, rest, ok := strings.Cut(string(item.Value), "\n")
	if !ok {
		return use, fmt.Errorf("%s is not a last use", item.Key)
	}
	if err := json.Unmarshal([]byte(rest), &use); err != nil {
		return use, fmt.Errorf("decode %s: %w", item.Key, err)
	}
	use.Service = item.Key[strings.LastIndexByte(item.Key, '/')+1:]
	return use, nil
}

// AccountUses gives what the principals of an account asked for within UsePeriod, by service, without the actions. It reads as many
// items as they all have used services.
func (l *Log) AccountUses(ctx context.Context, account string) ([]ServiceUse, error) {
	all, err := l.readUses(ctx, usePrefix+account+"/")
	if err != nil {
		return nil, fmt.Errorf("read last uses of account %s: %w", account, err)
	}
	last := make(map[string]ServiceUse)
	for _, use := range all {
		last[use.Service] = ServiceUse{Service: use.Service, Use: later(last[use.Service].Use, use.Use)}
	}
	return slices.SortedFunc(maps.Values(last), func(a, b ServiceUse) int { return strings.Compare(a.Service, b.Service) }), nil
}

// LastUses gives what a principal asked for within UsePeriod, by service. The principal is a user or role by unique id, or the root
// user by the account. It reads as many items as the principal has used services, however long the log is.
func (l *Log) LastUses(ctx context.Context, account, principalID string) ([]ServiceUse, error) {
	list, err := l.readUses(ctx, useKey{account: account, principal: principalID}.prefix())
	if err != nil {
		return nil, fmt.Errorf("read last uses of %s: %w", principalID, err)
	}
	return list, nil
}

func (l *Log) readUses(ctx context.Context, prefix string) (list []ServiceUse, err error) {
	if err := l.flush(ctx); err != nil {
		return nil, err
	}
	err = l.db.View(ctx, func(r store.Reader) error {
		list = nil
		items, err := r.Scan(prefix, "", 0)
		if err != nil {
			return err
		}
		for _, item := range items {
			use, err := decodeUse(item)
			if err != nil {
				return err
			}
			list = append(list, use)
		}
		return nil
	})
	return list, err
}

// expireUses deletes what nobody has asked for within UsePeriod.
func (l *Log) expireUses(ctx context.Context, now time.Time) error {
	oldest := now.Add(-UsePeriod).UTC().Format(keyTime)
	return l.deleteEach(ctx, usePrefix, chunk, func(tx store.Tx, item store.Item) (more bool, err error) {
		if string(item.Value) >= oldest { // values begin with the time
			return true, nil
		}
		return true, tx.Delete(item.Key)
	})
}
