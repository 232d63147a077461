// Package bundle checks, keeps and unpacks the archives that functions and layers are made of.
//
// Archives stand in the blob store by their SHA-256; unpacked ones in a directory that is the server's own, read-only and shared by
// all that need the same archives in the same order. The package never authorizes, reads no clock and opens no connection; it does not
// know who uses an archive. An *Unpacker is safe for concurrent use: each directory is made once, and appears by a rename when it is
// complete. After an error nothing is there, and the next caller tries again; after a crash unfinished directories may be left, which
// whoever knows what is in use removes (Sweep of the package lambda).
//
// Sources: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html for sizes, error texts recorded from AWS
// (lambda.md 6.1, 8).
package bundle
