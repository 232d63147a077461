package linediff

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnified(t *testing.T) {
	want := "--- f\n+++ f (formatted)\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n\\ No newline at end of file\n"
	if diff := cmp.Diff(want, Unified("f", "a\nb\nc", "a\nx\nc")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// FuzzUnified wants both texts to be read back from what they differ in.
func FuzzUnified(f *testing.F) {
	f.Add("a\nb\n", "b\nc")
	f.Add("", "\n\n")
	f.Fuzz(func(t *testing.T, before, after string) {
		_, hunk, _ := strings.Cut(Unified("f", before, after), "@@\n")
		var a, b string
		lines := strings.SplitAfter(hunk, "\n")
		for i, l := range lines {
			if l == "" || l[0] == '\\' {
				continue
			}
			text := l[1:]
			if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "\\") {
				text = strings.TrimSuffix(text, "\n")
			}
			if l[0] != '+' {
				a += text
			}
			if l[0] != '-' {
				b += text
			}
		}
		if a != before || b != after {
			t.Fatalf("got %q and %q, want %q and %q", a, b, before, after)
		}
	})
}
