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

// globalRegion is where AWS's global services (IAM, and STS's old endpoint) are signed for.
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

// authenticate finds the service that the request is signed for, which also says how to answer, and then the caller.
func (s *Server) authenticate(x *exchange, r *http.Request, body []byte) (principal.Caller, error) {
	signed, err := sigv4.Parse(r)
	if err == nil {
		if api, codec, ok := s.config.Dispatcher.Service(signed.Service); ok {
			x.service, x.codec, x.family = api.SigningName, codec, family(api)
		}
	}
	return s.prove(x, r, body, signed, err)
}

// family tells how a service words failures of authentication.
func family(api *protocol.API) sigv4.Family {
	switch {
	case api.Namespace != "":
		return sigv4.Query
	case api.TargetPrefix != "":
		return sigv4.JSON
	default:
		return sigv4.RESTJSON
	}
}

// verify is authenticate for a page of licet's own.
func (s *Server) verify(x *exchange, r *http.Request, body []byte) (principal.Caller, error) {
	signed, err := sigv4.Parse(r)
	return s.prove(x, r, body, signed, err)
}

// prove looks the key up and checks the signature. Every failure is answered in the words of the service's protocol.
func (s *Server) prove(x *exchange, r *http.Request, body []byte, signed *sigv4.Signed, err error) (principal.Caller, error) {
	var caller principal.Caller
	if err == nil {
		var secret string
		if secret, caller, err = s.key(r.Context(), signed); err == nil {
			scope := sigv4.Scope{Regions: s.regions(x), Services: s.scopeServices(x)}
			err = s.verifier.Check(r, body, signed, secret, scope, s.config.Now())
		}
	}
	if errors.Is(err, sigv4.ErrUnsigned) {
		err = sigv4.ErrMissing
	}
	if e, ok := errors.AsType[*sigv4.Error](err); ok {
		return principal.Caller{}, e.AWS(x.family)
	}
	return caller, err
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
	}
	return secret, caller, nil
}

// regions a signature may be for: the server's, and for global services the one that clients sign those for.
func (s *Server) regions(x *exchange) []string {
	if x.family == sigv4.Query && s.config.Region != globalRegion {
		return []string{s.config.Region, globalRegion}
	}
	return []string{s.config.Region}
}

// scopeServices a signature may be for: the one that it names, when this server has it; else those that it has.
func (s *Server) scopeServices(x *exchange) []string {
	if x.service != "" {
		return []string{x.service}
	}
	names := s.config.Dispatcher.Services()
	slices.Sort(names)
	return names
}
