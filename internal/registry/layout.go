package registry

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// privateRegistry is a host of ECR.
var privateRegistry = regexp.MustCompile(`\A\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?\z`)

// refName is the annotation that has the tag of an image in a layout
// (https://github.com/opencontainers/image-spec/blob/main/annotations.md).
const refName = "org.opencontainers.image.ref.name"

// maxManifest bounds what is read of a manifest.
const maxManifest = 4 << 20

// layoutOf is the directory of a repository, "" for one that is not in a layout.
func (r *Registry) layoutOf(repository name.Repository) (string, error) {
	host := repository.RegistryStr()
	if _, mirrored := r.config.Mirrors[host]; mirrored || r.config.Layouts == "" || !privateRegistry.MatchString(host) {
		return "", nil
	}
	dir := filepath.FromSlash(repository.RepositoryStr())
	if slices.Contains(strings.Split(dir, string(filepath.Separator)), "..") || !filepath.IsLocal(dir) {
		return "", fmt.Errorf("%w: %s", ErrName, repository.Name())
	}
	return filepath.Join(r.config.Layouts, dir), nil
}

// findInLayout finds a tag, or a digest, among the images that the layout's index names. An image without a name is "latest" where
// it is the only one.
func findInLayout(dir, identifier string) (manifest, error) {
	path, err := layout.FromPath(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return manifest{}, fmt.Errorf("%w: no layout at %s", ErrMissing, dir)
	}
	if err != nil {
		return manifest{}, fmt.Errorf("open layout %s: %w", dir, err)
	}
	index, err := path.ImageIndex()
	if err != nil {
		return manifest{}, fmt.Errorf("open layout %s: %w", dir, err)
	}
	list, err := index.IndexManifest()
	if err != nil {
		return manifest{}, fmt.Errorf("read layout %s: %w", dir, err)
	}
	for _, d := range list.Manifests {
		if !names(d, identifier, len(list.Manifests) == 1) {
			continue
		}
		raw, err := readManifest(path, d.Digest)
		return manifest{d.Digest.String(), d.MediaType, raw}, err
	}
	return manifest{}, fmt.Errorf("%w: %s in layout %s", ErrMissing, identifier, dir)
}

func names(d v1.Descriptor, identifier string, only bool) bool {
	tag := d.Annotations[refName]
	if i := strings.LastIndexByte(tag, ':'); i >= 0 { // some write the whole name
		tag = tag[i+1:]
	}
	return d.Digest.String() == identifier || tag == identifier || tag == "" && only && identifier == name.DefaultTag
}

func readManifest(path layout.Path, digest v1.Hash) ([]byte, error) {
	r, err := path.Blob(digest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: its manifest is not in the layout", ErrMissing)
	}
	if err != nil {
		return nil, fmt.Errorf("open manifest: %w", err)
	}
	defer r.Close()
	raw, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err == nil && len(raw) > maxManifest {
		err = fmt.Errorf("%w: its manifest has more than %d bytes", ErrKind, maxManifest)
	}
	return raw, err
}

// openLayout opens an image of a layout by its digest.
func openLayout(dir, digest string) (Content, error) {
	hash, err := v1.NewHash(digest)
	if err != nil {
		return Content{}, fmt.Errorf("%w: digest %s", ErrName, digest)
	}
	raw, err := readManifest(layout.Path(dir), hash)
	return Content{raw, layout.Path(dir).Blob}, err
}
