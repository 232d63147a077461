//go:build linux

package oci

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/licet/licet/internal/sandbox"
)

func TestExitOf(t *testing.T) {
	for status, want := range map[syscall.WaitStatus]sandbox.Exit{
		0:               {},
		1 << 8:          {Code: 1},
		9:               {Code: -1, Signal: 9},
		137 << 8:        {Code: -1, Signal: 9},
		143 << 8:        {Code: -1, Signal: 15},
		128 << 8:        {Code: 128},
		129 << 8:        {Code: 129},
		255 << 8:        {Code: 255},
		(128 + 64) << 8: {Code: 192},
	} {
		if got := exitOf(status); got != want {
			t.Errorf("%#x: got %+v, want %+v", status, got, want)
		}
	}
}

func TestRuntimeError(t *testing.T) {
	for log, want := range map[string]struct {
		text string
		exec bool
	}{
		"": {},
		`{"msg":"no freezer","level":"warning","time":"x"}`:                                                      {},
		`{"msg":"executable file ` + "`/x`" + ` not found in $PATH: No such file or directory","level":"error"}`: {"not found in $PATH", true},
		`{"msg":"runc run failed: exec: \"/x\": permission denied","level":"error"}`:                             {"permission denied", true},
		`{"msg":"mount proc: Operation not permitted","level":"error"}`:                                          {"start container: mount proc", false},
		"mount: /proc: permission denied.":                                                                       {"start container: mount: /proc", false},
	} {
		err := runtimeError(strings.NewReader(log))
		if (err != nil) != (want.text != "") || err != nil && !strings.Contains(err.Error(), want.text) || errors.Is(err, sandbox.ErrExec) != want.exec {
			t.Errorf("%s: got %v, want %+v", log, err, want)
		}
	}
}

func TestSeccomp(t *testing.T) {
	p := seccomp()
	actions := map[string]string{}
	for _, r := range p.Syscalls {
		for _, name := range r.Names {
			actions[name] = r.Action
		}
	}
	for name, want := range map[string]string{"read": "SCMP_ACT_ALLOW", "clone": "SCMP_ACT_ALLOW", "mount": "SCMP_ACT_ERRNO", "clone3": ""} {
		if actions[name] != want {
			t.Errorf("%s: got %q, want %q", name, actions[name], want)
		}
	}
	if len(p.Architectures) != 1 || p.DefaultAction != "SCMP_ACT_ERRNO" {
		t.Errorf("got architectures %v, default %s", p.Architectures, p.DefaultAction)
	}
}
