package execution

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/licet/licet/internal/runtimes"
	"github.com/licet/licet/internal/sandbox"
)

// maxResponse is the most bytes a synchronous response may have (lambda.md 7.1).
const maxResponse = 6291556

// maxStreamed is the most bytes of a response that is streamed
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const maxStreamed = 200 << 20

// unhandled is the only FunctionError of today (lambda.md 7.1).
const unhandled = "Unhandled"

// Values of Status in REPORT and INIT_REPORT lines.
const (
	statusError   = "error"
	statusTimeout = "timeout"
)

// outcome is how an invocation, or an attempt to initialize, went.
type outcome struct {
	payload []byte
	// streamed is how many bytes the caller got part by part.
	streamed int
	// failed tells that payload describes a failure of the function.
	failed bool
	// status and errorType are for the REPORT line; "" when the runtime itself went well, also if the handler raised an error.
	status    string
	errorType string
	// code is what the failure of a response that was streamed is called; "" when no response had begun.
	code string
}

// failureOf is an outcome with the payload by which Lambda itself describes a failure.
func failureOf(status, errorType, message string) outcome {
	payload, err := json.Marshal(struct {
		ErrorType    string `json:"errorType"`
		ErrorMessage string `json:"errorMessage"`
	}{errorType, message})
	if err != nil {
		panic(err) // two strings always have a JSON form
	}
	return outcome{payload: payload, failed: true, status: status, errorType: errorType}
}

// timedOut is a function's timeout (lambda.md 7.1: "timeout, now").
func timedOut(requestID string, timeout time.Duration) outcome {
	return failureOf(statusTimeout, "Sandbox.Timedout",
		fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", requestID, timeout.Seconds()))
}

// tooLarge is a response over maxResponse (lambda.md 7.1).
func tooLarge() outcome {
	return failureOf("", "Function.ResponseSizeTooLarge",
		fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse))
}

// What a response that was streamed in part is called when it ends too early. The official agent tells no more of it
// (aws-lambda-runtime-interface-emulator, core/directinvoke/directinvoke.go, sendStreamingInvokeResponse); what clients of AWS report of
// functions that ran out of memory is the same, "Runtime.TruncatedResponse: undefined" by remotion-dev/remotion.
const (
	codeTruncated = "Runtime.TruncatedResponse"
	codeTimedOut  = "Sandbox.Timedout"
	codeTooLarge  = "Function.ResponseSizeTooLarge"
)

// cut makes the outcome that of a response of which a part was streamed.
func (o *outcome) cut(code string) { o.failed, o.payload, o.code = true, nil, code }

// crashed is a runtime process that ended before it answered (lambda.md 7.1). When memory ran out the payload still speaks of the
// signal, and REPORT of Runtime.OutOfMemory: recorded from AWS so in 2026. A fault that an
// extension reported before names the failure.
func crashed(requestID string, exit sandbox.Exit, fault string) outcome {
	reason := "exited without providing a reason"
	switch {
	case exit.Signal != 0:
		reason = "exited with error: signal: " + syscall.Signal(exit.Signal).String()
	case exit.Code != 0:
		reason = fmt.Sprintf("exited with error: exit status %d", exit.Code)
	}
	if fault == "" {
		fault = "Runtime.ExitError"
	}
	out := failureOf(statusError, fault, fmt.Sprintf("RequestId: %s Error: Runtime %s", requestID, reason))
	if exit.OutOfMemory {
		out.errorType = "Runtime.OutOfMemory"
	}
	return out
}

// notStarted is a program, with its arguments, that cannot be executed because of what the function brought along. ok is false when err is a failure
// of the server instead. The texts are AWS's; they name the path inside the sandbox.
func notStarted(requestID string, args []string, err error) (out outcome, ok bool) {
	var wrong errWorkingDir
	kind, reason := "Runtime.InvalidEntrypoint", cannotStart(args, err)
	switch {
	case errors.As(err, &wrong):
		kind, reason = "Runtime.InvalidWorkingDir", wrong.Error()
	case errors.Is(err, runtimes.ErrNoBootstrap):
		reason = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
	case !errors.Is(err, sandbox.ErrExec):
		return outcome{}, false
	}
	return failureOf(statusError, kind, fmt.Sprintf("RequestId: %s Error: %s", requestID, reason)), true
}

// cannotStart says why the program of a runtime was not started, whose name alone is looked for in PATH (recorded:
// aws-samples/aws-lambda-elixir-runtime, issue 13).
func cannotStart(args []string, err error) string {
	program := ""
	if len(args) > 0 {
		program = args[0]
	}
	if program != "" && !strings.Contains(program, "/") && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.ENOEXEC) {
		return fmt.Sprintf("exec: %q: executable file not found in $PATH", program)
	}
	return cannotExecute(program, err)
}

// cannotExecute says why a program was not started.
func cannotExecute(program string, err error) string {
	reason := "cannot be executed"
	switch {
	case errors.Is(err, fs.ErrPermission):
		reason = "permission denied"
	case errors.Is(err, syscall.ENOEXEC):
		reason = "exec format error"
	case errors.Is(err, fs.ErrNotExist):
		reason = "no such file or directory"
	}
	return "fork/exec " + program + ": " + reason
}

// errorTypePattern is what a runtime may call its errors (lambda.md 7.5).
var errorTypePattern = regexp.MustCompile(`(Runtime|Function)\.[A-Z][a-zA-Z]+`)

// errorTypeOf judges the Lambda-Runtime-Function-Error-Type header.
func errorTypeOf(header string) string {
	switch {
	case errorTypePattern.MatchString(header):
		return header
	case strings.HasPrefix(header, "Function."):
		return "Function.Unknown"
	}
	return "Runtime.Unknown"
}
