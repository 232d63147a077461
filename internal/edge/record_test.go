package edge

import (
	"net/http"
	"strings"
	"testing"

	"github.com/licet/licet/internal/dispatch"
)

// Recordings are switched from this machine only: not over a network, and not from inside a function, whose calls have no address.
func TestLocal(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:80": true, "[::1]:80": true, "127.9.9.9:1": true, "[::ffff:127.0.0.1]:80": true,
		"": false, "10.0.0.1:80": false, "[fe80::1]:80": false, "localhost:80": false, "127.0.0.1": false, "0.0.0.0:80": false,
	} {
		if err := local(&http.Request{RemoteAddr: address}); (err == nil) != want {
			t.Errorf("%q: got %v", address, err)
		}
	}
}

// While an account is recorded, its denied calls pass and say so, and each names the command that explains it.
func TestRecordPage(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	if got := w.do(listFunctions().by("NOBODY")); got.status != http.StatusForbidden || got.header.Get("X-Licet-Decision") != "" ||
		got.header.Get("X-Licet-Explain") != "licet explain "+got.header.Get("X-Amzn-Requestid") {
		t.Errorf("before: got %d with %v", got.status, got.header)
	}
	record := func(method, key string) answer {
		q := page(RecordPage).by(key)
		q.method = method
		return w.do(q)
	}
	for _, key := range []string{"USER", "TASK"} {
		w.wantError(t, record(http.MethodPost, key), "403 AccessDeniedException Only the root")
	}
	if got := record(http.MethodPost, "OTHERROOT"); !strings.Contains(got.body, `"all": true`) {
		t.Errorf("other account: got %s", got.body)
	}
	if got := w.do(listFunctions().by("NOBODY")); got.status != http.StatusForbidden {
		t.Errorf("another account's recording: got %d", got.status)
	}
	if got := record(http.MethodGet, "ROOT"); !strings.Contains(got.body, `"all": false`) {
		t.Errorf("status: got %s", got.body)
	}
	if got := record(http.MethodPost, "ROOT"); !strings.Contains(got.body, `"all": true`) {
		t.Errorf("start: got %s", got.body)
	}
	if got := w.do(listFunctions().by("NOBODY")); got.status != http.StatusOK || !strings.HasPrefix(got.header.Get("X-Licet-Decision"), "denied; let through") {
		t.Errorf("recorded: got %d with %v", got.status, got.header)
	}
	if got := record(http.MethodDelete, "ROOT"); !strings.Contains(got.body, `"all": false`) {
		t.Errorf("stop: got %s", got.body)
	}
	if got := w.do(listFunctions().by("NOBODY")); got.status != http.StatusForbidden {
		t.Errorf("afterwards: got %d", got.status)
	}
}
