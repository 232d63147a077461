// Package registry finds container images in their registries.
//
// It asks registries for manifests, over the network, and reads nothing else: not an image's layers, and no configuration or credentials of
// this machine, for whoever may create a function would use them. Plain HTTP is for registries at loopback addresses alone. A *Registry holds no
// state and is safe for concurrent use.
//
// What AWS Lambda takes: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html.
package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// What may be wrong with an image. Any other error is of the network.
var (
	ErrName    = errors.New("not the name of an image in a registry")
	ErrMissing = errors.New("no such image")
	ErrDenied  = errors.New("the registry lets nobody have it who does not sign in")
	ErrKind    = errors.New("not the manifest of a single image")
)

// patience is how long a registry may take.
const patience = 20 * time.Second

// Image is what a name stood for when it was resolved.
type Image struct {
	// Digest of the manifest: "sha256:" and 64 hexadecimal digits.
	Digest string
	// Resolved is the name with the digest in the place of the tag.
	Resolved string
}

// Registry resolves names of images.
type Registry struct{ transport http.RoundTripper }

// New makes a Registry.
func New() *Registry { return &Registry{transport: http.DefaultTransport} }

// Resolve asks the registry of an image what its name stands for: HOST/REPOSITORY with a tag (default latest) or a digest.
func (r *Registry) Resolve(ctx context.Context, image string) (Image, error) {
	ref, err := name.ParseReference(image, name.WithDefaultRegistry(""))
	if err != nil || ref.Context().RegistryStr() == "" {
		return Image{}, fmt.Errorf("%w: %s", ErrName, image)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	host := url.URL{Host: ref.Context().RegistryStr()}
	guard := guarded{r.transport, isLoopback(host.Hostname())}
	got, err := remote.Get(ref, remote.WithContext(ctx), remote.WithTransport(guard), remote.WithAuth(authn.Anonymous),
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}))
	if err != nil {
		return Image{}, fmt.Errorf("%w: %w", kind(err), err)
	}
	if got.MediaType != types.DockerManifestSchema2 && got.MediaType != types.OCIManifestSchema1 {
		return Image{}, fmt.Errorf("%w: %s is a %s", ErrKind, image, got.MediaType)
	}
	return Image{Digest: got.Digest.String(), Resolved: ref.Context().Name() + "@" + got.Digest.String()}, nil
}

// errNetwork is a registry that cannot be asked.
var errNetwork = errors.New("ask the registry")

func kind(err error) error {
	answer, ok := errors.AsType[*transport.Error](err)
	switch {
	case !ok:
		return errNetwork
	case answer.StatusCode == http.StatusNotFound:
		return ErrMissing
	case answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden:
		return ErrDenied
	}
	return errNetwork
}

// guarded refuses plain HTTP to other machines, which the library would use for private addresses; and to this one, where others than the
// registry may listen, unless the registry itself is here: one elsewhere could send us anywhere.
type guarded struct {
	http.RoundTripper
	here bool
}

func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	switch host := r.URL.Hostname(); {
	case isLoopback(host) && !g.here:
		return nil, fmt.Errorf("%s is not asked for a registry elsewhere", host)
	case !isLoopback(host) && r.URL.Scheme != "https":
		return nil, fmt.Errorf("%s is not asked without TLS", host)
	}
	return g.RoundTripper.RoundTrip(r)
}

// isLoopback tells the names of this machine; the unspecified address reaches it, too.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip.IsLoopback() || ip.IsUnspecified()
}
