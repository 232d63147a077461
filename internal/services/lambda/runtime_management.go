package lambda

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// runtimeManagement is the record of when a version's runtime is updated. There is one build of each runtime here, so that all ways
// come to the same; a version without a record has Auto.
type runtimeManagement struct {
	UpdateOn types.UpdateRuntimeOn `json:"update_on"`
	// VersionARN of the runtime, with Manual.
	VersionARN string `json:"version_arn,omitempty"`
}

func runtimeManagementKey(r request.Function) string {
	return belongings(r) + "runtime-management/" + inFull(r).Qualifier
}

var runtimeVersionText = request.NewText(26, 2048, `arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso(b?)))?-[a-z]+-\d{1}::runtime:.+`)

// managed loads the version whose runtime is managed. An alias is none
// (https://docs.aws.amazon.com/lambda/latest/api/API_PutRuntimeManagementConfig.html, Qualifier); the text for it is ours.
func (s *Service) managed(reader store.Reader, r request.Function) (found, error) {
	f, err := s.load(reader, r)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return found{}, fault.FunctionNotFound(r.ARN())
	case err != nil:
		return found{}, err
	case f.alias != nil:
		return found{}, fault.InvalidParameter("The runtime of an alias cannot be managed. Specify $LATEST or a published version.")
	}
	return f, nil
}

// check refuses what does not go together
// (https://docs.aws.amazon.com/lambda/latest/api/API_PutRuntimeManagementConfig.html); the texts are ours.
func (m runtimeManagement) check(f found) error {
	switch {
	case m.UpdateOn == types.UpdateRuntimeOnManual && m.VersionARN == "":
		return fault.InvalidParameter("RuntimeVersionArn is required when UpdateRuntimeOn is Manual.")
	case m.UpdateOn != types.UpdateRuntimeOnManual && m.VersionARN != "":
		return fault.InvalidParameter("RuntimeVersionArn can only be specified when UpdateRuntimeOn is Manual.")
	case m.VersionARN != "" && m.VersionARN != f.runtimeVersionARN():
		return fault.InvalidParameter("The runtime version %s is not one of the runtime %s.", m.VersionARN, f.version.Runtime)
	}
	return nil
}

// arn is the member RuntimeVersionArn of answers.
func (m runtimeManagement) arn() *string {
	if m.VersionARN == "" {
		return nil
	}
	return aws.String(m.VersionARN)
}
