// Package native runs function code in sandboxes of its own making: the driver for Linux, without any other program. Package linux makes
// the sandboxes and says what isolates them.
//
// How: Create already forks the stage, a program of some 600 bytes (stage_amd64.s, stage_arm64.s), in a new PID namespace, and puts
// it into the sandbox's cgroups, where it waits. Start sends it the process's outputs and a script: a list of system calls, made here as data
// (script.go), that take the privileges away: namespaces, root directory, /proc, capabilities, system calls, user. The stage makes the
// calls one after the other and stops at the first that fails; then it forks, and its child makes those of the script that end with
// execve. The stage stays as the init of the PID namespace: it reaps what loses its parent, says how the program ended, and ends with
// it. docs/decisions/0003-native-sandbox.md.
//
// The program is not PID 1 and meets signals as anywhere else. The init is another user's, with no rights of its own, and holds nothing but
// the socket to the server.
//
// The stage is written for amd64 and arm64; elsewhere New says so. For another machine: a stage_*.s, a numbers_*.go, and its name in the
// constraints of the other files; scripts/arm64.sh runs the tests on a machine that one does not have. To change what is taken away:
// script.go. To change how system calls are judged: filter.go. All drivers pass sandboxtest.
package native

// Config of a driver.
type Config struct {
	// Dir is the state directory: it belongs to one driver at a time, is made if missing, and stays all but empty. Required.
	Dir string
	// CgroupParent is the cgroup below which the sandboxes' are made, in every hierarchy; "" for "/licet".
	CgroupParent string
	// WithoutUsers does without user namespaces, as on a kernel that forbids them.
	WithoutUsers bool
}
