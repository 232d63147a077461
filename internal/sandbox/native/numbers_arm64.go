//go:build linux

package native

import (
	"debug/elf"

	"golang.org/x/sys/unix"
)

// What the ELF file of the stage, and the kernel to a filter, say that they are for.
const (
	machine      = elf.EM_AARCH64
	architecture = unix.AUDIT_ARCH_AARCH64
)

// ownNumbers are the system calls of linux.SystemCalls that arm64 alone has: none.
var ownNumbers map[string]uint32
