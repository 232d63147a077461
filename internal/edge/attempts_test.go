package edge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/internal/dispatch"
)

func TestSourceOf(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:80": "192.0.2.7/32", "[2001:db8::1]:80": "2001:db8::/64", "[2001:db8:0:0:9::1]:80": "2001:db8::/64",
		"[::ffff:192.0.2.7]:80": "192.0.2.7/32", "[fe80::1%eth0]:80": "fe80::/64",
		"127.0.0.1:80": "", "[::1]:80": "", "": "", "pipe": "",
	} {
		got, ok := sourceOf(&http.Request{RemoteAddr: remote})
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q: %v, %v; want %q", remote, got, ok, want)
		}
	}
}

// from sets where requests come from.
func (w *world) from(remote string) { w.remote = &remote }

func TestAttempts(t *testing.T) {
	var a attempts
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	one, other := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	let := func(from netip.Prefix, tries int) (n int) {
		for range tries {
			if !a.failed(from, now) {
				n++
			}
		}
		return n
	}
	if n := let(one, 1000); n != attemptsAtOnce {
		t.Errorf("%d at once, want %d", n, attemptsAtOnce)
	}
	if n := let(other, 1); n != 1 {
		t.Error("another source is refused")
	}
	now = now.Add(2 * time.Second)
	if n := let(one, 1000); n != 2*attemptsPerSecond {
		t.Errorf("%d after two seconds, want %d", n, 2*attemptsPerSecond)
	}
	now = now.Add(-time.Hour) // a clock that is set back gives nothing away
	if n := let(one, 10); n != 0 {
		t.Errorf("%d with a clock that went back", n)
	}
	now = now.Add(2 * time.Hour)
	if n := let(one, 1000); n != attemptsAtOnce {
		t.Errorf("%d after a pause, want %d", n, attemptsAtOnce)
	}
	// However many sources there are, memory is bounded.
	for i := range 3 * maxSources {
		a.failed(netip.MustParsePrefix(fmt.Sprintf("10.%d.%d.%d/32", i>>16, i>>8&255, i&255)), now)
	}
	if len(a.sources) > maxSources {
		t.Errorf("%d sources are kept", len(a.sources))
	}
}

// Who tries keys is soon told nothing about them; who has one is let in from the same address.
func TestFailedSignatures(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	w.from("192.0.2.1:999")
	bad := func() answer { return w.do(listFunctions().by("UNKNOWN")) }
	for range attemptsAtOnce {
		w.wantError(t, bad(), "403 UnrecognizedClientException")
	}
	w.wantError(t, bad(), "429 TooManyRequestsException Rate exceeded")
	if got := w.do(listFunctions().by("USER")); got.status != http.StatusOK {
		t.Errorf("a good signature: got %d %s", got.status, got.body)
	}
	w.from("192.0.2.2:999")
	w.wantError(t, bad(), "403 UnrecognizedClientException")
	w.from("127.0.0.1:999")
	for range 2 * attemptsAtOnce {
		w.wantError(t, bad(), "403 UnrecognizedClientException")
	}
}

// Probes need no credentials, and are told nothing but whether they may go on.
func TestReady(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	w.from("192.0.2.1:1")
	var lacks error
	w.config.Ready = func(context.Context) error { return lacks }
	for _, err := range []error{nil, errors.New("the database at 10.0.0.7 is away")} {
		lacks = err
		got := w.do(request{method: "GET", path: "/_licet/ready"})
		if (got.status == http.StatusOK) != (err == nil) || strings.Contains(got.body, "10.0.0.7") || err != nil && got.status != http.StatusServiceUnavailable {
			t.Errorf("with %v: got %d %s", err, got.status, got.body)
		}
	}
}

// A root is answered on this machine, and where the configuration says.
func TestPagesAreForThisMachine(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	w.config.AdminFrom = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
	for remote, good := range map[string]bool{
		"127.0.0.1:1": true, "[::1]:1": true, "10.1.2.3:1": true, "[::ffff:10.1.2.3]:1": true,
		"10.2.0.1:1": false, "192.0.2.1:1": false, "": false, "@": false,
	} {
		w.from(remote)
		for _, p := range []string{DecisionsPage, RecordPage} {
			if got := w.do(page(p).by("OTHERROOT")); (got.status == http.StatusOK) != good {
				t.Errorf("%s from %q: got %d %s", p, remote, got.status, got.body)
			}
		}
	}
}
