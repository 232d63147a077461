package execution

import (
	"context"
	"io/fs"
	"time"

	"github.com/licet/licet/internal/principal"
)

// Function is what an environment is made from: one version of a function with its configuration. Two values with the same ARN,
// Version and Revision are the same function; a change of code or configuration has a new Revision, and old environments are
// retired.
type Function struct {
	// ARN is the unqualified function ARN.
	ARN      string
	Account  string
	Region   string
	Name     string
	Version  string // "$LATEST" or a number
	Revision string
	Role     string // execution role ARN
	Runtime  string // "python3.12", "provided.al2023", …
	Handler  string
	// Timeout of one invocation.
	Timeout time.Duration
	// MemoryMB and EphemeralMB as configured.
	MemoryMB    int
	EphemeralMB int
	Env         map[string]string
	// CodeDir is the host directory with the unpacked code, LayerDir the merged layers or "". Both are shown read-only.
	CodeDir  string
	LayerDir string
	// Image has code and runtime of a function made from a container image, in place of Runtime, Handler, CodeDir and LayerDir; nil for others.
	Image    *Image
	LogGroup string // "/aws/lambda/<name>" unless configured
	// JSONLogs is LogFormat JSON. The levels, "DEBUG" and so on, are for that alone.
	JSONLogs            bool
	ApplicationLogLevel string
	SystemLogLevel      string
	// SnapStart is true for a version with a snapshot: its environments go through the Restore phase, and its code asks for the role's
	// credentials in the place of having them in its variables.
	SnapStart bool
	// Reserved is the concurrency that the function, all versions together, has for itself and may not exceed; nil: none.
	Reserved *int32
	// AccountReserved is the concurrency that functions of the account and Region, this one included, have for themselves.
	AccountReserved int
}

// Image is a container image, and the program in it.
type Image struct {
	// RootDir is the host directory with its root file system. Files shows it as the code inside sees it.
	RootDir string
	Files   fs.FS
	// Args are the program, a path inside or a name to find in the PATH of Env, and its arguments.
	Args []string
	// Dir is the working directory inside.
	Dir string
	// Env is what the image sets, "NAME=value": which the function's own variables override.
	Env []string
}

// Invocation is one event for a function.
type Invocation struct {
	RequestID string
	// InvokedARN is the ARN as requested: qualified if the caller qualified it.
	InvokedARN    string
	Payload       []byte
	ClientContext string // JSON, not base64; "" for none
	TraceID       string // X-Amzn-Trace-Id; "" for none
	// Tenant has environments of its own; "" for a function that tells no tenants apart.
	Tenant string
	// LogTail asks for the last 4 KB of the log.
	LogTail bool
	// Event is true of an asynchronous invocation.
	Event bool
	// Stream takes the response while the function sends it; nil: Result.Payload has it.
	Stream Stream
}

// Stream takes the response of one invocation.
type Stream interface {
	// Begin is called once, before anything runs: an environment has the event, and no error of Invoke is one of the caller's.
	Begin()
	// Type is called once, before the first Write, with the type of content that the runtime gives the response; "" for none. It is not
	// called for a response that is an error.
	Type(contentType string)
	// Write takes the next part, which is the caller's again when it returns. It may block, and so hold up the function. An error says
	// that nobody takes the response any more: the rest of it is dropped.
	Write(p []byte) error
}

// Result is the outcome of an invocation that reached the function's environment.
type Result struct {
	// Payload is the response, if it was not streamed, or tells how the function failed.
	Payload []byte
	// FunctionError is "Unhandled" when the function failed; Payload then tells how. "" otherwise.
	FunctionError string
	// ErrorType is what the failure of a response is called that was streamed in part; "" for others. Payload may then be empty.
	ErrorType string
	// LogTail is at most the last 4,096 bytes of the log, when it was asked for.
	LogTail []byte
}

// Credentials makes temporary credentials of the function's execution role, with lambda:SourceFunctionArn sealed in. An error
// with ErrRole in its chain says that the role cannot be assumed; any other is a failure of the server.
type Credentials func(ctx context.Context, f Function) (principal.Credentials, error)

// LogEvent is one line of a function's log.
type LogEvent struct {
	Time time.Time
	// Message ends with its newline, as CloudWatch Logs keeps it, and is at most 256 KiB long.
	Message string
}

// LogWriter writes a function's log with the execution role's credentials. Its errors never fail an invocation
// (lambda.md 3.2: "Missing logs permission: the invocation succeeds; logs are silently absent").
type LogWriter interface {
	// Write appends events to a stream, making group and stream if they are missing. Events are in order of time and the caller's
	// to keep; one stream is written by one goroutine. ctx ends after ten seconds.
	Write(ctx context.Context, f Function, credentials principal.Credentials, stream string, events []LogEvent) error
}
