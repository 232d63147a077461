package registry

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// hostile is a registry, and the server of its tokens, that answers what it likes.
type hostile struct {
	t                                      *testing.T
	manifest, media, digest, demand, token string
}

// RoundTrip answers a ping and a question without a token by a demand for one, and what asks for no manifest by the token.
func (h hostile) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		h.t.Errorf("%s is asked without TLS", r.URL)
	}
	answer := func(status int, body string) (*http.Response, error) {
		header := http.Header{"Content-Type": {h.media}, "Docker-Content-Digest": {h.digest}, "Www-Authenticate": {h.demand}}
		return &http.Response{
			StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
		}, nil
	}
	switch {
	case r.Method == http.MethodHead && strings.Contains(r.URL.Path, "/manifests/"):
		return answer(http.StatusOK, "")
	case strings.HasPrefix(r.URL.Path, "/v2/") && h.demand != "" && r.Header.Get("Authorization") == "":
		return answer(http.StatusUnauthorized, h.manifest)
	case strings.HasPrefix(r.URL.Path, "/v2/"):
		return answer(http.StatusOK, h.manifest)
	}
	return answer(http.StatusOK, h.token)
}

// FuzzRegistry looks for answers of registries that panic, that make a registry elsewhere send us to this machine or past TLS, or that
// leave a name with a digest that is none.
func FuzzRegistry(f *testing.F) {
	const manifest = `{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":"sha256:` +
		`44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}`
	const media = "application/vnd.oci.image.manifest.v1+json"
	f.Add(manifest, media, "", "", "")
	f.Add(manifest, media, "sha256:1", `Bearer realm="https://registry.example/token",service="s"`, `{"token":"x","expires_in":5}`)
	f.Add(manifest, media, "", `Bearer realm="http://127.0.0.1/token"`, `{"access_token":"x"}`)
	f.Add(manifest, "application/vnd.docker.distribution.manifest.v1+json", "", `Basic realm="x"`, ``)
	f.Add(`{"manifests":[{"size":-1,"digest":"sha256:x"}]}`, "application/vnd.oci.image.index.v1+json", "", "Bearer", "{}")
	f.Fuzz(func(t *testing.T, manifest, media, digest, demand, token string) {
		r, err := New(Config{Credentials: authn.NewMultiKeychain()})
		if err != nil {
			t.Fatal(err)
		}
		r.transport = hostile{t, manifest, media, digest, demand, token}
		got, err := r.Resolve(t.Context(), "registry.example/team/app:v1")
		if err != nil {
			known := false
			for _, sentinel := range []error{ErrName, ErrMissing, ErrDenied, ErrKind, errNetwork} {
				known = known || errors.Is(err, sentinel)
			}
			if !known {
				t.Errorf("got %v", err)
			}
			return
		}
		if _, err := v1.NewHash(got.Digest); err != nil || got.Resolved != "registry.example/team/app@"+got.Digest {
			t.Errorf("got %+v, %v", got, err)
		}
		if _, err := r.Open(t.Context(), "registry.example/team/app:v1", got.Digest); err != nil {
			t.Errorf("what was resolved cannot be opened: %v", err)
		}
	})
}

// FuzzLayout looks for OCI layouts that panic, or that lead out of themselves.
func FuzzLayout(f *testing.F) {
	const digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
	f.Add(`{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"`+digest+`","size":2}]}`, "{}", "latest")
	f.Add(`{"manifests":[{"digest":"sha256:../../secret"}]}`, "{}", "latest")
	f.Add(`{"manifests":[{"digest":"../x:y","annotations":{"org.opencontainers.image.ref.name":"a/b:v1"}},{}]}`, "null", "v1")
	f.Fuzz(func(t *testing.T, index, manifest, identifier string) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "layout")
		if err := errors.Join(
			os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o700),
			os.WriteFile(filepath.Join(parent, "secret"), []byte("secret"), 0o600),
			os.WriteFile(filepath.Join(dir, "index.json"), []byte(index), 0o600),
			os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o600),
			os.WriteFile(filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:")), []byte(manifest), 0o600),
		); err != nil {
			t.Fatal(err)
		}
		got, err := findInLayout(dir, identifier)
		if err != nil {
			return
		}
		if string(got.raw) != manifest {
			t.Errorf("%s, %s: got %q", index, identifier, got.raw)
		}
		_ = supported(got) // whatever it says
	})
}
