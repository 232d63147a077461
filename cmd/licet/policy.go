package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/policylint"
)

func policyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Check, format and try out policy documents; no server is needed",
	}
	cmd.AddCommand(policyLintCommand(), policyFormatCommand(), policySimulateCommand())
	return cmd
}

// unusableIf gives an error the exit status of what cannot be used, unless it is the expected one.
func unusableIf(err, expected error) error {
	if err != nil && !errors.Is(err, expected) {
		return exitStatus{err, unusable}
	}
	return err
}

// maxPolicyFile bounds the files that are read, in bytes: the largest policy that AWS saves has 20,480.
const maxPolicyFile = 1 << 20

// stdinName is how messages call standard input.
const stdinName = "<stdin>"

// document is a text that is to be a policy.
type document struct {
	// name is the file's path; stdinName for standard input.
	name string
	text []byte
}

// policyDocuments reads the files that are named, and of directories those named *.json that seem to be policies; of several documents each
// is read once. Without a name, or with "-", it reads standard input.
func policyDocuments(args []string, stdin io.Reader) ([]document, error) {
	if len(args) == 0 {
		args = []string{"-"}
	}
	var docs []document
	if slices.Contains(args, "-") {
		text, err := readPolicy(stdinName, stdin)
		if err != nil {
			return nil, err
		}
		docs = append(docs, document{stdinName, text})
		args = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "-" })
	}
	var found []string // in directories
	paths, err := filesOf(args, func(path string) bool {
		json := strings.EqualFold(filepath.Ext(path), ".json")
		if json {
			found = append(found, path)
		}
		return json
	})
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		inDirectory := slices.Contains(found, path) && !slices.Contains(args, path)
		if inDirectory {
			info, err := os.Stat(path)
			if err != nil {
				return nil, err
			}
			if !info.Mode().IsRegular() || info.Size() > maxPolicyFile {
				continue
			}
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		text, err := readPolicy(path, f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		if !inDirectory || policylint.IsPolicy(text) {
			docs = append(docs, document{path, text})
		}
	}
	if len(docs) == 0 {
		return nil, fmt.Errorf("there is no policy in a file *.json of %s", strings.Join(args, ", "))
	}
	return docs, nil
}

func readPolicy(name string, r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxPolicyFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxPolicyFile {
		return nil, fmt.Errorf("%s has more than %d bytes, too many for a policy", name, maxPolicyFile)
	}
	return text, nil
}
