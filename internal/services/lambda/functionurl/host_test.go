package functionurl

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAddressOf(t *testing.T) {
	id := strings.Repeat("a1", 16)
	for _, c := range []struct {
		host, target string
		want         address
		ok           bool
	}{
		{id + ".lambda-url.us-east-1.localhost:4566", "/a%20b?c", address{id, "us-east-1", id + ".lambda-url.us-east-1.localhost", "/a%20b"}, true},
		{strings.ToUpper(id) + ".Lambda-Url.us-east-1.on.aws.", "/", address{id, "us-east-1", id + ".lambda-url.us-east-1.on.aws", "/"}, true},
		{"x.lambda-url.r.d", "/_licet/health", address{"x", "r", "x.lambda-url.r.d", "/_licet/health"}, true},
		{"localhost:4566", PathPrefix + id + "/a/b%2Fc?d", address{id: id, path: "/a/b%2Fc"}, true},
		{"localhost", PathPrefix + id, address{id: id, path: "/"}, true},
		{"localhost", PathPrefix, address{path: "/"}, true},
		{"localhost", "/2015-03-31/functions", address{}, false},
		{"bucket.lambda-url.localhost", "/", address{}, false},
		{"lambda-url.us-east-1.localhost", "/", address{}, false},
		{".lambda-url.us-east-1.localhost", "/", address{}, false},
		{"[::1]:4566", "/", address{}, false},
		{"", "/", address{}, false},
	} {
		r := httptest.NewRequest("GET", c.target, nil)
		r.Host = c.host
		got, ok := addressOf(r)
		if got != c.want || ok != c.ok || IsRequest(r) != c.ok {
			t.Errorf("%s%s: got %+v %t, want %+v %t", c.host, c.target, got, ok, c.want, c.ok)
		}
	}
}

// FuzzParseHost: what is the name of a URL has all parts of one, whatever its case.
func FuzzParseHost(f *testing.F) {
	for _, host := range []string{"a.lambda-url.b.c", "A.LAMBDA-URL.b.c:1", "a.lambda-url..c", "[::1]:80", "a.lambda-url.b.c.:x", ""} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		a, ok := parseHost(host)
		if !ok {
			return
		}
		if a.id == "" || a.region == "" || !strings.HasPrefix(a.domain, a.id+".lambda-url."+a.region+".") {
			t.Errorf("%q: got %+v", host, a)
		}
		if again, ok := parseHost(a.domain); !ok || again.id != a.id || again.region != a.region {
			t.Errorf("%q: got %+v, of its own domain %+v", host, a, again)
		}
	})
}
