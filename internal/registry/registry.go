// Package registry finds container images: in their registries, in others that stand in for these, or in OCI image layouts on disk.
//
// It reads nothing of this machine but what its Config names, credentials least of all, for whoever may create a function would use
// them. Plain HTTP is for registries at loopback addresses, and for those that stand in for others. It keeps nothing: who reads an
// image's layers must verify them. A *Registry holds no state and is safe for concurrent use.
//
// What AWS Lambda takes: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html.
package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// What may be wrong with an image. Any other error is of the network, or of a disk.
var (
	ErrName    = errors.New("not the name of an image in a registry")
	ErrMissing = errors.New("no such image")
	ErrDenied  = errors.New("the registry does not let us have it")
	ErrKind    = errors.New("not the manifest of a single image")
)

// patience is how long a registry may take to resolve a name.
const patience = 20 * time.Second

// Config says where images are. The zero value is: in their registries, for everyone.
type Config struct {
	// Layouts is a directory in which each repository of ECR is an OCI image layout: the image
	// ACCOUNT.dkr.ecr.REGION.amazonaws.com/a/b:tag is in Layouts/a/b, as tag. Unset: there is none.
	Layouts string
	// Mirrors are the URLs, without a path, of the registries that stand in for others, by the hosts of these.
	Mirrors map[string]string
	// Credentials are those of registries. Unset: anonymous.
	Credentials authn.Keychain
}

// Image is what a name stood for when it was resolved.
type Image struct {
	// Digest of the manifest: "sha256:" and 64 hexadecimal digits.
	Digest string
	// Resolved is the name with the digest in the place of the tag.
	Resolved string
}

// Registry finds images.
type Registry struct {
	config    Config
	transport http.RoundTripper
}

// New makes a Registry. The error says what is wrong with the configuration.
func New(c Config) (*Registry, error) {
	for host, mirror := range c.Mirrors {
		u, err := url.Parse(mirror)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
			return nil, fmt.Errorf("registry for %s: %q is not a URL such as http://127.0.0.1:5000", host, mirror)
		}
	}
	if c.Credentials == nil {
		c.Credentials = authn.NewMultiKeychain() // anonymous
	}
	return &Registry{config: c, transport: http.DefaultTransport}, nil
}

// Resolve tells what the name of an image stands for now: HOST/REPOSITORY with a tag (default latest) or a digest.
func (r *Registry) Resolve(ctx context.Context, image string) (Image, error) {
	ref, err := parse(image)
	if err != nil {
		return Image{}, err
	}
	found, err := r.find(ctx, ref)
	if err != nil {
		return Image{}, err
	}
	if err := supported(found); err != nil {
		return Image{}, fmt.Errorf("%w: %s: %w", ErrKind, image, err)
	}
	return Image{Digest: found.digest, Resolved: ref.Context().Name() + "@" + found.digest}, nil
}

// Content is an image as its registry has it. None of it is verified.
type Content struct {
	Manifest []byte
	// Blob opens what the manifest names by a digest.
	Blob func(digest v1.Hash) (io.ReadCloser, error)
}

// Open gives the image with that digest from where an image of that name is, also if it has another tag now, or none. ctx bounds
// what is read of it.
func (r *Registry) Open(ctx context.Context, image, digest string) (Content, error) {
	ref, err := parse(image)
	if err != nil {
		return Content{}, err
	}
	dir, err := r.layoutOf(ref.Context())
	if err != nil {
		return Content{}, err
	}
	if dir != "" {
		return openLayout(dir, digest)
	}
	place, guard, err := r.place(ref.Context().Digest(digest))
	if err != nil {
		return Content{}, err
	}
	options := r.options(ctx, guard)
	got, err := r.manifest(ctx, place, guard)
	if err != nil {
		return Content{}, fmt.Errorf("%w: %w", kind(err), err)
	}
	return Content{got.Manifest, func(digest v1.Hash) (io.ReadCloser, error) {
		layer, err := remote.Layer(place.Context().Digest(digest.String()), options...)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", kind(err), err)
		}
		blob, err := layer.Compressed() // of the configuration, too
		if err != nil {
			return nil, fmt.Errorf("%w: %w", kind(err), err)
		}
		return blob, nil
	}}, nil
}

