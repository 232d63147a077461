package lambda

import (
	"context"
	"errors"
	"fmt"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/layer"
	"github.com/licet/licet/internal/store"
)

// maxLayers of a function: https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html.
const maxLayers = 5

// usedLayer is a layer version as a function uses it: all that is needed to run when the layer version is deleted, or may no longer be
// used (https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html).
type usedLayer struct {
	ARN          string    `json:"arn"`
	Code         blob.Name `json:"code"`
	CodeSize     int64     `json:"code_size"`
	CodeUnpacked int64     `json:"code_unpacked"`
	// SigningProfile and SigningJob are ARNs; "" for a layer that is not signed.
	SigningProfile string `json:"signing_profile,omitempty"`
	SigningJob     string `json:"signing_job,omitempty"`
}

func tooManyLayers() error {
	return fault.InvalidParameter("Cannot reference more than %d layers.", maxLayers)
}

// checkLayers refuses lists of layer versions that no function can have, whether they exist or not. Texts recorded from AWS.
func checkLayers(arns []string, region string) error {
	if len(arns) > maxLayers {
		return tooManyLayers()
	}
	seen := make(map[string]string, len(arns)) // versions by their layers
	for _, arn := range arns {
		r, ok := layer.ParseVersion(arn)
		if !ok {
			return fault.InvalidParameter("Layer version %s does not exist.", arn)
		}
		if r.Region != region {
			return fault.InvalidParameter(
				"Layers are not in the same region as the function. Layers are expected to be in region %s.", region)
		}
		if other, twice := seen[r.LayerARN()]; twice {
			return fault.InvalidParameter("Two different versions of the same layer are not allowed to be referenced in the same function. "+
				"%s and %s are versions of the same layer.", other, arn)
		}
		seen[r.LayerARN()] = arn
	}
	return nil
}

// useLayers gives a version the layers that a request names. That the caller may use them was judged.
func (s *Service) useLayers(ctx context.Context, v *version, arns []string, region string) error {
	if err := checkLayers(arns, region); err != nil {
		return err
	}
	v.Layers = nil
	for _, arn := range arns {
		l, err := s.layers.Find(ctx, arn)
		if errors.Is(err, store.ErrNotFound) {
			return fault.InvalidParameter("Layer version %s does not exist.", arn)
		}
		if err != nil {
			return fmt.Errorf("find layer version %s: %w", arn, err)
		}
		v.Layers = append(v.Layers, usedLayer{
			ARN: arn, Code: l.Code, CodeSize: l.CodeSize, CodeUnpacked: l.CodeUnpacked,
			SigningProfile: l.Signature.Profile, SigningJob: l.Signature.Job,
		})
	}
	return v.checkSize()
}

// checkSize refuses code and layers that are too large together. The text is AWS's, as users report it.
func (v *version) checkSize() error {
	size := v.CodeUnpacked
	for _, l := range v.Layers {
		size += l.CodeUnpacked
	}
	if size > bundle.MaxUnpacked {
		return fault.InvalidParameter("Function code combined with layers exceeds the maximum allowed size of %d bytes. "+
			"The actual size is %d bytes.", bundle.MaxUnpacked, size)
	}
	return nil
}

// checkLayerSignatures holds layers that are given to a function to its code signing configuration, an ARN or ""
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html).
func (s *Service) checkLayerSignatures(ctx context.Context, c *service.Call, signing string, layers []usedLayer) error {
	if signing == "" {
		return nil
	}
	for _, l := range layers {
		archive, err := bundle.Read(ctx, s.Blobs, l.Code)
		if err != nil {
			return fmt.Errorf("%s: %w", l.ARN, err)
		}
		if _, err := s.signing.Verify(ctx, signing, archive, c.Time); err != nil {
			return err
		}
	}
	return nil
}
