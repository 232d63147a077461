package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// fetch downloads a package, compares its hash, and returns its files by their path inside the package.
func fetch(p npmPackage) (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "awsdata-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // a temporary folder, ours alone
	npm := exec.Command("npm", "pack", "--pack-destination", dir, p.name+"@"+p.version)
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm pack %s@%s: %v\n%s", p.name, p.version, err, out)
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return nil, fmt.Errorf("npm pack %s@%s left %d archives: %v", p.name, p.version, len(archives), err)
	}
	archive, err := os.ReadFile(archives[0])
	if err != nil {
		return nil, err
	}
	sum := sha512.Sum512(archive)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != p.integrity {
		return nil, fmt.Errorf("%s@%s has integrity %s, want %s", p.name, p.version, got, p.integrity)
	}
	return unpack(archive)
}

// unpack reads a package's archive; every path in it starts with "package/".
func unpack(archive []byte) (map[string][]byte, error) {
	zr, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	tr := tar.NewReader(zr)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			return nil, err
		}
		files[strings.TrimPrefix(h.Name, "package/")] = data
	}
}
