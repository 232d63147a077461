package sts

import (
	"context"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
)

// getAccessKeyInfo reads the account out of the key id. It does not tell whether the key exists, as AWS does not.
func (s *Service) getAccessKeyInfo(
	_ context.Context, _ *service.Call, in *sdk.GetAccessKeyInfoInput,
) (*sdk.GetAccessKeyInfoOutput, error) {
	id := aws.ToString(in.AccessKeyId)
	if err := (pattern{`[\w]*`, regexp.MustCompile(`^\w*$`)}).check("accessKeyId", id, 16, 128); err != nil {
		return nil, err
	}
	account, ok := principal.AccountOf(id)
	if !ok {
		return nil, validationError("Request failed; The access key id %s carries no account.", id) // AWS's text is not known
	}
	return &sdk.GetAccessKeyInfoOutput{Account: aws.String(account)}, nil
}
