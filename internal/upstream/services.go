package upstream

import (
	"cmp"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
)

// Config holds what Services needs; Upstreams may be empty.
type Config struct {
	Data *awsdata.Data
	// Upstreams by the names that their requests are signed for; All stands for every other.
	Upstreams map[string]Upstream
	Logger    *slog.Logger
}

// All is the name of the upstream of all services that have none of their own.
const All = "*"

// Services makes services that licet does not have.
type Services struct {
	data      *awsdata.Data
	upstreams map[string]Upstream
	transport *http.Transport
	logger    *slog.Logger

	// knownTargets are the names of all APIs that X-Amz-Target may have.
	knownTargets func() map[string]bool

	mu   sync.Mutex
	made map[string]*remote // guarded by mu
}

// New makes Services.
func New(c Config) *Services {
	return &Services{
		data: c.Data, upstreams: c.Upstreams, transport: newTransport(), logger: c.Logger, made: make(map[string]*remote),
		knownTargets: sync.OnceValue(func() map[string]bool {
			targets := make(map[string]bool)
			for _, name := range c.Data.SigningNames() {
				for _, m := range c.Data.Models(name) {
					targets[m.TargetPrefix] = true
				}
			}
			return targets
		}),
	}
}

// Close ends connections that are kept.
func (s *Services) Close() { s.transport.CloseIdleConnections() }

// Remark tells of a resource that a call of one of the services was judged on which parts of it were not known; "" when all were.
func (s *Services) Remark(signingName, action, resource string) string {
	a, ok := s.data.Action(action)
	if _, ours := s.prefix(signingName); !ok || !ours || len(a.ResourceTypes) == 0 || !strings.ContainsAny(resource, "*?") {
		return ""
	}
	if resource == "*" {
		return "The request does not say which resource " + action + " is about: only statements for all resources allow it."
	}
	return "licet does not know all of the resource that " + action + " is about. It was judged as " + resource +
		": a statement that names more of it does not allow it."
}

// remote is one of the services: all APIs whose requests are signed for its name.
type remote struct {
	*Services
	signingName string
	// prefix is that of its actions.
	prefix string
	models []awsdata.Model
	routes []*route // of its REST APIs, in the order in which they are tried
}

// Service gives the service that requests are signed for; false when AWS is not known to have it.
func (s *Services) Service(signingName string) (service.Service, bool) {
	r, ok := s.remote(signingName)
	if !ok {
		return service.Service{}, false
	}
	every := service.OpBy(signingName, r.needs, r.handle)
	return service.Service{API: r.api(), Codec: &chooser{remote: r}, Otherwise: &every, Denial: denial}, true
}

func (s *Services) remote(signingName string) (*remote, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.made[signingName]; ok {
		return r, true
	}
	prefix, ok := s.prefix(signingName)
	if !ok {
		return nil, false
	}
	r := &remote{Services: s, signingName: signingName, prefix: prefix, models: s.data.Models(signingName)}
	for i := range r.models {
		r.routes = append(r.routes, routesOf(&r.models[i])...)
	}
	sortRoutes(r.routes)
	s.made[signingName] = r
	return r, true
}

// prefix is that of the actions of a service. Most are signed for by the same name.
func (s *Services) prefix(signingName string) (string, bool) {
	prefix := cmp.Or(prefixes()[signingName], signingName)
	return prefix, slices.Contains(s.data.Services(), prefix)
}

// prefixes are those that are not called as what requests are signed for.
func prefixes() map[string]string {
	return map[string]string{
		"monitoring": "cloudwatch", "iotdata": "iot", "iot-jobs-data": "iotjobsdata", "ioteventsdata": "iotevents",
		"IoTSecuredTunneling": "iot", "tagging": "tag", "mturk-requester": "mechanicalturk", "cloudcontrolapi": "cloudformation",
		"awsssoportal": "sso",
	}
}

// Names lists the names by which upstreams can be configured, sorted: those that requests are signed for.
func (s *Services) Names() []string {
	modelled := s.data.SigningNames() // to read the models would take a moment and memory
	var names []string
	for _, name := range modelled {
		if _, ok := s.prefix(name); ok {
			names = append(names, name)
		}
	}
	otherwise := slices.Collect(maps.Values(prefixes()))
	for _, name := range s.data.Services() { // some are newer than the models
		if _, known := slices.BinarySearch(modelled, name); !known && !slices.Contains(otherwise, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// api is what is known of the service before its protocol is: the family of its errors of authentication follows from it.
func (r *remote) api() *protocol.API {
	api := &protocol.API{ID: r.signingName, SigningName: r.signingName}
	for _, m := range r.models {
		api.TargetPrefix = cmp.Or(api.TargetPrefix, m.TargetPrefix)
		if m.Protocol == awsdata.Query || m.Protocol == awsdata.EC2 {
			api.Namespace = cmp.Or(api.Namespace, m.Namespace)
		}
	}
	if api.TargetPrefix != "" { // otherwise it would speak one in the place of the other
		api.Namespace = ""
	}
	return api
}

// denial is a denied call, which each protocol has in its own form.
func denial(message string) error {
	return awserr.New(accessDenied, http.StatusForbidden, "%s", message)
}
