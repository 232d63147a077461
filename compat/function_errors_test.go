package compat

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// trouble is what a failing function answers (lambda.md 7.1).
type trouble struct {
	ErrorType    string `json:"errorType"`
	ErrorMessage string `json:"errorMessage"`
}

// Every way in which a function can fail is an answer with FunctionError, and the next invocation works.
func TestFunctionFailures(t *testing.T) {
	t.Parallel()
	const inHandler = "import os, signal, time\ndef handler(event, context):\n"
	bootstrap := func(text string) func(*lambda.CreateFunctionInput) {
		return func(in *lambda.CreateFunctionInput) {
			in.Runtime, in.Code.ZipFile = types.RuntimeProvidedal2023, archive(t, file{name: "bootstrap", text: text, mode: 0o100755})
		}
	}
	short := func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(1) }
	node := func(text string) func(*lambda.CreateFunctionInput) {
		return func(in *lambda.CreateFunctionInput) {
			in.Runtime, in.Handler, in.Code.ZipFile = types.RuntimeNodejs20x, aws.String("index.handler"), archive(t,
				file{name: "index.mjs", text: text})
		}
	}
	id := `RequestId: [0-9a-f-]{36} `
	tests := []struct {
		name   string
		source string
		change func(*lambda.CreateFunctionInput)
		want   trouble // the message is a pattern
	}{
		{"python raises", "def handler(event, context):\n    raise ValueError('no')\n", nil, trouble{"ValueError", "^no$"}},
		{"node throws", "", node(`export const handler = async () => { throw new TypeError("no"); };`), trouble{"TypeError", "^no$"}},
		{"python times out", inHandler + "    time.sleep(60)\n", short, trouble{"Sandbox.Timedout", "^" + id +
			"Error: Task timed out after 1.00 seconds$"}},
		{"python exits", inHandler + "    os._exit(3)\n", nil, trouble{"Runtime.ExitError", "^" + id +
			"Error: Runtime exited with error: exit status 3$"}},
		{"python exits well", inHandler + "    os._exit(0)\n", nil, trouble{"Runtime.ExitError", "^" + id +
			"Error: Runtime exited without providing a reason$"}},
		{"python is killed", inHandler + "    os.kill(os.getpid(), signal.SIGKILL)\n", nil, trouble{"Runtime.ExitError", "^" + id +
			"Error: Runtime exited with error: signal: killed$"}},
		{"python cannot import", "import nothing_of_the_kind\n", nil,
			trouble{"Runtime.ImportModuleError", "^Unable to import module 'code': No module named 'nothing_of_the_kind'$"}},
		{"python has a syntax error", "def handler(:\n", nil, trouble{"Runtime.UserCodeSyntaxError", "^Syntax error in module 'code': "}},
		{"python has no handler", "x = 1\n", nil, trouble{"Runtime.HandlerNotFound", "^Handler 'handler' missing on module 'code'$"}},
		{"python answers no JSON", "def handler(event, context):\n    return {1, 2}\n", nil, trouble{"Runtime.MarshalError",
			"^Unable to marshal response: "}},
		{"python answers too much", "def handler(event, context):\n    return 'x' * 6291600\n", nil,
			trouble{"Function.ResponseSizeTooLarge", `^Response payload size exceeded maximum allowed payload size \(6291556 bytes\)\.$`}},
		// AWS's runtime has a name of its own for what require cannot find, and none for import.
		{"node cannot import", "", node(`import "nothing-of-the-kind"; export const handler = async () => 1;`),
			trouble{"Error", "^Cannot find package 'nothing-of-the-kind' imported from .*/index.mjs$"}},
		{"node cannot require", "", func(in *lambda.CreateFunctionInput) {
			in.Runtime, in.Handler = types.RuntimeNodejs20x, aws.String("index.handler")
			in.Code.ZipFile = archive(t, file{name: "index.js", text: `require("nothing-of-the-kind"); exports.handler = async () => 1;`})
		}, trouble{"Runtime.ImportModuleError", "^Error: Cannot find module 'nothing-of-the-kind'"}},
		{"no bootstrap", "", func(in *lambda.CreateFunctionInput) { in.Runtime = types.RuntimeProvidedal2023 },
			trouble{"Runtime.InvalidEntrypoint", `^` + id + `Error: Couldn't find valid bootstrap\(s\): \[/var/task/bootstrap /opt/bootstrap\]$`}},
		{"bootstrap exits", "", bootstrap("#!/bin/sh\nexit 5\n"), trouble{"Runtime.ExitError", "^" + id +
			"Error: Runtime exited with error: exit status 5$"}},
		{"bootstrap cannot run", "", bootstrap("\x7fELF no program"), trouble{"Runtime.InvalidEntrypoint", "^" + id +
			"Error: fork/exec .*bootstrap: exec format error$"}},
		{"bootstrap without its interpreter", "", bootstrap("#!/no/such/program\n"), trouble{"Runtime.InvalidEntrypoint", "^" + id +
			"Error: fork/exec .*bootstrap: no such file or directory$"}},
	}
	c := server.as(server.root)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.change == nil {
				tt.change = func(*lambda.CreateFunctionInput) {}
			}
			f := server.newFunction(t, tt.source, tt.change)
			for range 2 { // the second time in an environment that saw the first
				out := must(c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &f.name}))(t)
				var got trouble
				if err := json.Unmarshal(out.Payload, &got); err != nil {
					t.Fatalf("%v in %s", err, out.Payload)
				}
				if aws.ToString(out.FunctionError) != "Unhandled" || got.ErrorType != tt.want.ErrorType ||
					!regexp.MustCompile(tt.want.ErrorMessage).MatchString(got.ErrorMessage) {
					t.Errorf("got %s %+v, want Unhandled %+v", aws.ToString(out.FunctionError), got, tt.want)
				}
			}
		})
	}
}

