package lambda

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

// There is no KMS: a function's secrets are encrypted under the server's own key, whatever key it names. What a named key does have is its
// permissions (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html): who gives a function a key must
// be allowed to grant its use, and who may not decrypt with it does not see the variables.

// invalidKey is the beginning of AWS's answer where a key cannot be used; clients look for it.
const invalidKey = "Lambda was unable to configure access to your environment variables because the KMS key is invalid for CreateGrant. " +
	"Please check your KMS key settings."

// isKey tells the ARN of a KMS key.
func isKey(a arn.ARN) bool { return a.Service == "kms" && strings.HasPrefix(a.Resource, "key/") }

// checkKey refuses what is no key.
func checkKey(key *string) error {
	if !isSet(key) {
		return nil
	}
	if a, err := arn.Parse(*key); err != nil || !isKey(a) {
		return fault.InvalidParameter(invalidKey + " KMS Exception: NotFoundException")
	}
	return nil
}

// keyNeed is a permission on a KMS key that Lambda uses for the caller. What is no key has none, and is refused later.
func keyNeed(c *service.Call, action, key string) (service.Need, bool) {
	a, err := arn.Parse(key)
	if err != nil || !isKey(a) {
		return service.Need{}, false
	}
	need := service.Need{Action: action, Target: service.Target{ARN: key, Account: a.AccountID}}
	need.Target.Keys.Set("kms:ViaService", "lambda."+c.Region+".amazonaws.com")
	need.Target.Keys.Set("kms:CallerAccount", c.Account)
	return need, true
}

// decryptNeed is the permission to decrypt with a key in an encryption context; not ok for what is no key.
func decryptNeed(c *service.Call, key string, encryptionContext map[string]string) (service.Need, bool) {
	need, ok := keyNeed(c, "kms:Decrypt", key)
	if !ok {
		return service.Need{}, false
	}
	for name, value := range encryptionContext {
		need.Target.Keys.Set("kms:EncryptionContext:"+name, value)
	}
	need.Target.Keys.SetList("kms:EncryptionContextKeys", slices.Sorted(maps.Keys(encryptionContext))...)
	return need, true
}

// decryptNeed is the permission to see the variables of a version.
func (f found) decryptNeed(c *service.Call) (service.Need, bool) {
	return decryptNeed(c, f.version.KMSKey, map[string]string{"aws:lambda:FunctionArn": f.function.reference.FunctionARN()})
}

// rekeyNeeds: variables that stay when the key changes are decrypted for the caller, who would see them under another key, or none.
func (s settings) rekeyNeeds(c *service.Call, f found) []service.Need {
	if s.KMSKeyArn == nil || s.Environment != nil || f.version.Environment == nil || f.version.KMSKey == *s.KMSKeyArn {
		return nil
	}
	need, ok := f.decryptNeed(c)
	if !ok {
		return nil
	}
	return []service.Need{need}
}

// encryptionNeeds are those of the member KMSKeyArn.
func (s settings) encryptionNeeds(c *service.Call) []service.Need {
	need, ok := keyNeed(c, "kms:CreateGrant", aws.ToString(s.KMSKeyArn))
	if !ok {
		return nil
	}
	need.Target.Keys.Set("kms:GrantIsForAWSResource", "true")
	need.Denied = func(authz.Decision) error {
		return fault.InvalidParameter(invalidKey + " KMS Exception: AccessDeniedException")
	}
	return []service.Need{need}
}

// hiddenVariables stand for variables that the caller may not decrypt. The text is recorded.
func hiddenVariables() *types.EnvironmentResponse {
	return &types.EnvironmentResponse{Error: &types.EnvironmentError{
		ErrorCode: aws.String("AccessDeniedException"),
		Message: aws.String("Lambda was unable to decrypt your environment variables because the KMS access was denied. " +
			"Please check your KMS permissions. KMS Exception: AccessDeniedException"),
	}}
}

// hidesVariables tells whether what is shown of a version depends on the caller.
func (v *version) hidesVariables() bool { return v.KMSKey != "" && v.Environment != nil }

// show is configuration for a caller, who sees variables under a key if it may decrypt with that.
func (s *Service) show(ctx context.Context, c *service.Call, f found, qualifier string, when moment) (types.FunctionConfiguration, error) {
	shown := f.configuration(qualifier, when)
	if when == settled && f.version.Image != nil {
		s.showImageState(&shown, f.version.Image)
	}
	if !f.version.hidesVariables() {
		return shown, nil
	}
	need, ok := f.decryptNeed(c)
	if !ok {
		return shown, nil
	}
	allowed, err := s.Permissions.Allowed(ctx, c, need)
	if err != nil {
		return shown, fmt.Errorf("check permission to decrypt variables of %s: %w", f.function.reference.ARN(), err)
	}
	if allowed {
		shown.Environment = &types.EnvironmentResponse{Variables: f.version.Environment}
	}
	return shown, nil
}

// showVersion is show as an operation's output.
func showVersion[Out any](ctx context.Context, s *Service, c *service.Call, f found, r request.Function, when moment) (*Out, error) {
	shown, err := s.show(ctx, c, f, r.Qualifier, when)
	if err != nil {
		return nil, err
	}
	return output[Out](shown), nil
}
