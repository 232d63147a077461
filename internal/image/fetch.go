package image

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/licet/licet/internal/registry"
)

// Bounds of what is kept in memory, or asked for.
const (
	maxConfig = 4 << 20 // bytes
	maxLayers = 1000
)

// Config is what an image says of the program in it.
type Config struct {
	Entrypoint, Cmd []string
	// Env is "NAME=value".
	Env        []string
	WorkingDir string
}

// Parts of an image's directory.
const (
	rootDir    = "root"
	configFile = "config.json"
)

// fetch makes the directory of an image, which must not exist.
func fetch(ctx context.Context, from Source, name, digest, dir string, limits Limits, room func() bool) error {
	content, err := from.Open(ctx, name, digest)
	if err != nil {
		return err
	}
	d := download{content}
	manifest, config, err := d.describe(digest)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, rootDir)
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Mkdir(path, 0o755), os.Chmod(path, 0o755)); err != nil { // whatever the umask
		return err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	defer root.Close()
	if !room() {
		return ErrNoRoom
	}
	t := &tree{ctx: ctx, root: root, left: limits, room: room}
	budget := limits.Bytes // of the layers as archives
	for i, layer := range manifest.Layers {
		if err := d.unpack(layer, config.RootFS.DiffIDs[i], t, &budget); err != nil {
			return fmt.Errorf("layer %s: %w", layer.Digest, err)
		}
	}
	c := config.Config
	return writeConfig(dir, Config{Entrypoint: c.Entrypoint, Cmd: c.Cmd, Env: c.Env, WorkingDir: c.WorkingDir})
}

func writeConfig(dir string, c Config) error {
	for _, s := range slices.Concat(c.Entrypoint, c.Cmd, c.Env, []string{c.WorkingDir}) {
		if strings.ContainsRune(s, 0) {
			return fmt.Errorf("%w: its configuration has a zero byte", ErrInvalid)
		}
	}
	content, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, configFile), content, 0o600)
}

// download reads an image and verifies it.
type download struct{ registry.Content }

// describe verifies manifest and configuration.
func (d download) describe(digest string) (m *v1.Manifest, c *v1.ConfigFile, err error) {
	if fmt.Sprintf("sha256:%x", sha256.Sum256(d.Manifest)) != digest {
		return nil, nil, fmt.Errorf("%w: its manifest is another one", ErrInvalid)
	}
	if err := json.Unmarshal(d.Manifest, &m); err != nil || m == nil {
		return nil, nil, fmt.Errorf("%w: read manifest: %v", ErrInvalid, err)
	}
	if m.Config.Size > maxConfig {
		return nil, nil, fmt.Errorf("%w: its configuration has more than %d bytes", ErrInvalid, maxConfig)
	}
	blob, err := d.open(m.Config)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: %w", err)
	}
	defer blob.Close()
	raw, err := io.ReadAll(blob)
	if err := errors.Join(err, blob.verify()); err != nil {
		return nil, nil, fmt.Errorf("configuration: %w", err)
	}
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&c); err != nil || c == nil {
		return nil, nil, fmt.Errorf("%w: read configuration: %v", ErrInvalid, err)
	}
	switch {
	case c.OS != "" && c.OS != "linux":
		return nil, nil, fmt.Errorf("%w: it is for %s", ErrInvalid, c.OS)
	case len(m.Layers) != len(c.RootFS.DiffIDs) || len(m.Layers) > maxLayers:
		return nil, nil, fmt.Errorf("%w: it has %d layers, and its configuration %d", ErrInvalid, len(m.Layers), len(c.RootFS.DiffIDs))
	}
	return m, c, nil
}

// unpack applies a layer, and verifies it as it came and as it is unpacked.
func (d download) unpack(layer v1.Descriptor, diffID v1.Hash, t *tree, budget *int64) error {
	blob, err := d.open(layer)
	if err != nil {
		return err
	}
	defer blob.Close()
	var plain io.Reader = blob
	if layer.MediaType == types.DockerLayer || layer.MediaType == types.OCILayer {
		z, err := gzip.NewReader(blob)
		if err != nil {
			return errors.Join(blob.failed, fmt.Errorf("%w: %w", ErrInvalid, err))
		}
		plain = z
	}
	content := &bounded{plain, sha256.New(), budget}
	err = t.apply(content)
	if err == nil { // what comes after the end of the archive counts, too
		_, err = io.Copy(io.Discard, content)
	}
	switch {
	case blob.failed != nil:
		return blob.failed
	case err != nil:
		return err
	}
	if got := fmt.Sprintf("%x", content.sum.Sum(nil)); diffID.Algorithm != "sha256" || got != diffID.Hex {
		return fmt.Errorf("%w: it is another one when it is unpacked", ErrInvalid)
	}
	return blob.verify()
}

// bounded hashes what is read, and fails when that is too much.
type bounded struct {
	io.Reader
	sum    hash.Hash
	budget *int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.sum.Write(p[:n]) // never fails
	if *b.budget -= int64(n); *b.budget < 0 {
		return 0, ErrTooLarge
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrInvalid, err) // unless the blob failed
	}
	return n, err
}

// blob is what a descriptor names, while it is read.
type blob struct {
	io.ReadCloser
	of     v1.Descriptor
	sum    hash.Hash
	read   int64
	failed error // of reading
}

func (d download) open(of v1.Descriptor) (*blob, error) {
	if of.Digest.Algorithm != "sha256" || of.Size < 0 {
		return nil, fmt.Errorf("%w: a digest of %s", ErrInvalid, of.Digest.Algorithm)
	}
	r, err := d.Blob(of.Digest)
	if err != nil {
		return nil, err
	}
	return &blob{ReadCloser: r, of: of, sum: sha256.New()}, nil
}

func (b *blob) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.sum.Write(p[:n]) // never fails
	if b.read += int64(n); b.read > b.of.Size {
		return 0, fmt.Errorf("%w: it is longer than its manifest says", ErrInvalid)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		b.failed = fmt.Errorf("read %s: %w", b.of.Digest, err)
	}
	return n, err
}

// verify tells whether all that was to be read was read, and nothing else.
func (b *blob) verify() error {
	if _, err := io.Copy(io.Discard, b); err != nil {
		return err
	}
	if got := fmt.Sprintf("%x", b.sum.Sum(nil)); b.read != b.of.Size || got != b.of.Digest.Hex {
		return fmt.Errorf("%w: it has another digest", ErrInvalid)
	}
	return nil
}
