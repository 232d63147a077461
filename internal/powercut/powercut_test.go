package powercut

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// How the writer of tests treats the disk.
const (
	careful    = "careful"
	noSync     = "no sync of the file"
	noDirSync  = "no sync of the directory"
	inPlace    = "over the old file"
	writerHow  = "POWERCUT_HOW"
	writerWhat = "POWERCUT_DIR"
)

// TestMain is also the writer that is recorded.
func TestMain(m *testing.M) {
	if dir := os.Getenv(writerWhat); dir != "" {
		how := os.Getenv(writerHow)
		err := error(nil)
		if e, ok := engines[how]; ok {
			err = e.work(dir)
		} else {
			err = work(dir, how)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// content is that of a file with a number, more than a sector.
func content(n int) string { return strings.Repeat(fmt.Sprintf("%08d", n), 200) }

// work replaces a file again and again.
func work(dir, how string) error {
	for n := 1; n <= 8; n++ {
		name, tmp := filepath.Join(dir, "value"), filepath.Join(dir, "new")
		if how == inPlace {
			tmp = name
		}
		f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		_, err = io.WriteString(f, content(n))
		if how != noSync {
			err = errors.Join(err, f.Sync())
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		if how != inPlace {
			if err := os.Rename(tmp, name); err != nil {
				return err
			}
		}
		if how != noDirSync {
			d, err := os.Open(dir)
			if err != nil {
				return err
			}
			if err := errors.Join(d.Sync(), d.Close()); err != nil {
				return err
			}
		}
		fmt.Printf("%s%d\n", Ack, n)
	}
	return nil
}

// intact wants the file to have one of its contents, and none older than what was acknowledged.
func intact(dir string, acknowledged []string) error {
	b, err := os.ReadFile(filepath.Join(dir, "value"))
	if errors.Is(err, os.ErrNotExist) && len(acknowledged) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	for n := 8; n >= len(acknowledged); n-- {
		if string(b) == content(n) {
			return nil
		}
	}
	return fmt.Errorf("%d were acknowledged, and there is %.16q of %d bytes", len(acknowledged), b, len(b))
}

// The simulation finds each carelessness, and none where there is none.
func TestFindsCarelessness(t *testing.T) {
	needStrace(t)
	for _, how := range []string{careful, noSync, noDirSync, inPlace} {
		t.Run(how, func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), writerWhat+"="+dir, writerHow+"="+how)
			r, err := Record(dir, cmd)
			if err != nil {
				t.Fatal(err)
			}
			err = r.Images(1, 200, t.TempDir(), intact)
			if (err == nil) != (how == careful) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// What is recorded, played to its end and synced, is what is there.
func TestRecording(t *testing.T) {
	needStrace(t)
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerWhat+"="+dir, writerHow+"="+careful)
	r, err := Record(dir, cmd)
	if err != nil {
		t.Fatal(err)
	}
	d, acknowledged, err := r.replay(len(r.steps))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"1", "2", "3", "4", "5", "6", "7", "8"}; !slices.Equal(acknowledged, want) {
		t.Errorf("acknowledged %v", acknowledged)
	}
	if r.Syncs() != 16 || len(d.since) != 0 || len(d.root.kept) != 1 || string(d.root.kept["value"].durable) != content(8) {
		t.Errorf("%d syncs, %d names not durable, files %v", r.Syncs(), len(d.since), d.root.kept)
	}
}

func needStrace(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed (make test-deps)")
	}
}
