package iam

import (
	"slices"
	"sync"

	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/certificate"
	"github.com/licet/licet/internal/services/iam/credential"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/provider"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/report"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/simulation"
	"github.com/licet/licet/internal/services/iam/simulator"
	"github.com/licet/licet/internal/services/iam/target"
)

// Config is what the service needs: what its directory does, and more. All but Entities is required.
type Config struct {
	directory.Config
	Actions interface {
		simulation.Actions
		report.Actions
	}
	Usage report.Usage
	// Entities is asked by reports about an organization. Without it no account is in one.
	Entities report.Entities
	// LastUsed tells when access keys and roles were last used.
	LastUsed *directory.LastUsed
}

// Service is the IAM API.
type Service struct {
	*target.Store
	lastUsed *directory.LastUsed
	linked   []linkedService
	// entriesOfAWS are all of AWS's managed policies for lists, without documents.
	entriesOfAWS  func() []entry
	organizations directory.Organizations
	// rooms are the operations of the rooms below this one.
	rooms []service.Operation
}

// New makes the service, beside the directory of the same store.
func New(c Config, d *directory.Directory) *Service { return newService(c, d, record.PasswordRounds) }

func newService(c Config, d *directory.Directory, passwordRounds int) *Service {
	t := target.New(c.Config, d)
	return &Service{
		Store: t, lastUsed: c.LastUsed, linked: linkedServices(), organizations: c.Organizations,
		entriesOfAWS: sync.OnceValue(func() []entry { return entriesOfAWS(c.Managed) }),
		rooms: slices.Concat(
			credential.Operations(t, c.Keyring, c.LastUsed, passwordRounds),
			certificate.Operations(t, c.Keyring),
			provider.Operations(t, c.Keyring, c.IssuerURL),
			report.Operations(t, c.LastUsed, c.Actions, c.Usage, c.Entities),
			simulator.Operations(t, c.Actions, c.Organizations),
		),
	}
}

// Definition joins the operations with their wire form.
func (s *Service) Definition(api *protocol.API, codec protocol.Codec) service.Service {
	return service.Service{API: api, Codec: codec, Operations: s.operations(), Denial: request.AccessDenied}
}
