// Package powercut finds out what a loss of power may leave of a directory in which a process works, for tests.
//
// Record runs a process under strace(1) and keeps what it does to the files of one directory. Images then makes what a disk may have when the
// power is cut after some step: what was synced is there; of the rest any part may be, in any order, and of a write any of its sectors of 512
// bytes. A new name, or another one, is durable when its directory was synced, whatever was done to the file. That is more than file systems of
// today do, and what they are allowed to (Pillai et al., All File Systems Are Not Created Equal, OSDI 2014).
//
// It does not see what is written by mmap(2), and takes the calls of several threads in the order in which they end.
package powercut
