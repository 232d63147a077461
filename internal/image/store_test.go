package image

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/licet/licet/internal/registry"
)

// source has images by digest.
type source struct {
	images map[string]registry.Content
	opened atomic.Int64
	gate   chan struct{} // if set, Open waits until it is closed
	err    error
}

func (s *source) Open(ctx context.Context, _, digest string) (registry.Content, error) {
	s.opened.Add(1)
	if s.gate != nil {
		select {
		case <-s.gate:
		case <-ctx.Done():
			return registry.Content{}, ctx.Err()
		}
	}
	c, ok := s.images[digest]
	if s.err != nil {
		return registry.Content{}, s.err
	}
	if !ok {
		return registry.Content{}, registry.ErrMissing
	}
	return c, nil
}

// parts of an image, before they are put together.
type parts struct {
	config   v1.ConfigFile
	manifest v1.Manifest
	blobs    map[string][]byte
}

func hashOf(b []byte) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", sha256.Sum256(b))}
}

func zipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return z.Bytes()
}

// newParts has layers, compressed or not in turn.
func newParts(t testing.TB, layers ...[]byte) *parts {
	t.Helper()
	p := &parts{blobs: map[string][]byte{}}
	p.config.Config = v1.Config{Entrypoint: []string{"/entry"}, Cmd: []string{"a", "b"}, Env: []string{"A=b"}, WorkingDir: "/work"}
	for i, plain := range layers {
		raw, media := zipped(t, plain), types.OCILayer
		if i%2 == 1 {
			raw, media = plain, types.OCIUncompressedLayer
		}
		p.blobs[hashOf(raw).String()] = raw
		p.manifest.Layers = append(p.manifest.Layers, v1.Descriptor{MediaType: media, Size: int64(len(raw)), Digest: hashOf(raw)})
		p.config.RootFS.DiffIDs = append(p.config.RootFS.DiffIDs, hashOf(plain))
	}
	return p
}

// put adds the image to a source and gives its digest.
func (p *parts) put(t testing.TB, s *source) string {
	t.Helper()
	config, err := json.Marshal(p.config)
	if err != nil {
		t.Fatal(err)
	}
	p.blobs[hashOf(config).String()] = config
	p.manifest.Config = v1.Descriptor{MediaType: types.OCIConfigJSON, Size: int64(len(config)), Digest: hashOf(config)}
	return p.seal(t, s)
}

func (p *parts) seal(t testing.TB, s *source) string {
	t.Helper()
	manifest, err := json.Marshal(p.manifest)
	if err != nil {
		t.Fatal(err)
	}
	if s.images == nil {
		s.images = map[string]registry.Content{}
	}
	digest := hashOf(manifest).String()
	s.images[digest] = registry.Content{Manifest: manifest, Blob: func(h v1.Hash) (io.ReadCloser, error) {
		b, ok := p.blobs[h.String()]
		if !ok {
			return nil, registry.ErrMissing
		}
		return io.NopCloser(bytes.NewReader(b)), nil
	}}
	return digest
}

func newStore(t testing.TB, s *source, dir string) *Store {
	t.Helper()
	store := New(Settings{Dir: dir, Source: s, Limits: testLimits})
	t.Cleanup(store.Close)
	if err := store.Open(func(string) bool { return true }); err != nil {
		t.Fatal(err)
	}
	return store
}

