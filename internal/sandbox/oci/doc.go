// Package oci runs function code in containers made by an OCI runtime's command line (crun, runc, runsc): the driver for Linux where
// another runtime than our own is wanted. Package linux makes the sandboxes and says what isolates them.
//
// How: Start forks, into the sandbox's mount namespace and a new PID namespace, a shell that mounts /proc, waits until it has been put
// into the cgroups, and becomes the runtime. So the runtime is the PID namespace's init: when it ends or is killed, the kernel ends
// every process inside before Wait sees it. The program itself is not PID 1 and meets signals as anywhere else.
//
// Limits of exactness. A runtime reports a signal's end as exit status 128+n, so a program that itself exits with the status of a
// fatal signal (137 …) is taken for killed by it.
package oci

// Config of a driver.
type Config struct {
	// Dir is the state directory: it belongs to one driver at a time, is made if missing, and stays all but empty. Required.
	Dir string
	// Runtime is the OCI runtime: a name to find in PATH, or a path. "" for crun, else runc.
	Runtime string
	// CgroupParent is the cgroup below which the sandboxes' are made, in every hierarchy; "" for "/licet".
	CgroupParent string
	// WithoutUsers does without user namespaces, as on a kernel that forbids them.
	WithoutUsers bool
}
