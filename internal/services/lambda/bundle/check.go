package bundle

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/licet/licet/internal/archive"
	"github.com/licet/licet/internal/services/lambda/fault"
)

const (
	// MaxUnpacked is what the code of a function and its layers may have together, unpacked.
	MaxUnpacked = 262_144_000
	// MaxZipped is for archives in a request.
	MaxZipped = 52_428_800
	// maxFiles is ours: AWS states none.
	maxFiles = 100_000

	// The whole requests' limits, by their messages (lambda.md 8). They count the archive in base64.
	maxRequest       = 70_167_211
	maxUpdateRequest = 69_905_067
)

// Check refuses what is no deployment package, and gives its unpacked size. Texts: lambda.md 6.1 and answers recorded from AWS, which
// are the same for layers.
func Check(operation string, zip []byte) (unpacked int64, err error) {
	limit := maxRequest
	if operation == "UpdateFunctionCode" {
		limit = maxUpdateRequest
	}
	if base64.StdEncoding.EncodedLen(len(zip)) > limit {
		return 0, fault.EntityTooLarge("Request must be smaller than %d bytes for the %s operation", limit, operation)
	}
	if len(zip) > MaxZipped {
		return 0, fault.EntityTooLarge("Zipped size must be smaller than %d bytes", MaxZipped)
	}
	summary, err := archive.Inspect(bytes.NewReader(zip), int64(len(zip)), archive.Limits{UnpackedBytes: MaxUnpacked, Files: maxFiles})
	switch {
	case errors.Is(err, archive.ErrEmpty):
		return 0, fault.InvalidParameter("Uploaded file must be a non-empty zip")
	case errors.Is(err, archive.ErrTooLarge):
		return 0, fault.InvalidParameter("Unzipped size must be smaller than %d bytes", MaxUnpacked)
	case errors.Is(err, archive.ErrInvalid):
		return 0, fault.InvalidParameter("Could not unzip uploaded file. Please check your file, then try to upload again.")
	case err != nil:
		return 0, fmt.Errorf("inspect code: %w", err)
	}
	return summary.UnpackedBytes, nil
}
