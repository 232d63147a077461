package compat

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// imaged is what the program imaged answers.
type imaged struct {
	Args       []string
	Dir        string
	User       int
	Env, Files map[string]string
	Written    []string
}

// layerOf makes a layer. A name with a slash at its end is a directory, a file's content begins with "-> " for a link.
func layerOf(t *testing.T, entries ...file) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: int64(e.mode & 0o7777), Size: int64(len(e.text)), Typeflag: tar.TypeReg}
		target, isLink := strings.CutPrefix(e.text, "-> ")
		switch {
		case isLink:
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, target, 0
		case strings.HasSuffix(e.name, "/"):
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := io.WriteString(w, e.text); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return layerFrom(t, b.Bytes())
}

func layerFrom(t *testing.T, archive []byte) v1.Layer {
	t.Helper()
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// imageOf makes an image for this machine.
func imageOf(t *testing.T, c v1.Config, layers ...v1.Layer) v1.Image {
	t.Helper()
	made, err := mutate.AppendLayers(empty.Image, layers...)
	if err == nil {
		made, err = mutate.ConfigFile(made, withConfig(must(made.ConfigFile())(t), c))
	}
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func withConfig(f *v1.ConfigFile, c v1.Config) *v1.ConfigFile {
	f = f.DeepCopy()
	f.OS, f.Architecture, f.Config = "linux", "amd64", c
	return f
}

// pushImage puts an image in a registry.
func pushImage(t *testing.T, ref string, made v1.Image) {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err == nil {
		err = remote.Write(r, made)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// probe is an image of the program imaged.
func probe(t *testing.T, more ...v1.Layer) v1.Image {
	t.Helper()
	return imageOf(t, v1.Config{
		Entrypoint: []string{"/bin/imaged"}, Cmd: []string{"app.handler"}, WorkingDir: "/work", User: "0:0",
		Env: []string{"FROM=image", "BOTH=image", "AWS_REGION=image", "PATH=/bin"},
	}, append([]v1.Layer{layerOf(t,
		file{name: "usr/bin/imaged", text: built(t, "./imaged"), mode: 0o755}, file{name: "bin", text: "-> usr/bin", mode: 0o777},
		file{name: "work/", mode: 0o755}, file{name: "closed/", mode: 0o700}, file{name: "work/open", text: "first", mode: 0o644},
		file{name: "work/private", text: "secret", mode: 0o600},
	)}, more...)...)
}

// newImageFunction makes a function of an image and waits until its state is known.
func (l *licet) newImageFunction(
	t *testing.T, uri string, changes ...func(*lambda.CreateFunctionInput),
) (string, *lambda.GetFunctionOutput) {
	t.Helper()
	in := &lambda.CreateFunctionInput{
		FunctionName: aws.String(unique("image")), Role: aws.String(l.newRole(t, trustLambda).arn), PackageType: types.PackageTypeImage,
		Code: &types.FunctionCode{ImageUri: &uri}, Timeout: aws.Int32(10),
	}
	for _, change := range changes {
		change(in)
	}
	out := must(l.as(l.root).lambda.CreateFunction(t.Context(), in))(t)
	if out.State != types.StatePending {
		t.Errorf("created: got state %s", out.State)
	}
	return *in.FunctionName, l.settledImage(t, *in.FunctionName)
}

// settledImage waits until a function's image is there, or cannot be had.
func (l *licet) settledImage(t *testing.T, function string) (out *lambda.GetFunctionOutput) {
	t.Helper()
	if !eventually(t, func() bool {
		out = must(l.as(l.root).lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: &function}))(t)
		return out.Configuration.State != types.StatePending && out.Configuration.LastUpdateStatus != types.LastUpdateStatusInProgress
	}) {
		t.Fatalf("still %s", out.Configuration.State)
	}
	return out
}

// sees invokes a function that is the program imaged.
func (l *licet) sees(t *testing.T, function, event string) (got imaged) {
	t.Helper()
	out, err := l.as(l.root).invoke(t, function, event)
	if err == nil {
		err = json.Unmarshal([]byte(out), &got)
	}
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// onImages skips where a sandbox has no root of its own.
func onImages(t *testing.T) {
	t.Helper()
	t.Parallel()
	if !isolated() {
		t.Skip("the process sandbox has no root of its own")
	}
}

// What runs is what the image says, unless the function's configuration says something else, and as the user of all functions.
func TestImageRuns(t *testing.T) {
	onImages(t)
	images := repository(t)
	pushImage(t, images+":v1", probe(t, layerOf(t,
		file{name: "work/.wh.none", mode: 0o644}, file{name: "work/open", text: "second", mode: 0o644})))
	look := `{"env": ["FROM", "BOTH", "AWS_REGION", "PWD", "_HANDLER", "LAMBDA_TASK_ROOT"],
		"files": ["open", "private", "/usr/bin/env"], "write": ["/work", "/tmp", "/"]}`
	want := imaged{
		Args: []string{"/bin/imaged", "app.handler"}, Dir: "/work", User: 993, Written: []string{"/tmp"},
		Env: map[string]string{
			"FROM": "image", "BOTH": "function", "AWS_REGION": "us-east-1", "PWD": "/work", "_HANDLER": "", "LAMBDA_TASK_ROOT": "/var/task",
		},
		Files: map[string]string{
			"open": "second", "private": "open private: permission denied", "/usr/bin/env": "open /usr/bin/env: no such file or directory",
		},
	}
	both := func(in *lambda.CreateFunctionInput) {
		in.Environment = &types.Environment{Variables: map[string]string{"BOTH": "function"}}
	}
	f, got := server.newImageFunction(t, images+":v1", both)
	if c := got.Configuration; c.State != types.StateActive || c.LastUpdateStatus != types.LastUpdateStatusSuccessful {
		t.Errorf("got state %s, %s", c.State, c.LastUpdateStatus)
	}
	if diff := cmp.Diff(server.sees(t, f, look), want); diff != "" {
		t.Errorf("the image's own settings: -got +want:\n%s", diff)
	}
	must(server.as(server.root).lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: &f, ImageConfig: &types.ImageConfig{
			EntryPoint: []string{"imaged", "-x"}, Command: []string{"other.handler", ""}, WorkingDirectory: aws.String("/tmp"),
		},
	}))(t)
	server.settledImage(t, f)
	got2 := server.sees(t, f, `{}`)
	if diff := cmp.Diff(got2.Args, []string{"imaged", "-x", "other.handler", ""}); diff != "" || got2.Dir != "/tmp" {
		t.Errorf("the function's settings: in %s, -got +want:\n%s", got2.Dir, diff)
	}
}

// External extensions of an image run beside its program, as those of layers do.
func TestImageExtension(t *testing.T) {
	onImages(t)
	images := repository(t)
	pushImage(t, images+":v1", probe(t, layerOf(t,
		file{name: "opt/", mode: 0o755}, file{name: "opt/extensions/", mode: 0o755},
		file{name: "opt/extensions/agent", text: built(t, "./extension"), mode: 0o755})))
	f, _ := server.newImageFunction(t, images+":v1")
	for n := range 2 {
		out, tail := server.as(server.root).invokeTailed(t, f, `{}`)
		_, id, _ := strings.Cut(tail, "START RequestId: ")
		id, _, _ = strings.Cut(id, " ")
		if want := "agent got: INVOKE " + id + "\n"; out.FunctionError != nil || !strings.Contains(tail, want) {
			t.Errorf("invocation %d: got %s, and no %q in the log:\n%s", n, out.Payload, want, tail)
		}
	}
}

// boto3 makes a function, waits for it as everyone does, and runs it.
func TestImageBoto3(t *testing.T) {
	onImages(t)
	images := repository(t)
	pushImage(t, images+":v1", probe(t))
	r, f := server.newRole(t, trustLambda), unique("image")
	const program = `import boto3, json, os, sys
client = boto3.client("lambda", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
name, role, image = sys.argv[1:]
client.create_function(FunctionName=name, Role=role, PackageType="Image", Code={"ImageUri": image}, ImageConfig={"Command": ["a", "b"]})
client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
print(json.load(client.invoke(FunctionName=name, Payload=b"{}")["Payload"])["args"])
client.update_function_code(FunctionName=name, ImageUri=image)
client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
client.delete_function(FunctionName=name)
`
	out, err := server.command(t, server.root, "/usr/bin/python3", "-c", program, f, r.arn, images+":v1")
	if want := "['/bin/imaged', 'a', 'b']\n"; err != nil || out != want {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
}

// A tag that is moved changes nothing until the function is told. An image that cannot be had leaves the one before.
func TestImageUpdate(t *testing.T) {
	onImages(t)
	images, c := repository(t), server.as(server.root).lambda
	pushImage(t, images+":latest", probe(t))
	f, before := server.newImageFunction(t, images)
	open := func() string { return server.sees(t, f, `{"files": ["open"]}`).Files["open"] }
	next := probe(t, layerOf(t, file{name: "work/open", text: "second", mode: 0o644}))
	pushImage(t, images+":latest", next)
	if got := open(); got != "first" {
		t.Errorf("after a push: got %s", got)
	}
	update := func(uri string) *lambda.GetFunctionOutput {
		t.Helper()
		must(c.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: &f, ImageUri: &uri}))(t)
		return server.settledImage(t, f)
	}
	after := update(images)
	if got := open(); got != "second" || *after.Code.ResolvedImageUri != images+"@"+must(next.Digest())(t).String() ||
		*after.Configuration.CodeSha256 == *before.Configuration.CodeSha256 {
		t.Errorf("after the update: got %s of %s", got, *after.Code.ResolvedImageUri)
	}
	pushImage(t, images+":bad", imageOf(t, v1.Config{}, layerOf(t, file{name: "../outside", text: "x", mode: 0o644})))
	failed := update(images + ":bad").Configuration
	if failed.State != types.StateActive || failed.LastUpdateStatus != types.LastUpdateStatusFailed ||
		failed.LastUpdateStatusReasonCode != types.LastUpdateStatusReasonCodeInvalidImage ||
		!strings.Contains(*failed.LastUpdateStatusReason, "invalid image") {
		t.Errorf("after a bad update: got %s, %s, %s: %s", failed.State, failed.LastUpdateStatus, failed.LastUpdateStatusReasonCode,
			aws.ToString(failed.LastUpdateStatusReason))
	}
	if got := open(); got != "second" {
		t.Errorf("after a bad update: got %s", got)
	}
	update(images)
	if got := open(); got != "second" {
		t.Errorf("after a good update: got %s", got)
	}
}

