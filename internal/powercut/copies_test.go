package powercut

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"github.com/licet/licet/internal/backup"
	"github.com/licet/licet/internal/blob"
	blobs "github.com/licet/licet/internal/blob/disk"
	"github.com/licet/licet/internal/image"
	"github.com/licet/licet/internal/registry"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/sqlite"
	"github.com/licet/licet/internal/tlscert"
)

// facts are those of its directories, whose stores have no key.
func facts() backup.Facts {
	return backup.Facts{Needs: needed, Fits: func(context.Context, store.DB, *secret.Keyring) error { return nil }}
}

// needed are the blobs that the store of a data directory needs: those that it has names of.
func needed(ctx context.Context, db store.DB) (map[string][]blob.Name, error) {
	var names []blob.Name
	err := db.View(ctx, func(r store.Reader) error {
		items, err := r.Scan("code/", "", 0)
		for _, item := range items {
			names = append(names, blob.Name(item.Value))
		}
		return err
	})
	return map[string][]blob.Name{backup.Blobs: names}, err
}

// workBackup makes a data directory, a backup of it, and a data directory of that.
func workBackup(dir string) error {
	data, ctx := filepath.Join(dir, "data"), context.Background()
	tool := filepath.Join(data, "images", "1", "root", "put-by-hand")
	err := errors.Join(os.MkdirAll(filepath.Dir(tool), 0o700), os.WriteFile(tool, []byte("tool"), 0o700), os.Symlink("put-by-hand", tool+".link"))
	if err != nil {
		return err
	}
	if _, err := secret.Load(filepath.Join(data, "key")); err != nil {
		return err
	}
	if _, err := tlscert.OpenAuthority(data, []string{"localhost"}, time.Now); err != nil {
		return err
	}
	code, err := blobs.Open(filepath.Join(data, backup.Blobs))
	if err != nil {
		return err
	}
	db, err := sqlite.Open(ctx, filepath.Join(data, storeFile))
	if err != nil {
		return err
	}
	for n := range 8 {
		name, _, err := code.Put(ctx, bytes.NewReader(bytesOf(n, 60_000)))
		if err == nil {
			err = db.Update(ctx, func(tx store.Tx) error { return tx.Put(fmt.Sprint("code/", n), []byte(name)) })
		}
		if err != nil {
			return err
		}
	}
	copied, restored := filepath.Join(dir, "copy"), filepath.Join(dir, "restored")
	if _, err := backup.Save(ctx, data, copied, facts()); err != nil {
		return err
	}
	fmt.Println(Ack + "copy")
	if err := db.Close(); err != nil {
		return err
	}
	if _, err := backup.Restore(ctx, copied, restored, facts()); err != nil {
		return err
	}
	fmt.Println(Ack + "restored")
	return nil
}

// checkBackup wants what was acknowledged, and what has its name to be whole in any case.
func checkBackup(dir string, acknowledged []string) error {
	ctx := context.Background()
	for _, name := range []string{"copy", "restored"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !slices.Contains(acknowledged, name) {
			continue
		}
		report, err := backup.Check(ctx, path, facts())
		if err == nil && (!report.OK() || report.Needed != 8) {
			err = fmt.Errorf("it needs %d blobs: %v", report.Needed, report.Problems)
		}
		if err == nil {
			_, err = tlscert.OpenAuthority(path, []string{"localhost"}, time.Now)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if tool, err := os.ReadFile(filepath.Join(path, "images", "1", "root", "put-by-hand.link")); err != nil || string(tool) != "tool" {
			return fmt.Errorf("%s: the image has %q, %v", name, tool, err)
		}
	}
	return nil
}

const imageCount = 4

// imageOf makes the same image whenever it is called.
func imageOf(n int) (v1.Image, error) {
	return random.Image(20_000, 2, random.WithSource(rand.NewSource(int64(n))))
}

// images are a source of those.
type images map[string]v1.Image

func allImages() (images, error) {
	all := images{}
	for n := range imageCount {
		i, err := imageOf(n)
		if err != nil {
			return nil, err
		}
		digest, err := i.Digest()
		if err != nil {
			return nil, err
		}
		all[digest.String()] = i
	}
	return all, nil
}

func (all images) Open(_ context.Context, _, digest string) (registry.Content, error) {
	i := all[digest]
	manifest, err := i.RawManifest()
	return registry.Content{Manifest: manifest, Blob: func(digest v1.Hash) (io.ReadCloser, error) {
		layer, err := i.LayerByDigest(digest) // the configuration, too
		if err != nil {
			return nil, err
		}
		return layer.Compressed()
	}}, err
}

func openImages(dir string) (images, *image.Store, error) {
	all, err := allImages()
	if err != nil {
		return nil, nil, err
	}
	place := filepath.Join(dir, "images")
	s := image.New(image.Settings{Dir: place, Source: all})
	if err := os.MkdirAll(place, 0o700); err != nil {
		return nil, nil, err
	}
	return all, s, s.Open(func(digest string) bool { return all[digest] != nil })
}

func workImages(dir string) error {
	all, s, err := openImages(dir)
	if err != nil {
		return err
	}
	defer s.Close()
	for digest := range all {
		if _, err := s.Get(context.Background(), "name", digest); err != nil {
			return err
		}
		fmt.Printf("%s%s\n", Ack, digest)
	}
	return nil
}

// checkImages wants an image that is there to have all its files; to be there is for none: a server fetches those that it lacks.
func checkImages(dir string, _ []string) error {
	all, s, err := openImages(dir)
	if err != nil {
		return err
	}
	defer s.Close()
	for digest, i := range all {
		if state, _ := s.Look(digest); state != image.Ready {
			continue
		}
		there, err := s.Get(context.Background(), "name", digest)
		if err != nil {
			return err
		}
		layers, err := i.Layers()
		for _, layer := range layers {
			err = errors.Join(err, hasLayer(there.Dir, layer))
		}
		if err != nil {
			return fmt.Errorf("image %s: %w", digest, err)
		}
	}
	return nil
}

// hasLayer compares the files of a layer with those in a directory.
func hasLayer(dir string, layer v1.Layer) error {
	r, err := layer.Uncompressed()
	if err != nil {
		return err
	}
	defer r.Close()
	for archive := tar.NewReader(r); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		want, err := io.ReadAll(archive)
		if err != nil {
			return err
		}
		got, err := os.ReadFile(filepath.Join(dir, h.Name))
		if err != nil || string(got) != string(want) {
			return fmt.Errorf("%s has %d bytes and not those of the image: %v", h.Name, len(got), err)
		}
	}
}

func workAuthority(dir string) error {
	if _, err := tlscert.OpenAuthority(dir, []string{"localhost"}, time.Now); err != nil {
		return err
	}
	ca, err := os.ReadFile(filepath.Join(dir, tlscert.CertificateFile))
	fmt.Printf("%s%x\n", Ack, ca)
	return err
}

// checkAuthority wants the authority that clients were told to trust, if they were.
func checkAuthority(dir string, acknowledged []string) error {
	if _, err := tlscert.OpenAuthority(dir, []string{net.IPv6loopback.String()}, time.Now); err != nil {
		return err
	}
	ca, err := os.ReadFile(filepath.Join(dir, tlscert.CertificateFile))
	if err == nil && len(acknowledged) > 0 && fmt.Sprintf("%x", ca) != acknowledged[0] {
		err = errors.New("the authority is another one")
	}
	return err
}
