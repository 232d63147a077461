package principal

import "errors"

// What is wrong with a code of an MFA device.
var (
	// ErrMFADevice means that the device is not enabled for the caller.
	ErrMFADevice = errors.New("principal: not an MFA device of the caller")
	// ErrMFACode means that the device does not show the code now, or that it was used.
	ErrMFACode = errors.New("principal: wrong or used MFA code")
)
