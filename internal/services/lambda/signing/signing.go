package signing

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/codesign"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/services/lambda/tag"
	"github.com/licet/licet/internal/store"
)

// Service is the room of code signing configurations.
type Service struct {
	db store.DB
	// publishers are the certificates of signing profiles, by the ARNs of their versions.
	publishers map[string]*x509.Certificate
	// used tells whether a function has a configuration.
	used func(r store.Reader, configuration arn.ARN) (bool, error)
}

// New makes the room. used tells whether a function has a configuration.
func New(
	db store.DB, publishers map[string]*x509.Certificate, used func(r store.Reader, configuration arn.ARN) (bool, error),
) *Service {
	return &Service{db: db, publishers: publishers, used: used}
}

// Operations are the rows of the room.
func (s *Service) Operations() []service.Operation {
	return []service.Operation{
		service.Op("CreateCodeSigningConfig", "lambda:CreateCodeSigningConfig", createTarget, s.create, createNeeds),
		service.Op("DeleteCodeSigningConfig", "lambda:DeleteCodeSigningConfig",
			one(s, func(in *sdk.DeleteCodeSigningConfigInput) *string { return in.CodeSigningConfigArn }), s.delete),
		service.Op("GetCodeSigningConfig", "lambda:GetCodeSigningConfig",
			one(s, func(in *sdk.GetCodeSigningConfigInput) *string { return in.CodeSigningConfigArn }), s.get),
		service.Op("ListCodeSigningConfigs", "lambda:ListCodeSigningConfigs", listTarget, s.list),
		service.Op("UpdateCodeSigningConfig", "lambda:UpdateCodeSigningConfig", s.updateTarget, s.update),
	}
}

// configuration is the record of a code signing configuration.
type configuration struct {
	Partition   string                  `json:"partition"`
	Region      string                  `json:"region"`
	Account     string                  `json:"account"`
	ID          string                  `json:"id"`
	Description string                  `json:"description"`
	Publishers  []string                `json:"publishers"` // ARNs of versions of signing profiles
	Policy      types.CodeSigningPolicy `json:"policy"`
	Modified    time.Time               `json:"modified"`
	Tags        map[string]string       `json:"tags,omitempty"`
}

// resource of an ARN of a configuration, before its id.
const resource = "code-signing-config:"

func (c *configuration) arn() string {
	return "arn:" + c.Partition + ":lambda:" + c.Region + ":" + c.Account + ":" + resource + c.ID
}

func prefix(account, region string) string { return "lambda/" + account + "/" + region + "/signing/" }

func key(a arn.ARN) string {
	return prefix(a.AccountID, a.Region) + strings.TrimPrefix(a.Resource, resource)
}

// newID: the pattern of CodeSigningConfigArn.
func newID() string { return "csc-" + strings.ToLower(rand.Text())[:17] }

func (c *configuration) shown() *types.CodeSigningConfig {
	return &types.CodeSigningConfig{
		AllowedPublishers:    &types.AllowedPublishers{SigningProfileVersionArns: c.Publishers},
		CodeSigningConfigArn: aws.String(c.arn()),
		CodeSigningConfigId:  aws.String(c.ID),
		CodeSigningPolicies:  &types.CodeSigningPolicies{UntrustedArtifactOnDeployment: c.Policy},
		Description:          aws.String(c.Description),
		LastModified:         aws.String(c.Modified.UTC().Format("2006-01-02T15:04:05.000+0000")),
	}
}

// The constraints of the model.
var (
	// ARN is the constraint of the member CodeSigningConfigArn.
	ARN = request.NewText(0, 200,
		`arn:(aws[a-zA-Z-]*)?:lambda:[a-z]{2}((-gov)|(-iso(b?)))?-[a-z]+-\d{1}:\d{12}:code-signing-config:csc-[a-z0-9]{17}`)
	profileText = request.NewText(0, 0, `arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}(-gov)?-[a-z]+-\d{1})?:(\d{12})?:(.*)`)
)

const maxPublishers = 20

func validate(v *request.Validator, publishers *types.AllowedPublishers, policies *types.CodeSigningPolicies, description *string) {
	v.Text("description", description, request.Description)
	if publishers != nil {
		arns := publishers.SigningProfileVersionArns
		switch {
		case arns == nil:
			v.Required("allowedPublishers.signingProfileVersionArns", false)
		case len(arns) == 0:
			v.Fail("'[]'", "allowedPublishers.signingProfileVersionArns", "Member must have length greater than or equal to 1")
		case len(arns) > maxPublishers:
			v.Fail("'"+request.List(arns)+"'", "allowedPublishers.signingProfileVersionArns", "Member must have length less than or equal to 20")
		}
		if slices.ContainsFunc(arns, func(a string) bool { return len(profileText.Violated(a)) > 0 }) {
			v.Fail("'"+request.List(arns)+"'", "allowedPublishers.signingProfileVersionArns", "Member must satisfy constraint: "+
				"[Member must satisfy regular expression pattern: "+profileText.Pattern.Source+", Member must not be null]")
		}
	}
	if policies != nil {
		policy := policies.UntrustedArtifactOnDeployment
		request.Enum(v, "codeSigningPolicies.untrustedArtifactOnDeployment", policy, policy.Values())
	}
}

// Parse reads the member CodeSigningConfigArn. Those of other partitions and regions are not there.
func Parse(v *request.Validator, c *service.Call, text *string) (arn.ARN, error) {
	v.RequiredText("codeSigningConfigArn", text, ARN)
	if err := v.Err(); err != nil {
		return arn.ARN{}, err
	}
	a, err := arn.Parse(*text)
	if err == nil && (a.Partition != c.Partition || a.Region != c.Region) {
		err = answer(store.ErrNotFound, a)
	}
	return a, err
}

