//go:build linux

package native

import (
	"debug/elf"

	"golang.org/x/sys/unix"
)

// What the ELF file of the stage, and the kernel to a filter, say that they are for.
const (
	machine      = elf.EM_X86_64
	architecture = unix.AUDIT_ARCH_X86_64
)

// ownNumbers are the system calls of linux.SystemCalls that amd64 alone has: older forms of others, mostly.
var ownNumbers = map[string]uint32{
	"access":          unix.SYS_ACCESS,
	"alarm":           unix.SYS_ALARM,
	"arch_prctl":      unix.SYS_ARCH_PRCTL,
	"chmod":           unix.SYS_CHMOD,
	"chown":           unix.SYS_CHOWN,
	"creat":           unix.SYS_CREAT,
	"create_module":   unix.SYS_CREATE_MODULE,
	"dup2":            unix.SYS_DUP2,
	"epoll_create":    unix.SYS_EPOLL_CREATE,
	"epoll_wait":      unix.SYS_EPOLL_WAIT,
	"eventfd":         unix.SYS_EVENTFD,
	"fork":            unix.SYS_FORK,
	"futimesat":       unix.SYS_FUTIMESAT,
	"get_thread_area": unix.SYS_GET_THREAD_AREA,
	"getdents":        unix.SYS_GETDENTS,
	"getpgrp":         unix.SYS_GETPGRP,
	"inotify_init":    unix.SYS_INOTIFY_INIT,
	"ioperm":          unix.SYS_IOPERM,
	"iopl":            unix.SYS_IOPL,
	"lchown":          unix.SYS_LCHOWN,
	"link":            unix.SYS_LINK,
	"lstat":           unix.SYS_LSTAT,
	"mkdir":           unix.SYS_MKDIR,
	"mknod":           unix.SYS_MKNOD,
	"open":            unix.SYS_OPEN,
	"pause":           unix.SYS_PAUSE,
	"pipe":            unix.SYS_PIPE,
	"poll":            unix.SYS_POLL,
	"readlink":        unix.SYS_READLINK,
	"rename":          unix.SYS_RENAME,
	"rmdir":           unix.SYS_RMDIR,
	"select":          unix.SYS_SELECT,
	"set_thread_area": unix.SYS_SET_THREAD_AREA,
	"signalfd":        unix.SYS_SIGNALFD,
	"stat":            unix.SYS_STAT,
	"symlink":         unix.SYS_SYMLINK,
	"time":            unix.SYS_TIME,
	"unlink":          unix.SYS_UNLINK,
	"uselib":          unix.SYS_USELIB,
	"ustat":           unix.SYS_USTAT,
	"utime":           unix.SYS_UTIME,
	"utimes":          unix.SYS_UTIMES,
	"vfork":           unix.SYS_VFORK,
}
