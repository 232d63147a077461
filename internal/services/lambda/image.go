package lambda

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/execution"
	unpack "github.com/licet/licet/internal/image"
	"github.com/licet/licet/internal/registry"
	"github.com/licet/licet/internal/services/lambda/fault"
)

// imagePatience is how long an invocation waits for an image that is being fetched: a small one is there before it is over.
const imagePatience = 10 * time.Second

// alone is an image without what it took the place of.
func (i *image) alone() *image {
	if i == nil {
		return nil
	}
	return &image{URI: i.URI, Resolved: i.Resolved, Digest: i.Digest}
}

// wanted are the images that must be kept for a version that has this one, which may be nil.
func (s *Service) wanted(i *image) []*image {
	if i == nil || s.Unpacked == nil {
		return nil
	}
	state, _ := s.Unpacked.Look(i.Digest)
	if i.Before == nil || state == unpack.Ready {
		return []*image{i}
	}
	if state == unpack.Fetching {
		s.codeChanged.Store(true) // the one before is to go when this one is there
	}
	return []*image{i, i.Before}
}

// pending tells whether a version has to wait for its image.
func (s *Service) pending(v *version) bool {
	if v.Image == nil || s.Unpacked == nil {
		return false
	}
	state, _ := s.Unpacked.Look(v.Image.Digest)
	return state == unpack.Fetching
}

// ready tells whether an image is there.
func (s *Service) ready(i *image) bool {
	state, _ := s.Unpacked.Look(i.Digest)
	return state == unpack.Ready
}

// succeed gives the image that takes the place of another: until it is there, invocations run the one before, if that is
// (https://docs.aws.amazon.com/lambda/latest/dg/invocation-images.html, "Function lifecycle").
func (s *Service) succeed(before, next *image) *image {
	next = next.alone()
	next.Update = true
	if s.Unpacked == nil {
		return next
	}
	switch {
	case s.ready(before):
		next.Before = before.alone()
	case before.Before != nil:
		next.Before = before.Before
	default: // it still is not made
		next.Update = before.Update
	}
	return next
}

// checkState refuses changes of a function whose image is being fetched (recorded: faastjs/faast.js, issue 758, for a function that
// is being created; turnerlabs/udeploy, issue 52, for one that is being updated).
func (s *Service) checkState(f found) error {
	switch {
	case !s.pending(f.version):
		return nil
	case f.version.Image.Update:
		return fault.UpdateInProgress(f.function.reference.ARN())
	}
	return fault.Conflict("The operation cannot be performed at this time. The function is currently in the following state: Pending")
}

// showImageState shows how far a function's image is.
func (s *Service) showImageState(c *types.FunctionConfiguration, i *image) {
	if s.Unpacked == nil {
		return
	}
	state, failure := s.Unpacked.Look(i.Digest)
	reason, code := s.imageFailure(failure)
	switch {
	case state == unpack.Ready || state == unpack.Missing: // as in a dry run
	case state == unpack.Failed && i.Update:
		c.LastUpdateStatus, c.LastUpdateStatusReason = types.LastUpdateStatusFailed, aws.String(reason)
		c.LastUpdateStatusReasonCode = types.LastUpdateStatusReasonCode(code)
	case state == unpack.Failed:
		c.State, c.StateReason, c.StateReasonCode = types.StateFailed, aws.String(reason), code
		c.LastUpdateStatus = ""
	case i.Update:
		setState(c, updated)
	default:
		c.LastUpdateStatus = ""
		setState(c, created)
	}
}

