//go:build !linux || (!amd64 && !arm64)

package native

import (
	"errors"

	"github.com/licet/licet/internal/sandbox"
)

// Supported says whether New can make a driver on this kind of machine.
const Supported = false

// New says what to do.
func New(Config) (sandbox.Driver, error) {
	return nil, errors.New("the native driver needs Linux on amd64 or arm64: choose --sandbox oci on Linux, or --sandbox process, which does not isolate")
}
