package provider

import (
	"net/http"

	"github.com/licet/licet/internal/awserr"
)

// featureEnabled and featureDisabled have the texts of
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableOutboundWebIdentityFederation.html#API_EnableOutboundWebIdentityFederation_Errors
// and of its counterparts.
func featureEnabled() error {
	return awserr.New("FeatureEnabled", http.StatusConflict,
		"The request failed because outbound identity federation is already enabled for your AWS account.")
}

func featureDisabled() error {
	return awserr.New("FeatureDisabled", http.StatusNotFound,
		"The request failed because outbound identity federation is already disabled for your AWS account.")
}
