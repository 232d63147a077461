package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// returnProgram takes the pages of the server's executable out of its memory. Around each page that is needed the machine maps many others,
// until nearly all are there and count as the server's. Those that are needed again come from the machine's cache.
func returnProgram() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	smaps, err := os.ReadFile("/proc/self/smaps")
	if errors.Is(err, fs.ErrNotExist) { // a kernel without it
		return nil
	}
	if err != nil {
		return err
	}
	for _, m := range unchanged(smaps, program) {
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED); errno != 0 {
			return fmt.Errorf("return the program's memory: %w", errno)
		}
	}
	return nil
}

// addresses from one to before another.
type addresses struct{ from, to uintptr }

// unchanged lists where a file is mapped as it is on the disk, so that nothing is lost with its pages, in the text of proc_pid_smaps(5).
func unchanged(smaps []byte, file string) (found []addresses) {
	var m addresses
	of := false // the file's, and not writable
	for line := range bytes.Lines(smaps) {
		fields := bytes.Fields(line)
		var from, to uintptr
		if n, _ := fmt.Sscanf(string(line), "%x-%x ", &from, &to); n == 2 && len(fields) > 1 {
			m = addresses{from, to}
			of = fields[1][1] == '-' && bytes.HasSuffix(line, []byte(" "+file+"\n"))
			continue
		}
		if of && len(fields) > 1 && string(fields[0]) == "Anonymous:" && string(fields[1]) == "0" {
			found = append(found, m)
		}
	}
	return found
}
