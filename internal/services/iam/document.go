package iam

import (
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/policy"
)

// checkDocumentLength is the API model's bound on a policy's text, before whitespace is left out.
func checkDocumentLength(member string, text *string) error {
	if text == nil {
		return request.Violation(member, "Member must not be null")
	}
	return request.CheckLength(member, aws.ToString(text), 1, 131072)
}

// checkDocument parses a policy that is to be saved, or answers as AWS does for one that cannot be.
func checkDocument(text string, k policy.Kind) (*policy.Document, error) {
	doc, problem := policy.Problem([]byte(text), k)
	if problem != "" {
		err := malformedPolicy("%s", problem)
		err.Detail = policy.Locate([]byte(text), k)
		return nil, err
	}
	return doc, nil
}

// encodeDocument gives a policy as IAM answers it: percent-encoded after RFC 3986
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyVersion.html, Document).
func encodeDocument(text string) *string {
	return aws.String(strings.ReplaceAll(url.QueryEscape(text), "+", "%20"))
}