// imageFailure says why an image could not be had. Recorded: the first text (aws-samples/aws-genai-llm-chatbot, issue 59), that of
// a deleted image (aws-actions/aws-lambda-deploy, issue 68) and that of a denied one. The others are ours.
func (s *Service) imageFailure(err error) (reason string, code types.StateReasonCode) {
	switch {
	case errors.Is(err, unpack.ErrTooLarge):
		return fmt.Sprintf("SizeLimitExceeded: Uncompressed container image size exceeds %d GiB limit", s.Unpacked.Limits.Bytes>>30),
			types.StateReasonCodeInvalidImage
	case errors.Is(err, unpack.ErrInvalid) || errors.Is(err, registry.ErrName):
		return "The container image is not valid: " + err.Error(), types.StateReasonCodeInvalidImage
	case errors.Is(err, registry.ErrMissing):
		return "The function is trying to use a deleted image.", types.StateReasonCodeImageDeleted
	case errors.Is(err, registry.ErrDenied):
		return imageDeniedText, types.StateReasonCodeImageAccessDenied
	case errors.Is(err, unpack.ErrNoRoom):
		return "The server's disk has no room for the container image.", types.StateReasonCodeInternalError
	}
	return "The container image could not be fetched from its registry.", types.StateReasonCodeInternalError
}

// unpackImage gives a version made from an image as its environments see it.
func (s *Service) unpackImage(ctx context.Context, f found) (execution.Function, error) {
	i := f.version.Image
	if i.Before != nil && !s.ready(i) {
		s.Unpacked.FetchAgain(i.URI, i.Digest)
		i = i.Before
	}
	unpacked, err := s.waitForImage(ctx, i)
	if err != nil {
		return execution.Function{}, err
	}
	run := f.execution()
	run.Revision += " " + i.Digest // environments of the image before are not used for this one
	run.Image = f.version.imageOf(unpacked)
	return run, nil
}

// waitForImage gives an image when it is there. Code and text of a pending one: keithrozario/Klayers, issue 210; of a failed one:
// CloudSnorkel/cdk-github-runners, issue 768. Both were recorded from Invoke, with status 409.
func (s *Service) waitForImage(ctx context.Context, i *image) (unpack.Image, error) {
	ctx, cancel := context.WithTimeout(ctx, imagePatience)
	defer cancel()
	unpacked, err := s.Unpacked.Get(ctx, i.URI, i.Digest)
	if err == nil {
		return unpacked, nil
	}
	var refusal *awserr.Error
	switch {
	case ctx.Err() != nil:
		refusal = fault.New("CodeArtifactUserPendingException", http.StatusConflict,
			"Lambda is initializing your function. It will be ready to invoke shortly.")
	case errors.Is(err, registry.ErrDenied):
		refusal = fault.AccessDenied(imageDeniedText)
	case errors.Is(err, registry.ErrMissing):
		refusal = fault.New("CodeArtifactUserDeletedException", http.StatusConflict, "The function is trying to use a deleted image.")
	case errors.Is(err, unpack.ErrInvalid) || errors.Is(err, unpack.ErrTooLarge):
		refusal = fault.New("CodeArtifactUserFailedException", http.StatusConflict,
			"ERROR: Lambda cannot initialize the provided container image. Verify the image.")
	default:
		return unpack.Image{}, fmt.Errorf("fetch image %s: %w", i.Resolved, err)
	}
	refusal.Cause = err
	return unpack.Image{}, refusal
}

// imageOf says what runs of an image, with what the function's configuration has in its place
// (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html, "Container image settings"). The image's user does not count:
// "The default Lambda user" is there instead.
func (v *version) imageOf(i unpack.Image) *execution.Image {
	entryPoint, command, dir := i.Entrypoint, i.Cmd, i.WorkingDir
	if c := v.ImageConfig; c != nil {
		if len(c.EntryPoint) > 0 {
			entryPoint = c.EntryPoint
		}
		if len(c.Command) > 0 {
			command = c.Command
		}
		if isSet(c.WorkingDirectory) {
			dir = *c.WorkingDirectory
		}
	}
	return &execution.Image{
		RootDir: i.Dir, Files: unpack.Files(i.Dir), Dir: dir, Env: i.Env,
		Args: append(append(make([]string, 0, len(entryPoint)+len(command)), entryPoint...), command...),
	}
}
