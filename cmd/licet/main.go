// Command licet is AWS Lambda with its whole permission system, on your own machine.
//
// One binary: serve runs the server; env, account, explain, sign, store and doctor help with it. Everything is wired here by hand, in serve.go; no other
// package knows which store, sandbox or services a server is made of.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "devel"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "licet:", err)
		stop()
		os.Exit(statusOf(err))
	}
}

// exitStatus is an error with the exit status that it ends the process with; all others end it with 1.
type exitStatus struct {
	error
	status int
}

func (e exitStatus) Unwrap() error { return e.error }

func statusOf(err error) int {
	if e, ok := errors.AsType[exitStatus](err); ok {
		return e.status
	}
	return 1
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "licet",
		Short:         "AWS Lambda with its whole permission system, on your own machine",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(serveCommand(), envCommand(), accountCommand(), explainCommand(), invokeAsCommand(), eventsCommand(), recordCommand(),
		generatePolicyCommand(), testCommand(), policyCommand(), backupCommand(), restoreCommand(), checkCommand(), doctorCommand(), signCommand(), storeCommand(), keyCommand(),
		versionCommand())
	root.AddCommand(manualCommand(root), probeCommand())
	tellUsage(root)
	return root
}

// tellUsage makes wrong arguments answer with how the command is called, and wrong flags with where that is told.
func tellUsage(c *cobra.Command) {
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return fmt.Errorf("%w; see %s --help", err, c.CommandPath()) })
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return fmt.Errorf("%w; usage: %s", err, c.UseLine())
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		tellUsage(sub)
	}
}
