package lambda

import (
	"context"
	"errors"
	"fmt"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/services/lambda/code"
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
}

// checkLayers refuses lists of layer versions that no function can have, whether they exist or not. Texts recorded from AWS.
func checkLayers(arns []string, region string) error {
	if len(arns) > maxLayers {
		return fault.InvalidParameter("Cannot reference more than %d layers.", maxLayers)
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

// useLayers finds the layers that a request names. That the caller may use them was judged.
func (s *Service) useLayers(ctx context.Context, given settings) ([]usedLayer, error) {
	var layers []usedLayer
	for _, arn := range given.Layers {
		v, err := s.layers.Find(ctx, arn)
		if errors.Is(err, store.ErrNotFound) {
			return nil, fault.InvalidParameter("Layer version %s does not exist.", arn)
		}
		if err != nil {
			return nil, fmt.Errorf("find layer version %s: %w", arn, err)
		}
		layers = append(layers, usedLayer{ARN: arn, Code: v.Code, CodeSize: v.CodeSize, CodeUnpacked: v.CodeUnpacked})
	}
	return layers, nil
}

// checkSize refuses code and layers that are too large together. The text is AWS's, as users report it.
func (v *version) checkSize() error {
	size := v.CodeUnpacked
	for _, l := range v.Layers {
		size += l.CodeUnpacked
	}
	if size > code.MaxUnpacked {
		return fault.InvalidParameter("Function code combined with layers exceeds the maximum allowed size of %d bytes. "+
			"The actual size is %d bytes.", code.MaxUnpacked, size)
	}
	return nil
}