// After a failure the environment starts again, with its /tmp.
func TestFunctionRecovers(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, `import os, time, tempfile
path = os.path.join(tempfile.gettempdir(), "kept")
def handler(event, context):
    if event.get("die"):
        with open(path, "w") as f: f.write("kept")
        os._exit(1) if event["die"] == "exit" else time.sleep(60)
    return open(path).read() if os.path.exists(path) else "nothing"
`, func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(5) })
	c := server.as(server.root)
	for _, how := range []string{"exit", "timeout"} {
		if got, err := c.invoke(t, f.name, `{"die":"`+how+`"}`); err == nil {
			t.Errorf("%s: got %s, want a failure", how, got)
		}
		if got, err := c.invoke(t, f.name, `{}`); got != `"kept"` {
			t.Errorf("after %s: got %s, %v", how, got, err)
		}
	}
}

// isolated tells whether functions run where limits are enforced.
func isolated() bool { return !strings.Contains(os.Getenv("LICET_COMPAT_FLAGS"), "process") }

func TestFunctionOutOfMemory(t *testing.T) {
	t.Parallel()
	if !isolated() {
		t.Skip("the process sandbox has no memory limit")
	}
	f := server.newFunction(t, "def handler(event, context):\n    return len(bytearray(event))\n",
		func(in *lambda.CreateFunctionInput) {
			in.MemorySize = aws.Int32(128)
		})
	c := server.as(server.root)
	out := must(c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &f.name, Payload: []byte("400000000"),
		LogType: types.LogTypeTail}))(t)
	if !strings.Contains(string(out.Payload), `"Runtime.ExitError"`) || !strings.Contains(string(out.Payload), "signal: killed") {
		t.Errorf("got %s", out.Payload)
	}
	if tail := decodeBase64(t, *out.LogResult); !strings.Contains(tail, "Status: error\tError Type: Runtime.OutOfMemory") {
		t.Errorf("got log\n%s", tail)
	}
	if got, err := c.invoke(t, f.name, "1000"); got != "1000" {
		t.Errorf("after it: got %s, %v", got, err)
	}
}

