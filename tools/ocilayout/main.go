// Command ocilayout makes an OCI image layout of licet from a tar of a root file system and the binary. It knows no registry and runs nothing.
package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func main() {
	base := flag.String("base", "", "tar of the root file system")
	binary := flag.String("binary", "bin/licet", "the server")
	arch := flag.String("arch", "amd64", "architecture of both")
	epoch := flag.Int64("time", 0, "time of the image, in seconds since 1970")
	ref := flag.String("ref", "licet", "name of the image in the layout")
	flag.Parse()
	if flag.NArg() != 1 || *base == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := build(*base, *binary, *arch, *ref, flag.Arg(0), time.Unix(*epoch, 0).UTC()); err != nil {
		fmt.Fprintln(os.Stderr, "ocilayout:", err)
		os.Exit(1)
	}
}

func build(base, binary, arch, ref, dir string, at time.Time) error {
	root, err := tarball.LayerFromFile(base, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return fmt.Errorf("read root file system: %w", err)
	}
	program, err := layerOf(binary, "usr/bin/licet", at)
	if err != nil {
		return err
	}
	image := mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.OCIConfigJSON), types.OCIManifestSchema1)
	if image, err = mutate.AppendLayers(image, root, program); err != nil {
		return fmt.Errorf("append layers: %w", err)
	}
	file, err := image.ConfigFile()
	if err != nil {
		return err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Created = "linux", arch, v1.Time{Time: at}
	file.Config = v1.Config{
		Entrypoint: []string{"/usr/bin/licet"}, Cmd: []string{"serve", "--listen", "0.0.0.0:4566"},
		Env:          []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LICET_DATA=/var/lib/licet"},
		Volumes:      map[string]struct{}{"/var/lib/licet": {}},
		ExposedPorts: map[string]struct{}{"4566/tcp": {}},
		StopSignal:   "SIGTERM",
		Labels:       map[string]string{"org.opencontainers.image.title": "licet", "org.opencontainers.image.licenses": "Apache-2.0"},
	}
	if image, err = mutate.ConfigFile(image, file); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return fmt.Errorf("make layout: %w", err)
	}
	return path.AppendImage(image, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": ref}),
		layout.WithPlatform(v1.Platform{OS: "linux", Architecture: arch}))
}

// layerOf is a layer of one program.
func layerOf(file, name string, at time.Time) (v1.Layer, error) {
	program, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read program: %w", err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err = w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(program)), ModTime: at, Format: tar.FormatPAX})
	if err == nil {
		_, err = w.Write(program)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("write layer: %w", err)
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer))
}
