package execution

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/licet/licet/internal/execution/extension"
	"github.com/licet/licet/internal/execution/platform"
	"github.com/licet/licet/internal/sandbox"
)

// extensionsRoot is where the programs of external extensions are, below layerRoot
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html).
const extensionsRoot = layerRoot + "/extensions"

// How long a Shutdown phase may take. The runtime has the first three tenths of it
// (aws-lambda-runtime-interface-emulator, internal/lambda/rapid/shutdown.go; lambda.md 7.6).
const (
	shutdownWithInternal = 500 * time.Millisecond
	shutdownWithExternal = 2000 * time.Millisecond
)

// Reasons of a Shutdown phase, as extensions are told.
const (
	spindown    = "spindown"
	afterError  = "failure"
	afterExpiry = "timeout"
)

// companion is the process of an external extension, which runs beside the runtime.
type companion struct {
	sandbox.Running
	name   string
	output *output
	ended  chan struct{}
	exit   sandbox.Exit // valid when ended is closed
	err    error        // valid when ended is closed
}

// extensionNames are the files of the function's extensions directory, in order of name.
func (f *Function) extensionNames() ([]string, error) {
	var (
		files []fs.DirEntry
		err   error
	)
	switch {
	case f.Image != nil:
		files, err = fs.ReadDir(f.Image.Files, strings.TrimPrefix(extensionsRoot, "/"))
	case f.LayerDir != "":
		files, err = os.ReadDir(filepath.Join(f.LayerDir, strings.TrimPrefix(extensionsRoot, layerRoot)))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list extensions of %s: %w", f.ARN, err)
	}
	var names []string
	for _, file := range files {
		if !file.IsDir() {
			names = append(names, file.Name())
		}
	}
	return names, nil
}

