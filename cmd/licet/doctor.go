package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/runtimes"
	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/sandbox/native"
	"github.com/licet/licet/internal/sandbox/oci"
	"github.com/licet/licet/internal/sandbox/process"
)

// openDriver makes the sandbox driver that was chosen. To add one: one case.
func openDriver(c config) (sandbox.Driver, error) {
	dir, err := filepath.Abs(dataDir(c.Data).path("run"))
	if err != nil {
		return nil, err
	}
	var d sandbox.Driver
	switch c.Sandbox {
	case "native":
		d, err = native.New(native.Config{Dir: dir})
	case "oci":
		d, err = oci.New(oci.Config{Dir: dir, Runtime: c.OCIRuntime})
	case "process":
		return process.New(process.Config{Dir: dir})
	default:
		return nil, fmt.Errorf("--sandbox %q: want native, oci or process", c.Sandbox)
	}
	if err != nil {
		return nil, fmt.Errorf("%w (licet doctor says more; --sandbox process goes on without isolation)", err)
	}
	return d, nil
}

// defaultSandbox isolates, and needs no other program where that is possible.
func defaultSandbox() string {
	if native.Supported {
		return "native"
	}
	return "oci"
}

func doctorCommand() *cobra.Command {
	var runtime string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check what this machine can do: sandboxes and runtimes",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return doctor(cmd, runtime) },
	}
	cmd.Flags().StringVar(&runtime, "oci-runtime", "", "program of the oci sandbox; default crun, else runc")
	return cmd
}

// doctor tries each driver and looks for each runtime. It fails when no driver works.
func doctor(cmd *cobra.Command, ociRuntime string) (err error) {
	dir, err := os.MkdirTemp("", "licet-doctor-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	out := cmd.OutOrStdout()
	works := false
	for _, name := range []string{"native", "oci", "process"} {
		err := checkDriver(cmd, config{Data: filepath.Join(dir, name), Sandbox: name, OCIRuntime: ociRuntime})
		if err != nil {
			fmt.Fprintf(out, "sandbox %-8s no: %v\n", name, err)
			continue
		}
		fmt.Fprintf(out, "sandbox %-8s works\n", name)
		if name == "process" && !works {
			fmt.Fprintf(out, "\nGo on with: licet serve --sandbox process   (functions are not isolated)\n\n")
		}
		works = true
	}
	set, err := runtimes.Load()
	if err != nil {
		return fmt.Errorf("load runtimes: %w", err)
	}
	if err := set.Install(filepath.Join(dir, "runtimes")); err != nil {
		return fmt.Errorf("install runtimes: %w", err)
	}
	for _, name := range set.Names() {
		r, _ := set.Lookup(name)
		c, err := r.Resolve()
		switch {
		case err != nil:
			fmt.Fprintf(out, "runtime %-16s no: %v\n", name, err)
		case !c.Exact:
			fmt.Fprintf(out, "runtime %-16s runs on version %s of this machine\n", name, c.Version)
		default:
			fmt.Fprintf(out, "runtime %-16s works\n", name)
		}
	}
	if !works {
		return errors.New("no sandbox works here")
	}
	return nil
}

func checkDriver(cmd *cobra.Command, c config) error {
	d, err := openDriver(c)
	if err != nil {
		return err
	}
	return errors.Join(d.Check(cmd.Context()), d.Close())
}