// one is the resource of an operation on one configuration.
func one[In any](s *Service, member func(*In) *string) service.Resource[In] {
	return func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		var v request.Validator
		a, err := Parse(&v, c, member(in))
		if err != nil {
			return service.Target{}, err
		}
		return s.Target(ctx, c, "", a)
	}
}

// Target is a configuration as a resource, also if it does not exist.
func (s *Service) Target(ctx context.Context, _ *service.Call, _ string, a arn.ARN) (service.Target, error) {
	t := service.Target{ARN: a.String(), Account: a.AccountID}
	found, err := s.find(ctx, a)
	if errors.Is(err, store.ErrNotFound) {
		return t, nil
	}
	if err != nil {
		return service.Target{}, fmt.Errorf("find %s: %w", t.ARN, err)
	}
	tag.OfResource(&t.Keys, found.Tags)
	return t, nil
}

// Tags gives the tags of a configuration.
func (s *Service) Tags(ctx context.Context, a arn.ARN) (map[string]string, error) {
	found, err := s.find(ctx, a)
	if err != nil {
		return nil, answer(err, a)
	}
	return found.Tags, nil
}

// UpdateTags lets change work on the tags of a configuration, which are never nil. change may run more than once.
func (s *Service) UpdateTags(ctx context.Context, a arn.ARN, change func(map[string]string) error) error {
	_, err := s.change(ctx, a, func(c *configuration) error {
		if c.Tags == nil {
			c.Tags = make(map[string]string)
		}
		return change(c.Tags)
	})
	return err
}

func load(r store.Reader, a arn.ARN) (*configuration, error) {
	c, err := store.GetJSON[configuration](r, key(a))
	return &c, err
}

func (s *Service) find(ctx context.Context, a arn.ARN) (c *configuration, err error) {
	err = s.db.View(ctx, func(r store.Reader) error {
		c, err = load(r, a)
		return err
	})
	return c, err
}

// change changes a configuration in one transaction and gives the result. apply may run more than once.
func (s *Service) change(ctx context.Context, a arn.ARN, apply func(*configuration) error) (c *configuration, err error) {
	err = s.db.Update(ctx, func(tx store.Tx) error {
		if c, err = load(tx, a); err != nil {
			return err
		}
		if err := apply(c); err != nil {
			return err
		}
		return store.PutJSON(tx, key(a), c)
	})
	return c, answer(err, a)
}

// answer makes AWS's answer of a configuration that is not there: recorded without the member Type.
func answer(err error, a arn.ARN) error {
	if errors.Is(err, store.ErrNotFound) {
		return awserr.New("ResourceNotFoundException", http.StatusNotFound,
			"The Lambda code signing configuration %s can not be found.", a)
	}
	return err
}

// Require is the error of an operation on a function when the configuration that it names is not there. The text is as above.
func (s *Service) Require(r store.Reader, c *service.Call, text string) error {
	a, err := arn.Parse(text)
	if err != nil {
		return fmt.Errorf("parse code signing configuration: %w", err)
	}
	_, err = load(r, a)
	if errors.Is(err, store.ErrNotFound) || a.Partition != c.Partition || a.Region != c.Region || a.AccountID != c.Account {
		return fault.New("CodeSigningConfigNotFoundException", http.StatusNotFound, "The code signing configuration cannot be found. "+
			"Check that the provided configuration is not deleted: %s.", text)
	}
	return err
}

// Signature gives what is known of the signature of an archive; zero if it has none that is good.
func (s *Service) Signature(archive []byte, now time.Time) codesign.Signature {
	signature, err := codesign.Verify(archive, s.publishers, now)
	if err != nil { // nobody asked for one
		return codesign.Signature{}
	}
	return signature
}

// Verify gives what is known of the signature of a deployment package or layer, and the error for one that the configuration does not
// let in; "" is no configuration. Integrity is checked whatever the policy says; who signed, and until when it holds, as far as it is Enforce
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html). Without a configuration nothing is refused.
func (s *Service) Verify(ctx context.Context, text string, archive []byte, now time.Time) (codesign.Signature, error) {
	if text == "" {
		return s.Signature(archive, now), nil
	}
	a, err := arn.Parse(text)
	if err != nil {
		return codesign.Signature{}, fmt.Errorf("parse code signing configuration: %w", err)
	}
	c, err := s.find(ctx, a)
	if err != nil {
		return codesign.Signature{}, answer(err, a)
	}
	signature, err := codesign.Verify(archive, s.publishers, now)
	if err == nil && !slices.Contains(c.Publishers, signature.Profile) {
		err = codesign.ErrUntrusted
	}
	return signature, c.judge(err)
}

// judge says what the outcome of a verification means.
func (c *configuration) judge(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, codesign.ErrIntegrity):
		return fault.New("InvalidCodeSignatureException", http.StatusBadRequest, "The code signature failed the integrity check. "+
			"If the integrity check fails, then Lambda blocks deployment, even if the code signing policy is set to WARN.")
	case !errors.Is(err, codesign.ErrUnsigned) && !errors.Is(err, codesign.ErrUntrusted) && !errors.Is(err, codesign.ErrExpired):
		return fmt.Errorf("verify signature: %w", err)
	case c.Policy == types.CodeSigningPolicyEnforce:
		return fault.New("CodeVerificationFailedException", http.StatusBadRequest, "The code signature failed one or more of the "+
			"validation checks for signature mismatch or expiry, and the code signing policy is set to ENFORCE. Lambda blocks the deployment.")
	}
	return nil
}
