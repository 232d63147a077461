package compat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// A function harms nothing but itself, and reaches nothing that is not its own.
//
// One server runs functions that try, each in a way of its own (testdata/hostile_*.py), beside a victim whose secrets they look
// for and a bystander that must always answer. Afterwards the server has no more goroutines and files than before, and when it
// has ended nothing of it is left on the machine and no secret is on its disk.
func TestHostile(t *testing.T) {
	t.Parallel()
	if !isolated() {
		t.Skip("the process sandbox does not isolate, and says so")
	}
	l := newServer(t, "--idle-timeout", "2s", "--verbose") // all that the log can have
	v := l.newVictim(t)
	l.checkNamespaces(t)
	before := l.resources(t)
	t.Run("functions", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T){
			"Reach":      func(t *testing.T) { l.testReach(t, v) },
			"RuntimeAPI": l.testRuntimeAPI,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t)
			})
		}
	})
	t.Run("Exhaust", l.testExhaust)
	l.checkResources(t, before)
	l.end(t)
	l.checkGone(t)
	v.checkSecrets(t, l)
	if strings.Contains(l.log.String(), "level=ERROR") {
		t.Error("the log has errors, as if something of the server's own had failed")
	}
}

// resources are what a server must not lose for ever.
type resources struct {
	goroutines, files int
	users             int // user namespaces, of which the native sandbox keeps one for each environment that there was at once
}

func (l *licet) resources(t *testing.T) resources {
	t.Helper()
	r := resources{goroutines: l.metric(t, "go_goroutines")}
	for file, n := range l.files(t) {
		if file == "user:[N]" {
			r.users += n
		} else {
			r.files += n
		}
	}
	return r
}

// files are what the server has open, and how often each: numbers are left out.
func (l *licet) files(t *testing.T) map[string]int {
	t.Helper()
	open := map[string]int{}
	for _, link := range must(filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", l.cmd.Process.Pid)))(t) {
		target, _ := os.Readlink(link) // it may be closed by now
		open[regexp.MustCompile(`[0-9]+`).ReplaceAllString(target, "N")]++
	}
	return open
}

// checkResources waits until no environment is left, and compares. Some goroutines and files, of the clients' connections and of
// SQLite, come and go.
func (l *licet) checkResources(t *testing.T, before resources) {
	t.Helper()
	var after resources
	if !eventually(t, func() bool {
		after = l.resources(t)
		return l.metric(t, "licet_execution_environments") == 0 &&
			after.goroutines <= before.goroutines+10 && after.files <= before.files+10 && after.users <= 20
	}) {
		t.Errorf("got %+v, before it %+v; open are %v", after, before, l.files(t))
	}
	status := must(os.ReadFile(fmt.Sprintf("/proc/%d/status", l.cmd.Process.Pid)))(t)
	peak := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status) // proc_pid_status(5)
	if n := must(strconv.Atoi(string(peak[1])))(t); n > 512<<10 {
		t.Errorf("the server took %d MB of memory", n>>10)
	}
}

