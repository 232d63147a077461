// Package linux is what the drivers for Linux have in common: all of a sandbox but the launch of its processes, which a Launcher
// does. The drivers are in ../native and ../oci.
//
// Isolation: own user (where the kernel allows it), PID, mount, IPC, UTS, network and cgroup namespaces; a read-only root made of
// the host's /usr, /bin and /lib*, a synthetic /etc and a minimal /dev, or of an image's directory; no capabilities, no new
// privileges, an unprivileged user that is another one for each sandbox; an allow-list of system calls; cgroup limits (v1, v2, or
// both side by side) of memory, CPU time and processes for each sandbox, and of memory and processes for all together. The package
// needs root. It never touches the host's mount table, network or devices, and leaves no file with a function's environment on a
// disk.
//
// How: Create makes the sandbox's mount namespace (a tmpfs with the root and /tmp in it) and network namespace (with the listeners)
// on a thread that then ends; both are kept by file descriptors: docs/decisions/0001-sandbox-network.md. A Launcher starts each
// process as, or below, the init of a new PID namespace in a copy of that mount namespace, and lets it begin when it is in the
// sandbox's cgroups. So the kernel ends every process inside when the init ends, before Wait sees it, and the init is killed when
// the server dies (PR_SET_PDEATHSIG). Fit attaches mounts in the sandbox's mount namespace and in the copies.
//
// After a crash of the server namespaces, mounts and processes are gone by themselves; New removes the cgroups that are left.
//
// Limits of exactness. The memory limit is for anonymous memory, checked ten times a second; at once fatal is only MemoryBytes and
// what a full /tmp takes, because the kernel counts the files of a tmpfs as memory and Lambda does not.
//
// To allow a system call: seccomp.go. To change a limit: limits.go. To show more of the host's /etc: root.go.
package linux
