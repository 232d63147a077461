// Package filter is the language of the filters of event source mappings: patterns of events, as JSON.
//
// A pattern is an object. Its members name members of the event, and hold objects of further members, or lists of which one must be true of the
// value. It reads nothing but its arguments. A Pattern is immutable and safe for concurrent use.
//
// Values are compared as EventBridge does, whose language it is: those of an array one by one; an object pattern with one element of an array at a
// time; numbers in lists as they are written, so that 300 is not 3e2, and those of "numeric" by their value. A member that holds an object, or an
// empty array, has no value for a list to match, as if it were not there. An object pattern matches no text and no number: so a body that is not
// JSON does not match a pattern of its members, whatever they are.
//
// Sources: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html, "Filter rule syntax", which has fewer operators than
// EventBridge, and https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html for what they mean.
//
// To add an operator: a case in comparison, and one in the reference of the tests.
package filter
