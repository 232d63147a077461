package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/linediff"
	"github.com/licet/licet/policy"
)

type policyFormatFlags struct {
	write, diff, check bool
}

var errNotFormatted = errors.New("not all policies are formatted")

func policyFormatCommand() *cobra.Command {
	var f policyFormatFlags
	cmd := &cobra.Command{
		Use:   "format [FILE|DIRECTORY|- …]",
		Short: "Write policies in one form",
		Long: "Prints the policies of the files that are named and of the files *.json of directories in one form; without any, or for -, standard\n" +
			"input. Elements come in the order in which AWS lists them, a list of one becomes a single value, and the indentation is two spaces. What\n" +
			"a policy says does not change: statements, values and condition keys keep their order.\n\n" +
			"A text that is no policy is refused, and its file left as it is. So is one with comments: JSON has none, AWS refuses them, and there is\n" +
			"no place to keep them in.\n\n" +
			"The exit status is 0, or 1 when --check finds a file in another form, and 2 when a file cannot be used.",
		RunE: func(cmd *cobra.Command, args []string) error { return unusableIf(f.format(cmd, args), errNotFormatted) },
	}
	fs := cmd.Flags()
	fs.BoolVarP(&f.write, "write", "w", false, "write to the files in place of printing")
	fs.BoolVarP(&f.diff, "diff", "d", false, "print what would change")
	fs.BoolVar(&f.check, "check", false, "list files in another form, and fail if there are any")
	return cmd
}

func (f *policyFormatFlags) format(cmd *cobra.Command, args []string) error {
	if f.write && f.check {
		return errors.New("--check writes nothing: choose one of -w and --check")
	}
	docs, err := policyDocuments(args, cmd.InOrStdin())
	if err != nil {
		return err
	}
	// A document that has no form keeps the others from nothing.
	var refused error
	other := false
	for _, d := range docs {
		formatted, err := policy.Format(d.text)
		if e, ok := errors.AsType[*policy.SyntaxError](err); ok {
			refused = errors.Join(refused, fmt.Errorf("%s:%d:%d: %s", d.name, e.Position.Line, e.Position.Column, e.Message))
			continue
		}
		if err != nil {
			return fmt.Errorf("format %s: %w", d.name, err)
		}
		other = other || !bytes.Equal(formatted, d.text)
		if err := f.put(cmd.OutOrStdout(), d, formatted); err != nil {
			return err
		}
	}
	if refused == nil && other && f.check {
		return errNotFormatted
	}
	return refused
}

// put does with a document what the flags say.
func (f *policyFormatFlags) put(out io.Writer, d document, formatted []byte) error {
	same := bytes.Equal(formatted, d.text)
	if f.check && !f.diff && !same {
		_, err := fmt.Fprintln(out, printable(d.name))
		return err
	}
	if f.diff && !same {
		if _, err := io.WriteString(out, linediff.Unified(printable(d.name), string(d.text), string(formatted))); err != nil {
			return err
		}
	}
	if f.write && d.name != stdinName {
		if same {
			return nil
		}
		return replaceFile(d.name, formatted)
	}
	if f.check || f.diff {
		return nil
	}
	_, err := out.Write(formatted)
	return err
}

// replaceFile gives a file other contents at once, or leaves it as it is. Its mode stays, and a symbolic link one.
func replaceFile(name string, content []byte) (err error) {
	if name, err = filepath.EvalSymlinks(name); err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, writeErr := f.Write(content)
	if err := errors.Join(writeErr, f.Chmod(info.Mode().Perm()), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