func parse(image string) (name.Reference, error) {
	ref, err := name.ParseReference(image, name.WithDefaultRegistry(""))
	if err != nil || ref.Context().RegistryStr() == "" {
		return nil, fmt.Errorf("%w: %s", ErrName, image)
	}
	return ref, nil
}

// manifest is one that was found, and not understood yet.
type manifest struct {
	digest string
	media  types.MediaType
	raw    []byte
}

func (r *Registry) find(ctx context.Context, ref name.Reference) (manifest, error) {
	dir, err := r.layoutOf(ref.Context())
	if err != nil {
		return manifest{}, err
	}
	if dir != "" {
		return findInLayout(dir, ref.Identifier())
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	place, guard, err := r.place(ref)
	if err != nil {
		return manifest{}, err
	}
	got, err := r.manifest(ctx, place, guard)
	if err != nil {
		return manifest{}, fmt.Errorf("%w: %w", kind(err), err)
	}
	return manifest{got.Digest.String(), got.MediaType, got.Manifest}, nil
}

// supported refuses what AWS Lambda does: indexes, and layers that are no tar archives or compressed in another way than by gzip.
func supported(m manifest) error {
	if m.media != types.DockerManifestSchema2 && m.media != types.OCIManifestSchema1 {
		return fmt.Errorf("it is a %s", m.media)
	}
	var content v1.Manifest
	if err := json.Unmarshal(m.raw, &content); err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	if c := content.Config.MediaType; c != types.DockerConfigJSON && c != types.OCIConfigJSON {
		return fmt.Errorf("its configuration is a %s", c)
	}
	known := []types.MediaType{types.DockerLayer, types.DockerUncompressedLayer, types.OCILayer, types.OCIUncompressedLayer}
	for _, l := range content.Layers {
		if !slices.Contains(known, l.MediaType) {
			return fmt.Errorf("a layer is a %s", l.MediaType)
		}
	}
	return nil
}

// manifest asks for a manifest. What comes is not kept in memory whatever its length.
func (r *Registry) manifest(ctx context.Context, place name.Reference, guard guarded) (*remote.Descriptor, error) {
	guard.limit = maxManifest
	return remote.Get(place, r.options(ctx, guard)...)
}

func (r *Registry) options(ctx context.Context, guard guarded) []remote.Option {
	return []remote.Option{
		remote.WithContext(ctx), remote.WithTransport(guard), remote.WithAuthFromKeychain(r.config.Credentials),
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}),
	}
}

// place is where to ask for an image of a registry, and what may be asked.
func (r *Registry) place(ref name.Reference) (name.Reference, guarded, error) {
	registry := ref.Context().Registry
	host := url.URL{Host: registry.RegistryStr()}
	guard := guarded{RoundTripper: r.transport, here: isLoopback(host.Hostname())}
	if mirror, ok := r.config.Mirrors[registry.RegistryStr()]; ok {
		at, err := url.Parse(mirror)
		if err != nil {
			return nil, guarded{}, err // New has parsed it
		}
		guard.here, guard.mirror = isLoopback(at.Hostname()), at.Host
		var options []name.Option
		if at.Scheme == "http" {
			options = append(options, name.Insecure)
		}
		if registry, err = name.NewRegistry(at.Host, options...); err != nil {
			return nil, guarded{}, fmt.Errorf("registry %s: %w", mirror, err)
		}
	}
	repository := registry.Repo(ref.Context().RepositoryStr())
	var place name.Reference = repository.Tag(ref.Identifier())
	if _, ok := ref.(name.Digest); ok {
		place = repository.Digest(ref.Identifier())
	}
	return place, guard, nil
}

// errNetwork is a registry that cannot be asked.
var errNetwork = errors.New("ask the registry")

func kind(err error) error {
	answer, ok := errors.AsType[*transport.Error](err)
	switch {
	case errors.Is(err, ErrKind):
		return ErrKind
	case !ok:
		return errNetwork
	case answer.StatusCode == http.StatusNotFound:
		return ErrMissing
	case answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden:
		return ErrDenied
	}
	return errNetwork
}
