package lambda

import (
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/licet/licet/internal/services/lambda/fault"
)

// pageSize is how many items an answer has, by the member MaxItems.
func pageSize(maxItems *int32) int {
	if maxItems == nil {
		return maxPage
	}
	return min(maxPage, int(*maxItems))
}

// marker is the NextMarker of an answer whose last item has this name.
func marker(last string) *string {
	return aws.String(base64.RawURLEncoding.EncodeToString([]byte(last)))
}

// markerOf is the name after which the answer begins; "" without a Marker.
func markerOf(given *string) (string, error) {
	if !isSet(given) {
		return "", nil
	}
	name, err := base64.RawURLEncoding.DecodeString(*given)
	if err != nil || len(name) == 0 {
		return "", fault.InvalidParameter("Invalid Marker: %s", *given)
	}
	return string(name), nil
}
