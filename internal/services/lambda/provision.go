package lambda

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// provisionRetry is how long it takes until what could not be read is read again.
const provisionRetry = 10 * time.Second

// Run keeps the Runner's provisioned environments as they are configured, also after changes of aliases and by other processes, until
// ctx ends.
func (s *Service) Run(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	changed <- struct{}{} // what was configured before the start
	stop := s.DB.Watch(func(keys []string) {
		if slices.ContainsFunc(keys, concernsProvision) {
			select {
			case changed <- struct{}{}:
			default: // it is told already
			}
		}
	})
	defer stop()
	retry := time.NewTimer(provisionRetry)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-retry.C:
		case <-changed:
		case <-s.Nodes.Changes():
		}
		retry.Stop()
		if err := s.provision(ctx); err != nil && ctx.Err() == nil {
			s.Logger.Error("Not all provisioned concurrency could be looked after.", slog.Any("err", err))
			retry.Reset(provisionRetry)
		}
	}
}

// concernsProvision tells whether a change of a key, or of a prefix, may change which environments are wanted.
func concernsProvision(key string) bool {
	if strings.HasPrefix(key, concurrencyPrefix) || strings.HasSuffix(key, "*") {
		return true
	}
	parts := strings.SplitN(key, "/", 7) // lambda/<account>/<region>/of/<name>/<kind>/…
	return len(parts) == 7 && parts[0] == "lambda" && parts[3] == "of" && (parts[5] == "alias" || parts[5] == "version")
}

// provision tells the Runner which environments are wanted. After an error some may be missing, or nothing was changed.
func (s *Service) provision(ctx context.Context) error {
	var items []store.Item
	err := s.DB.View(ctx, func(r store.Reader) (err error) {
		items, err = r.Scan(concurrencyPrefix, "", 0)
		return err
	})
	if err != nil {
		return fmt.Errorf("list provisioned concurrency: %w", err)
	}
	var wanted []execution.Provision
	var failed []error
	for _, item := range items {
		c, err := decodeConcurrency(item)
		if err != nil {
			return err
		}
		account, region, _ := strings.Cut(strings.TrimPrefix(item.Key, concurrencyPrefix), "/")
		for _, name := range slices.Sorted(maps.Keys(c.Functions)) {
			for qualifier, p := range c.Functions[name].Provisioned {
				r := request.Function{Account: account, Region: region, Name: name, Qualifier: qualifier}
				f, err := s.find(ctx, r)
				if errors.Is(err, store.ErrNotFound) {
					continue
				}
				if err != nil {
					return fmt.Errorf("find %s of %s: %w", qualifier, name, err)
				}
				asked, err := s.asked(ctx, f, p)
				if err != nil { // others are not to suffer from it
					failed = append(failed, err)
				}
				wanted = append(wanted, asked)
			}
		}
	}
	s.Runner.Provision(wanted)
	return errors.Join(failed...)
}

// part is how many of n environments this server has, where several share them out.
func (s *Service) part(n int) int {
	place, of := s.Nodes.Rank()
	if place < n%of {
		return n/of + 1
	}
	return n / of
}

// asked is what the Runner is asked for. Where that cannot be, it is told why; an error says that it may be later.
func (s *Service) asked(ctx context.Context, f found, p provisioned) (execution.Provision, error) {
	asked := execution.Provision{Count: s.part(int(p.Count)), Asked: p.Modified}
	if s.pending(f.version) {
		asked.Function, asked.Failure = f.execution(), "Lambda is initializing the function." // ours
		return asked, fmt.Errorf("%s waits for its image", f.function.reference.ARN())
	}
	var err error
	asked.Function, err = s.runnable(ctx, f)
	if err == nil {
		return asked, nil
	}
	asked.Function = f.execution()
	if refused, ok := errors.AsType[*awserr.Error](err); ok { // as an invocation would be
		asked.Failure = refused.Message
		return asked, nil
	}
	asked.Failure = "Lambda could not start an environment." // ours
	return asked, err
}
