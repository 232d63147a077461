// Package memo keeps in memory what was made from a text that never changes its meaning.
//
// It does no I/O. Errors are not kept. An Of is safe for concurrent use.
package memo
