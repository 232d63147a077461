package lambda

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/protocol"
)

// TestKeptListing: a page is made once for everybody, until a function in it, or what is in it, changes.
func TestKeptListing(t *testing.T) {
	h := newHarness(t)
	list := func() *sdk.ListFunctionsOutput {
		out := must[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{MaxItems: aws.Int32(2)})
		if again := must[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{MaxItems: aws.Int32(2)}); again != out {
			t.Errorf("made again: %v", names(out))
		}
		if protocol.EncodingOf(&out.ResultMetadata) == nil {
			t.Errorf("to be encoded again: %v", names(out))
		}
		return out
	}
	list() // the empty page
	for _, name := range []string{"f", "g", "i"} {
		h.create(name)
	}
	for _, c := range []struct {
		change func()
		want   string
		more   bool
	}{
		{func() {}, "[f:3 g:3]", true},
		{func() {
			must[sdk.UpdateFunctionConfigurationOutput](h, h.update(func(in *sdk.UpdateFunctionConfigurationInput) { in.Timeout = aws.Int32(9) }))
		}, "[f:9 g:3]", true},
		{func() { h.remove("f") }, "[g:3 i:3]", false},
		{func() { h.create("f") }, "[f:3 g:3]", true},
		{func() { h.remove("i") }, "[f:3 g:3]", false},
		{func() { h.create("e") }, "[e:3 f:3]", true},
	} {
		c.change()
		if out := list(); names(out) != c.want || (out.NextMarker != nil) != c.more {
			t.Errorf("got %s, more %v, want %s, %v", names(out), out.NextMarker != nil, c.want, c.more)
		}
	}
}

func (h *harness) remove(name string) {
	must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: &name})
}

func names(out *sdk.ListFunctionsOutput) string {
	all := []string{}
	for _, f := range out.Functions {
		all = append(all, fmt.Sprint(*f.FunctionName, ":", *f.Timeout))
	}
	return fmt.Sprint(all)
}

// TestPrivateListing: a page with variables that not everybody may decrypt is kept for nobody.
func TestPrivateListing(t *testing.T) {
	h := newHarness(t)
	h.create("e")
	in := h.newFunction("f")
	in.KMSKeyArn, in.Environment = aws.String(keyARN), &types.Environment{Variables: map[string]string{"KEY": "value"}}
	must[sdk.CreateFunctionOutput](h, in)
	for _, decrypts := range []bool{true, false, true, false} {
		h.decrypts = decrypts
		out := must[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{})
		if e := out.Functions[1].Environment; (e.Variables["KEY"] == "value") != decrypts || (e.Error == nil) != decrypts {
			t.Errorf("decrypts %v: got %+v", decrypts, e)
		}
		if protocol.EncodingOf(&out.ResultMetadata) != nil {
			t.Error("the answer would be encoded for all")
		}
	}
	// Without the variables, or without the key, it is for everybody.
	must[sdk.UpdateFunctionConfigurationOutput](h, h.update(func(in *sdk.UpdateFunctionConfigurationInput) { in.KMSKeyArn = aws.String("") }))
	if out := must[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{}); protocol.EncodingOf(&out.ResultMetadata) == nil {
		t.Error("the answer would be encoded for each")
	}
}

// TestListingsOfOthers: accounts see their own pages, and no more than enough are kept.
func TestListingsOfOthers(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	for range 2 {
		for _, c := range []struct{ account, want string }{{account, "[f:3]"}, {stranger, "[]"}} {
			h.account = c.account
			if out := must[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{}); names(out) != c.want {
				t.Errorf("%s: got %s, want %s", c.account, names(out), c.want)
			}
		}
	}
	var l listings
	var wg sync.WaitGroup
	for size := range 3 * keptListings {
		wg.Go(func() {
			l.put(listingKey{size: size}, &listing{})
			l.get(listingKey{size: size})
		})
	}
	if wg.Wait(); len(l.pages) != keptListings {
		t.Errorf("%d pages are kept", len(l.pages))
	}
	long := listingKey{after: strings.Repeat("x", longestName+1)}
	if l.put(long, &listing{}); l.get(long) != nil {
		t.Error("a page after a long marker is kept")
	}
}