// What is wrong with an image shows in the answers, as Lambda has them.
func TestImageFailures(t *testing.T) {
	onImages(t)
	images := repository(t)
	pushImage(t, images+":v1", probe(t, layerOf(t,
		file{name: "foreign", text: "\x7fELF no program", mode: 0o755}, file{name: "script", text: "#!/no/such/shell\n", mode: 0o755},
		file{name: "plain", text: "#!/bin/imaged\n", mode: 0o644}, file{name: "exits", text: "#!/bin/imaged\n", mode: 0o755})))
	pushImage(t, images+":nothing", imageOf(t, v1.Config{WorkingDir: "/"}, layerOf(t, file{name: "x", text: "x", mode: 0o644})))
	pushImage(t, images+":nowhere", imageOf(t, v1.Config{Entrypoint: []string{"/x"}}, layerOf(t, file{name: "x", text: "x", mode: 0o755})))
	const entrypoint, dir = "Runtime.InvalidEntrypoint", "Runtime.InvalidWorkingDir"
	for _, tt := range []struct {
		name, tag  string
		entry, dir string
		want       trouble
	}{
		{"missing", "v1", "/none", "", trouble{entrypoint, "fork/exec /none: no such file or directory"}},
		{"missing in PATH", "v1", "app.handler", "", trouble{entrypoint, `exec: "app.handler": executable file not found in $PATH`}},
		{"not executable", "v1", "/plain", "", trouble{entrypoint, "fork/exec /plain: permission denied"}},
		{"for another machine", "v1", "/foreign", "", trouble{entrypoint, "fork/exec /foreign: exec format error"}},
		{"without its interpreter", "v1", "/script", "", trouble{entrypoint, "fork/exec /script: no such file or directory"}},
		{"no program", "nothing", "", "", trouble{entrypoint, "fork/exec : no such file or directory"}},
		{"missing directory", "v1", "", "/none", trouble{dir, "the working directory doesn't exist: /none"}},
		{"directory is a file", "v1", "", "/plain", trouble{dir, "the working directory doesn't exist: /plain"}},
		{"relative directory", "v1", "", "work", trouble{dir, "the working directory 'work' is invalid, it needs to be an absolute path"}},
		{"no directory", "nowhere", "", "", trouble{dir, "the working directory '' is invalid, it needs to be an absolute path"}},
		{"closed directory", "v1", "", "/closed", trouble{entrypoint, "fork/exec /bin/imaged: permission denied"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, _ := server.newImageFunction(t, images+":"+tt.tag, func(in *lambda.CreateFunctionInput) {
				in.ImageConfig = &types.ImageConfig{WorkingDirectory: aws.String(tt.dir)}
				if tt.entry != "" {
					in.ImageConfig.EntryPoint = []string{tt.entry}
				}
			})
			for range 2 {
				out := must(server.as(server.root).lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &f}))(t)
				var got trouble
				if err := json.Unmarshal(out.Payload, &got); err != nil {
					t.Fatalf("%v in %s", err, out.Payload)
				}
				got.ErrorMessage = regexp.MustCompile(`^RequestId: [0-9a-f-]{36} Error: `).ReplaceAllString(got.ErrorMessage, "")
				if got != tt.want || aws.ToString(out.FunctionError) != "Unhandled" {
					t.Errorf("got %s %+v, want %+v", aws.ToString(out.FunctionError), got, tt.want)
				}
			}
		})
	}
}