// entries are the names in a directory.
func entries(t testing.TB, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// Many who want an image at once get one, which a later store finds without its source.
func TestGet(t *testing.T) {
	s, dir := &source{gate: make(chan struct{})}, t.TempDir()
	digest := newParts(t, layer(t, file("a", "1"), file("b", "1")), layer(t, file("a", "2"), file(".wh.b", ""))).put(t, s)
	store := newStore(t, s, dir)
	if state, err := store.Look(digest); state != Missing || err != nil {
		t.Errorf("before: got %v, %v", state, err)
	}
	store.Fetch("name", digest)
	if state, err := store.Look(digest); state != Fetching || err != nil {
		t.Errorf("on its way: got %v, %v", state, err)
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Get(impatient, "name", digest); !errors.Is(err, context.Canceled) {
		t.Errorf("who does not wait got %v", err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			got, err := store.Get(t.Context(), "name", digest)
			if err != nil {
				t.Error(err)
				return
			}
			if diff := cmp.Diff(listing(t, got.Dir), map[string]string{"a": "-rw-r--r-- 2"}); diff != "" {
				t.Errorf("got - want +:\n%s", diff)
			}
			want := Config{Entrypoint: []string{"/entry"}, Cmd: []string{"a", "b"}, Env: []string{"A=b"}, WorkingDir: "/work"}
			if diff := cmp.Diff(got.Config, want); diff != "" {
				t.Errorf("got - want +:\n%s", diff)
			}
		})
	}
	close(s.gate)
	all.Wait()
	if n := s.opened.Load(); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	if state, err := store.Look(digest); state != Ready || err != nil {
		t.Errorf("after: got %v, %v", state, err)
	}
	again := newStore(t, &source{err: errors.New("gone")}, dir)
	if got, err := again.Get(t.Context(), "name", digest); err != nil || got.WorkingDir != "/work" {
		t.Errorf("after a restart: got %+v, %v", got, err)
	}
}

// endless is a layer that unpacks to more than any limit.
func endless(t testing.TB) []byte { return make([]byte, testLimits.Bytes+1) }

// Whatever is wrong with an image, it is the image's fault, and nothing of it is left.
func TestGetRefuses(t *testing.T) {
	good := layer(t, file("a", "1"))
	for name, c := range map[string]struct {
		change func(p *parts, s *source) string
		want   error
	}{
		"missing":                 {func(*parts, *source) string { return hashOf([]byte("x")).String() }, registry.ErrMissing},
		"digest is a path":        {func(*parts, *source) string { return "sha256:../outside" }, ErrInvalid},
		"digest of another kind":  {func(*parts, *source) string { return "sha512:" + strings.Repeat("0", 128) }, ErrInvalid},
		"for another system":      {func(p *parts, s *source) string { p.config.OS = "windows"; return p.put(t, s) }, ErrInvalid},
		"too few layers":          {func(p *parts, s *source) string { p.config.RootFS.DiffIDs = nil; return p.put(t, s) }, ErrInvalid},
		"other content unpacked":  {func(p *parts, s *source) string { p.config.RootFS.DiffIDs[0] = hashOf(nil); return p.put(t, s) }, ErrInvalid},
		"zero byte in its config": {func(p *parts, s *source) string { p.config.Config.Env = []string{"A=\x00"}; return p.put(t, s) }, ErrInvalid},
		"layer is missing": {func(p *parts, s *source) string {
			delete(p.blobs, p.manifest.Layers[0].Digest.String())
			return p.put(t, s)
		}, registry.ErrMissing},
		"layer is another one": {func(p *parts, s *source) string {
			p.blobs[p.manifest.Layers[0].Digest.String()] = zipped(t, layer(t, file("a", "2")))
			return p.put(t, s)
		}, ErrInvalid},
		"layer is longer":         {func(p *parts, s *source) string { p.manifest.Layers[0].Size--; return p.put(t, s) }, ErrInvalid},
		"layer is shorter":        {func(p *parts, s *source) string { p.manifest.Layers[0].Size++; return p.put(t, s) }, ErrInvalid},
		"layer is not compressed": {func(p *parts, s *source) string { p.manifest.Layers[1].MediaType = types.OCILayer; return p.put(t, s) }, ErrInvalid},
		"layer is compressed": {func(p *parts, s *source) string {
			p.manifest.Layers[0].MediaType = types.OCIUncompressedLayer
			return p.put(t, s)
		}, ErrInvalid},
		"manifest is another one": {func(p *parts, s *source) string {
			digest := p.put(t, s)
			s.images[digest] = registry.Content{Manifest: []byte("{}"), Blob: s.images[digest].Blob}
			return digest
		}, ErrInvalid},
		"config is another one": {func(p *parts, s *source) string {
			digest := p.put(t, s)
			at := p.manifest.Config.Digest.String()
			p.blobs[at] = bytes.Replace(p.blobs[at], []byte("A=b"), []byte("A=c"), 1)
			return digest
		}, ErrInvalid},
		"config is too large": {func(p *parts, s *source) string {
			p.put(t, s)
			p.manifest.Config.Size = maxConfig + 1
			return p.seal(t, s)
		}, ErrInvalid},
		"bomb": {func(_ *parts, s *source) string { return newParts(t, append(good, endless(t)...)).put(t, s) }, ErrTooLarge},
		"bomb before its end": {func(_ *parts, s *source) string {
			return newParts(t, layer(t, file("a", string(endless(t))))).put(t, s)
		}, ErrTooLarge},
		"no room": {func(p *parts, s *source) string { return p.put(t, s) }, ErrNoRoom},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := &source{}, t.TempDir()
			digest := c.change(newParts(t, good, layer(t, file("b", "1"))), s)
			store := newStore(t, s, dir)
			if errors.Is(c.want, ErrNoRoom) {
				store.Room = func() bool { return false }
			}
			if got, err := store.Get(t.Context(), "name", digest); !errors.Is(err, c.want) {
				t.Errorf("got %+v, %v, want %v", got, err, c.want)
			}
			if state, err := store.Look(digest); state != Failed || !errors.Is(err, c.want) {
				t.Errorf("got state %v, %v", state, err)
			}
			if left := entries(t, dir); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// A panic is a failure of that image alone.
func TestFetchPanics(t *testing.T) {
	s := &source{images: map[string]registry.Content{}}
	good := newParts(t, layer(t, file("a", "1"))).put(t, s)
	bad := newParts(t, layer(t, file("a", "2"))).put(t, s)
	s.images[bad] = registry.Content{Manifest: s.images[bad].Manifest, Blob: func(v1.Hash) (io.ReadCloser, error) { panic("as told") }}
	store := newStore(t, s, t.TempDir())
	if _, err := store.Get(t.Context(), "name", bad); err == nil || !strings.Contains(err.Error(), "as told") {
		t.Errorf("got %v", err)
	}
	if _, err := store.Get(t.Context(), "name", good); err != nil {
		t.Errorf("another one: %v", err)
	}
}

// An image that is itself to blame is not tried again by who runs it, but by who asks for it.
func TestFetchAgain(t *testing.T) {
	s := &source{}
	p := newParts(t, layer(t, file("a", "1")))
	digest := p.put(t, s)
	layerDigest := p.manifest.Layers[0].Digest.String()
	whole := p.blobs[layerDigest]
	p.blobs[layerDigest] = zipped(t, layer(t, file("a", "2")))
	store := newStore(t, s, t.TempDir())
	for range 2 {
		if _, err := store.Get(t.Context(), "name", digest); !errors.Is(err, ErrInvalid) {
			t.Fatalf("got %v", err)
		}
		store.FetchAgain("name", digest)
	}
	if n := s.opened.Load(); n != 1 {
		t.Errorf("fetched %d times, want 1", n)
	}
	p.blobs[layerDigest] = whole
	store.Fetch("name", digest)
	if _, err := store.Get(t.Context(), "name", digest); err != nil {
		t.Error(err)
	}
}

func TestDrop(t *testing.T) {
	s, dir := &source{}, t.TempDir()
	store := newStore(t, s, dir)
	var digests []string
	for _, content := range []string{"named", "running", "unused"} {
		digest := newParts(t, layer(t, file("a", content))).put(t, s)
		if _, err := store.Get(t.Context(), "name", digest); err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest)
	}
	missing := hashOf([]byte("x")).String()
	if _, err := store.Get(t.Context(), "name", missing); err == nil {
		t.Fatal("a missing image was got")
	}
	running, _ := store.Get(t.Context(), "name", digests[1])
	drop := func(wantMore bool, want int) {
		t.Helper()
		more, err := store.Drop(func(d string) bool { return d == digests[0] }, func(dir string) bool { return dir == running.Dir })
		if got := len(entries(t, dir)); err != nil || more != wantMore || got != want {
			t.Errorf("got %v, %v and %d images, want %v and %d", more, err, got, wantMore, want)
		}
	}
	drop(true, 3) // all were given to somebody a moment ago
	drop(true, 2)
	running.Dir = ""
	drop(false, 1)
	if state, _ := store.Look(missing); state != Missing {
		t.Errorf("a failure that nobody asks for is remembered: %v", state)
	}
	if _, err := store.Get(t.Context(), "name", digests[2]); err != nil {
		t.Errorf("one that was dropped: %v", err)
	}
}

// A start removes what a crash left, what nobody has, and what is damaged.
func TestOpen(t *testing.T) {
	s, dir := &source{}, t.TempDir()
	digest := newParts(t, layer(t, file("a", "1"))).put(t, s)
	store := newStore(t, s, dir)
	if _, err := store.Get(t.Context(), "name", digest); err != nil {
		t.Fatal(err)
	}
	hex := strings.TrimPrefix(digest, "sha256:")
	damaged := strings.Repeat("d", 64)
	for _, name := range []string{unfinished + "1/image/root", strings.Repeat("e", 64) + "/root", damaged + "/root"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	again := New(Settings{Dir: dir, Source: s})
	defer again.Close()
	if err := again.Open(func(d string) bool { return d == digest || d == "sha256:"+damaged }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(entries(t, dir), []string{hex}); diff != "" {
		t.Errorf("got - want +:\n%s", diff)
	}
	if state, _ := again.Look(digest); state != Ready {
		t.Errorf("got %v", state)
	}
}

// Close ends what is being fetched, and leaves nothing of it.
func TestClose(t *testing.T) {
	s, dir := &source{gate: make(chan struct{})}, t.TempDir()
	store := newStore(t, s, dir)
	for i := range 2 * fetchesAtOnce {
		store.Fetch("name", hashOf([]byte{byte(i)}).String())
	}
	store.Close()
	if left := entries(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
