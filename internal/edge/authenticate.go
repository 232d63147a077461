package edge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/sigv4"
)

// globalRegion is where AWS's global services (IAM, Organizations, and STS's old endpoint) are signed for.
const globalRegion = "us-east-1"

// The ways in which a key is not good, as Keys reports them.
var (
	ErrUnknownKey   = errors.New("access key is unknown, inactive or not ours")
	ErrExpiredToken = errors.New("session token has expired")
)

// Keys finds who an access key belongs to.
type Keys interface {
	// Authenticate returns the key's secret and its owner. token is the session token or "". Errors that are not about the key
	// (ErrUnknownKey, ErrExpiredToken) are failures of the server, and nobody is let in.
	Authenticate(ctx context.Context, accessKeyID, token string) (secret string, caller principal.Caller, err error)
}

// address makes the exchange one with a service, if this server has it.
func (s *Server) address(x *exchange, service string, r *http.Request) {
	if api, codec, ok := s.config.Dispatcher.Service(service); ok {
		x.service, x.codec, x.family = api.SigningName, codec, family(api)
		if several, ok := codec.(protocol.Chooser); ok {
			x.codec = several.Choose(r)
		}
	}
}

// guess addresses a request that says nothing readable of who signs it: to the service that its host is of or, failing that, whose protocol
// finds an operation in it. S3 is asked last: it has one for nearly every request. Few operations answer such requests; for all others
// this only chooses the form of the answer.
func (s *Server) guess(x *exchange, req *protocol.Request) {
	if name := s.serviceOf(req.HTTP, ""); name != "" {
		s.address(x, name, req.HTTP)
		return
	}
	names := s.serviceNames()
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	for _, name := range names {
		if _, codec, _ := s.config.Dispatcher.Service(name); codec != nil {
			if several, ok := codec.(protocol.Chooser); ok {
				codec = several.Choose(req.HTTP)
			}
			if _, err := codec.Operation(req); err == nil {
				s.address(x, name, req.HTTP)
				return
			}
		}
	}
}

// serviceOf is the service that a request is for as far as that is known before anything is: signed, or what the configuration says.
func (s *Server) serviceOf(r *http.Request, signed string) string {
	if s.config.ServiceOf != nil {
		if name := s.config.ServiceOf(r, signed); name != "" {
			return name
		}
	}
	return signed
}

func rank(service string) int {
	if service == "s3" || service == "s3-control" { // whose requests are told by path and header
		return 1
	}
	return 0
}

// family tells how a service words failures of authentication.
func family(api *protocol.API) sigv4.Family {
	switch {
	case api.SigningName == "s3", api.SignedAs == "s3":
		return sigv4.S3
	case api.QueryCompatible(): // such a service has the codes of its query protocol in both
		return sigv4.Query
	case api.TargetPrefix != "":
		return sigv4.JSON
	case api.Namespace != "":
		return sigv4.Query
	default:
		return sigv4.RESTJSON
	}
}

// authenticate finds who calls. parsed is what sigv4.Parse said. Every failure is answered in the words of the service's protocol.
func (s *Server) authenticate(
	x *exchange, req *protocol.Request, signed *sigv4.Signed, parsed error,
) (caller principal.Caller, err error) {
	if err = parsed; err == nil {
		caller, err = s.prove(x, req, signed)
	}
	return caller, s.worded(x, req.HTTP, err)
}

// worded gives a failure of authentication the words of the service, and counts it.
func (s *Server) worded(x *exchange, r *http.Request, err error) error {
	if errors.Is(err, sigv4.ErrUnsigned) {
		err = sigv4.ErrMissing
	}
	e, ok := errors.AsType[*sigv4.Error](err)
	if !ok {
		return err
	}
	if from, counted := sourceOf(r); counted && e.Kind != sigv4.Missing && s.attempts.failed(from, s.config.Now()) {
		return throttled(x.family)
	}
	return e.AWS(x.family)
}

// prove looks the key up and checks the signature.
func (s *Server) prove(x *exchange, req *protocol.Request, signed *sigv4.Signed) (principal.Caller, error) {
	secret, caller, err := s.key(req.HTTP.Context(), signed)
	if err != nil {
		return principal.Caller{}, err
	}
	if err := s.verifier.Check(req.HTTP, req.Body, signed, secret, s.scope(x), s.config.Now()); err != nil {
		return principal.Caller{}, err
	}
	x.region = signed.Region
	return caller, nil
}

// scope is what a signature must be for.
func (s *Server) scope(x *exchange) sigv4.Scope {
	return sigv4.Scope{Regions: s.regions(x), Services: s.scopeServices(x)}
}

// key turns what the directory says of a key into a failure of authentication.
func (s *Server) key(ctx context.Context, signed *sigv4.Signed) (string, principal.Caller, error) {
	secret, caller, err := s.config.Keys.Authenticate(ctx, signed.AccessKeyID, signed.Token)
	switch {
	case errors.Is(err, ErrUnknownKey):
		return "", caller, sigv4.ErrUnknownKey
	case errors.Is(err, ErrExpiredToken):
		return "", caller, sigv4.ErrExpiredToken
	case err != nil:
		return "", caller, fmt.Errorf("find access key %s: %w", signed.AccessKeyID, err)
	case secret == "": // anybody could sign with it
		return "", caller, fmt.Errorf("access key %s has no secret", signed.AccessKeyID)
	}
	return secret, caller, nil
}

// regions a signature may be for: the server's, and for global services and licet's own pages the one that clients sign those for.
func (s *Server) regions(x *exchange) []string {
	if x.service == "iam" || x.service == "sts" || x.service == "organizations" || x.service == SigningName {
		return []string{s.config.Region, globalRegion}
	}
	return []string{s.config.Region}
}

// scopeServices a signature may be for: the one that it names, when this server has it; else those that it has.
func (s *Server) scopeServices(x *exchange) []string {
	if x.service == "" {
		return s.serviceNames()
	}
	if api, _, ok := s.config.Dispatcher.Service(x.service); ok && api.SignedAs != "" {
		return []string{api.SignedAs}
	}
	return []string{x.service}
}

func (s *Server) serviceNames() []string {
	return slices.Sorted(slices.Values(s.config.Dispatcher.Services()))
}
