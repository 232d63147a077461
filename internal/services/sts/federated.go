package sts

import (
	"strings"

	"github.com/licet/licet/internal/service"
)

// needs are the permissions that a federated caller needs beside the operation's own, to pass tags and a source identity; the trust
// policy gives them (iam.md T4).
func (g *grant) needs(t service.Target) []service.Need {
	var needs []service.Need
	if len(g.tags) > 0 {
		needs = append(needs, service.Need{Action: "sts:TagSession", Target: t})
	}
	if g.sourceIdentity != "" {
		needs = append(needs, service.Need{Action: "sts:SetSourceIdentity", Target: t})
	}
	return needs
}

// checkSourceIdentity checks the source identity that a provider sets; "" is none.
func (s *Service) checkSourceIdentity(text string) error {
	if text == "" {
		return nil
	}
	if s.patterns.sessionName.check("", text, 2, 64) != nil || strings.HasPrefix(strings.ToLower(text), "aws:") {
		return invalidIdentityToken(`Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with "aws:"`)
	}
	return nil
}