// startExtensions starts the external extensions and waits until they have registered. When one fails, i.out tells how.
func (i *invocation) startExtensions(limit <-chan time.Time) (registered bool, err error) {
	names, err := i.function.extensionNames()
	if err != nil || len(names) == 0 {
		return err == nil, err
	}
	p := i.process
	p.lost = make(chan *companion, len(names))
	name, err := i.launchExtensions(names)
	if errors.Is(err, extension.ErrTooMany) || errors.Is(err, sandbox.ErrExec) {
		i.out = notLaunched(i.RequestID, name, err)
		i.stop(afterError)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if why := i.gather(limit, (*extension.Set).Registered); why != stepped {
		return false, i.fail(why)
	}
	return true, nil
}

// launchExtensions starts the external extensions, or tells which cannot be.
func (e *environment) launchExtensions(names []string) (failed string, err error) {
	for _, name := range names { // all, before one that runs can register by the name of another
		if err := e.process.extensions.Expect(name); err != nil {
			return name, err
		}
	}
	env := e.extensionVariables()
	for _, name := range names {
		if err := e.startExtension(name, env); err != nil {
			return name, err
		}
	}
	return "", nil
}

func (e *environment) startExtension(name string, env []string) error {
	p := e.process
	out, err := newOutput(e.log, p.telemetry.ExtensionLine)
	if err != nil {
		return err
	}
	out.all = true // ApplicationLogLevel is about the function's code
	e.goroutines.Go(out.copy)
	c := &companion{name: name, output: out, ended: make(chan struct{})}
	c.Running, err = e.sandbox.Start(e.m.lifetime, sandbox.Process{
		Args: []string{e.sandbox.Path(extensionsRoot + "/" + name)}, Env: env, Stdout: out.in, Stderr: out.in})
	if err != nil {
		return errors.Join(fmt.Errorf("start extension %s of %s: %w", name, e.function.ARN, err), out.finish())
	}
	p.companions = append(p.companions, c)
	e.goroutines.Go(func() {
		c.exit, c.err = c.Wait(context.Background()) // kill and close see to it that it returns
		c.err = errors.Join(c.err, out.finish())
		close(c.ended)
		p.lost <- c // it has room for all
	})
	return nil
}

// runtimeOnly are the variables that extensions do not get, beside those that begin with an underscore
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html#runtimes-extensions-registration-api-g).
var runtimeOnly = []string{"AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "PWD", "SHLVL"}

func (e *environment) extensionVariables() []string {
	return slices.DeleteFunc(e.variables(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return strings.HasPrefix(name, "_") || slices.Contains(runtimeOnly, name)
	})
}

// gather waits until what done tells of the extensions holds. Without extensions it never waits.
func (e *environment) gather(limit <-chan time.Time, done func(*extension.Set) bool) reason {
	p := e.process
	for !done(p.extensions) {
		select {
		case <-p.extensions.Changed():
		case <-p.ended:
			return exited
		case p.gone = <-p.lost:
			return deserted
		case <-limit:
			return expired
		case <-e.m.lifetime.Done():
			return aborted
		}
	}
	return stepped
}

// settleExtensions waits until the extensions ask for their next event after an invocation. The time that they take goes into its report,
// under the name that the official agent gives it (rapid/handlers.go).
func (i *invocation) settleExtensions() reason {
	began := time.Now()
	why := i.gather(i.deadline.C, (*extension.Set).Settled)
	if why == stepped && i.process.extensions.Any() {
		i.usage.spans = []platform.Span{platform.SpanOf("extensionOverhead", began, time.Now())}
	}
	return why
}

// deserted tells whether an extension has ended since the last invocation.
func (p *process) deserted() bool {
	if p.lost == nil {
		return false
	}
	select {
	case p.gone = <-p.lost:
		return true
	default:
		return false
	}
}

// extensionFailed is the outcome of an external extension whose process ended. A fault that it reported before names the failure.
func extensionFailed(requestID, reported string, c *companion) outcome {
	kind := reported
	switch {
	case errors.Is(c.err, sandbox.ErrExec):
		return notLaunched(requestID, c.name, c.err)
	case kind == "":
		kind = extension.FaultCrash
	}
	reason := fmt.Sprintf("exit code %d", c.exit.Code)
	switch {
	case c.exit.Signal != 0:
		reason = "signal: " + syscall.Signal(c.exit.Signal).String()
	case c.exit.Code != 0:
		reason = fmt.Sprintf("exit status %d", c.exit.Code)
	}
	return failureOf(statusError, kind, fmt.Sprintf("RequestId: %s Error: %s", requestID, reason))
}

// notLaunched is an extension whose program cannot be executed, or one too many.
func notLaunched(requestID, name string, err error) outcome {
	reason := extension.ErrTooMany.Error()
	if !errors.Is(err, extension.ErrTooMany) {
		reason = cannotExecute(extensionsRoot+"/"+name, err)
	}
	return failureOf(statusError, extension.FaultLaunch, fmt.Sprintf("RequestId: %s Error: %s", requestID, reason))
}

// shutdown is the Shutdown phase: SIGTERM to the runtime, then the event to the extensions that want it. What is still there when
// it returns is to be killed. Without extensions there is no such phase.
func (e *environment) shutdown(p *process, why string) {
	if !p.extensions.Any() {
		return
	}
	longest := e.m.shutdownWithInternal
	if len(p.companions) > 0 {
		longest = e.m.shutdownWithExternal
	}
	deadline := time.Now().Add(longest)
	p.telemetry.Hurry()
	if p.Running != nil {
		e.terminate(p, longest*3/10)
	}
	told := p.extensions.Shutdown(why, deadline)
	limit := time.NewTimer(time.Until(deadline))
	defer limit.Stop()
	for _, c := range p.companions {
		if !told[c.name] {
			continue
		}
		select {
		case <-c.ended:
		case <-limit.C:
			return
		}
	}
}

// terminate asks the runtime to end and waits for that.
func (e *environment) terminate(p *process, longest time.Duration) {
	if err := p.Signal(int(syscall.SIGTERM)); err != nil && !errors.Is(err, sandbox.ErrEnded) {
		e.m.config.Logger.Debug("A runtime could not be told to end.", slog.String("function", e.function.ARN), slog.Any("err", err))
		return
	}
	limit := time.NewTimer(longest)
	defer limit.Stop()
	select {
	case <-p.ended:
	case <-limit.C:
	}
}