// Archives that would write where they must not, or more than they may, are refused before anything is unpacked.
func TestFunctionBadArchives(t *testing.T) {
	t.Parallel()
	const (
		unzip = "Could not unzip uploaded file. Please check your file, then try to upload again."
		empty = "Uploaded file must be a non-empty zip"
		large = "Unzipped size must be smaller than 262144000 bytes"
	)
	code := file{name: "code.py", text: echo}
	valid := archive(t, code)
	tests := []struct {
		name string
		zip  []byte
		want string
	}{
		{"no zip", []byte("this is no zip"), unzip},
		{"cut off", valid[:len(valid)-5], unzip},
		{"corrupt", append(append([]byte(nil), valid[:40]...), append([]byte("XXXX"), valid[44:]...)...), unzip},
		{"empty", archive(t), empty},
		{"directory only", archive(t, file{name: "d/", mode: 0o040755}), empty},
		{"traversal", archive(t, code, file{name: "../x", text: "x"}), unzip},
		{"hidden traversal", archive(t, code, file{name: "a/../../x", text: "x"}), unzip},
		{"absolute", archive(t, code, file{name: "/etc/x", text: "x"}), unzip},
		{"link outside", archive(t, code, file{name: "l", text: "/etc/passwd", mode: 0o120777}), unzip},
		{"link above", archive(t, code, file{name: "a/l", text: "../../x", mode: 0o120777}), unzip},
		{"through a link", archive(t, code, file{name: "l", text: "/tmp", mode: 0o120777}, file{name: "l/x", text: "x"}), unzip},
		{"device", archive(t, code, file{name: "d", mode: 0o020644}), unzip},
		{"twice the same name", archive(t, code, code), unzip},
		{"bomb", bomb(t), large},
	}
	r := server.newRole(t, trustLambda)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := server.as(server.root).lambda.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
				FunctionName: aws.String(unique("bad")), Role: &r.arn, Runtime: types.RuntimePython311, Handler: aws.String("code.handler"),
				Code: &types.FunctionCode{ZipFile: tt.zip},
			})
			check(t, err, failure{400, "InvalidParameterValueException", tt.want})
		})
	}
}

