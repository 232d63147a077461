package lambda

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/services/lambda/async"
	"github.com/licet/licet/internal/services/lambda/request"
)

// madeUp is the header of a run of f whose caller sent none, at the harness's time.
const madeUp = "Root=1-6b042ac0-7f2e4b42a1bb6f3b7f6a0f10;Parent=a1bb6f3b7f6a0f10;Sampled=0;Lineage=2d2b7f8d:1"

func TestTrace(t *testing.T) {
	f := &function{lineage: "aaaaaaaa"}
	const id = "8f1b2a52-7f2e-4b42-a1bb-6f3b7f6a0f10"
	made := "Root=1-0000003c-7f2e4b42a1bb6f3b7f6a0f10;Parent=a1bb6f3b7f6a0f10;Sampled=0;"
	many := make([]string, maxLineage)
	for i := range many {
		many[i] = fmt.Sprintf("%08x:1", i)
	}
	for _, c := range []struct {
		name, header, want string
		looping            bool
	}{
		{"none", "", made + "Lineage=aaaaaaaa:1", false},
		{"no lineage", "Root=1-2;Sampled=1", "Root=1-2;Sampled=1;Lineage=aaaaaaaa:1", false},
		{"no root", "Self=1", made + "Self=1;Lineage=aaaaaaaa:1", false},
		{"again", "Root=1-2;Lineage=aaaaaaaa:3", "Root=1-2;Lineage=aaaaaaaa:4", false},
		{"another", "Root=1-2;Lineage=bbbbbbbb:3", "Root=1-2;Lineage=bbbbbbbb:3|aaaaaaaa:1", false},
		{"escaped by an SDK", "Root=1-2;Lineage=bbbbbbbb:3%7Caaaaaaaa:1", "Root=1-2;Lineage=bbbbbbbb:3|aaaaaaaa:2", false},
		{"newer form", "Lineage=1:aaaaaaaa:5;Root=1-2", "Root=1-2;Lineage=aaaaaaaa:6", false},
		{"the last", "Root=1-2;Lineage=aaaaaaaa:15", "Root=1-2;Lineage=aaaaaaaa:16", false},
		{"one too many", "Root=1-2;Lineage=aaaaaaaa:16", "Root=1-2;Lineage=aaaaaaaa:16", true},
		{"far too many", "Root=1-2;Lineage=aaaaaaaa:99999999", "Root=1-2;Lineage=aaaaaaaa:16", true},
		{"of another", "Root=1-2;Lineage=bbbbbbbb:16", "Root=1-2;Lineage=bbbbbbbb:16|aaaaaaaa:1", false},
		{"nonsense", "Root=1-2;Lineage=aaaaaaaa|aaaaaaaa:x|aaaaaaaa:-1|:|aaaaaaaa:99999999999999999999", "Root=1-2;Lineage=aaaaaaaa:1", false},
		{"no text", "Root=1-2\n;Lineage=aaaaaaaa:3", made + "Lineage=aaaaaaaa:1", false},
		{"too long", "Root=1-2;Lineage=aaaaaaaa:3;X=" + strings.Repeat("x", maxTrace), made + "Lineage=aaaaaaaa:1", false},
		{"long chain", "Root=1-2;Lineage=" + strings.Join(many, "|"),
			"Root=1-2;Lineage=" + strings.Join(many[1:], "|") + "|aaaaaaaa:1", false},
	} {
		next, looping := f.step(c.header, id, time.Unix(60, 0))
		if diff := cmp.Diff(c.want, next); diff != "" || looping != c.looping {
			t.Errorf("%s: looping %v (-want +got):\n%s", c.name, looping, diff)
		}
	}
	if next, _ := f.step("", "x", time.Unix(60, 0)); !strings.HasPrefix(next, "Root=1-0000003c-00000000000000000000000x;") {
		t.Errorf("short id: got %s", next)
	}
	f.RecursiveLoop = types.RecursiveLoopAllow
	if _, looping := f.step("Lineage=aaaaaaaa:16", id, time.Unix(60, 0)); looping {
		t.Error("a loop that is allowed is stopped")
	}
}

// FuzzTrace: whatever a client sends, the header of the run is short, printable, and counts the run.
func FuzzTrace(f *testing.F) {
	for _, seed := range []string{"", "Root=1-2;Lineage=a:1|b:2", "Lineage=1:a:5", "%zz;Lineage=%7C", "Lineage=a:1;Lineage=a:2"} {
		f.Add(seed)
	}
	fn := &function{lineage: "aaaaaaaa"}
	f.Fuzz(func(t *testing.T, header string) {
		before := parseTrace(header)
		next, _ := fn.step(header, "8f1b2a52-7f2e-4b42-a1bb-6f3b7f6a0f10", time.Unix(60, 0))
		after := parseTrace(next)
		if got, want := after.runs("aaaaaaaa"), min(maxRuns, before.runs("aaaaaaaa")+1); got != want && len(next) <= maxTrace {
			t.Errorf("%q: %d runs in %q, want %d", header, got, next, want)
		}
		if len(next) > maxTrace+200 || strings.ContainsFunc(next, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q: got %q", header, next)
		}
	})
}

// TestRecursion: a function that calls itself is stopped in the end, unless it may.
func TestRecursion(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	c := h.newCall("Invoke")
	op := h.operation("Invoke")
	var err error
	runs := 0
	for ; err == nil && runs < 100; runs++ {
		if _, err = op.Handle(t.Context(), c, invokeInput("f")); err == nil {
			c.TraceID = h.runner.invocations[len(h.runner.invocations)-1].TraceID // as SDKs pass it on
		}
	}
	wantError(t, err, "RecursiveInvocationException", 400, "Lambda has detected your function being invoked in a recursive loop with other "+
		"Amazon Web Services resources and stopped your function's invocation.")
	if got := len(h.runner.invocations); got != 16 {
		t.Errorf("ran %d times, want 16", got)
	}
	looping := func() bool {
		f, err := callable{h.lambda}.Function(t.Context(), &async.Event{TraceID: c.TraceID,
			Function: request.Function{Partition: "aws", Region: region, Account: account, Name: "f"}})
		if err != nil {
			t.Fatal(err)
		}
		return f.Looping
	}
	if !looping() {
		t.Error("an event of the loop would run")
	}
	must[sdk.PutFunctionRecursionConfigOutput](h, &sdk.PutFunctionRecursionConfigInput{FunctionName: aws.String("f"),
		RecursiveLoop: types.RecursiveLoopAllow})
	if _, err := op.Handle(t.Context(), c, invokeInput("f")); err != nil || looping() {
		t.Errorf("an allowed loop is stopped: %v", err)
	}
}

// The trace of a batch loses no loop: each function has run as often as in the worst of its messages.
func TestMergeTraces(t *testing.T) {
	for want, headers := range map[string][]string{
		"":                                nil,
		"Root=1-a;Lineage=aa:1":           {"Root=1-a;Lineage=aa:1"},
		"Root=1-a;Lineage=aa:7|bb:2|cc:3": {"Root=1-a;Lineage=aa:1|bb:2", "Root=1-b;Lineage=aa:7|bb:1|cc:3"},
		"Root=1-a;Lineage=aa:16":          {"Root=1-a", "Root=1-b;Lineage=aa:16"},
	} {
		if got := mergeTraces(headers); got != want {
			t.Errorf("%v: got %s, want %s", headers, got, want)
		}
	}
}
