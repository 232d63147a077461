// Package poll reads the sources of event source mappings that are enabled, and calls their functions.
//
// It is the room of all pollers: one for each mapping, begun when it is enabled, ended when it is disabled or deleted, and made anew when it is
// changed. What a source is, and how it is read, is a Source: one folder below for each kind. It never decides and has no door of its own: what
// a Source reads it reads with the session of the function's execution role, judged and recorded as any call; the function is called in Lambda's
// own name, which AWS does not ask the function's policy for (lambda.md 5.1).
//
// Nothing is durable here but the last result of a mapping, written when it changes and at most once a second: where a source stands is its own,
// so that after a crash events come again, at least once. A poller that cannot read rests, longer each time up to a minute, and looks again at
// once when a policy, the function or the mapping changes. It reads nothing in vain: it waits in the source's own long polls, which such a change
// ends, so that nothing is read that is allowed no more.
//
// Sources: lambda.md 5, https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html.
//
// To add a kind of source: a folder with a Source, and its line in lambda.New.
package poll
