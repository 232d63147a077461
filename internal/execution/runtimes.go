package execution

import (
	"fmt"
	"strings"

	"github.com/licet/licet/internal/runtimes"
)

// Runtimes knows how functions of a runtime are started.
type Runtimes interface {
	// Command of a runtime by its name in the Lambda API, "python3.12". An error says that it cannot run here.
	Command(runtime string) (runtimes.Command, error)
}

// Managed are the runtimes that the server brings; Install has been called on set.
func Managed(set *runtimes.Set) Runtimes { return managed{set} }

type managed struct{ set *runtimes.Set }

func (m managed) Command(name string) (runtimes.Command, error) {
	r, ok := m.set.Lookup(name)
	if !ok {
		return runtimes.Command{}, fmt.Errorf("runtime %s is not known", name)
	}
	return r.Resolve()
}

// runtimeVersion is the Runtime Version of the INIT_START line: the family and, where AWS has a number of its own builds, the
// version of the interpreter that really runs: "python:3.11.2", "provided:al2023".
func runtimeVersion(name, interpreter string) string {
	family := strings.TrimRight(name, "0123456789.x")
	version := strings.TrimPrefix(name, family)
	if of, suffix, found := strings.Cut(name, "."); found && strings.HasPrefix(suffix, "al") {
		family, version = of, suffix
	}
	if interpreter != "" {
		version = interpreter
	}
	if version == "" {
		return family
	}
	return family + ":" + version
}
