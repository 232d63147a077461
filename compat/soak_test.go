package compat

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// troublemaker does what its event says.
const troublemaker = `import os, subprocess, time
def handler(event, context):
    do = event["do"]
    if do == "fail":
        raise ValueError("as told")
    if do == "exit":
        os._exit(3)
    if do == "sleep":
        time.sleep(60)
    if do == "memory":
        return len(b"x" * (1 << 30))
    if do == "leave":
        subprocess.Popen(["/bin/sleep", "1000"])
    if do == "big":
        return "x" * 3000000
    return do
`

// tasks of the soak, and what each answer has in it.
var tasks = []struct{ do, want string }{
	{"echo", `"echo"`}, {"echo", `"echo"`}, {"fail", "as told"}, {"big", "xxx"}, {"exit", "exit"}, {"leave", `"leave"`}, {"echo", `"echo"`},
	{"memory", "signal: killed"}, {"sleep", "timed out"}, {"event", ""}, {"update", ""}, {"echo", `"echo"`},
}

// soakMemory bounds the server's memory after it, in bytes: answers of 3 MB are in flight, and what is collected is returned later.
const soakMemory = 256 << 20

// footprint is what a server holds of the machine.
type footprint struct{ Children, Mounts, Groups, Files, Goroutines int }

func (l *licet) footprint(t *testing.T) footprint {
	t.Helper()
	proc := filepath.Join("/proc", strconv.Itoa(l.cmd.Process.Pid))
	mounts := must(os.ReadFile(filepath.Join(proc, "mountinfo")))(t)
	open := l.resources(t)
	f := footprint{Mounts: strings.Count(string(mounts), "\n"), Files: open.files, Goroutines: open.goroutines}
	for _, list := range must(filepath.Glob(filepath.Join(proc, "task", "*", "children")))(t) {
		if text, err := os.ReadFile(list); err == nil { // else the thread has ended
			f.Children += len(strings.Fields(string(text)))
		}
	}
	for _, controller := range []string{"", "pids"} { // cgroups v2, v1
		f.Groups += len(must(filepath.Glob(filepath.Join("/sys/fs/cgroup", controller, l.functionGroup(t), "f-*")))(t))
	}
	return f
}

// atRest waits until no environment is left, and then for a footprint no larger than the given one.
func (l *licet) atRest(t *testing.T, most footprint) footprint {
	t.Helper()
	var got footprint
	if !eventually(t, func() bool {
		if l.metric(t, "licet_execution_environments") > 0 {
			return false
		}
		got = l.footprint(t)
		return got.Children <= most.Children && got.Mounts <= most.Mounts && got.Groups <= most.Groups &&
			got.Files <= most.Files && got.Goroutines <= most.Goroutines
	}) {
		t.Errorf("at rest the server holds more than %+v:\n%s", most, cmp.Diff(most, l.footprint(t)))
	}
	return got
}

// TestSoak runs everything that can go wrong in a function for a while, which LICET_SOAK lengthens ("10m"). Nothing may be left of it.
func TestSoak(t *testing.T) {
	if !isolated() {
		t.Skip("the process sandbox limits no memory, and says so")
	}
	length := 5 * time.Second
	if text := os.Getenv("LICET_SOAK"); text != "" {
		length = must(time.ParseDuration(text))(t)
	}
	l := newServer(t, "--idle-timeout", "200ms")
	c := l.as(l.root)
	functions := map[string]string{}
	for do, timeout := range map[string]int32{"": 60, "sleep": 1} { // the others are not in a hurry, however busy the machine is
		functions[do] = l.newFunction(t, troublemaker, func(in *lambda.CreateFunctionInput) {
			in.MemorySize, in.Timeout = aws.Int32(128), aws.Int32(timeout)
		}).name
	}
	for round := range len(tasks) {
		if err := soak(t, c, functions, round); err != nil {
			t.Fatal(err)
		}
	}
	before := l.atRest(t, footprint{1 << 20, 1 << 20, 0, 1 << 20, 1 << 20})
	const workers = 4
	// Each worker may hold a connection, which has goroutines.
	most := footprint{before.Children, before.Mounts, 0, before.Files + 2*workers, before.Goroutines + 4*workers}
	var done sync.WaitGroup
	until := time.Now().Add(length)
	for worker := range workers {
		done.Go(func() {
			for round := worker; time.Now().Before(until); round++ {
				if err := soak(t, c, functions, round); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done.Wait()
	l.atRest(t, most)
	if got := l.metric(t, "process_resident_memory_bytes"); got > soakMemory {
		t.Errorf("the server has %d MiB at rest", got>>20)
	}
}

// soak does one task, with the function that is for it alone or the one for the others.
func soak(t *testing.T, c clients, functions map[string]string, round int) error {
	task := tasks[round%len(tasks)]
	function := functions[task.do]
	if function == "" {
		function = functions[""]
	}
	switch task.do {
	case "event":
		_, err := c.lambda.Invoke(t.Context(), &lambda.InvokeInput{
			FunctionName: &function, InvocationType: types.InvocationTypeEvent, Payload: []byte(`{"do": "echo"}`),
		})
		return err
	case "update":
		_, err := c.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
			FunctionName: &function, Description: aws.String(fmt.Sprint(round)),
			Environment: &types.Environment{Variables: map[string]string{"ROUND": strconv.Itoa(round)}},
		})
		if _, busy := errors.AsType[*types.ResourceConflictException](err); busy {
			return nil
		}
		return err
	}
	got, err := c.invoke(t, function, fmt.Sprintf(`{"do": %q}`, task.do))
	if err != nil {
		got = err.Error()
	}
	if !strings.Contains(got, task.want) {
		return fmt.Errorf("%s: got %.300s, want %s in it", task.do, got, task.want)
	}
	return nil
}