// bomb is an archive of 251 MiB of zeros, which are compressed once.
func bomb(t *testing.T) []byte {
	t.Helper()
	small := archive(t, file{name: "zeros", text: strings.Repeat("\x00", 1<<20)})
	zeros := must(zip.NewReader(bytes.NewReader(small), int64(len(small))))(t).File[0]
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := range 251 {
		zeros.Name = fmt.Sprint(i)
		if err := w.Copy(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What an archive may hold arrives: directories, links inside, executable files.
func TestFunctionArchive(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, "", func(in *lambda.CreateFunctionInput) {
		in.Code.ZipFile = archive(t,
			file{name: "code.py", text: `import os, subprocess
from package import value
def handler(event, context):
    return [value.x, open("link").read(), subprocess.run(["./bin/tool"], capture_output=True, text=True).stdout,
	os.getcwd() == os.environ["LAMBDA_TASK_ROOT"]]
`},
			file{name: "package/", mode: 0o040755}, file{name: "package/value.py", text: "x = 7\n"}, file{name: "package/data",
				text: "inside"},
			file{name: "link", text: "package/data", mode: 0o120777}, file{name: "bin/tool", text: "#!/bin/sh\necho tool\n", mode: 0o100755},
		)
	})
	if got, err := server.as(server.root).invoke(t, f.name, "{}"); err != nil || !sameJSON(got, `[7,"inside","tool\n",true]`) {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestFunctionErrors(t *testing.T) {
	t.Parallel()
	c, ctx, s := server.as(server.root), t.Context(), aws.String
	f, r, ec2 := server.newFunction(t, echo), server.newRole(t, trustLambda), server.newRole(t, `{"Service":"ec2.amazonaws.com"}`)
	create := func(change func(*lambda.CreateFunctionInput)) func() error {
		return func() error {
			in := &lambda.CreateFunctionInput{
				FunctionName: s(unique("wrong")), Role: &r.arn, Runtime: types.RuntimePython311, Handler: s("code.handler"),
				Code: &types.FunctionCode{ZipFile: archive(t, file{name: "code.py", text: echo})},
			}
			change(in)
			_, err := c.lambda.CreateFunction(ctx, in)
			return err
		}
	}
	invoke := func(change func(*lambda.InvokeInput)) func() error {
		return func() error {
			in := &lambda.InvokeInput{FunctionName: &f.name}
			change(in)
			_, err := c.lambda.Invoke(ctx, in)
			return err
		}
	}
	invalid := func(text string) failure { return failure{400, "InvalidParameterValueException", text} }
	violation := func(text string) failure {
		return failure{400, "ValidationException", "1 validation error detected: " + text}
	}
	missing := func(operation, what string) failure {
		return failure{501, "NotImplemented", "licet does not implement " + what + " of the operation " + operation + " of lambda."}
	}
	const namePattern = `(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`
	const variables = "Lambda was unable to configure your environment variables because the environment variables you have provided "
	tests := []struct {
		name string
		call func() error
		want failure
	}{
		{"name is taken", create(func(in *lambda.CreateFunctionInput) { in.FunctionName = &f.name }), failure{409,
			"ResourceConflictException", "Function already exist: " + f.name}},
		{"name has a space", create(func(in *lambda.CreateFunctionInput) { in.FunctionName = s("a b") }),
			violation("Value 'a b' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: " +
				namePattern)},
		{"name has 65 letters", create(func(in *lambda.CreateFunctionInput) { in.FunctionName = s(strings.Repeat("x", 65)) }),
			invalid("1 validation error detected: Value '" + strings.Repeat("x", 65) + "' at 'functionName' failed to satisfy constraint: " +
				"Member must have length less than or equal to 64")},
		{"timeout 0", create(func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(0) }),
			violation("Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than or equal to 1")},
		{"timeout 901", create(func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(901) }),
			violation("Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900")},
		{"memory 127", create(func(in *lambda.CreateFunctionInput) { in.MemorySize = aws.Int32(127) }),
			violation("Value '127' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128")},
		{"memory 10241", create(func(in *lambda.CreateFunctionInput) { in.MemorySize = aws.Int32(10241) }),
			violation("Value '10241' at 'memorySize' failed to satisfy constraint: Member must have value less than or equal to 10240")},
		{"no role ARN", create(func(in *lambda.CreateFunctionInput) { in.Role = s("role") }),
			violation(`Value 'role' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`)},
		{"role that Lambda cannot assume", create(func(in *lambda.CreateFunctionInput) { in.Role = &ec2.arn }),
			invalid("The role defined for the function cannot be assumed by Lambda.")},
		{"role that is not there", create(func(in *lambda.CreateFunctionInput) { in.Role = s(arnPrefix + "role/" + unique("none")) }),
			invalid("The role defined for the function cannot be assumed by Lambda.")},
		{"role of another account", create(func(in *lambda.CreateFunctionInput) { in.Role = s("arn:aws:iam::123456789012:role/x") }),
			failure{403, "AccessDeniedException", "Cross-account pass role is not allowed."}},
		{"no code", create(func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = nil }),
			invalid("Please provide a source for function code.")},
		{"no handler", create(func(in *lambda.CreateFunctionInput) { in.Handler = nil }),
			invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")},
		{"reserved variable", create(func(in *lambda.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"AWS_REGION": "x", "AWS_SESSION_TOKEN": "y"}}
		}), invalid(variables + "contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION, AWS_SESSION_TOKEN")},
		{"too many variables", create(func(in *lambda.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"LARGE": strings.Repeat("x", 4096)}}
		}), invalid(variables + `exceeded the 4KB limit. String measured: {"LARGE":"` + strings.Repeat("x", 4096) + `"}`)},
		{"layers that are not there", create(func(in *lambda.CreateFunctionInput) {
			in.Layers = []string{"arn:aws:lambda:us-east-1:" + account + ":layer:none:1"}
		}), invalid("Layer version arn:aws:lambda:us-east-1:" + account + ":layer:none:1 does not exist.")},
		{"image", create(func(in *lambda.CreateFunctionInput) {
			in.PackageType, in.Code, in.Runtime, in.Handler = types.PackageTypeImage, &types.FunctionCode{ImageUri: s("x")}, "", nil
		}), invalid("Source image x is not valid. Provide a valid source image.")},
		{"code in S3", create(func(in *lambda.CreateFunctionInput) {
			in.Code = &types.FunctionCode{S3Bucket: s("bucket"), S3Key: s("key")}
		}), invalid("Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist")},
		{"durable", create(func(in *lambda.CreateFunctionInput) { in.DurableConfig = &types.DurableConfig{} }),
			missing("CreateFunction", "DurableConfig")},
		{"network", create(func(in *lambda.CreateFunctionInput) {
			in.VpcConfig = &types.VpcConfig{SubnetIds: []string{"subnet-1"}, SecurityGroupIds: []string{"sg-1"}}
		}), invalid("Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. " +
			"EC2 Error Message: The subnet ID 'subnet-1' does not exist")},
		{"dead letters", create(func(in *lambda.CreateFunctionInput) {
			in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: s("arn:aws:sqs:us-east-1:" + account + ":q")}
		}), invalid("The provided execution role does not have permissions to call SendMessage on SQS")},
		{"event over 1 MB", invoke(func(in *lambda.InvokeInput) {
			in.InvocationType, in.Payload = types.InvocationTypeEvent, []byte(`"`+strings.Repeat("x", 1<<20)+`"`)
		}), failure{413, "RequestEntityTooLargeException", "1048578 byte payload is too large for the Event invocation type (limit 1048576 bytes)"}},
		{"durable execution", invoke(func(in *lambda.InvokeInput) { in.DurableExecutionName = s("e") }), missing("Invoke",
			"DurableExecutionName")},
		{"payload is no JSON", invoke(func(in *lambda.InvokeInput) { in.Payload = []byte("{") }), failure{400,
			"InvalidRequestContentException",
			"Could not parse request body into json: Could not parse payload into json: unexpected end of JSON input"}},
		{"payload over 6 MB", invoke(func(in *lambda.InvokeInput) { in.Payload = []byte(`"` + strings.Repeat("x", 6_291_456) + `"`) }),
			failure{413, "RequestEntityTooLargeException", "Request must be smaller than 6291456 bytes for the InvokeFunction operation"}},
		{"client context is no object", invoke(func(in *lambda.InvokeInput) { in.ClientContext = s("W10=") }), failure{400,
			"InvalidRequestContentException",
			"Client context must be a valid Base64-encoded JSON object."}},
		{"no such alias", invoke(func(in *lambda.InvokeInput) { in.Qualifier = s("live") }), failure{404, "ResourceNotFoundException",
			"Function not found: " + f.arn + ":live"}},
		{"function of another region", invoke(func(in *lambda.InvokeInput) {
			in.FunctionName = s(strings.Replace(f.arn, "us-east-1",
				"eu-west-1", 1))
		}),
			failure{404, "ResourceNotFoundException", "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"}},
		{"operation", func() error { _, err := c.lambda.ListCapacityProviders(ctx, nil); return err },
			failure{501, "NotImplemented", "licet does not implement the operation ListCapacityProviders of lambda."}},
		{"tags of a version", func() error {
			_, err := c.lambda.TagResource(ctx, &lambda.TagResourceInput{Resource: s(f.arn + ":1"), Tags: map[string]string{"a": "b"}})
			return err
		}, invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			check(t, tt.call(), tt.want)
		})
	}
}

// A function is named by its name, a partial ARN or its ARN.
func TestFunctionNames(t *testing.T) {
	t.Parallel()
	f, c := server.newFunction(t, echo), server.as(server.root)
	var got []string
	names := []string{f.name, "function:" + f.name, account + ":function:" + f.name, f.arn, f.name + ":$LATEST", f.arn + ":$LATEST"}
	for _, name := range names {
		out := must(c.lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &name}))(t)
		got = append(got, *out.FunctionArn)
	}
	if diff := cmp.Diff(got, []string{f.arn, f.arn, f.arn, f.arn, f.arn + ":$LATEST", f.arn + ":$LATEST"}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}
