package powercut

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/licet/licet/internal/blob"
	blobs "github.com/licet/licet/internal/blob/disk"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/sqlite"
)

// engine is what licet keeps in files: how it works, and what must be there whenever the power was cut.
type engine struct {
	work  func(dir string) error
	check func(dir string, acknowledged []string) error
}

var engines = map[string]engine{
	"store": {workStore, checkStore}, "blobs": {workBlobs, checkBlobs}, "key": {workKey, checkKey},
	"backup": {workBackup, checkBackup}, "images": {workImages, checkImages}, "authority": {workAuthority, checkAuthority},
}

// bytesOf are the bytes that belong to a number: size and content differ from those of others.
func bytesOf(n, most int) []byte {
	return bytes.Repeat([]byte(fmt.Sprintf("%07d\n", n)), 1+n*7919%(most/8))
}

const storeFile = "licet.db"

// workStore counts, and keeps with each number a value, in one transaction; now and then it removes an old one. The log is written back to the
// file when it is long, and when the file is closed, which happens a few times.
func workStore(dir string) error {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, filepath.Join(dir, storeFile))
	if err != nil {
		return err
	}
	for n := 1; n <= 60; n++ {
		if n%25 == 0 {
			if err = db.Close(); err == nil {
				db, err = sqlite.Open(ctx, filepath.Join(dir, storeFile))
			}
			if err != nil {
				return err
			}
		}
		if err := db.Update(ctx, func(tx store.Tx) error {
			err := errors.Join(store.PutJSON(tx, "n", n), tx.Put("v/"+strconv.Itoa(n), bytesOf(n, 150_000)))
			if n%7 == 0 {
				err = errors.Join(err, tx.Delete("v/"+strconv.Itoa(n-5)))
			}
			return err
		}); err != nil {
			return err
		}
		fmt.Printf("%s%d\n", Ack, n)
	}
	return db.Close()
}

// checkStore wants all transactions up to some number, which is not less than what was acknowledged, and nothing of those after.
func checkStore(dir string, acknowledged []string) error {
	ctx := context.Background()
	path := filepath.Join(dir, storeFile)
	db, err := sqlite.Open(ctx, path)
	if err != nil {
		return err
	}
	err = db.View(ctx, func(r store.Reader) error {
		n, err := store.GetJSON[int](r, "n")
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if n < len(acknowledged) {
			return fmt.Errorf("%d were acknowledged, and %d are there", len(acknowledged), n)
		}
		for i := 1; i <= 60; i++ {
			item, err := r.Get("v/" + strconv.Itoa(i))
			there := err == nil
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			removed := (i+5)%7 == 0 && i+5 <= n
			if there != (i <= n && !removed) || there && !bytes.Equal(item.Value, bytesOf(i, 150_000)) {
				return fmt.Errorf("after %d: value %d is there: %v, %d bytes", n, i, there, len(item.Value))
			}
		}
		return nil
	})
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	problems, err := sqlite.Verify(ctx, path)
	if len(problems) > 0 {
		err = errors.Join(err, fmt.Errorf("the file is damaged: %v", problems))
	}
	return err
}

func workBlobs(dir string) error {
	s, err := blobs.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		return err
	}
	for n := 1; n <= 25; n++ {
		name, _, err := s.Put(context.Background(), bytes.NewReader(bytesOf(n, 60_000)))
		if err != nil {
			return err
		}
		fmt.Printf("%s%s\n", Ack, name)
	}
	return nil
}

// checkBlobs wants what was acknowledged, and no name with other bytes.
func checkBlobs(dir string, acknowledged []string) error {
	s, err := blobs.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		return err
	}
	there := map[blob.Name]bool{}
	for name, err := range s.Names(context.Background()) {
		if err != nil {
			return err
		}
		f, err := s.Open(context.Background(), name)
		if err != nil {
			return err
		}
		h := sha256.New()
		_, err = io.Copy(h, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		if hex.EncodeToString(h.Sum(nil)) != string(name) {
			return fmt.Errorf("%s has other bytes", name)
		}
		there[name] = true
	}
	for _, name := range acknowledged {
		if !there[blob.Name(name)] {
			return fmt.Errorf("%s was acknowledged, and is gone", name)
		}
	}
	return nil
}

func workKey(dir string) error {
	path := filepath.Join(dir, "key")
	if _, err := secret.Load(path); err != nil {
		return err
	}
	for range 6 {
		f, err := secret.ReadFile(path)
		if err != nil {
			return err
		}
		k := f.Add(time.Now())
		if len(f.Keys) > 3 {
			f.Drop(1)
		}
		if err := f.Write(path); err != nil {
			return err
		}
		fmt.Printf("%s%s\n", Ack, k.ID())
	}
	return nil
}

// checkKey wants a file that can be read, with the key that was added last.
func checkKey(dir string, acknowledged []string) error {
	f, err := secret.ReadFile(filepath.Join(dir, "key"))
	if errors.Is(err, os.ErrNotExist) && len(acknowledged) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if n := len(acknowledged); n > 0 && f.Find(acknowledged[n-1]) < 0 {
		return fmt.Errorf("key %s was acknowledged, and is not there", acknowledged[n-1])
	}
	return nil
}

// TestPowerCuts: whenever the power goes, what was acknowledged is there, and all can be opened. LICET_POWERCUTS makes it more than some.
func TestPowerCuts(t *testing.T) {
	needStrace(t)
	cuts, err := Cuts(25)
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), writerWhat+"="+dir, writerHow+"="+name)
			r, err := Record(dir, cmd)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Images(uint64(time.Now().UnixNano()), cuts, t.TempDir(), e.check); err != nil {
				t.Error(err)
			}
		})
	}
}
