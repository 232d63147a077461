// Package notification says which events of a bucket go where, makes the records of events, and keeps them until they were delivered.
//
// It never authorizes: a Target does, which calls as S3. An event is noted in the transaction that makes it (Note), and stays until its
// target has taken it or refused it for good: it is delivered at least once. Notes of one target are delivered in no certain order, as in
// AWS. A *Queue is safe for concurrent use; one at a time works on a store.
//
// Keys in the store:
//
//	s3/event/<stamp>-<number>    an event that is to be delivered
//
// Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and
// …/notification-how-to-filtering.html; records as AWS was seen to send them.
//
// To add a kind of target: a kind, its element in the operation's input, and what calls it in cmd/licet.
package notification

import (
	"strings"
)

// Kind is what a target is.
type Kind string

// The kinds.
const (
	Function Kind = "CloudFunction"
	Queues   Kind = "Queue"
	Topic    Kind = "Topic"
)

// Configuration is what a bucket notifies of.
type Configuration struct {
	Rules []Rule `json:"rules,omitempty"`
}

// Rule sends events to a target.
type Rule struct {
	ID     string   `json:"id"`
	Kind   Kind     `json:"kind"`
	Target string   `json:"target"` // ARN
	Events []string `json:"events"`
	// Prefix and Suffix of keys; nil for none. Raw names of the filter rules, as they were given, are in Names.
	Prefix *string  `json:"prefix,omitempty"`
	Suffix *string  `json:"suffix,omitempty"`
	Names  []string `json:"names,omitempty"`
}

// matches tells whether an event, such as "ObjectCreated:Put", of an object goes to the target.
func (r *Rule) matches(event, key string) bool {
	for _, e := range r.Events {
		want := strings.TrimPrefix(e, "s3:")
		group, any := strings.CutSuffix(want, "*")
		if want == event || any && strings.HasPrefix(event, group) {
			return (r.Prefix == nil || strings.HasPrefix(key, *r.Prefix)) && (r.Suffix == nil || strings.HasSuffix(key, *r.Suffix))
		}
	}
	return false
}

// overlap tells whether an event may match two rules.
func (r *Rule) overlap(other *Rule) bool {
	return shareEvent(r.Events, other.Events) &&
		share(r.Prefix, other.Prefix, strings.HasPrefix) && share(r.Suffix, other.Suffix, strings.HasSuffix)
}

func shareEvent(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			xs, xAny := strings.CutSuffix(x, "*")
			ys, yAny := strings.CutSuffix(y, "*")
			if x == y || xAny && strings.HasPrefix(y, xs) || yAny && strings.HasPrefix(x, ys) {
				return true
			}
		}
	}
	return false
}

func share(a, b *string, begins func(s, part string) bool) bool {
	return a == nil || b == nil || begins(*a, *b) || begins(*b, *a)
}

// Overlapping finds two rules of which AWS takes only one: they would send one event twice.
func (c *Configuration) Overlapping() bool {
	for i := range c.Rules {
		for j := range i {
			if c.Rules[i].overlap(&c.Rules[j]) {
				return true
			}
		}
	}
	return false
}
