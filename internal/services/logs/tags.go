package logs

import (
	"context"
	"fmt"
	"maps"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// Limits of tags (API_TagResource).
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// checkTags checks the tags of a request.
func checkTags(tags map[string]string) error {
	var p problems
	for k, v := range tags {
		switch {
		case k == "":
			p.add("tags", k, "have length greater than or equal to 1")
		case len([]rune(k)) > maxTagKey:
			p.add("tags", k, fmt.Sprintf("have length less than or equal to %d", maxTagKey))
		case len([]rune(v)) > maxTagValue:
			p.add("tags", v, fmt.Sprintf("have length less than or equal to %d", maxTagValue))
		}
	}
	if err := p.err(); err != nil {
		return err
	}
	if len(tags) > maxTags {
		return tooManyTags()
	}
	return nil
}

// checkTagClash refuses keys that differ only in case; the text is ours.
func checkTagClash(tags map[string]string) error {
	if a, b, clash := service.TagClash(tags); clash {
		return invalidParameter("The tag keys '%s' and '%s' differ only in case.", a, b)
	}
	return nil
}

func (s *Service) tagResource(ctx context.Context, c *service.Call, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	if in.Tags == nil {
		var p problems
		p.addNull("tags")
		return nil, p.err()
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	ref, err := byARN(*in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &sdk.TagResourceOutput{}, s.changeGroup(ctx, c, ref, func(_ store.Tx, g *group) error {
		if g.Tags == nil {
			g.Tags = make(map[string]string)
		}
		maps.Copy(g.Tags, in.Tags)
		if len(g.Tags) > maxTags {
			return tooManyTags()
		}
		return checkTagClash(g.Tags)
	})
}

func (s *Service) untagResource(
	ctx context.Context, c *service.Call, in *sdk.UntagResourceInput,
) (*sdk.UntagResourceOutput, error) {
	if in.TagKeys == nil {
		var p problems
		p.addNull("tagKeys")
		return nil, p.err()
	}
	ref, err := byARN(*in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &sdk.UntagResourceOutput{}, s.changeGroup(ctx, c, ref, func(_ store.Tx, g *group) error {
		for _, k := range in.TagKeys {
			delete(g.Tags, k)
		}
		return nil
	})
}

func (s *Service) listTagsForResource(
	ctx context.Context, c *service.Call, in *sdk.ListTagsForResourceInput,
) (*sdk.ListTagsForResourceOutput, error) {
	ref, err := byARN(*in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListTagsForResourceOutput{Tags: map[string]string{}}
	err = s.db.View(ctx, func(r store.Reader) error {
		g, err := loadGroup(r, c, ref)
		maps.Copy(out.Tags, g.Tags)
		return err
	})
	return out, err
}
