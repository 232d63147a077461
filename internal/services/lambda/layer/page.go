package layer

import (
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/licet/licet/internal/services/lambda/fault"
)

// sizeOf is how much a list may show at a time.
func sizeOf(maxItems *int32) int {
	if maxItems == nil {
		return maxPage
	}
	return int(*maxItems)
}

// after reads what the member Marker says was shown last; "" for a first page.
func after(marker *string) (string, error) {
	if aws.ToString(marker) == "" {
		return "", nil
	}
	last, err := base64.RawURLEncoding.DecodeString(*marker)
	if err != nil || len(last) == 0 {
		return "", fault.InvalidParameter("Invalid Marker: %s", *marker)
	}
	return string(last), nil
}

// marker is what after reads.
func marker(last string) *string {
	return aws.String(base64.RawURLEncoding.EncodeToString([]byte(last)))
}
