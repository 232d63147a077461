package image

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/licet/licet/internal/registry"
)

// hostile is an image of which a fuzzer changes every byte: in the manifest and the configuration, CONFIG, LAYER and PLAIN stand for the digests of
// what the registry has for these, and SIZE and LENGTH for the sizes of the first two, so that what is changed is still what was asked for.
func hostile(manifest, config string, layer []byte) (c registry.Content, digest string) {
	blob := hashOf(layer)
	config = strings.ReplaceAll(strings.ReplaceAll(config, "LAYER", blob.String()), "PLAIN", blob.String())
	manifest = strings.NewReplacer("CONFIG", hashOf([]byte(config)).String(), "LAYER", blob.String(),
		"SIZE", strconv.Itoa(len(config)), "LENGTH", strconv.Itoa(len(layer))).Replace(manifest)
	c = registry.Content{Manifest: []byte(manifest), Blob: func(h v1.Hash) (io.ReadCloser, error) {
		if h == blob {
			return io.NopCloser(bytes.NewReader(layer)), nil
		}
		return io.NopCloser(strings.NewReader(config)), nil // whatever was asked for
	}}
	return c, hashOf(c.Manifest).String()
}

// FuzzFetch looks for manifests and configurations that panic, whose faults are taken for the server's, or that leave a root file system of what is
// not what they name.
func FuzzFetch(f *testing.F) {
	const oci = `{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":SIZE,"digest":"CONFIG"},` +
		`"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","size":LENGTH,"digest":"LAYER"}]}`
	plain := layer(f, file("a", "1"))
	f.Add(oci, `{"os":"linux","config":{"Env":["A=b"],"Cmd":["x"]},"rootfs":{"type":"layers","diff_ids":["PLAIN"]}}`, plain)
	f.Add(strings.Replace(oci, "tar", "tar+gzip", 1), `{"rootfs":{"diff_ids":["sha256:00"]}}`, zipped(f, plain))
	f.Add(`{"manifests":[{"digest":"CONFIG","size":SIZE}]}`, `null`, []byte(nil))
	f.Add(strings.Replace(oci, "LENGTH", "-1", 1), `{"rootfs":{"diff_ids":["PLAIN"]}}`, plain)
	f.Add(`{"config":{"digest":"CONFIG","size":9223372036854775807},"layers":[`+strings.Repeat(`{},`, 2000)+`{}]}`, `{}`, plain)
	f.Fuzz(func(t *testing.T, manifest, config string, layer []byte) {
		content, digest := hostile(manifest, config, layer)
		dir := filepath.Join(t.TempDir(), "image")
		err := fetch(t.Context(), &source{images: map[string]registry.Content{digest: content}}, "name", digest, dir, testLimits, func() bool { return true })
		if err != nil {
			if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrTooLarge) {
				t.Errorf("the image's fault is taken for the server's: %v", err)
			}
			return
		}
		if _, err := load(dir); err != nil {
			t.Errorf("what was fetched cannot be loaded: %v", err)
		}
		files, err := os.ReadDir(filepath.Join(dir, rootDir))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) > 0 && !strings.Contains(string(content.Manifest), hashOf(layer).Hex) {
			t.Errorf("a layer is unpacked that the manifest does not name: %v", files)
		}
	})
}
