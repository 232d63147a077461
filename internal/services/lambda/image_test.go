package lambda

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/execution"
	unpack "github.com/licet/licet/internal/image"
	"github.com/licet/licet/internal/image/imagetest"
	"github.com/licet/licet/internal/registry"
)

// shelf has images by digest, which it gives when it may.
type shelf struct {
	mu     sync.Mutex
	images map[string]registry.Content
	errs   map[string]error
	gates  map[string]chan struct{} // those that are not there yet
}

func (s *shelf) Open(ctx context.Context, _, digest string) (registry.Content, error) {
	s.mu.Lock()
	gate, content, err := s.gates[digest], s.images[digest], s.errs[digest]
	s.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return registry.Content{}, ctx.Err()
		}
	}
	return content, err
}

// hold keeps an image back until the function it returns is called.
func (s *shelf) hold(digest string) (release func()) {
	gate := make(chan struct{})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gates[digest] = gate
	return func() { close(gate) }
}

// add makes an image whose one file is its content, and gives its digest.
func (s *shelf) add(t *testing.T, content string, c unpack.Config) string {
	t.Helper()
	digest, image, err := imagetest.New(c, "app.py", content)
	if err != nil {
		t.Fatal(err)
	}
	s.images[digest] = image
	return digest
}

// onShelf gives a harness a store of images, whose tags are v1 and v2; broken is not what its digest says.
func onShelf(t *testing.T) (*harness, *shelf, map[string]string) {
	h := newHarness(t)
	s := &shelf{images: map[string]registry.Content{}, errs: map[string]error{}, gates: map[string]chan struct{}{}}
	c := unpack.Config{Entrypoint: []string{"/entry"}, Cmd: []string{"a"}, Env: []string{"A=b"}, WorkingDir: "/work"}
	digests := map[string]string{
		"v1": s.add(t, "first", c), "v2": s.add(t, "second", c), "broken": "sha256:" + strings.Repeat("b", 64),
		"deleted": "sha256:" + strings.Repeat("d", 64), "denied": "sha256:" + strings.Repeat("e", 64), "lost": "sha256:" + strings.Repeat("f", 64),
	}
	s.images[digests["broken"]] = registry.Content{Manifest: []byte("{}")}
	s.errs[digests["deleted"]], s.errs[digests["denied"]], s.errs[digests["lost"]] = registry.ErrMissing, registry.ErrDenied, errors.New("no route")
	h.images = map[string]registry.Image{}
	for tag, digest := range digests {
		h.images["host/app:"+tag] = registry.Image{Digest: digest, Resolved: "host/app@" + digest}
	}
	h.lambda.Unpacked = unpack.New(unpack.Settings{Dir: t.TempDir(), Source: s})
	t.Cleanup(h.lambda.Unpacked.Close)
	h.sweep()
	h.runner.outcome = &execution.Result{}
	return h, s, digests
}

// makeImageFunction makes the function f of a tag.
func (h *harness) makeImageFunction(tag string) {
	h.t.Helper()
	must[sdk.CreateFunctionOutput](h, &sdk.CreateFunctionInput{
		FunctionName: aws.String("f"), Role: aws.String(role), PackageType: types.PackageTypeImage,
		Code: &types.FunctionCode{ImageUri: aws.String("host/app:" + tag)},
	})
}

// arrived waits until it is known whether an image can be had.
func (h *harness) arrived(digest string) {
	h.t.Helper()
	_, _ = h.lambda.Unpacked.Get(h.t.Context(), "", digest)
}

// ran is the content of the image that runs.
func (h *harness) ran() (string, execution.Function) {
	h.t.Helper()
	must[sdk.InvokeOutput](h, &sdk.InvokeInput{FunctionName: aws.String("f")})
	f := h.runner.functions[len(h.runner.functions)-1]
	content, err := os.ReadFile(filepath.Join(f.Image.RootDir, "app.py"))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(content), f
}

// statesOf is State, LastUpdateStatus and the codes and reasons of both.
func statesOf(c *sdk.GetFunctionConfigurationOutput) string {
	return strings.TrimRight(fmt.Sprint(c.State, "|", c.StateReasonCode, "|", aws.ToString(c.StateReason), "|",
		c.LastUpdateStatus, "|", c.LastUpdateStatusReasonCode, "|", aws.ToString(c.LastUpdateStatusReason)), "|")
}

func (h *harness) checkStates(when, want string) {
	h.t.Helper()
	if got := statesOf(h.configuration("f", "$LATEST")); got != want {
		h.t.Errorf("%s: got %s, want %s", when, got, want)
	}
}

const (
	stateActive   = "Active|||Successful"
	statePending  = "Pending|Creating|The function is being created."
	stateUpdating = "Active|||InProgress|Creating|The function is being created."
	conflict      = "ResourceConflictException"
)

