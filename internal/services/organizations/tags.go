package organizations

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// tagsOf gives the tags of a node or policy.
func (v *view) tagsOf(id string) ([]tag, error) {
	switch {
	case strings.HasPrefix(id, "p-"):
		p, err := findPolicy(v.r, v.org.ID, id)
		if isMissing(err) {
			return nil, targetNotFound()
		}
		if err != nil {
			return nil, err
		}
		return p.Tags, nil
	case v.org.Delegation != nil && id == v.org.Delegation.ID:
		return v.org.Delegation.Tags, nil
	}
	n, err := v.target(&id)
	if err != nil {
		return nil, err
	}
	return n.Tags, nil
}

// changeTags lets fn make new tags of those that a node or policy has.
func (c *change) changeTags(id string, fn func([]tag) []tag) error {
	switch {
	case strings.HasPrefix(id, "p-"):
		p, err := c.ownPolicy(&id)
		if err != nil {
			return err
		}
		p.Tags = fn(p.Tags)
		if err := checkTagCount(len(p.Tags)); err != nil {
			return err
		}
		return c.putPolicy(p)
	case c.org.Delegation != nil && id == c.org.Delegation.ID:
		c.org.Delegation.Tags = fn(c.org.Delegation.Tags)
		return checkTagCount(len(c.org.Delegation.Tags))
	}
	n, err := c.target(&id)
	if err != nil {
		return err
	}
	n.Tags = fn(n.Tags)
	return checkTagCount(len(n.Tags))
}

func tagResource(c *change, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	set, err := checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return &sdk.TagResourceOutput{}, c.changeTags(*in.ResourceId, func(have []tag) []tag {
		for _, t := range set {
			if i := indexOfTag(have, t.Key); i >= 0 {
				have[i] = t
			} else {
				have = append(have, t)
			}
		}
		return have
	})
}

func untagResource(c *change, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	return &sdk.UntagResourceOutput{}, c.changeTags(*in.ResourceId, func(have []tag) []tag {
		for _, key := range in.TagKeys {
			if i := indexOfTag(have, key); i >= 0 {
				have = slices.Delete(have, i, i+1)
			}
		}
		return have
	})
}

func listTagsForResource(v *view, in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	have, err := v.tagsOf(*in.ResourceId)
	if err != nil {
		return nil, err
	}
	tags, next, err := paged(have, func(t tag) string { return t.Key }, nil, in.NextToken, func(t tag) types.Tag {
		return types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)}
	})
	return &sdk.ListTagsForResourceOutput{Tags: tags, NextToken: next}, err
}
