//go:build linux

package oci

import (
	"path/filepath"

	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/sandbox/linux"
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

// config describes a process in a box. There is no PID namespace in it: the runtime itself starts in the sandbox's own,
// and /proc is the one mounted there.
func config(g *linux.Ground, p sandbox.Process) ociConfig {
	i := g.IDs
	c := ociConfig{
		Version: "1.0.2", Hostname: linux.HostName,
		Root: ociRoot{Path: filepath.Join(linux.BoxDir, linux.BoxRoot), Readonly: true},
		Process: ociProcess{
			User: ociUser{i.User, i.Group}, Args: p.Args, Env: p.Env, Dir: p.Dir, NoNewPrivileges: true,
			Capabilities: map[string][]string{"bounding": {}, "effective": {}, "inheritable": {}, "permitted": {}, "ambient": {}},
			Rlimits: []ociRlimit{
				{"RLIMIT_NOFILE", g.Spec.Limits.OpenFiles, g.Spec.Limits.OpenFiles},
				{"RLIMIT_CORE", linux.CoreLimit, linux.CoreLimit},
			},
			OOMScoreAdj: linux.OOMScore,
		},
		Mounts: []ociMount{
			{"/proc", "bind", "/proc", []string{"rbind", "nosuid", "noexec", "nodev"}},
			{"/dev", "tmpfs", "tmpfs", []string{"nosuid", "noexec", "mode=755", "size=64k"}},
		},
		Linux: ociLinux{
			Namespaces: []ociNamespace{{Type: "mount"}, {Type: "ipc"}, {Type: "uts"}, {Type: "cgroup"}},
			Seccomp:    seccomp(), MaskedPaths: linux.MaskedPaths[:], ReadonlyPaths: linux.ReadonlyPaths[:],
		},
	}
	if c.Process.Dir == "" {
		c.Process.Dir = "/"
	}
	if c.Process.Env == nil {
		c.Process.Env = []string{}
	}
	if g.Spec.Network != sandbox.NetworkHost {
		c.Linux.Namespaces = append(c.Linux.Namespaces, ociNamespace{"network", filepath.Join(linux.BoxDir, linux.BoxNetwork)})
	}
	if i.Namespace {
		c.Linux.Namespaces = append(c.Linux.Namespaces, ociNamespace{Type: "user"})
		c.Linux.UIDMappings = []ociMapping{{0, i.Base, linux.IDCount}}
		c.Linux.GIDMappings = c.Linux.UIDMappings
	}
	return c
}
