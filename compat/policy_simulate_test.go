package compat

import (
	"os/exec"
	"strings"
	"testing"
)

// A running server says what its principals may do.
func TestPolicySimulateServer(t *testing.T) {
	t.Parallel()
	q := server.newQueue(t)
	r := server.newRole(t, trustLambda, allow("sqs:SendMessage", q.arn))
	cmd := exec.CommandContext(t.Context(), server.binary, "policy", "simulate", "--server", "--data", server.data, "--as", r.arn,
		"--action", "sqs:SendMessage,sqs:ReceiveMessage", "--resource", q.arn, "--csv")
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + t.TempDir()}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		r.arn + ",sqs:SendMessage," + q.arn + ",allow,identity-based,", r.arn + ",sqs:ReceiveMessage," + q.arn + ",implicit deny,identity-based,",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s is not in\n%s", want, out)
		}
	}
}
