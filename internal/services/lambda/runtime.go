package lambda

import (
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/services/lambda/fault"
)

// withdrawn is a runtime that AWS does not let new functions have.
type withdrawn struct {
	// successor is the newest of the family, which the refusal recommends.
	successor types.Runtime
	// frozen: functions that have it cannot be updated either, unless they leave it.
	frozen bool
}

// withdrawnRuntimes: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, "Deprecated runtimes", as far as creation has been
// blocked since before 2025, updates since before 2024. AWS has put off the later dates again and again.
func withdrawnRuntime(r types.Runtime) (withdrawn, bool) {
	switch r {
	case "nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x":
		return withdrawn{types.RuntimeNodejs24x, true}, true
	case "nodejs14.x":
		return withdrawn{types.RuntimeNodejs24x, false}, true
	case "python2.7", "python3.6":
		return withdrawn{types.RuntimePython314, true}, true
	case "python3.7":
		return withdrawn{types.RuntimePython314, false}, true
	case "dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1":
		return withdrawn{types.RuntimeDotnet10, true}, true
	case "ruby2.5":
		return withdrawn{types.RuntimeRuby34, true}, true
	case "ruby2.7":
		return withdrawn{types.RuntimeRuby34, false}, true
	case "java8":
		return withdrawn{types.RuntimeJava25, false}, true
	case "go1.x", "provided":
		return withdrawn{types.RuntimeProvidedal2023, false}, true
	}
	return withdrawn{}, false
}

// checkRuntime refuses runtimes that are withdrawn. The text is recorded, for many runtimes.
func checkRuntime(r types.Runtime, isNew bool) error {
	w, ok := withdrawnRuntime(r)
	if !ok || !isNew && !w.frozen {
		return nil
	}
	return fault.InvalidParameter("The runtime parameter of %s is no longer supported for creating or updating AWS Lambda functions. "+
		"We recommend you use the new runtime (%s) while creating or updating functions.", r, w.successor)
}

// hasSnapStart: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html, Java 11, Python 3.12, .NET 8 and later.
func hasSnapStart(r types.Runtime) bool {
	switch r {
	case "java11", "java17", "java21", "java25", "java11.al2023", "java17.al2023", "python3.12", "python3.13", "python3.14", "python3.15",
		"dotnet8", "dotnet10":
		return true
	}
	return false
}

// checkSnapStart refuses what SnapStart cannot be with (the same page). The text is recorded for runtimes and images.
func (v *version) checkSnapStart() error {
	const text = "%s is not supported for SnapStart enabled functions."
	switch {
	case v.SnapStart != types.SnapStartApplyOnPublishedVersions:
		return nil
	case v.Tenancy != "":
		return fault.InvalidParameter(text, "Tenancy configuration")
	case v.Image != nil:
		return fault.InvalidParameter(text, "ContainerImage")
	case !hasSnapStart(v.Runtime):
		return fault.InvalidParameter(text, v.Runtime)
	case len(v.FileSystems) > 0:
		return fault.InvalidParameter(text, "A file system")
	case v.Ephemeral > minEphemeral:
		return fault.InvalidParameter(text, "Ephemeral storage larger than 512 MB")
	}
	return nil
}
