package edge

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/connection"
	"github.com/licet/licet/internal/sigv4"
)

// Failed signatures of one source: so many at once, and so many a second. What comes beyond is told only that, and not whether a key is
// known: who tries keys learns of few. Good signatures pass all the same, for a source may be many clients behind one address.
const (
	attemptsAtOnce    = 50
	attemptsPerSecond = 5
	// maxSources bounds the memory. Those that have not failed for a while are forgotten first.
	maxSources = 10_000
)

// attempts counts failed signatures by source. The zero value is ready.
type attempts struct {
	mu      sync.Mutex
	sources map[netip.Prefix]*source
}

// source is a leaky bucket.
type source struct {
	level float64
	at    time.Time
}

// sourceOf is what failures are counted by. This machine is not counted, for whoever is there can do worse, and tests of refusals are; nor is code
// in functions, which has no address.
func sourceOf(r *http.Request) (netip.Prefix, bool) {
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}, false
	}
	return connection.Source(addr.Addr())
}

// failed counts a failure, and tells whether there were too many.
func (a *attempts) failed(from netip.Prefix, now time.Time) (tooMany bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sources[from]
	if s == nil {
		a.makeRoom(now)
		s = &source{at: now}
		a.sources[from] = s
	}
	s.leak(now)
	if s.level+1 > attemptsAtOnce {
		return true
	}
	s.level++
	return false
}

func (s *source) leak(now time.Time) {
	if passed := now.Sub(s.at); passed > 0 {
		s.level = max(0, s.level-passed.Seconds()*attemptsPerSecond)
		s.at = now
	}
}

// makeRoom forgets sources whose failures are long ago, or else any, a quarter at a time: it is not to be done for each. a.mu is held.
func (a *attempts) makeRoom(now time.Time) {
	if a.sources == nil {
		a.sources = map[netip.Prefix]*source{}
	}
	if len(a.sources) < maxSources {
		return
	}
	for from, s := range a.sources {
		if s.leak(now); s.level == 0 {
			delete(a.sources, from)
		}
	}
	for from := range a.sources {
		if len(a.sources) <= maxSources*3/4 {
			return
		}
		delete(a.sources, from)
	}
}

// throttled is what is told a source with too many failures, in the words of the service's protocol (Common errors of each API:
// ThrottlingException; TooManyRequestsException of Lambda; SlowDown of S3).
func throttled(f sigv4.Family) error {
	switch f {
	case sigv4.S3:
		return awserr.New("SlowDown", http.StatusServiceUnavailable, "Please reduce your request rate.")
	case sigv4.RESTJSON:
		return awserr.New("TooManyRequestsException", http.StatusTooManyRequests, "Rate exceeded")
	case sigv4.Query:
		return awserr.New("Throttling", http.StatusBadRequest, "Rate exceeded")
	default:
		return awserr.New("ThrottlingException", http.StatusBadRequest, "Rate exceeded")
	}
}
