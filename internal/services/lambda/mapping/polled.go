package mapping

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/mapping/poll"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// Polled shows mappings to those who poll.
func (s *Service) Polled() poll.Mappings { return polled{s} }

type polled struct{ s *Service }

// between stands in the keys of mappings after the account and Region, as in prefix.
const between = "mapping"

// resultKey is where the last result of a mapping is: apart from it, so that its pollers need not look at what they wrote.
func resultKey(account, region, id string) string {
	return "lambda/" + account + "/" + region + "/mapping-result/" + id
}

// withResult adds the last result to what is shown of a mapping.
func (m *mapping) withResult(r store.Reader) error {
	result, err := store.GetJSON[string](r, resultKey(m.Account, m.Region, *m.Shown.UUID))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the last result of %s: %w", *m.Shown.UUID, err)
	}
	m.Shown.LastProcessingResult = &result
	return nil
}

// Key tells the keys of mappings from others.
func (polled) Key(changed string) bool {
	if prefix, several := strings.CutSuffix(changed, "*"); several {
		parts := strings.Split(prefix, "/")
		return strings.HasPrefix("lambda", parts[0]) && (len(parts) < 4 || strings.HasPrefix(between, parts[3]))
	}
	parts := strings.Split(changed, "/")
	return len(parts) == 5 && parts[0] == "lambda" && parts[3] == between
}

// Watch follows the store.
func (p polled) Watch(fn func(changed []string)) (stop func()) { return p.s.db.Watch(fn) }

// Enabled reads all mappings. It goes from one account and Region to the next without what else they have.
func (p polled) Enabled(ctx context.Context) (map[string]poll.Mapping, error) {
	found := map[string]poll.Mapping{}
	err := p.s.db.View(ctx, func(r store.Reader) error {
		clear(found)
		for after := "lambda/"; ; {
			next, err := r.Scan("lambda/", after, 1)
			if err != nil || len(next) == 0 {
				return err
			}
			parts := strings.Split(next[0].Key, "/")
			if len(parts) < 4 || !request.IsAccount(parts[1]) { // of something else: "0" is the character after "/"
				after = parts[0] + "/" + parts[1] + "0"
				continue
			}
			items, err := r.Scan(prefix(parts[1], parts[2]), "", 0)
			if err != nil {
				return err
			}
			for _, item := range items {
				if err := add(found, item); err != nil {
					return err
				}
			}
			after = "lambda/" + parts[1] + "/" + parts[2] + "0"
		}
	})
	return found, err
}

func add(to map[string]poll.Mapping, item store.Item) error {
	m, err := store.DecodeJSON[mapping](item)
	if err != nil || !m.Enabled {
		return err
	}
	polled, err := m.polled()
	if err == nil {
		to[item.Key] = polled
	}
	return err
}

// Poll reads one mapping.
func (p polled) Poll(ctx context.Context, key string) (poll.Mapping, bool, error) {
	found := map[string]poll.Mapping{}
	err := p.s.db.View(ctx, func(r store.Reader) error {
		clear(found)
		item, err := r.Get(key)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return add(found, item)
	})
	m, ok := found[key]
	return m, ok, err
}

// polled is what a poller sees. When it was changed, and its tags, do not matter.
func (m *mapping) polled() (poll.Mapping, error) {
	src, err := sourceOf(&m.Shown)
	if err != nil {
		return poll.Mapping{}, err
	}
	var v request.Validator
	c := &service.Call{Partition: m.Partition, Account: m.Account, Region: m.Region}
	called, err := v.Resolve(c, v.Function(c, m.Shown.FunctionArn, request.NamespacedName), nil)
	if err != nil {
		return poll.Mapping{}, fmt.Errorf("read the function of %s: %w", *m.Shown.UUID, err)
	}
	shown := m.Shown
	shown.LastModified = nil
	return poll.Mapping{Function: called, Account: m.Account, Region: m.Region, Service: src.arn.Service, Config: shown}, nil
}

// SetResult keeps the last result.
func (p polled) SetResult(ctx context.Context, key, result string) error {
	return p.s.db.Update(ctx, func(tx store.Tx) error {
		m, err := store.GetJSON[mapping](tx, key)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return store.PutJSON(tx, resultKey(m.Account, m.Region, aws.ToString(m.Shown.UUID)), result)
	})
}
