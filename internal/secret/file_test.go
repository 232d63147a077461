package secret_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/internal/secret"
)

var now = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// states are those of the keys of a file, in order.
func states(f *secret.File) (s string) {
	for _, k := range f.Keys {
		s += string(k.State) + " "
	}
	return strings.TrimSpace(s)
}

// A key is replaced while what it sealed is still about, and each step can be read from its file.
func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	ring, err := secret.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	first := ring.IDs()[0]
	old := seal(t, ring, "p", "old")
	f, err := secret.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	step := func(want string, opens ...[]byte) {
		t.Helper()
		if err := f.Write(path); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("the file: %v, %v", info, err)
		}
		if f, err = secret.ReadFile(path); err != nil {
			t.Fatal(err)
		}
		if got := states(f); got != want {
			t.Errorf("keys %q, want %q", got, want)
		}
		ring.Use(f)
		for _, sealed := range opens {
			if _, err := ring.Open("p", sealed); err != nil {
				t.Errorf("%s: %v", want, err)
			}
		}
	}
	next := f.Add(now)
	step("seals next", old)
	if got := ring.IDs()[0]; got != first {
		t.Errorf("%s seals, want %s", got, first)
	}
	other := f.Keyring() // another server that has the file
	f.Turn(f.Find(next.ID()), now)
	step("seals old", old)
	fresh := seal(t, ring, "p", "new")
	if _, id, err := other.OpenBy("p", fresh); err != nil || id != next.ID() {
		t.Errorf("a server whose file has the key as the next: %s, %v", id, err)
	}
	if f.Keys[1].Since != now || f.Keys[1].ID() != first {
		t.Errorf("the old key: %v since %v", f.Keys[1], f.Keys[1].Since)
	}
	f.Add(now)
	f.Turn(2, now)
	step("seals old old", old, fresh)
	f.Drop(f.Find(first))
	step("seals old", fresh)
	if _, err := ring.Open("p", old); err == nil {
		t.Error("a key that is gone opens")
	}
	if text := fmt.Sprintf("%v %+v %#v", f.Keys[0], f.Keys, f.Keys[0]); strings.Contains(text, fmt.Sprint(f.Keys[0].Master[:4])) {
		t.Errorf("a key is printed: %s", text)
	}
}

func TestParseFile(t *testing.T) {
	var good secret.File
	good.Add(now)
	good.Keys[0].State = secret.Seals
	good.Add(now)
	text := string(good.Text())
	lines := strings.SplitAfter(text, "\n")
	for name, bad := range map[string]string{
		"nothing": "", "a comment alone": lines[0], "no comment": lines[1], "two that seal": lines[0] + lines[1] + strings.Replace(lines[2], "next", "seals", 1),
		"none that seals": lines[0] + lines[2], "twice": lines[0] + lines[1] + strings.Replace(lines[1], "seals", "old", 1),
		"another state": strings.Replace(text, "next", "later", 1), "a short key": strings.Replace(text, "=\n", "\n", 1),
		"no time": strings.Replace(text, "2026-", "x", 1), "many": lines[0] + lines[1] + strings.Repeat(lines[2], 8),
		"31 bytes": strings.Repeat("x", 31),
	} {
		if f, err := secret.ParseFile([]byte(bad)); err == nil {
			t.Errorf("%s: %v", name, states(f))
		} else if strings.Contains(err.Error(), strings.Fields(lines[1])[2]) {
			t.Errorf("%s: the error has the key: %v", name, err)
		}
	}
	if f, err := secret.ParseFile(bytes.Repeat([]byte("k"), secret.KeySize)); err != nil || states(f) != "seals" {
		t.Errorf("a key alone, as in earlier releases: %v", err)
	}
}

// No text and no log has the key.
func TestKeyIsKeptOut(t *testing.T) {
	var f secret.File
	k := f.Add(now)
	var b bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("x", "key", k, "keyring", f.Keyring())
	}
	fmt.Fprintf(&b, "%v %+v %#v %v %#v %v", k, k, k, f, f, f.Keyring())
	bytewise := strings.Trim(fmt.Sprint(k.Master[:8]), "[]")
	for _, form := range []string{bytewise, strings.ReplaceAll(bytewise, " ", ","), fmt.Sprintf("%x", k.Master[:8]), string(k.Master[:8])} {
		if strings.Contains(b.String(), form) {
			t.Errorf("%q is in %s", form, &b)
		}
	}
}

func FuzzParseFile(f *testing.F) {
	var file secret.File
	file.Add(now)
	file.Keys[0].State = secret.Seals
	file.Add(now)
	f.Add(file.Text())
	f.Add(make([]byte, secret.KeySize))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := secret.ParseFile(b)
		if err != nil {
			return
		}
		again, err := secret.ParseFile(file.Text())
		if err != nil || states(again) != states(file) || !slices.Equal(again.Keyring().IDs(), file.Keyring().IDs()) {
			t.Errorf("%q is written as %q: %v", b, file.Text(), err)
		}
	})
}

// Every purpose in the code is known to be of what is stored, or of what passes: a key must not go while something is sealed with it.
func TestPurposesAreKnown(t *testing.T) {
	purpose := regexp.MustCompile(`(?i)purpose\s*=\s*"([^"]+)"`)
	found := 0
	for _, dir := range []string{"..", "../../cmd"} {
		if err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range purpose.FindAllStringSubmatch(string(text), -1) {
				found++
				if !slices.Contains(secret.Stored, m[1]) && !slices.Contains(secret.Passing, m[1]) {
					t.Errorf("%s: %q is neither in Stored nor in Passing", path, m[1])
				}
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if found != len(secret.Stored)+len(secret.Passing) {
		t.Errorf("found %d purposes, know %d", found, len(secret.Stored)+len(secret.Passing))
	}
}
