package registry

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const ecr = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"

func randomImage(t *testing.T) (v1.Image, string) {
	t.Helper()
	image, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return image, digest.String()
}

// inLayout writes a layout with images of these tags.
func inLayout(t *testing.T, dir string, tagged map[string]mutate.Appendable) {
	t.Helper()
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	for tag, what := range tagged {
		annotation := layout.WithAnnotations(map[string]string{refName: tag})
		if image, ok := what.(v1.Image); ok {
			err = path.AppendImage(image, annotation)
		} else {
			err = path.AppendIndex(what.(v1.ImageIndex), annotation)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestLayouts(t *testing.T) {
	layouts := t.TempDir()
	first, firstDigest := randomImage(t)
	second, secondDigest := randomImage(t)
	index, err := random.Index(64, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	inLayout(t, filepath.Join(layouts, "team", "app"), map[string]mutate.Appendable{"v1": first, "host/team/app:v2": second, "many": index})
	inLayout(t, filepath.Join(layouts, "alone"), map[string]mutate.Appendable{"": first})
	outside := filepath.Join(filepath.Dir(layouts), "outside")
	inLayout(t, outside, map[string]mutate.Appendable{"": first})
	t.Cleanup(func() { os.RemoveAll(outside) })

	r := resolver(t, Config{Layouts: layouts})
	for image, want := range map[string]string{
		ecr + "/team/app:v1": firstDigest, ecr + "/team/app:v2": secondDigest, ecr + "/team/app@" + secondDigest: secondDigest, ecr + "/alone": firstDigest,
	} {
		got, err := r.Resolve(t.Context(), image)
		repository, _, _ := strings.Cut(strings.TrimPrefix(image, ecr), ":")
		repository, _, _ = strings.Cut(repository, "@")
		if err != nil || got != (Image{want, ecr + repository + "@" + want}) {
			t.Errorf("%s: got %+v, %v, want %s", image, got, err, want)
		}
		content, err := r.Open(t.Context(), image, want)
		if err != nil {
			t.Fatal(err)
		}
		checkContent(t, content, want)
	}
	for image, want := range map[string]error{
		ecr + "/team/app": ErrMissing, ecr + "/team/app:v3": ErrMissing, ecr + "/none:v1": ErrMissing, ecr + "/alone:v1": ErrMissing,
		ecr + "/team/app:many": ErrKind, ecr + "/../outside": ErrName, ecr + "/team/../../outside": ErrName,
	} {
		if got, err := r.Resolve(t.Context(), image); !errors.Is(err, want) {
			t.Errorf("%s: got %+v, %v, want %v", image, got, err, want)
		}
	}
	if _, err := r.Open(t.Context(), ecr+"/alone", secondDigest); !errors.Is(err, ErrMissing) {
		t.Errorf("digest of another layout: got %v", err)
	}
}

// checkContent reads all that an image has.
func checkContent(t *testing.T, c Content, digest string) {
	t.Helper()
	m, err := v1.ParseManifest(strings.NewReader(string(c.Manifest)))
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := v1.SHA256(strings.NewReader(string(c.Manifest))); err != nil || got.String() != digest {
		t.Errorf("manifest: got %s, %v, want %s", got, err, digest)
	}
	for _, d := range append(m.Layers, m.Config) {
		blob, err := c.Blob(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := v1.SHA256(blob); err != nil || got != d.Digest {
			t.Errorf("blob: got %s, %v, want %s", got, err, d.Digest)
		}
		if err := blob.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestMirrorWithCredentials(t *testing.T) {
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); r.Method == http.MethodGet && user+":"+password != "someone:secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="private"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	defer s.Close()
	open := httptest.NewServer(inner)
	defer open.Close()
	image, digest := randomImage(t)
	ref, err := name.ParseReference(strings.TrimPrefix(open.URL, "http://") + "/team/app:v1")
	if err == nil {
		err = remote.Write(ref, image)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Mirrors: map[string]string{ecr: s.URL}}
	if got, err := resolver(t, c).Resolve(t.Context(), ecr+"/team/app:v1"); !errors.Is(err, ErrDenied) {
		t.Errorf("without credentials: got %+v, %v", got, err)
	}
	host := strings.TrimPrefix(s.URL, "http://")
	for form, key := range map[string]string{
		"words": `{"username": "someone", "password": "secret"}`, "base64": `{"auth": "c29tZW9uZTpzZWNyZXQ="}`,
	} {
		if c.Credentials, err = ReadCredentials(fileOf(t, fmt.Sprintf(`{"auths": {"http://%s/v1/": %s}}`, host, key))); err != nil {
			t.Fatal(err)
		}
		r := resolver(t, c)
		got, err := r.Resolve(t.Context(), ecr+"/team/app:v1")
		if err != nil || got != (Image{digest, ecr + "/team/app@" + digest}) {
			t.Errorf("%s: got %+v, %v", form, got, err)
		}
		content, err := r.Open(t.Context(), ecr+"/team/app:v1", digest)
		if err != nil {
			t.Fatal(err)
		}
		checkContent(t, content, digest)
	}
}

func fileOf(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfigRefused(t *testing.T) {
	for _, mirror := range []string{"127.0.0.1:5000", "ftp://host", "http://", "http://host/path", "http://host?x=1", ":"} {
		if _, err := New(Config{Mirrors: map[string]string{ecr: mirror}}); err == nil || !strings.Contains(err.Error(), "is not a URL such as") {
			t.Errorf("%s: got %v", mirror, err)
		}
	}
	for content, want := range map[string]string{
		"secret":                    "is not of the form that docker login writes",
		`{"credsStore": "x"}`:       "which are not run",
		`{"credHelpers":{"a":"b"}}`: "which are not run",
	} {
		if _, err := ReadCredentials(fileOf(t, content)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want %s", content, err, want)
		}
	}
	if _, err := ReadCredentials(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
}

// What Lambda does not take is refused before it is fetched.
func TestSupported(t *testing.T) {
	for name, c := range map[string]struct {
		manifest, config, layer types.MediaType
		want                    bool
	}{
		"docker":        {types.DockerManifestSchema2, types.DockerConfigJSON, types.DockerLayer, true},
		"oci":           {types.OCIManifestSchema1, types.OCIConfigJSON, types.OCIUncompressedLayer, true},
		"index":         {types.OCIImageIndex, types.OCIConfigJSON, types.OCILayer, false},
		"old":           {types.DockerManifestSchema1, types.DockerConfigJSON, types.DockerLayer, false},
		"zstd":          {types.OCIManifestSchema1, types.OCIConfigJSON, types.OCILayerZStd, false},
		"foreign":       {types.DockerManifestSchema2, types.DockerConfigJSON, types.DockerForeignLayer, false},
		"attestation":   {types.OCIManifestSchema1, types.OCIConfigJSON, "application/vnd.in-toto+json", false},
		"other content": {types.OCIManifestSchema1, "application/vnd.cncf.helm.config.v1+json", types.OCILayer, false},
	} {
		raw := fmt.Sprintf(`{"config": {"mediaType": %q}, "layers": [{"mediaType": %q}]}`, c.config, c.layer)
		if err := supported(manifest{media: c.manifest, raw: []byte(raw)}); (err == nil) != c.want {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := supported(manifest{media: types.OCIManifestSchema1, raw: []byte("{")}); err == nil {
		t.Error("no manifest: got no error")
	}
}
