package console

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// maxAttempts of an address in a period are answered; the rest are refused unread.
	maxAttempts   = 10
	attemptPeriod = time.Minute
	// maxAddresses bounds what is kept. While there are more, nobody new may try.
	maxAddresses = 10_000
)

// attempts counts attempts to sign in by address. It is safe for concurrent use.
type attempts struct {
	now func() time.Time

	// mu guards counts.
	mu     sync.Mutex
	counts map[netip.Prefix]attempt
}

type attempt struct {
	n     int
	until time.Time
}

func newAttempts(now func() time.Time) *attempts {
	return &attempts{now: now, counts: make(map[netip.Prefix]attempt)}
}

// begin counts an attempt; false when there were too many.
func (a *attempts) begin(remote string) bool {
	key := network(remote)
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if len(a.counts) >= maxAddresses {
		for k, v := range a.counts {
			if !now.Before(v.until) {
				delete(a.counts, k)
			}
		}
	}
	got, ok := a.counts[key]
	if !ok && len(a.counts) >= maxAddresses {
		return false
	}
	if !now.Before(got.until) {
		got = attempt{until: now.Add(attemptPeriod)}
	}
	got.n++
	a.counts[key] = got
	return got.n <= maxAttempts
}

// succeed takes back the attempt that was good: only the others count.
func (a *attempts) succeed(remote string) {
	key := network(remote)
	a.mu.Lock()
	defer a.mu.Unlock()
	if got, ok := a.counts[key]; ok {
		got.n--
		a.counts[key] = got
	}
}

// network is what one machine has of addresses: of IPv6 at least a /64 (RFC 6177).
func network(remote string) netip.Prefix {
	addr, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := addr.Addr().Unmap().WithZone(""), 32
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
