package poll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/services/lambda/request"
)

// Mapping is an event source mapping that is to be polled.
type Mapping struct {
	// Function, version or alias that is called.
	Function request.Function
	// Account and Region of the mapping.
	Account, Region string
	// Service of the source's ARN.
	Service string
	// Config is what the operations set; not to be changed.
	Config types.EventSourceMappingConfiguration
}

// Mappings knows the mappings. A key names one.
type Mappings interface {
	// Enabled gives those that are to be polled, by key.
	Enabled(ctx context.Context) (map[string]Mapping, error)
	// Poll gives one of a key, and whether it is to be polled.
	Poll(ctx context.Context, key string) (Mapping, bool, error)
	// SetResult keeps the last result of one, if it is still there.
	SetResult(ctx context.Context, key, result string) error
	// Watch calls fn with the keys in the store that change (store.DB.Watch).
	Watch(fn func(changed []string)) (stop func())
	// Key tells whether a key in the store, or a prefix that ends in "*", is that of a mapping.
	Key(changed string) bool
}

// Role is an execution role in the service of a function.
type Role struct {
	ARN string
	// Function is the unqualified ARN of the function that it is the role of, and Name its name.
	Function, Name  string
	Account, Region string
}

// Event is what a function is called with.
type Event struct {
	Function request.Function
	Payload  []byte
	// TraceID of what caused it; "" for none.
	TraceID string
}

// Answer is what a function made of an event.
type Answer struct {
	// Failed tells that the function ended with an error.
	Failed  bool
	Payload []byte
}

// Doors lead to other services.
type Doors interface {
	// AsRole makes a call with a session of a role: it is judged and recorded as any. The error wraps ErrAssume when the role is not to be had.
	AsRole(ctx context.Context, as Role, service, operation string, in any) (out any, err error)
	// Invoke calls a function as Lambda itself does. An error says that it did not run.
	Invoke(ctx context.Context, e Event) (Answer, error)
}

// ErrAssume says that Lambda may not assume a role.
var ErrAssume = errors.New("poll: the role cannot be assumed")

// Source polls the source of one mapping until ctx ends, and returns when what was read before is done with.
type Source func(ctx context.Context, p *Poller) error

// Config is what a Room needs; every field is required.
type Config struct {
	Mappings Mappings
	// RoleOf gives the execution role of a function, version or alias as it is now. The error wraps store.ErrNotFound when it is not there.
	RoleOf func(ctx context.Context, r request.Function) (string, error)
	// Merge joins the traces of the events of one batch.
	Merge func(traces []string) string
	Doors Doors
	// Lead runs the work of that name while this server is the one that does it: one server polls a mapping.
	Lead    func(ctx context.Context, name string, work func(context.Context) error) error
	Sources map[string]Source // by Mapping.Service
	Logger  *slog.Logger
}

// Lease begins the names of the work that Config.Lead is asked for.
const Lease = "mapping "

// Room is the pollers of all mappings.
type Room struct {
	config  Config
	metrics *metrics
	// wake asks Run to look what changed.
	wake chan struct{}

	mu      sync.Mutex
	changed map[string]bool // keys of mappings
	all     bool            // any may have changed
	running map[string]*Poller
}

// New makes a room. Run makes it work.
func New(c Config) *Room {
	return &Room{
		config: c, metrics: newMetrics(), wake: make(chan struct{}, 1), changed: map[string]bool{}, all: true, running: map[string]*Poller{},
	}
}

// retry is how long the room rests after a failure of the store.
const retry = 10 * time.Second

// Run polls until ctx ends, and returns when what was read is done with.
func (r *Room) Run(ctx context.Context) error {
	var ending sync.WaitGroup
	defer ending.Wait()
	stop := r.config.Mappings.Watch(r.watch)
	defer stop()
	for {
		var again <-chan time.Time
		if err := r.look(ctx, &ending); err != nil && ctx.Err() == nil {
			r.config.Logger.ErrorContext(ctx, "Event source mappings could not be read, and will be again.", slog.Any("err", err))
			again = time.After(retry)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		case <-again:
		}
	}
}

// look begins and ends pollers as mappings were changed.
func (r *Room) look(ctx context.Context, ending *sync.WaitGroup) error {
	r.mu.Lock()
	keys, all := r.changed, r.all
	r.changed, r.all = map[string]bool{}, false
	r.mu.Unlock()
	err := func() error {
		if all {
			found, err := r.config.Mappings.Enabled(ctx)
			if err != nil {
				return err
			}
			for key := range r.running {
				if _, ok := found[key]; !ok {
					r.set(ctx, key, nil, ending)
				}
			}
			for key, m := range found {
				r.set(ctx, key, &m, ending)
			}
			return nil
		}
		for key := range keys {
			m, ok, err := r.config.Mappings.Poll(ctx, key)
			if err != nil {
				return fmt.Errorf("read event source mapping %s: %w", key, err)
			}
			if ok {
				r.set(ctx, key, &m, ending)
			} else {
				r.set(ctx, key, nil, ending)
			}
		}
		return nil
	}()
	if err != nil {
		r.mu.Lock()
		r.all = true
		r.mu.Unlock()
	}
	return err
}

// set sees to it that a mapping, nil for none, has its poller. The one before ends by itself: what it has read, nobody else reads meanwhile.
func (r *Room) set(ctx context.Context, key string, m *Mapping, ending *sync.WaitGroup) {
	old := r.running[key] // written by this goroutine alone
	if old != nil && m != nil && reflect.DeepEqual(old.Mapping, *m) {
		return
	}
	if old != nil {
		old.stop()
	}
	var made *Poller
	if m != nil {
		if source, ok := r.config.Sources[m.Service]; ok {
			made = r.newPoller(ctx, key, *m)
			ending.Go(func() {
				_ = r.config.Lead(made.life, Lease+key, func(ctx context.Context) error { // the work has no error
					r.metrics.pollers.Inc()
					defer r.metrics.pollers.Dec()
					made.run(ctx, source)
					return nil
				})
				made.stop()
			})
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if made == nil {
		delete(r.running, key)
	} else {
		r.running[key] = made
	}
}

// watch follows the store. It must be quick.
func (r *Room) watch(keys []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range keys {
		prefix, several := strings.CutSuffix(key, "*")
		if r.config.Mappings.Key(key) {
			if several {
				r.all = true
			} else {
				r.changed[key] = true
			}
			select {
			case r.wake <- struct{}{}:
			default:
			}
			continue
		}
		if !mayMatter(prefix) {
			continue
		}
		for _, p := range r.running {
			if p.dependsOn(prefix, several) {
				p.poke()
			}
		}
	}
}

// matters are the beginnings of the keys that pollers may depend on, but for those of their sources.
var matters = []string{"iam/", "organizations/", "lambda/", "sqs/queue/"}

// mayMatter spares the many keys of messages and decisions the walk through all pollers.
func mayMatter(prefix string) bool {
	for _, m := range matters {
		if strings.HasPrefix(prefix, m) || strings.HasPrefix(m, prefix) {
			return true
		}
	}
	return false
}