// metric reads a number from the metrics page.
func (l *licet) metric(t *testing.T, name string) int {
	t.Helper()
	for line := range strings.Lines(l.page(t, "/_licet/metrics")) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			return int(must(strconv.ParseFloat(strings.TrimSpace(value), 64))(t)) // large ones have an exponent
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// functionGroup is the control group of the server's functions: one for each state directory (internal/sandbox/linux).
func (l *licet) functionGroup(t *testing.T) string {
	t.Helper()
	hash := fnv.New32a()
	fmt.Fprint(hash, must(filepath.EvalSymlinks(filepath.Join(l.data, "run")))(t))
	return fmt.Sprintf("/licet/%08x", hash.Sum32())
}

// checkNamespaces looks at the processes of functions: they share no namespace with the host but that of time.
func (l *licet) checkNamespaces(t *testing.T) {
	t.Helper()
	group, found := l.functionGroup(t), 0
	for _, process := range must(filepath.Glob("/proc/[0-9]*"))(t) {
		// A process may end meanwhile.
		in, _ := os.ReadFile(process + "/cgroup")
		command, _ := os.ReadFile(process + "/cmdline")
		if !strings.Contains(string(in), group+"/") || !strings.Contains(string(command), "/var/runtime/bootstrap.py") {
			continue
		}
		for _, kind := range []string{"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"} {
			own := must(os.Readlink("/proc/self/ns/" + kind))(t)
			name, err := os.Readlink(process + "/ns/" + kind)
			if err != nil {
				break // it has ended
			}
			if name == own {
				t.Errorf("a function is in the host's %s", name)
			}
			found++
		}
	}
	if found == 0 {
		t.Error("there is no process of a function")
	}
}

// checkGone looks for what an ended server must not leave: processes, control groups, mounts, files. Namespaces live by
// processes, mounts and the server's open files alone.
func (l *licet) checkGone(t *testing.T) {
	t.Helper()
	group := l.functionGroup(t)
	for _, process := range must(filepath.Glob("/proc/[0-9]*"))(t) {
		if in, err := os.ReadFile(process + "/cgroup"); err == nil && strings.Contains(string(in), group) {
			t.Errorf("process %s is left in %s", process, in)
		}
	}
	for line := range strings.Lines(string(must(os.ReadFile("/proc/self/mountinfo"))(t))) {
		if strings.Contains(line, l.data) {
			t.Errorf("a mount is left: %s", line)
		}
	}
	for _, pattern := range []string{"/sys/fs/cgroup" + group, "/sys/fs/cgroup/*" + group, filepath.Join(l.data, "run", "*", "*")} {
		if left := must(filepath.Glob(pattern))(t); len(left) > 0 {
			t.Errorf("left behind: %s", left)
		}
	}
}

// victim is a function with secrets: its credentials, a variable, its memory, a file, and what it says at two sockets.
type victim struct {
	function
	secrets map[string]string
}

// newVictim makes one that has told its secrets and stays in its environment.
func (l *licet) newVictim(t *testing.T) (v victim) {
	t.Helper()
	secret := unique("secret")
	v.function = l.newFunction(t, `import os, socket, threading, time
secret = os.environ["SECRET"]
open("/tmp/secret", "w").write(secret)
def serve(listener):
    while True: listener.accept()[0].sendall(secret.encode())
tcp, unix = socket.socket(), socket.socket(socket.AF_UNIX)
tcp.bind(("127.0.0.1", 7777))
unix.bind("\0licet-victim")
for listener in tcp, unix:
    listener.listen()
    threading.Thread(target=serve, args=[listener], daemon=True).start()
def handler(event, context):
    time.sleep(event)
    return {name: os.environ[name] for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "SECRET")}
`, func(in *lambda.CreateFunctionInput) {
		in.Environment = &types.Environment{Variables: map[string]string{"SECRET": secret}}
	})
	answer := must(l.as(l.root).invoke(t, v.name, "0"))(t)
	if err := json.Unmarshal([]byte(answer), &v.secrets); err != nil || v.secrets["SECRET"] != secret {
		t.Fatalf("%v: got %s", err, answer)
	}
	return v
}

// checkSecrets looks for the victim's secrets in all that the server has written.
func (v victim) checkSecrets(t *testing.T, l *licet) {
	t.Helper()
	look := func(name string, content []byte) {
		for what, secret := range v.secrets {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s has the victim's %s", name, what)
			}
		}
	}
	look("the log", l.log.Bytes())
	if err := filepath.WalkDir(l.data, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			look(path, must(os.ReadFile(path))(t))
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// testReach lets a function try all doors while the victim runs. It answers with those that were open.
func (l *licet) testReach(t *testing.T, v victim) {
	host := must(net.Listen("tcp4", "127.0.0.1:0"))(t)
	defer host.Close()
	abstract := must(net.Listen("unix", "@"+unique("licet")))(t)
	defer abstract.Close()
	spy := l.newFunction(t, hostile(t, "spy"))
	event := must(json.Marshal(map[string]any{
		"data": l.data, "server": l.cmd.Process.Pid, "marker": v.secrets["SECRET"],
		"ports":    []int{host.Addr().(*net.TCPAddr).Port, 7777, must(strconv.Atoi(l.url[strings.LastIndex(l.url, ":")+1:]))(t)},
		"abstract": []string{abstract.Addr().String()[1:], "licet-victim"},
	}))(t)
	done := make(chan error, 1)
	go func() {
		_, err := l.as(l.root).invoke(t, v.name, "3")
		done <- err
	}()
	answer := must(l.as(l.root).invoke(t, spy.name, string(event)))(t)
	if err := <-done; err != nil {
		t.Errorf("the victim did not run: %v", err)
	}
	var open []string
	if err := json.Unmarshal([]byte(answer), &open); err != nil {
		t.Fatalf("%v in %s", err, answer)
	}
	// The one that must be open shows that doors are tried at all.
	if diff := cmp.Diff(open, []string{"own runtime API: True"}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

// testExhaust lets functions use up all that they can, at the same time, while the bystander and the health page answer. Each
// answers or fails, and its next invocation works.
func (l *licet) testExhaust(t *testing.T) {
	const timesOut = `"Sandbox.Timedout"`
	attacks := []struct {
		does, want string
		timeout    int32
	}{
		{"forks", `"errorType"`, 3}, // or the memory is at its end before
		{"spins", timesOut, 3},
		{"prints lines", timesOut, 3},
		{"prints line ends", timesOut, 3},
		{"prints one line", timesOut, 3},
		{"takes memory", `"Runtime.ExitError"`, 120},
		{"leaves processes", `"left"`, 120},
		{"fills tmp", `"full"`, 120},
		{"opens files", `"left"`, 120},
		{"fills sockets", `"left"`, 120},
		{"stalls connections", `"left"`, 120},
		{"sends garbage", `"sent"`, 120},
	}
	role := l.newRole(t, trustLambda, allow("logs:*", "*"))
	bystander, root := l.newFunction(t, echo), l.as(l.root)
	var attackers sync.WaitGroup
	functions := map[string]function{}
	for _, attack := range attacks {
		f := l.newFunction(t, hostile(t, "attacker"), func(in *lambda.CreateFunctionInput) {
			in.MemorySize, in.Role, in.Timeout = aws.Int32(128), &role.arn, &attack.timeout
		})
		functions[attack.does] = f
		attackers.Go(func() {
			out, err := root.lambda.Invoke(t.Context(), &lambda.InvokeInput{
				FunctionName: &f.name, Payload: fmt.Appendf(nil, "%q", attack.does)})
			if err != nil || !strings.Contains(string(out.Payload), attack.want) {
				t.Errorf("%s: got %s, %v, want %s", attack.does, out.Payload, err, attack.want)
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		attackers.Wait()
		close(ended)
	}()
	for attacked := true; attacked; {
		select {
		case <-ended:
			attacked = false
		default:
		}
		if got, err := root.invoke(t, bystander.name, `"here"`); got != `"here"` {
			t.Errorf("the bystander answered %s, %v", got, err)
		}
		if health := l.page(t, "/_licet/health"); !strings.Contains(health, `"ok"`) {
			t.Errorf("the server says %s", health)
		}
	}
	for does, f := range functions {
		if got, err := root.invoke(t, f.name, `"rests"`); got != `"rested"` {
			t.Errorf("after it %s: got %s, %v", does, got, err)
		}
	}
}

// testRuntimeAPI is a runtime that does not keep to the Runtime API. It answers with the statuses that it got for that.
func (l *licet) testRuntimeAPI(t *testing.T) {
	f := l.newFunction(t, "", func(in *lambda.CreateFunctionInput) {
		in.Runtime, in.Timeout = types.RuntimeProvidedal2023, aws.Int32(3)
		in.Code.ZipFile = archive(t, file{name: "bootstrap", text: hostile(t, "bootstrap"), mode: 0o100755})
	})
	for _, tt := range []struct{ does, want string }{
		{"asks again", `[200, true]`}, // the same event
		{"answers for others", `[400, 400, 404]`},
		{"fails to initialize late", `[403, 403]`},
		{"breaks off", `[null, null]`},
		{"sends long headers", `[true, true]`},
		{"answers twice", `"first"`},
		{"closes its output", `"closed"`},
		{"answers too much", `"Function.ResponseSizeTooLarge"`},
		{"stalls", `"Sandbox.Timedout"`},
		{"ignores signals", `"Sandbox.Timedout"`},
		{"answers and ends", `"ended"`},
		{"rests", `"rested"`},
	} {
		out := must(l.as(l.root).lambda.Invoke(t.Context(), &lambda.InvokeInput{
			FunctionName: &f.name, Payload: fmt.Appendf(nil, "%q", tt.does)}))(t)
		if !strings.Contains(string(out.Payload), tt.want) {
			t.Errorf("%s: got %s, want %s", tt.does, out.Payload, tt.want)
		}
	}
}

// hostile is the source of a function that means harm.
func hostile(t *testing.T, name string) string {
	t.Helper()
	return string(must(os.ReadFile("testdata/hostile_" + name + ".py"))(t))
}
