package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/licet/licet/internal/blob/s3"
)

// A place that lacks what the one before has is refused, with the command that copies it. What is refused is not kept.
func TestSetBlobs(t *testing.T) {
	filled := func(names ...string) string {
		dir := t.TempDir()
		for _, name := range names {
			path := filepath.Join(dir, name, "ab", "file")
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	both, code, none := filled(codeBlobs, objectBlobs), filled(codeBlobs), filled()
	for name, tt := range map[string]struct {
		before, place, want string
	}{
		"at first, with nothing":     {"", none, ""},
		"the same":                   {both, both, ""},
		"all is there":               {both, filled(codeBlobs, objectBlobs), ""},
		"there was less":             {code, both, ""},
		"back to the data directory": {none, "DATA", ""},
		"code is missing":            {code, none, "--blobs: " + none + " has no blobs, and " + code + " has: copy them first, with cp -a '" + code + "/blobs' '" + none + "'"},
		"objects are missing":        {both, code, "--blobs: " + code + " has no objects, and " + both + " has: copy them first, with cp -a '" + both + "/objects' '" + code + "'"},
		"no mount":                   {none, filepath.Join(none, "x"), "--blobs: stat " + none + "/x: no such file or directory"},
		"not a directory":            {none, file, "--blobs: " + file + " is not a directory"},
		"no bucket":                  {none, "s3://", `--blobs: "" is not the name of a bucket`},
	} {
		t.Run(name, func(t *testing.T) {
			d := dataDir(t.TempDir())
			want := string(d)
			if tt.before != "" {
				want = tt.before
				if err := d.write(blobsFile, tt.before+"\n"); err != nil {
					t.Fatal(err)
				}
			}
			place := strings.Replace(tt.place, "DATA", string(d), 1)
			err := d.setBlobs(t.Context(), place)
			if tt.want == "" {
				want = place
			}
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if got, err := d.blobs(); got != want || err != nil {
				t.Errorf("blobs are in %s, %v, want %s", got, err, want)
			}
		})
	}
}

func TestCopying(t *testing.T) {
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_S3": ""} {
		t.Setenv(name, value)
	}
	bucket := func(text string) blobPlace {
		p, err := dataDir(t.TempDir()).blobPlace(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, tt := range []struct {
		from, to blobPlace
		want     string
	}{
		{folder("/a"), folder("/b c"), `cp -a '/a/blobs' '/b c'`},
		{folder("/a"), bucket("s3://my-bucket/p?region=eu-west-1"), `aws s3 sync '/a/blobs' 's3://my-bucket/p/blobs'`},
		{bucket("s3://my-bucket?region=eu-west-1&endpoint=http://h:1"), folder("/b"), `aws s3 sync 's3://my-bucket/blobs' '/b/blobs' --endpoint-url 'http://h:1'`},
		{
			bucket("s3://my-bucket?region=eu-west-1&endpoint=http://h:1"), bucket("s3://my-bucket?region=eu-west-1"),
			`aws s3 sync 's3://my-bucket/blobs' DIRECTORY --endpoint-url 'http://h:1' && aws s3 sync DIRECTORY 's3://my-bucket/blobs'`,
		},
	} {
		if got := copying(tt.from, tt.to, codeBlobs); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
	if _, err := dataDir(t.TempDir()).blobPlace(t.Context(), "s3://u:hush@my-bucket"); err == nil || strings.Contains(err.Error(), "hush") || !s3.IsURL("s3://") {
		t.Errorf("got %v", err)
	}
}
