package registry

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestResolve(t *testing.T) {
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	image, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	push := func(ref string, put func(name.Reference) error) {
		t.Helper()
		r, err := name.ParseReference(ref)
		if err != nil {
			t.Fatal(err)
		}
		if err := put(r); err != nil {
			t.Fatal(err)
		}
	}
	push(host+"/app/web:latest", func(r name.Reference) error { return remote.Write(r, image) })
	index, err := random.Index(64, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	push(host+"/app/web:many", func(r name.Reference) error { return remote.WriteIndex(r, index) })

	want := Image{Digest: digest.String(), Resolved: host + "/app/web@" + digest.String()}
	for _, given := range []string{"/app/web", "/app/web:latest", "/app/web@" + digest.String()} {
		if got, err := resolver(t, Config{}).Resolve(t.Context(), host+given); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", given, got, err, want)
		}
	}
	for given, want := range map[string]error{
		host + "/app/web:other": ErrMissing, host + "/app/none": ErrMissing, host + "/app/web:many": ErrKind,
		host + "/app/web@sha256:" + strings.Repeat("0", 64): ErrMissing,
		"": ErrName, "web": ErrName, "app/web:latest": ErrName, host + "/App": ErrName, host + "/app:a b": ErrName, "/app": ErrName,
		"10.0.0.1/app": errNetwork, "registry.local/app": errNetwork, "localhost:1/app": errNetwork,
	} {
		if got, err := resolver(t, Config{}).Resolve(t.Context(), given); !errors.Is(err, want) || got != (Image{}) {
			t.Errorf("%q: got %+v, %v, want %v", given, got, err, want)
		}
	}
}

func TestResolveDenied(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v2/" {
				w.WriteHeader(status)
			}
		}))
		defer s.Close()
		_, err := resolver(t, Config{}).Resolve(t.Context(), strings.TrimPrefix(s.URL, "http://")+"/app")
		if !errors.Is(err, ErrDenied) {
			t.Errorf("%d: got %v, want ErrDenied", status, err)
		}
	}
}

// A manifest without end is refused, wherever it comes from.
func TestResolveLong(t *testing.T) {
	for _, size := range []int{maxManifest, maxManifest + 1} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/v2/app/manifests/latest":
				http.Redirect(w, r, "/elsewhere", http.StatusFound)
			case "/elsewhere":
				w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
				_, _ = io.Copy(w, io.LimitReader(spaces{}, int64(size))) // the client may hang up
			}
		}))
		defer s.Close()
		_, err := resolver(t, Config{}).Resolve(t.Context(), strings.TrimPrefix(s.URL, "http://")+"/app")
		if !errors.Is(err, ErrKind) || strings.Contains(err.Error(), "longer than") != (size > maxManifest) {
			t.Errorf("%d bytes: got %v", size, err)
		}
	}
}

type spaces struct{}

func (spaces) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// A registry elsewhere cannot have this machine asked, by a redirect or as the place of its tokens.
func TestResolveStaysAway(t *testing.T) {
	here := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("was asked for %s", r.URL) }))
	defer here.Close()
	for name, answer := range map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, here.URL+"/secret", http.StatusFound)
		},
		"tokens": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+here.URL+`/token",service="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		},
	} {
		elsewhere := httptest.NewTLSServer(answer)
		defer elsewhere.Close()
		transport := elsewhere.Client().Transport.(*http.Transport).Clone()
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if strings.HasPrefix(address, "example.com:") { // for which the server has a certificate
				address = elsewhere.Listener.Addr().String()
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		if _, err := (&Registry{transport: transport}).Resolve(t.Context(), "example.com/app"); !errors.Is(err, errNetwork) {
			t.Errorf("%s: got %v, want %v", name, err, errNetwork)
		}
	}
}

// What a registry elsewhere redirects to is never this machine, and nothing elsewhere is asked without TLS.
func TestGuard(t *testing.T) {
	asked := ""
	through := roundTripper(func(r *http.Request) (*http.Response, error) {
		asked = r.URL.String()
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
	})
	for _, c := range []struct {
		url        string
		here, want bool
	}{
		{"http://127.0.0.1:5000/v2/", true, true},
		{"https://localhost:5000/v2/", true, true},
		{"http://127.0.0.1:5000/v2/", false, false},
		{"https://127.0.0.1:5000/v2/", false, false},
		{"https://[::1]/v2/", false, false},
		{"https://0.0.0.0/v2/", false, false},
		{"https://registry.example.com/v2/", false, true},
		{"https://registry.example.com/v2/", true, true},
		{"http://registry.example.com/v2/", false, false},
		{"http://10.0.0.1/v2/", true, false},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		asked = ""
		resp, err := guarded{RoundTripper: through, here: c.here}.RoundTrip(req)
		if got := err == nil; got != c.want || got != (asked == c.url) {
			t.Errorf("%s for a registry here %v: let through %v, %v", c.url, c.here, got, err)
		}
		if resp != nil {
			resp.Body.Close() // there is none
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func resolver(t *testing.T, c Config) *Registry {
	t.Helper()
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
