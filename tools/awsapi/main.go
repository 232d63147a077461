// Command awsapi writes the *api packages under internal/services: what each AWS service looks like on the wire, read off
// aws-sdk-go-v2's clients by reflection, and off its source in the module cache.
//
// It touches nothing but those files and needs no network. Its output depends only on the SDK versions in go.mod; a test compares
// it with what is in the tree. Run it from the module root:
//
//	go run ./tools/awsapi
//
// To add a service: one entry in services.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "awsapi:", err)
		os.Exit(1)
	}
}

// run writes the files of every service below the module at root.
func run(root string) error {
	for _, s := range services() {
		src, err := s.source()
		if err != nil {
			return fmt.Errorf("generate %s: %w", s.pkg, err)
		}
		path := filepath.Join(root, s.path())
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, src, 0o666); err != nil {
			return err
		}
	}
	return nil
}
