// Package sampleevent has an event of each kind that services invoke functions with, as AWS documents it.
//
// An event is a file below events/: lines of what is known of it ("principal:", "mode:", "about:", "source:" with the page that it is from),
// an empty line, and the JSON. ${Account}, ${Region}, ${Partition}, ${SourceArn} and ${SourceName} in its texts are filled in. The files are part
// of the program, and its tests read all of them. To add one: one file.
//
// The package is pure, and what it gives may be used by many goroutines.
package sampleevent