func TestImageLifecycle(t *testing.T) {
	h, s, digests := onShelf(t)
	release := s.hold(digests["v1"])
	h.makeImageFunction("v1")
	h.checkStates("made", statePending)
	const pending = "The operation cannot be performed at this time. The function is currently in the following state: Pending"
	update := &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ImageUri: aws.String("host/app:v2")}
	configure := h.update(func(in *sdk.UpdateFunctionConfigurationInput) { in.Timeout = aws.Int32(9) })
	publish := &sdk.PublishVersionInput{FunctionName: aws.String("f")}
	refuse[sdk.UpdateFunctionCodeOutput](h, update, conflict, 409, pending)
	refuse[sdk.UpdateFunctionConfigurationOutput](h, configure, conflict, 409, pending)
	refuse[sdk.PublishVersionOutput](h, publish, conflict, 409, pending)
	release()
	h.arrived(digests["v1"])
	h.checkStates("there", stateActive)
	first, run := h.ran()
	if first != "first" || run.Image.Dir != "/work" || strings.Join(run.Image.Args, " ") != "/entry a" || run.Image.Env[0] != "A=b" ||
		run.CodeDir != "" {
		t.Errorf("got %s of %+v", first, run.Image)
	}
	must[sdk.PublishVersionOutput](h, publish)

	release = s.hold(digests["v2"])
	must[sdk.UpdateFunctionCodeOutput](h, update)
	h.checkStates("updating", stateUpdating)
	inProgress := "The operation cannot be performed at this time. An update is in progress for resource: " + arnOfF
	refuse[sdk.UpdateFunctionCodeOutput](h, update, conflict, 409, inProgress)
	refuse[sdk.PublishVersionOutput](h, publish, conflict, 409, inProgress)
	got, before := h.ran()
	if got != "first" {
		t.Errorf("while it is updated: got %s", got)
	}
	release()
	h.arrived(digests["v2"])
	h.checkStates("updated", stateActive)
	got, after := h.ran()
	if got != "second" || after.Revision == before.Revision {
		t.Errorf("updated: got %s, in revision %s after %s", got, after.Revision, before.Revision)
	}
	if out := must[sdk.PublishVersionOutput](h, publish); *out.Version != "2" {
		t.Errorf("published: got version %s", *out.Version)
	}
	if out := must[sdk.PublishVersionOutput](h, publish); *out.Version != "2" {
		t.Errorf("published again, unchanged: got version %s", *out.Version)
	}
}

// An update that fails leaves what was there, and says why it failed; so does a function that could not be made.
func TestImageFailure(t *testing.T) {
	h, _, digests := onShelf(t)
	failures := []struct{ tag, code, reason, invoke string }{
		{"broken", "InvalidImage", "The container image is not valid: invalid image: its manifest is another one", "CodeArtifactUserFailedException"},
		{"deleted", "ImageDeleted", "The function is trying to use a deleted image.", "CodeArtifactUserDeletedException"},
		{"denied", "ImageAccessDenied", imageDeniedText, "AccessDeniedException"},
		{"lost", "InternalError", "The container image could not be fetched from its registry.", ""},
	}
	for _, f := range failures {
		h.makeImageFunction(f.tag)
		h.arrived(digests[f.tag])
		h.checkStates(f.tag, "Failed|"+f.code+"|"+f.reason)
		_, err := do[sdk.InvokeOutput](h, &sdk.InvokeInput{FunctionName: aws.String("f")})
		if refused, ok := errors.AsType[*awserr.Error](err); err == nil || ok != (f.invoke != "") || ok && refused.Code != f.invoke {
			t.Errorf("%s: invoke: got %v, want %s", f.tag, err, f.invoke)
		}
		must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("f")})
	}
	h.makeImageFunction("broken")
	h.arrived(digests["broken"])
	must[sdk.UpdateFunctionCodeOutput](h, &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ImageUri: aws.String("host/app:deleted")})
	h.arrived(digests["deleted"])
	h.checkStates("never made", "Failed|ImageDeleted|The function is trying to use a deleted image.")
	for _, tag := range []string{"v1", "lost", "broken", "v2"} {
		must[sdk.UpdateFunctionCodeOutput](h, &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ImageUri: aws.String("host/app:" + tag)})
		h.arrived(digests[tag])
		want := map[string]string{"v1": "first", "lost": "first", "broken": "first", "v2": "second"}[tag]
		if got, _ := h.ran(); got != want {
			t.Errorf("after %s: got %s, want %s", tag, got, want)
		}
		states := stateActive
		for _, f := range failures {
			if f.tag == tag {
				states = "Active|||Failed|" + f.code + "|" + f.reason
			}
		}
		h.checkStates("after "+tag, states)
	}
}

// What is asked of a version while its image is fetched is answered when it is there, or with AWS's words.
func TestImagePending(t *testing.T) {
	h, s, digests := onShelf(t)
	release := s.hold(digests["v1"])
	h.makeImageFunction("v1")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	f, err := h.lambda.existing(t.Context(), h.reference("f", ""))
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.lambda.waitForImage(ended, f.version.Image)
	if refused, ok := errors.AsType[*awserr.Error](err); !ok || refused.Code != "CodeArtifactUserPendingException" || refused.Status != 409 {
		t.Errorf("got %v", err)
	}
	asked, err := h.lambda.asked(t.Context(), f, provisioned{Count: 1})
	if err == nil || asked.Failure == "" {
		t.Errorf("provisioned: got %+v, %v", asked, err)
	}
	time.AfterFunc(time.Millisecond, release)
	if got, _ := h.ran(); got != "first" {
		t.Errorf("got %s", got)
	}
	if asked, err = h.lambda.asked(t.Context(), f, provisioned{Count: 1}); err != nil || asked.Function.Image == nil {
		t.Errorf("provisioned: got %+v, %v", asked, err)
	}
}