// An image that cannot be unpacked makes a function that says so, and nothing outside its directory.
func TestImageInvalid(t *testing.T) {
	onImages(t)
	images := repository(t)
	unpacked := unique("file") // tests at the same time unpack images into the same directory
	large := layerOf(t, file{name: unpacked, text: "x", mode: 0o644})
	for tag, l := range map[string]v1.Layer{
		"outside": layerOf(t, file{name: "a/../../../outside", text: "x", mode: 0o644}),
		"archive": layerFrom(t, []byte(strings.Repeat("no archive ", 200))),
	} {
		pushImage(t, images+":"+tag, imageOf(t, v1.Config{Entrypoint: []string{"/" + unpacked}, WorkingDir: "/"}, large, l))
		f, got := server.newImageFunction(t, images+":"+tag)
		c := got.Configuration
		if c.State != types.StateFailed || c.StateReasonCode != types.StateReasonCodeInvalidImage || aws.ToString(c.StateReason) == "" {
			t.Errorf("%s: got state %s, %s: %s", tag, c.State, c.StateReasonCode, aws.ToString(c.StateReason))
		}
		_, err := server.as(server.root).lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &f})
		check(t, err, failure{409, "CodeArtifactUserFailedException",
			"ERROR: Lambda cannot initialize the provided container image. Verify the image."})
	}
	if left, err := filepath.Glob(filepath.Join(server.data, "images", ".unpack-*", "*", "root", unpacked)); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// What an image is made of is there after a crash, also when its registry is not; what no function has goes.
