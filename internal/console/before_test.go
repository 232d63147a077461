package console

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// What others wrote is not of the console's origin, whatever policy they give it; clients that show nothing see no difference.
func TestBefore(t *testing.T) {
	const sandbox = "sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads"
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "theirs")
		if _, err := w.Write([]byte("next")); err != nil {
			t.Error(err)
		}
	})
	h := newWorld(t, "licet.example").Before(next)
	for _, tt := range []struct {
		host, path, dest string
		next, sandboxed  bool
	}{
		{"127.0.0.1:4566", "/bucket/page.html", "document", true, true},
		{"127.0.0.1:4566", "/bucket/page.html", "iframe", true, true},
		{"localhost:4566", "/_licet/lambda-url/id/", "document", true, true},
		{"licet.example", "/bucket/page.html", "document", true, true},
		{"127.0.0.1:4566", "/bucket/page.html", "", true, false},
		{"127.0.0.1:4566", "/bucket/page.html", "empty", true, false},
		{"id.lambda-url.us-east-1.localhost:4566", "/", "document", true, false},
		{"id.lambda-url.us-east-1.localhost:4566", Pages + "functions", "document", true, false},
		{"127.0.0.1:4566", "/_licet/health", "", true, false},
		{"127.0.0.1:4566", Root, "document", false, false},
		{"127.0.0.1:4566", "/_licet/console", "document", false, false},
		{"127.0.0.1:4566", Pages + "functions", "document", false, false},
		{"evil.example", Pages + "functions", "document", false, false},
	} {
		r := httptest.NewRequest(http.MethodGet, tt.path, nil)
		r.Host, r.RemoteAddr = tt.host, "127.0.0.1:1"
		if tt.dest != "" {
			r.Header.Set(fetchDest, tt.dest)
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		policies := rec.Result().Header.Values("Content-Security-Policy")
		if got := rec.Body.String() == "next"; got != tt.next {
			t.Errorf("%+v: got %d %s", tt, rec.Code, rec.Body)
		}
		if got := len(policies) == 2 && policies[1] == sandbox; got != tt.sandboxed {
			t.Errorf("%+v: got policies %q", tt, policies)
		}
	}
}

// A script of another page of the origin reads nothing: neither does what does not say that it is a browser.
func TestPagesAreShown(t *testing.T) {
	w := newWorld(t)
	b := w.browser().signedIn(t, "ROOT")
	rows := Pages + "decisions?part=rows"
	for _, tt := range []struct {
		path, dest, site string
		want             int
	}{
		{Pages, "document", "none", 200},
		{Pages, "empty", "same-origin", 403},
		{Pages, "iframe", "same-origin", 403},
		{Pages, "object", "same-origin", 403},
		{Pages, "", "", 403},
		{rows, "empty", "same-origin", 200},
		{rows, "empty", "cross-site", 403},
		{rows, "empty", "same-site", 403},
		{rows, "empty", "", 403},
		{Pages + "assets/console.css", "style", "same-origin", 200},
	} {
		r := httptest.NewRequest(http.MethodGet, tt.path, nil)
		r.Host, r.RemoteAddr = b.host, b.remote
		r.AddCookie(b.cookies[cookieName])
		if tt.dest != "" {
			r.Header.Set(fetchDest, tt.dest)
			r.Header.Set("Sec-Fetch-Site", tt.site)
		}
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		if rec.Code != tt.want {
			t.Errorf("%+v: got %d %s", tt, rec.Code, rec.Body)
		}
	}
}