// Images go when no function has them, and those that a crash kept from arriving are fetched at the start.
func TestImagesAreCollected(t *testing.T) {
	h, s, digests := onShelf(t)
	h.makeImageFunction("v1")
	h.arrived(digests["v1"])
	must[sdk.UpdateFunctionCodeOutput](h, &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ImageUri: aws.String("host/app:v2")})
	h.arrived(digests["v2"])
	for range 3 { // one that was in use a moment ago is kept for a while
		h.lambda.codeChanged.Store(true)
		if err := h.lambda.dropCode(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	kept := func(dir string) string {
		var names []string
		for tag, digest := range digests {
			if _, err := os.Stat(filepath.Join(dir, strings.TrimPrefix(digest, "sha256:"))); err == nil {
				names = append(names, tag)
			}
		}
		return strings.Join(names, " ")
	}
	if got := kept(h.lambda.Unpacked.Dir); got != "v2" {
		t.Errorf("got %s, want v2", got)
	}
	h.lambda.Unpacked.Close()
	h.lambda.Unpacked = unpack.New(unpack.Settings{Dir: t.TempDir(), Source: s})
	t.Cleanup(h.lambda.Unpacked.Close)
	h.sweep()
	if state, _ := h.lambda.Unpacked.Look(digests["v2"]); state == unpack.Missing {
		t.Error("what was not there was not fetched")
	}
	h.arrived(digests["v2"])
	if got, _ := h.ran(); got != "second" {
		t.Errorf("got %s", got)
	}
}

// A version that is published with its code waits for it, and never runs what was before.
func TestImagePublishedWithItsCode(t *testing.T) {
	h, s, digests := onShelf(t)
	h.makeImageFunction("v1")
	h.arrived(digests["v1"])
	release := s.hold(digests["v2"])
	must[sdk.UpdateFunctionCodeOutput](h, &sdk.UpdateFunctionCodeInput{
		FunctionName: aws.String("f"), ImageUri: aws.String("host/app:v2"), Publish: true})
	h.checkStates("$LATEST", stateUpdating)
	if got := statesOf(h.configuration("f", "1")); got != statePending {
		t.Errorf("version: got %s, want %s", got, statePending)
	}
	release()
	h.arrived(digests["v2"])
	must[sdk.InvokeOutput](h, &sdk.InvokeInput{FunctionName: aws.String("f"), Qualifier: aws.String("1")})
	if got := h.runner.functions[len(h.runner.functions)-1].Image.RootDir; !strings.Contains(got, strings.TrimPrefix(digests["v2"], "sha256:")) {
		t.Errorf("the version runs from %s", got)
	}
}

// A dry run fetches nothing.
func TestImageDryRun(t *testing.T) {
	h, _, digests := onShelf(t)
	h.makeImageFunction("v1")
	h.arrived(digests["v1"])
	out := must[sdk.UpdateFunctionCodeOutput](h, &sdk.UpdateFunctionCodeInput{
		FunctionName: aws.String("f"), ImageUri: aws.String("host/app:v2"), DryRun: true})
	if state, _ := h.lambda.Unpacked.Look(digests["v2"]); state != unpack.Missing || out.LastUpdateStatus != types.LastUpdateStatusSuccessful {
		t.Errorf("got image %v, status %s", state, out.LastUpdateStatus)
	}
}

// What the configuration says comes before what the image says, each by itself.
func TestImageOf(t *testing.T) {
	of := unpack.Image{Dir: "/images/x/root", Config: unpack.Config{
		Entrypoint: []string{"/entry", "-e"}, Cmd: []string{"cmd"}, Env: []string{"A=b"}, WorkingDir: "/work"}}
	for _, c := range []struct {
		config *types.ImageConfig
		args   string
		dir    string
	}{
		{nil, "/entry -e cmd", "/work"},
		{&types.ImageConfig{}, "/entry -e cmd", "/work"},
		{&types.ImageConfig{EntryPoint: []string{"own"}}, "own cmd", "/work"},
		{&types.ImageConfig{Command: []string{"a", "b"}}, "/entry -e a b", "/work"},
		{&types.ImageConfig{EntryPoint: []string{"own"}, Command: []string{"a"}, WorkingDirectory: aws.String("/own")}, "own a", "/own"},
	} {
		got := (&version{ImageConfig: c.config}).imageOf(of)
		if strings.Join(got.Args, " ") != c.args || got.Dir != c.dir || got.RootDir != of.Dir || got.Env[0] != "A=b" {
			t.Errorf("%+v: got %+v", c.config, got)
		}
	}
}
