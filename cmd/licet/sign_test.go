package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/internal/codesign"
	"github.com/licet/licet/internal/codesign/codesigntest"
)

const testProfile = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/0123456789"

func TestSign(t *testing.T) {
	keyFile, certificateFile := codesigntest.PublisherFiles(t)
	known, err := publishers([]string{testProfile + "=" + certificateFile})
	if err != nil {
		t.Fatal(err)
	}
	from, to := filepath.Join(t.TempDir(), "code.zip"), filepath.Join(t.TempDir(), "signed.zip")
	f, err := os.Create(from)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	if _, err := w.Create("app.py"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if err := sign(from, to, testProfile, keyFile, time.Hour, now); err != nil {
		t.Fatal(err)
	}
	signed, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	got, err := codesign.Verify(signed, known, now)
	if err != nil || got.Profile != testProfile || !got.Expires.Equal(now.Add(time.Hour)) ||
		!strings.HasPrefix(got.Job, "arn:aws:signer:us-east-1:000000000000:/signing-jobs/") {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, err := range map[string]error{
		"no profile":      sign(from, to, "p", keyFile, time.Hour, now),
		"no key":          sign(from, to, testProfile, certificateFile, time.Hour, now),
		"no archive":      sign(keyFile, to, testProfile, keyFile, time.Hour, now),
		"signed already":  sign(to, from, testProfile, keyFile, time.Hour, now),
		"missing archive": sign(from+"x", to, testProfile, keyFile, time.Hour, now),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, profile := range []string{testProfile, "p=" + certificateFile, testProfile + "=" + keyFile, testProfile + "=/missing"} {
		if _, err := publishers([]string{profile}); err == nil {
			t.Errorf("%s was taken", profile)
		}
	}
	if _, err := publishers([]string{testProfile + "=" + certificateFile, testProfile + "=" + certificateFile}); err == nil {
		t.Error("a profile was taken twice")
	}
}
