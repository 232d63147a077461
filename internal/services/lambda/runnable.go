package lambda

import (
	"net/http"

	"github.com/licet/licet/internal/services/lambda/fault"
)

// checkRunnable refuses to run what would not be what its configuration says.
func (s *Service) checkRunnable(v *version) error {
	switch {
	case v.Image != nil && s.Unpacked == nil:
		return fault.NotImplemented("Invoke", "PackageType=Image")
	case len(v.FileSystems) > 0:
		return cannotMount(v.FileSystems[0])
	case v.Image == nil && !s.Runtimes(v.Runtime):
		return fault.New("InvalidRuntimeException", http.StatusBadGateway, "The runtime %s is not supported here.", v.Runtime)
	}
	return nil
}
