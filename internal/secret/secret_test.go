package secret_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/licet/licet/internal/secret"
)

func keyring(first byte) *secret.Keyring { return secret.New([secret.KeySize]byte{first}) }

func seal(t *testing.T, k *secret.Keyring, purpose, text string) []byte {
	t.Helper()
	sealed, err := k.Seal(purpose, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealAndOpen(t *testing.T) {
	k := keyring(1)
	for _, text := range []string{"", "x", strings.Repeat("long", 1<<16)} {
		sealed := seal(t, k, "p", text)
		if got, err := k.Open("p", sealed); err != nil || string(got) != text {
			t.Errorf("%d bytes: got %d, %v", len(text), len(got), err)
		}
		if len(text) > 3 && bytes.Contains(sealed, []byte("long")) {
			t.Error("the text shows")
		}
		if bytes.Equal(sealed, seal(t, k, "p", text)) {
			t.Error("the same text is sealed alike twice")
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	k := keyring(1)
	sealed := seal(t, k, "session", "text")
	refused := func(name string, k *secret.Keyring, purpose string, sealed []byte) {
		t.Helper()
		if got, err := k.Open(purpose, sealed); !errors.Is(err, secret.ErrSealed) || got != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	refused("other key", keyring(2), "session", sealed)
	for _, purpose := range []string{"", "Session", "session ", "code-link"} {
		refused("purpose "+purpose, k, purpose, sealed)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		refused(fmt.Sprintf("byte %d changed", i), k, "session", changed)
		refused(fmt.Sprintf("cut at %d", i), k, "session", sealed[:i])
	}
	refused("longer", k, "session", append(bytes.Clone(sealed), 0))
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	first, err := secret.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 || info.Size() != secret.KeySize {
		t.Errorf("the key file has mode %v and %d bytes, %v", info.Mode(), info.Size(), err)
	}
	again, err := secret.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open("p", seal(t, first, "p", "x")); err != nil || string(got) != "x" {
		t.Errorf("the key changed: %q, %v", got, err)
	}
	if files, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".key-*")); err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, prepare := range map[string]func(path string) error{
		"empty":     func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"short":     func(path string) error { return os.WriteFile(path, make([]byte, secret.KeySize-1), 0o600) },
		"long":      func(path string) error { return os.WriteFile(path, make([]byte, secret.KeySize+1), 0o600) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"open to others": func(path string) error {
			return errors.Join(os.WriteFile(path, make([]byte, secret.KeySize), 0o600), os.Chmod(path, 0o604))
		},
		"open to the group": func(path string) error {
			return errors.Join(os.WriteFile(path, make([]byte, secret.KeySize), 0o600), os.Chmod(path, 0o640))
		},
		"folder missing": func(path string) error { return os.Remove(filepath.Dir(path)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "folder", "key")
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := prepare(path); err != nil {
				t.Fatal(err)
			}
			if _, err := secret.Load(path); err == nil {
				t.Error("Load accepted it")
			}
		})
	}
}

// Whoever is first makes the key; all others get the same.
func TestLoadConcurrently(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	rings := make([]*secret.Keyring, 16)
	var group sync.WaitGroup
	for i := range rings {
		group.Go(func() {
			var err error
			if rings[i], err = secret.Load(path); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if t.Failed() {
		return
	}
	sealed := seal(t, rings[0], "p", "x")
	for i, k := range rings {
		if _, err := k.Open("p", sealed); err != nil {
			t.Errorf("%d has another key", i)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	k := keyring(1)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			purpose := fmt.Sprint(i % 3)
			sealed, err := k.Seal(purpose, []byte("x"))
			got, openErr := k.Open(purpose, sealed)
			if err != nil || openErr != nil || string(got) != "x" {
				t.Errorf("got %q, %v, %v", got, err, openErr)
			}
		})
	}
	group.Wait()
}

func TestKeyIsNotPrinted(t *testing.T) {
	k := secret.New([secret.KeySize]byte([]byte(strings.Repeat("K", secret.KeySize))))
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "keys", k)
	for _, text := range []string{log.String(), fmt.Sprint(k), fmt.Sprintf("%v %+v %#v %s", k, k, k, k)} {
		if strings.Contains(text, "75 75") || strings.Contains(text, "0x4b") || strings.Contains(text, "KKK") {
			t.Errorf("the key shows in %s", text)
		}
	}
}

func FuzzOpen(f *testing.F) {
	k := keyring(1)
	f.Add([]byte("no text that was sealed"))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if _, err := k.Open("p", sealed); !errors.Is(err, secret.ErrSealed) {
			t.Errorf("got %v", err)
		}
	})
}
