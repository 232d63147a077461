// Package backup copies a data directory while a server runs on it, puts a copy in the place of one, and says whether a data directory is
// whole.
//
// A backup is a data directory itself: a server can be started on it. What blobs its store needs, and whether a key is the store's, is told by
// the Facts that the caller gives, for only the services know. Save takes the blobs, then the store as it is at one moment, then its key and
// the blobs that came meanwhile. What the store needs and what was removed between the two makes it take the store again. What it
// acknowledges is on the disk.
//
// Not copied is what is made anew: unpacked code, sandboxes, the announced URL, an image that is removed meanwhile. The sealing key is copied,
// unless it is kept apart, and the certificate authority's: a backup is as secret as what it is of. Nothing is changed in the directory that is
// copied. To add a folder of what must be kept: a line of copyKept.
package backup
