//go:build linux

package oci

import (
	"path/filepath"

	"github.com/licet/licet/internal/sandbox"
)

// The part of the OCI runtime specification's config.json that we use
// (https://github.com/opencontainers/runtime-spec/blob/main/config.md).
type (
	ociConfig struct {
		Version  string     `json:"ociVersion"`
		Process  ociProcess `json:"process"`
		Root     ociRoot    `json:"root"`
		Hostname string     `json:"hostname"`
		Mounts   []ociMount `json:"mounts"`
		Linux    ociLinux   `json:"linux"`
	}
	ociProcess struct {
		User            ociUser             `json:"user"`
		Args            []string            `json:"args"`
		Env             []string            `json:"env"`
		Dir             string              `json:"cwd"`
		Capabilities    map[string][]string `json:"capabilities"`
		Rlimits         []ociRlimit         `json:"rlimits"`
		NoNewPrivileges bool                `json:"noNewPrivileges"`
		OOMScoreAdj     int                 `json:"oomScoreAdj"`
	}
	ociUser struct {
		UID int `json:"uid"`
		GID int `json:"gid"`
	}
	ociRlimit struct {
		Type string `json:"type"`
		Hard int64  `json:"hard"`
		Soft int64  `json:"soft"`
	}
	ociRoot struct {
		Path     string `json:"path"`
		Readonly bool   `json:"readonly"`
	}
	ociMount struct {
		Destination string   `json:"destination"`
		Type        string   `json:"type"`
		Source      string   `json:"source"`
		Options     []string `json:"options"`
	}
	ociLinux struct {
		UIDMappings   []ociMapping    `json:"uidMappings,omitempty"`
		GIDMappings   []ociMapping    `json:"gidMappings,omitempty"`
		Namespaces    []ociNamespace  `json:"namespaces"`
		Seccomp       *seccompProfile `json:"seccomp"`
		MaskedPaths   []string        `json:"maskedPaths"`
		ReadonlyPaths []string        `json:"readonlyPaths"`
	}
	ociMapping struct {
		Container int `json:"containerID"`
		Host      int `json:"hostID"`
		Size      int `json:"size"`
	}
	ociNamespace struct {
		Type string `json:"type"`
		Path string `json:"path,omitempty"`
	}
)

// maskedPaths show what belongs to the host; readonlyPaths must not be written even by a user that could.
var (
	maskedPaths = [...]string{"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kallsyms", "/proc/kcore", "/proc/keys",
		"/proc/kmsg", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/sysrq-trigger", "/proc/timer_list", "/proc/timer_stats"}
	readonlyPaths = [...]string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"}
)

// config describes a process in a box. There is no PID namespace in it: the runtime itself starts in the sandbox's own,
// and /proc is the one mounted there.
func config(spec sandbox.Spec, i ids, p sandbox.Process) ociConfig {
	c := ociConfig{
		Version: "1.0.2", Hostname: hostName,
		Root: ociRoot{Path: filepath.Join(boxDir, boxRoot), Readonly: true},
		Process: ociProcess{
			User: ociUser{i.user, i.group}, Args: p.Args, Env: p.Env, Dir: p.Dir, NoNewPrivileges: true,
			Capabilities: map[string][]string{"bounding": {}, "effective": {}, "inheritable": {}, "permitted": {}, "ambient": {}},
			Rlimits: []ociRlimit{
				{"RLIMIT_NOFILE", spec.Limits.OpenFiles, spec.Limits.OpenFiles},
				// 1, not 0: it also keeps the kernel from giving memory, with credentials in it, to a program of the host (core(5),
				// coredump_pipe in the kernel's fs/coredump.c).
				{"RLIMIT_CORE", 1, 1},
			},
			OOMScoreAdj: 500, // should the host itself run out of memory, functions go before the server
		},
		Mounts: []ociMount{
			{"/proc", "bind", "/proc", []string{"rbind", "nosuid", "noexec", "nodev"}},
			{"/dev", "tmpfs", "tmpfs", []string{"nosuid", "noexec", "mode=755", "size=64k"}},
		},
		Linux: ociLinux{
			Namespaces: []ociNamespace{{Type: "mount"}, {Type: "ipc"}, {Type: "uts"}, {Type: "cgroup"}},
			Seccomp:    seccomp(), MaskedPaths: maskedPaths[:], ReadonlyPaths: readonlyPaths[:],
		},
	}
	if c.Process.Dir == "" {
		c.Process.Dir = "/"
	}
	if c.Process.Env == nil {
		c.Process.Env = []string{}
	}
	if spec.Network != sandbox.NetworkHost {
		c.Linux.Namespaces = append(c.Linux.Namespaces, ociNamespace{"network", filepath.Join(boxDir, boxNetwork)})
	}
	if i.namespace {
		c.Linux.Namespaces = append(c.Linux.Namespaces, ociNamespace{Type: "user"})
		c.Linux.UIDMappings = []ociMapping{{0, i.base, idCount}}
		c.Linux.GIDMappings = c.Linux.UIDMappings
	}
	return c
}
