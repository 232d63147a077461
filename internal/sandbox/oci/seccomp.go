//go:build linux

package oci

import (
	"math"
	"runtime"

	"github.com/licet/licet/internal/sandbox/linux"
)

// seccompProfile is the "linux.seccomp" object of the OCI runtime specification.
type seccompProfile struct {
	DefaultAction   string        `json:"defaultAction"`
	DefaultErrnoRet int           `json:"defaultErrnoRet"`
	Architectures   []string      `json:"architectures"`
	Syscalls        []seccompRule `json:"syscalls"`
}

type seccompRule struct {
	Names    []string     `json:"names"`
	Action   string       `json:"action"`
	ErrnoRet *int         `json:"errnoRet,omitempty"`
	Args     []seccompArg `json:"args,omitempty"`
}

type seccompArg struct {
	Index    int    `json:"index"`
	Value    uint64 `json:"value"`
	ValueTwo uint64 `json:"valueTwo"`
	Op       string `json:"op"`
}

// seccomp builds the profile for the machine's own architecture alone: the calls of others would need rules of their own.
func seccomp() *seccompProfile {
	p := &seccompProfile{DefaultAction: "SCMP_ACT_ERRNO", DefaultErrnoRet: int(linux.OtherCalls)}
	for _, r := range linux.SystemCalls() {
		p.Syscalls = append(p.Syscalls, ruleOf(r))
	}
	switch runtime.GOARCH {
	case "amd64":
		p.Architectures = []string{"SCMP_ARCH_X86_64"}
	case "arm64":
		p.Architectures = []string{"SCMP_ARCH_AARCH64"}
	}
	return p
}

func ruleOf(r linux.Rule) seccompRule {
	rule := seccompRule{Names: r.Names, Action: "SCMP_ACT_ALLOW"}
	if r.Errno != 0 {
		errno := int(r.Errno)
		rule.Action, rule.ErrnoRet = "SCMP_ACT_ERRNO", &errno
	}
	switch c := r.When; {
	case c == nil:
	case c.Mask == math.MaxUint64:
		rule.Args = []seccompArg{{Index: c.Argument, Value: c.Value, Op: "SCMP_CMP_EQ"}}
	default:
		rule.Args = []seccompArg{{Index: c.Argument, Value: c.Mask, ValueTwo: c.Value, Op: "SCMP_CMP_MASKED_EQ"}}
	}
	return rule
}
