package mapping

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
)

// There is no KMS here: what a key of a mapping has is its permissions. Who may not decrypt with it does not see the filters
// (https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html, FilterCriteria).

// encrypted tells whether the filters are under a key.
func (m *mapping) encrypted() bool { return m.Shown.KMSKeyArn != nil && m.Shown.FilterCriteria != nil }

// decrypt is the permission to see encrypted filters. The encryption context is that of CloudTrail's example in
// https://docs.aws.amazon.com/lambda/latest/dg/security-encryption-at-rest.html, but for a public key of Lambda's.
func (s *Service) decrypt(c *service.Call, m *mapping) (service.Need, bool) {
	encryptionContext := map[string]string{"aws:lambda:FunctionArn": *m.Shown.FunctionArn}
	if m.Shown.EventSourceArn != nil {
		encryptionContext["aws:lambda:EventSourceArn"] = *m.Shown.EventSourceArn
	}
	return s.keys.Decrypt(c, *m.Shown.KMSKeyArn, encryptionContext)
}

// checkKey refuses what is no key. The text is ours.
func (s *Service) checkKey(c *service.Call, m *mapping) error {
	if m.Shown.KMSKeyArn == nil {
		return nil
	}
	if _, ok := s.decrypt(c, m); !ok {
		return fault.InvalidParameter("KMSKeyArn is not the ARN of a KMS key: %s", *m.Shown.KMSKeyArn)
	}
	return nil
}

// show is state for a caller. The text of the error is ours.
func (s *Service) show(ctx context.Context, c *service.Call, m *mapping, now string) (types.EventSourceMappingConfiguration, error) {
	shown := m.state(now)
	if !m.encrypted() {
		return shown, nil
	}
	if need, ok := s.decrypt(c, m); ok {
		allowed, err := s.keys.Allowed(ctx, c, need)
		if err != nil {
			return shown, fmt.Errorf("check permission to decrypt the filters of %s: %w", *m.Shown.UUID, err)
		}
		if allowed {
			return shown, nil
		}
	}
	shown.FilterCriteria = nil
	shown.FilterCriteriaError = &types.FilterCriteriaError{
		ErrorCode: aws.String("AccessDeniedException"),
		Message:   aws.String("Lambda was unable to decrypt the filter criteria because the KMS access was denied. Please check your KMS permissions."),
	}
	return shown, nil
}

// rekeyNeeds: filters that stay when the key changes are decrypted for the caller, who would see them under another key, or none.
func (s *Service) rekeyNeeds(c *service.Call, m *mapping, g *given) []service.Need {
	if g.KMSKeyArn == nil || g.FilterCriteria != nil || !m.encrypted() || *g.KMSKeyArn == *m.Shown.KMSKeyArn {
		return nil
	}
	need, ok := s.decrypt(c, m)
	if !ok {
		return nil
	}
	return []service.Need{need}
}