func TestImageSurvives(t *testing.T) {
	onImages(t)
	l := newServer(t)
	r := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	images := strings.TrimPrefix(r.URL, "http://") + "/app"
	pushImage(t, images, probe(t))
	pushImage(t, images+":other", probe(t, layerOf(t, file{name: "work/open", text: "other", mode: 0o644})))
	f, _ := l.newImageFunction(t, images)
	other, _ := l.newImageFunction(t, images+":other")
	kept := func() int {
		return len(must(filepath.Glob(filepath.Join(l.data, "images", "*")))(t))
	}
	if got := kept(); got != 2 {
		t.Errorf("got %d images, want 2", got)
	}
	must(l.as(l.root).lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: &other}))(t)
	r.Close()
	if err := l.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-l.ended
	l.start(t)
	if got := l.settledImage(t, f).Configuration.State; got != types.StateActive {
		t.Errorf("got state %s", got)
	}
	if got := l.sees(t, f, `{"files": ["open"]}`).Files["open"]; got != "first" {
		t.Errorf("got %s", got)
	}
	if got := kept(); got != 1 {
		t.Errorf("got %d images, want 1", got)
	}
}

// ECR's names work unchanged: their images are in layouts on disk, or in another registry.
func TestImageOfECR(t *testing.T) {
	onImages(t)
	const host = account + ".dkr.ecr.us-east-1.amazonaws.com"
	layouts := t.TempDir()
	path := must(layout.Write(filepath.Join(layouts, "team", "app"), empty.Index))(t)
	tagged := layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "v1"})
	if err := path.AppendImage(probe(t), tagged); err != nil {
		t.Fatal(err)
	}
	mirror := repository(t) // …/team/app
	pushImage(t, mirror+":v1", probe(t, layerOf(t, file{name: "work/open", text: "mirror", mode: 0o644})))
	mirrorHost, _, _ := strings.Cut(mirror, "/")
	for name, c := range map[string]struct {
		flags []string
		want  string
	}{
		"layout": {[]string{"--images", layouts}, "first"},
		"mirror": {[]string{"--registry", host + "=http://" + mirrorHost, "--images", layouts}, "mirror"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newServer(t, c.flags...)
			f, got := l.newImageFunction(t, host+"/team/app:v1")
			if *got.Code.ImageUri != host+"/team/app:v1" || !strings.HasPrefix(*got.Code.ResolvedImageUri, host+"/team/app@sha256:") {
				t.Errorf("got %s, %s", *got.Code.ImageUri, *got.Code.ResolvedImageUri)
			}
			if got := l.sees(t, f, `{"files": ["open"]}`).Files["open"]; got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			for _, uri := range []string{host + "/team/app:v2", host + "/team/none:v1"} {
				_, err := l.as(l.root).lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: &f, ImageUri: &uri})
				check(t, err, failure{400, "InvalidParameterValueException", "Source image " + uri + " does not exist. Provide a valid source image."})
			}
		})
	}
}

