package subscription

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/licet/licet/internal/execution/platform"
)

// Kinds of what subscribers are told.
const (
	kindPlatform  = "platform"
	kindFunction  = "function"
	kindExtension = "extension"
)

// earlyBytes is how much is kept for those that have not yet subscribed.
const earlyBytes = 256 << 10

// Config of a Stream.
type Config struct {
	// Dial connects to a port of the sandbox. Required.
	Dial func(ctx context.Context, port int) (net.Conn, error)
	// Reserved are ports of the sandbox to which nothing is delivered.
	Reserved []int
	// JSONLogs tells that the function's lines may be JSON objects.
	JSONLogs bool
	// Log is told the platform events that the Stream makes itself. Required.
	Log func(platform.Event)
}

// Stream is what one run of a runtime tells, and who listens.
type Stream struct {
	config   Config
	wanted   atomic.Bool // somebody listens, or may still subscribe
	lifetime context.Context
	end      context.CancelFunc
	delivery sync.WaitGroup // of subscribers; Add under mu while not over

	mu          sync.Mutex
	subscribers []*subscriber
	sealed      bool
	over        bool
	early       []telling // nil once sealed
	earlySize   int
}

// telling is something that was told.
type telling struct {
	at    time.Time
	event platform.Event // nil for a line
	kind  string
	line  string
}

// New makes a Stream without subscribers.
func New(c Config) *Stream {
	s := &Stream{config: c}
	s.lifetime, s.end = context.WithCancel(context.Background())
	s.wanted.Store(true)
	return s
}

// Any tells whether somebody listens, or may still subscribe. It takes no lock.
func (s *Stream) Any() bool { return s.wanted.Load() }

// Event tells a platform event. Until Seal, the Stream keeps it: it must not change.
func (s *Stream) Event(at time.Time, e platform.Event) {
	if s.Any() {
		s.tell(telling{at: at, event: e, kind: kindPlatform}, 64)
	}
}

// FunctionLine tells a line that the function printed. It ends with its newline.
func (s *Stream) FunctionLine(at time.Time, line string) {
	if s.Any() {
		s.tell(telling{at: at, kind: kindFunction, line: line}, len(line))
	}
}

// ExtensionLine tells a line that an external extension printed.
func (s *Stream) ExtensionLine(at time.Time, line string) {
	if s.Any() {
		s.tell(telling{at: at, kind: kindExtension, line: line}, len(line))
	}
}

func (s *Stream) tell(t telling, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	for _, sub := range s.subscribers {
		sub.tell(t, s.config.JSONLogs)
	}
	if !s.sealed && s.earlySize+size <= earlyBytes {
		s.early = append(s.early, t)
		s.earlySize += size
	}
}

// Seal ends subscription: initialization is over.
func (s *Stream) Seal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed, s.early = true, nil
	s.wanted.Store(len(s.subscribers) > 0)
}

// Hurry lets everything be delivered at once from now on. It does not wait.
func (s *Stream) Hurry() {
	if !s.Any() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.subscribers {
		sub.hurry()
	}
}

// End stops all delivery and waits for that. It may be called again.
func (s *Stream) End() {
	s.mu.Lock()
	s.over, s.sealed, s.early = true, true, nil
	s.wanted.Store(false)
	s.mu.Unlock()
	s.end()
	s.delivery.Wait()
}

// subscribe adds sub, and tells it what it missed. It does nothing for an extension that has subscribed already, and returns false when
// it is too late, or when the extension uses the other API.
func (s *Stream) subscribe(sub *subscriber) (added, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sealed {
		return false, false
	}
	for _, other := range s.subscribers {
		if other.schema.Logs() != sub.schema.Logs() {
			return false, false
		}
		if other.name == sub.name {
			return false, true
		}
	}
	s.subscribers = append(s.subscribers, sub)
	for _, t := range s.early {
		sub.tell(t, s.config.JSONLogs)
	}
	s.delivery.Go(func() { sub.deliver(s.lifetime) })
	return true, true
}

// render is what a subscriber of a schema gets; ok is false when it is not told.
func (t *telling) render(schema platform.Schema, jsonLogs bool) (record []byte, ok bool) {
	if t.event != nil {
		content, ok := t.event.In(schema)
		if !ok {
			return nil, false
		}
		return platform.Render(t.at, t.event.Type(), content), true
	}
	line := strings.TrimSuffix(t.line, "\n")
	// The first schema has text only, and so has the Logs API (telemetry-schema-reference.html, function).
	if jsonLogs && (schema == platform.Telemetry2022December || schema == platform.Telemetry2025January) &&
		strings.HasPrefix(line, "{") && json.Valid([]byte(line)) {
		return platform.Render(t.at, t.kind, json.RawMessage(line)), true
	}
	return platform.Render(t.at, t.kind, line), true
}

// Serves tells whether a path is for ServeHTTP.
func Serves(path string) bool {
	return strings.HasPrefix(path, telemetryPath) || strings.HasPrefix(path, logsPath)
}

// ServeHTTP takes subscriptions; extension is who asks.
func (s *Stream) ServeHTTP(w http.ResponseWriter, r *http.Request, extension string) {
	api, rest := telemetryAPI, strings.TrimPrefix(r.URL.Path, telemetryPath)
	if strings.HasPrefix(r.URL.Path, logsPath) {
		api, rest = logsAPI, strings.TrimPrefix(r.URL.Path, logsPath)
	}
	switch {
	case strings.Trim(rest, "/") != "":
		http.NotFound(w, r)
	case r.Method != http.MethodPut:
		w.Header().Set("Allow", http.MethodPut)
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		api.subscribe(s, w, r, extension)
	}
}
