package sts

import (
	"context"
	"errors"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
)

// mfa is what a request brings of an MFA device: nil members when it brings nothing.
type mfa struct{ serialNumber, tokenCode *string }

// given tells whether a request brings the code of a device, which must be well formed.
func (s *Service) given(m mfa) (bool, error) {
	if m.serialNumber == nil && m.tokenCode == nil {
		return false, nil
	}
	if m.serialNumber != nil {
		if err := s.patterns.serialNumber.check("serialNumber", *m.serialNumber, 9, 256); err != nil {
			return false, err
		}
	}
	if m.tokenCode != nil {
		if err := s.patterns.tokenCode.check("tokenCode", *m.tokenCode, 6, 6); err != nil {
			return false, err
		}
	}
	if m.serialNumber == nil || m.tokenCode == nil {
		return false, incompleteMFA()
	}
	return true, nil
}

// checkMFA tells whether a request is made with MFA. A wrong code is an error; a good one stays good.
func (s *Service) checkMFA(ctx context.Context, c *service.Call, m mfa) (bool, error) {
	given, err := s.given(m)
	if err != nil || !given {
		return false, err
	}
	return true, mfaError(s.directory.CheckMFACode(ctx, &c.Caller, *m.serialNumber, *m.tokenCode))
}

// useMFA is checkMFA that uses the code up.
func (s *Service) useMFA(ctx context.Context, c *service.Call, m mfa) (bool, error) {
	given, err := s.given(m)
	if err != nil || !given {
		return false, err
	}
	return true, mfaError(s.directory.UseMFACode(ctx, &c.Caller, *m.serialNumber, *m.tokenCode))
}

// mfaError is AWS's answer to what the directory says of a code.
func mfaError(err error) error {
	switch {
	case errors.Is(err, principal.ErrMFADevice):
		return wrongMFADevice()
	case errors.Is(err, principal.ErrMFACode):
		return invalidMFA()
	}
	return err
}