// A registry that wants to know who asks is told, by a file that the server was given; without one the image is denied.
func TestImageOfPrivateRegistry(t *testing.T) {
	onImages(t)
	open := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); r.Method == http.MethodGet && (user != "someone" || password != "secret") {
			w.Header().Set("WWW-Authenticate", `Basic realm="private"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		open.ServeHTTP(w, r)
	}))
	t.Cleanup(r.Close)
	host := strings.TrimPrefix(r.URL, "http://")
	inner := httptest.NewServer(open)
	t.Cleanup(inner.Close)
	pushImage(t, strings.TrimPrefix(inner.URL, "http://")+"/app:v1", probe(t))

	_, err := server.as(server.root).lambda.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String(unique("image")), Role: aws.String(server.newRole(t, trustLambda).arn), PackageType: types.PackageTypeImage,
		Code: &types.FunctionCode{ImageUri: aws.String(host + "/app:v1")},
	})
	check(t, err, failure{403, "AccessDeniedException", "Lambda does not have permission to access the ECR image. Check the ECR permissions."})

	credentials := filepath.Join(t.TempDir(), "config.json")
	content := fmt.Sprintf(`{"auths": {%q: {"username": "someone", "password": "secret"}}}`, host)
	if err := os.WriteFile(credentials, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	l := newServer(t, "--registry-credentials", credentials)
	f, _ := l.newImageFunction(t, host+"/app:v1")
	if got := l.sees(t, f, `{}`).Dir; got != "/work" {
		t.Errorf("got %s", got)
	}
}

// rubyFunction speaks the Runtime API with what Ruby itself has.
const rubyFunction = `require "json"
require "net/http"
api = URI("http://#{ENV.fetch("AWS_LAMBDA_RUNTIME_API")}/2018-06-01/runtime/invocation/")
Net::HTTP.start(api.host, api.port, read_timeout: nil) do |http|
  loop do
    event = http.get(api.path + "next")
    answer = { ruby: RUBY_VERSION, event: JSON.parse(event.body), handler: ARGV, root: Dir.children("/").include?("home") }
    http.post("#{api.path}#{event["Lambda-Runtime-Aws-Request-Id"]}/response", JSON.generate(answer))
  end
end
`

// An image of Debian's packages runs a language that the server does not know.
func TestImageOfDebianPackages(t *testing.T) {
	onImages(t)
	images := repository(t)
	began := time.Now()
	pushImage(t, images+":ruby", imageOf(t, v1.Config{
		Entrypoint: []string{"/usr/bin/ruby3.1", "function.rb"}, Cmd: []string{"app.handler"}, WorkingDir: "/var/task",
	}, packages(t, "ruby3.1"), layerOf(t, file{name: "var/task/function.rb", text: rubyFunction, mode: 0o644})))
	pushed := time.Now()
	f, _ := server.newImageFunction(t, images+":ruby", func(in *lambda.CreateFunctionInput) { in.MemorySize = aws.Int32(256) })
	t.Logf("made and pushed in %v, pulled and unpacked in %v", pushed.Sub(began), time.Since(pushed))
	got, err := server.as(server.root).invoke(t, f, `{"n": 1}`)
	if want := `{"ruby":"3.1.2","event":{"n":1},"handler":["app.handler"],"root":false}`; got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// packages is a layer of an installed Debian package and all that it depends on, without documentation.
func packages(t *testing.T, name string) v1.Layer {
	t.Helper()
	out, err := exec.Command("apt-cache", "depends", "--recurse", "--installed", "--no-recommends", "--no-suggests", "--no-conflicts",
		"--no-breaks", "--no-replaces", "--no-enhances", name).Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	args := []string{"--listfiles"}
	for line := range strings.Lines(string(out)) {
		if regexp.MustCompile(`^\w`).MatchString(line) {
			args = append(args, strings.TrimSpace(line))
		}
	}
	list, err := exec.Command("dpkg", args...).Output()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended { // it lists what there is, and complains of virtual packages
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	seen := map[string]bool{}
	for line := range strings.Lines(string(list)) {
		path := strings.TrimSpace(line)
		if !filepath.IsAbs(path) || seen[path] || strings.HasPrefix(path, "/usr/share/doc/") || strings.HasPrefix(path, "/usr/share/man/") {
			continue
		}
		seen[path] = true
		if err := addFile(w, path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{"lib": "usr/lib", "lib64": "usr/lib64", "bin": "usr/bin"} { // base-files is not a dependency
		if err := w.WriteHeader(&tar.Header{Name: from, Typeflag: tar.TypeSymlink, Linkname: to, Mode: 0o777}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d files, %d MB", name, len(seen), b.Len()>>20)
	return layerFrom(t, b.Bytes())
}

// addFile adds a file of this machine, as it is after links of its directory: /lib is /usr/lib.
func addFile(w *tar.Writer, path string) error {
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return err
	}
	path = filepath.Join(dir, filepath.Base(path))
	info, err := os.Lstat(path)
	if err != nil || info.IsDir() {
		return err
	}
	target := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if target, err = os.Readlink(path); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	h.Name = strings.TrimPrefix(path, "/")
	if err := w.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
		return err
	}
	content, err := os.ReadFile(path)
	if err == nil {
		_, err = w.Write(content)
	}
	return err
}
