//go:build linux

package linux

import (
	"math"
	"strings"
	"syscall"
)

// allowedCalls is what programs may ask of the kernel: files, memory, processes and threads of their own, time, and sockets of the
// common families. Names that an architecture does not have are ignored.
const allowedCalls = `
access faccessat faccessat2 chdir fchdir chmod fchmod fchmodat fchmodat2 chown fchown fchownat lchown close close_range
copy_file_range creat dup dup2 dup3 fadvise64 fadvise64_64 fallocate fcntl fcntl64 fdatasync fgetxattr flistxattr flock
fremovexattr fsetxattr fstat fstat64 fstatat64 newfstatat statx stat stat64 lstat lstat64 fstatfs fstatfs64 statfs statfs64
fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 getxattr lgetxattr listxattr llistxattr lremovexattr
lsetxattr setxattr removexattr link linkat symlink symlinkat lseek _llseek mkdir mkdirat mknod mknodat open openat openat2
pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename renameat renameat2
rmdir sendfile sendfile64 splice tee vmsplice sync sync_file_range syncfs truncate truncate64 umask unlink unlinkat utime
utimensat utimensat_time64 utimes write writev ioctl inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel
io_destroy io_getevents io_pgetevents io_setup io_submit brk madvise memfd_create mincore mlock mlock2 mlockall mmap mmap2
mprotect mremap msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect map_shadow_stack mseal membarrier
get_mempolicy mbind set_mempolicy remap_file_pages alarm arch_prctl capget capset clock_getres clock_gettime clock_nanosleep
clock_getres_time64 clock_gettime64 clock_nanosleep_time64 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2
epoll_wait eventfd eventfd2 execve execveat exit exit_group fork vfork futex futex_time64 futex_waitv futex_wake futex_wait
futex_requeue get_robust_list set_robust_list get_thread_area set_thread_area getcpu getegid geteuid getgid getgroups
getitimer setitimer getpgid getpgrp getpid getppid getpriority setpriority getrandom getresgid getresuid getrlimit setrlimit
prlimit64 ugetrlimit getrusage getsid gettid gettimeofday getuid ioprio_get ioprio_set kill nanosleep pause pidfd_open
pidfd_send_signal poll ppoll ppoll_time64 prctl process_mrelease pselect6 pselect6_time64 select _newselect restart_syscall
rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler
sched_yield set_tid_address setfsgid setfsuid setgid setgroups setpgid setregid setresgid setresuid setreuid setsid setuid
sigaltstack signalfd signalfd4 sigreturn sysinfo tgkill time timer_create timer_delete timer_getoverrun timer_gettime
timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill uname wait4 waitid waitpid landlock_add_rule
landlock_create_ruleset landlock_restrict_self seccomp accept accept4 bind connect getpeername getsockname getsockopt listen
recv recvfrom recvmmsg recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketpair mq_getsetattr mq_notify mq_open
mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmdt shmget`

// refusedCalls are answered with EPERM, because programs know that answer of them. All else is answered with ENOSYS, as by a
// kernel that does not have it: so the C library falls back from clone3, whose flags no filter can see, to clone.
const refusedCalls = `
acct add_key adjtimex bpf chroot clock_adjtime clock_settime create_module delete_module finit_module fsconfig fsmount fsopen
fspick init_module ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mount mount_setattr move_mount move_pages
migrate_pages name_to_handle_at nfsservctl open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root process_vm_readv
process_vm_writev ptrace quotactl quotactl_fd reboot request_key set_mempolicy_home_node setdomainname sethostname setns
settimeofday stime swapoff swapon syslog umount umount2 unshare userfaultfd uselib ustat vhangup io_uring_enter
io_uring_register io_uring_setup`

// newNamespaces are the flags of clone(2) that make namespaces.
const newNamespaces = syscall.CLONE_NEWNS | syscall.CLONE_NEWCGROUP | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC |
	syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET

// Rule says what some system calls are answered.
type Rule struct {
	Names []string
	// Errno is the answer; 0 for a call that is let through.
	Errno syscall.Errno
	// When bounds the rule to calls with an argument; nil for all.
	When *Condition
}

// Condition is true where the argument, counted from 0, has the value in the bits of the mask.
type Condition struct {
	Argument    int
	Mask, Value uint64
}

// OtherCalls is the answer to a call without a rule.
const OtherCalls = syscall.ENOSYS

// SystemCalls are the rules, at most one of which fits a call.
func SystemCalls() []Rule {
	rules := []Rule{
		{Names: strings.Fields(allowedCalls)},
		{Names: strings.Fields(refusedCalls), Errno: syscall.EPERM},
		{Names: []string{"clone"}, When: &Condition{Mask: newNamespaces}},
	}
	equal := func(name string, values ...uint64) {
		for _, v := range values {
			rules = append(rules, Rule{Names: []string{name}, When: &Condition{Mask: math.MaxUint64, Value: v}})
		}
	}
	equal("socket", syscall.AF_UNIX, syscall.AF_INET, syscall.AF_INET6, syscall.AF_NETLINK)
	// PER_LINUX, PER_LINUX32, ADDR_NO_RANDOMIZE, and the question for the current one: personality(2).
	equal("personality", 0, 0x0008, 0x40000, 0xffffffff)
	return rules
}
