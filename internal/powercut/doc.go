// Package powercut finds out what a loss of power may leave of a directory in which a process works, for tests.
//
// Record runs a process under strace(1) and keeps what it does to the files of one directory. Images then makes what a disk may have when the
// power is cut after some step: what was synced is there; of the rest any part may be, in any order, and of a write any of its sectors of 512
// bytes. A new name, or another one, is durable when its directory was synced, whatever was done to the file; a rename is whole or not at all. That
// is more than file systems of today do, and what they are allowed to (Pillai et al., All File Systems Are Not Created Equal, OSDI 2014).
//
// Calls of several threads are taken in the order in which they end. Modes and owners are not recorded. What else is not, such as mmap(2), is
// found out: a recording that does not lead to what is there in the end is an error.
package powercut
