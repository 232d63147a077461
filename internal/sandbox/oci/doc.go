// Package oci runs function code in containers made by an OCI runtime's command line (crun, else runc): the driver for Linux.
//
// Isolation: own user (where the kernel allows it), PID, mount, IPC, UTS, network and cgroup namespaces; a read-only root made of
// the host's /usr, /bin and /lib*, a synthetic /etc and a minimal /dev, or of an image's directory; no capabilities, no new
// privileges, an unprivileged user that is another one for each sandbox; an allow-list of system calls; cgroup limits (v1, v2, or
// both side by side) of memory, CPU time and processes for each sandbox, and of memory and processes for all together. The package
// needs root. It never touches the host's mount table, network or devices, and leaves no file with a function's environment on a
// disk.
//
// How: Create makes the sandbox's mount namespace (a tmpfs with the root, /tmp and the runtime's files in it) and network
// namespace (with the listeners) on a thread that then ends; the mount namespace is kept by a file descriptor, the network
// namespace by a mount in it: docs/decisions/0001-sandbox-network.md. Start forks, into that mount namespace and a new PID
// namespace, a shell that mounts /proc, waits until it has been put into the cgroups, and becomes the runtime. So the runtime is
// the PID namespace's init: when it ends or is killed, the kernel ends every process inside before Wait sees it, and it is
// killed when the server dies (PR_SET_PDEATHSIG). The program itself is not PID 1 and meets signals as anywhere else.
//
// After a crash of the server namespaces, mounts and processes are gone by themselves; New removes the cgroups that are left.
//
// Limits of exactness. A runtime reports a signal's end as exit status 128+n, so a program that itself exits with the status of a
// fatal signal (137 …) is taken for killed by it. The memory limit is for anonymous memory, checked ten times a second; at once
// fatal is only MemoryBytes and what a full /tmp takes, because the kernel counts the files of a tmpfs as memory and Lambda does not.
//
// To allow a system call: seccomp.go. To change a limit: limits.go. To show more of the host's /etc: root.go. All drivers pass sandboxtest.
package oci

// Config of a driver.
type Config struct {
	// Dir is the state directory: it belongs to one driver at a time, is made if missing, and stays all but empty. Required.
	Dir string
	// Runtime is the OCI runtime: a name to find in PATH, or a path. "" for crun, else runc.
	Runtime string
	// CgroupParent is the cgroup below which the sandboxes' are made, in every hierarchy; "" for "/licet".
	CgroupParent string
}
