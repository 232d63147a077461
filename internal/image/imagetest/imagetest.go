// Package imagetest makes container images for tests, in memory. It is of no use to anything else.
package imagetest

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/licet/licet/internal/image"
	"github.com/licet/licet/internal/registry"
)

// New makes an image of one file, readable for everyone, and gives its digest.
func New(c image.Config, name, text string) (digest string, content registry.Content, err error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	err = w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))})
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return "", registry.Content{}, err
	}
	blobs := map[v1.Hash][]byte{}
	put := func(b []byte, media types.MediaType) v1.Descriptor {
		hash := v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", sha256.Sum256(b))}
		blobs[hash] = b
		return v1.Descriptor{Digest: hash, Size: int64(len(b)), MediaType: media}
	}
	layer := put(archive.Bytes(), types.OCIUncompressedLayer)
	file, err := json.Marshal(v1.ConfigFile{
		Config: v1.Config{Entrypoint: c.Entrypoint, Cmd: c.Cmd, Env: c.Env, WorkingDir: c.WorkingDir},
		RootFS: v1.RootFS{DiffIDs: []v1.Hash{layer.Digest}},
	})
	if err != nil {
		return "", registry.Content{}, err
	}
	manifest, err := json.Marshal(v1.Manifest{Config: put(file, types.OCIConfigJSON), Layers: []v1.Descriptor{layer}})
	if err != nil {
		return "", registry.Content{}, err
	}
	return put(manifest, types.OCIManifestSchema1).Digest.String(), registry.Content{
		Manifest: manifest,
		Blob:     func(h v1.Hash) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(blobs[h])), nil },
	}, nil
}
