package edge

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
)

// RecordPage begins (POST), ends (DELETE) and lists (GET) what is observed while the server enforces: ?role=NAME or its ARN, or without a
// role all principals of the account.
const RecordPage = pagePrefix + "record"

// Recordings is what an account observes.
type Recordings struct {
	// Account whose root asked.
	Account string `json:"account"`
	// All tells that all principals of the account are observed, or that the server observes everybody.
	All bool `json:"all"`
	// Roles that are observed, by ARN.
	Roles []string `json:"roles"`
}

// local wants a client on this machine: what switches enforcement off must not be reached over a network, nor from inside a function,
// whose calls have no address.
func local(r *http.Request) error {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err == nil {
		var addr netip.Addr
		if addr, err = netip.ParseAddr(host); err == nil && addr.Unmap().IsLoopback() {
			return nil
		}
	}
	return awserr.New("AccessDeniedException", http.StatusForbidden, "Recordings are switched from the server's own machine only.")
}

// record answers RecordPage.
func (s *Server) record(w http.ResponseWriter, r *http.Request, account string) error {
	role := r.URL.Query().Get("role")
	if r.Method != http.MethodGet {
		if err := local(r); err != nil {
			return err
		}
		if role != "" {
			found, _, err := s.roleOf(r.Context(), account, role)
			switch {
			case err == nil:
				role = found
			case r.Method == http.MethodPost || !strings.HasPrefix(role, "arn:"): // the recording of a role that is gone can be ended
				return err
			}
		}
		on := r.Method == http.MethodPost
		s.config.Dispatcher.Record(account, role, on)
		s.config.Logger.WarnContext(r.Context(), "A recording was switched: while it is on, denied calls are let through.",
			"account", account, "role", role, "on", on)
	}
	out := Recordings{Account: account, Roles: []string{}}
	for _, role := range s.config.Dispatcher.Recording(account) {
		if role == "" {
			out.All = true
		} else {
			out.Roles = append(out.Roles, role)
		}
	}
	out.All = out.All || s.config.Dispatcher.ObservesAll()
	return writeJSON(w, out)
}

// roleOf finds a role of the account by name or ARN, with the policies that it has now.
func (s *Server) roleOf(ctx context.Context, account, role string) (arn string, present []authz.Policy, err error) {
	named := role
	if !strings.HasPrefix(role, "arn:") {
		if strings.ContainsAny(role, ":/") {
			return "", nil, invalidPage("role must be the name of a role, or its ARN.")
		}
		role = "arn:" + s.config.Partition + ":sts::" + account + ":assumed-role/" + role + "/licet"
	}
	supposed, err := s.config.Suppositions.Suppose(ctx, account,
		Question{Principal: role, Action: "sts:GetCallerIdentity", Resource: "*"})
	if e, ok := errors.AsType[*awserr.Error](err); ok && e.Status == http.StatusNotFound {
		return "", nil, awserr.New(e.Code, e.Status, "There is no role %s.", named)
	}
	if err != nil {
		return "", nil, err
	}
	if supposed.Request.Principal.Kind != authz.AssumedRole {
		return "", nil, invalidPage("role must be the name of a role, or its ARN.")
	}
	return supposed.Request.Principal.IssuerARN, supposed.Policies.Identity, nil
}
