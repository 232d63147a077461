package execution

import (
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/licet/licet/internal/execution/platform"
)

// Where code sees its files
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime).
const (
	taskRoot   = "/var/task"
	layerRoot  = "/opt"
	runtimeDir = "/var/runtime"
)

// variables is the environment of the runtime process, "NAME=value" in order of name: what the runtime sets, overlaid by what the
// function configures, overlaid by the reserved names, which a function cannot set (lambda.md 7.6).
func (e *environment) variables() []string {
	f, path := &e.function, e.sandbox.Path
	vars := map[string]string{
		"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS":  "127.0.0.1:2000",
		"GOMAXPROCS":               strconv.FormatInt(f.processors(), 10),
	}
	if e.endpoint != "" {
		vars["AWS_ENDPOINT_URL"] = "http://" + e.endpoint
	}
	for _, v := range e.command.EnvAt(path) {
		name, value, _ := strings.Cut(v, "=")
		vars[name] = value
	}
	maps.Copy(vars, f.Env)
	maps.Copy(vars, map[string]string{
		"_HANDLER":                        f.Handler,
		"_AWS_XRAY_DAEMON_ADDRESS":        "127.0.0.1",
		"_AWS_XRAY_DAEMON_PORT":           "2000",
		"AWS_DEFAULT_REGION":              f.Region,
		"AWS_REGION":                      f.Region,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.MemoryMB),
		"AWS_LAMBDA_FUNCTION_NAME":        f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     f.Version,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  e.initializationType(),
		"AWS_LAMBDA_LOG_GROUP_NAME":       f.LogGroup,
		"AWS_LAMBDA_LOG_STREAM_NAME":      e.log.stream,
		"AWS_LAMBDA_RUNTIME_API":          e.runtimeAddress,
		"LAMBDA_RUNTIME_DIR":              path(runtimeDir),
		"LAMBDA_TASK_ROOT":                path(taskRoot),
		"PWD":                             path(f.dir()),
		"SHLVL":                           "0",
	})
	maps.Copy(vars, e.keys())
	if f.JSONLogs { // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
		vars["AWS_LAMBDA_LOG_FORMAT"], vars["AWS_LAMBDA_LOG_LEVEL"] = "JSON", f.ApplicationLogLevel
	}
	if f.Image != nil {
		delete(vars, "_HANDLER") // it is an argument there
	}
	if e.restores() { // a snapshot is for many streams (https://docs.aws.amazon.com/lambda/latest/dg/snapstart-monitoring.html)
		delete(vars, "AWS_LAMBDA_LOG_GROUP_NAME")
		delete(vars, "AWS_LAMBDA_LOG_STREAM_NAME")
	}
	env := make([]string, 0, len(vars))
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		env = append(env, name+"="+vars[name])
	}
	return env
}

// processors is how many threads of Go code run at once, which is the function's share of the CPU rounded up. Go would take all
// processors of the machine: the cgroup that limits a sandbox cannot be seen in it. Threads beyond the share only wake each other.
func (f *Function) processors() int64 { return min((f.cpuMillis()+999)/1000, int64(runtime.NumCPU())) }

// keys are the variables by which code has the role's credentials.
func (e *environment) keys() map[string]string {
	if token := e.credentials.token; token != "" {
		return map[string]string{
			"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://" + e.runtimeAddress + credentialsPath,
			"AWS_CONTAINER_AUTHORIZATION_TOKEN":  token,
		}
	}
	c := e.credentials.last()
	return map[string]string{
		"AWS_ACCESS_KEY_ID": c.AccessKeyID, "AWS_SECRET_ACCESS_KEY": c.SecretAccessKey, "AWS_SESSION_TOKEN": c.SessionToken,
	}
}

// initializationType: configuration-envvars.html, AWS_LAMBDA_INITIALIZATION_TYPE.
func (e *environment) initializationType() string {
	switch {
	case e.provision != nil:
		return "provisioned-concurrency"
	case e.function.SnapStart:
		return platform.SnapStart
	}
	return "on-demand"
}
