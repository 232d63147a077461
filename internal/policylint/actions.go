package policylint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/nearest"
	"github.com/licet/licet/policy"
)

// named is an action that a statement names in full.
type named struct {
	awsdata.Action
	text policy.Text
}

// actions checks that what a statement names exists, and gives the actions that Action names in full.
func (c *checker) actions(s *policy.Statement) (exact []named) {
	for _, t := range slices.Concat(s.Action, s.NotAction) {
		service, name, ok := strings.Cut(t.Value, ":")
		if !ok || name == "" || strings.ContainsFunc(service, notInService) || strings.ContainsFunc(name, notInAction) {
			continue // of every service, or malformed, which package policy reports
		}
		switch found := c.data.Matching(t.Value); {
		case len(found) == 0:
			c.unknownAction(t, service, name)
		case strings.EqualFold(found[0].Service+":"+found[0].Name, t.Value) && s.Action != nil:
			exact = append(exact, named{found[0], t})
		}
	}
	return exact
}

func (c *checker) unknownAction(t policy.Text, service, name string) {
	if c.data.Names(service) == nil {
		c.note(policy.Error, "INVALID_SERVICE_IN_ACTION", t.Span, "AWS has no service %q%s", brief(service), meant(service, c.data.Services()))
		return
	}
	if strings.ContainsAny(name, "*?") {
		c.note(policy.Error, "INVALID_ACTION", t.Span, "No action of %s is like %s.", service, brief(name))
		return
	}
	c.note(policy.Error, "INVALID_ACTION", t.Span, "AWS has no action %s%s", brief(t.Value), c.meantAction(service, name))
}

// meantAction ends a sentence with an action of a similar name, if there is one.
func (c *checker) meantAction(service, name string) string {
	if near := nearest.Of(name, c.data.Names(service)); len(near) > 0 {
		return fmt.Sprintf("; did you mean %s:%s?", strings.ToLower(service), near[0])
	}
	return "."
}

// meant ends a sentence with a suggestion, if one of the words that there are is near.
func meant(word string, words []string) string {
	if near := nearest.Of(word, words); len(near) > 0 {
		return fmt.Sprintf("; did you mean %s?", near[0])
	}
	return "."
}

func notInService(r rune) bool { return r != '-' && r != '.' && notAlphanumeric(r) }

func notInAction(r rune) bool { return r != '*' && r != '?' && notAlphanumeric(r) }

func notAlphanumeric(r rune) bool {
	return !('0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z')
}
