package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/services/iam/directory"
)

func accountCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "account",
		Short: "Make and list the AWS accounts of a server",
		Long: "One server has any number of accounts, each with its own root user, users, roles and functions. A server that runs sees a new\n" +
			"account at once. Accounts that AWS Organizations makes (aws organizations create-account) are among them.",
	}
	cmd.AddCommand(accountCreateCommand(), accountListCommand())
	return cmd
}

func accountCreateCommand() *cobra.Command {
	var data string
	var a directory.Account
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make an account and print its id",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.Name = args[0]
			return withDirectory(cmd.Context(), dataDir(data), func(ctx context.Context, d *directory.Directory) error {
				made, _, err := d.CreateAccount(ctx, a)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), made.ID)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&data, "data", defaultDataDir(), "data directory of the server")
	cmd.Flags().StringVar(&a.Email, "email", "", "email address of the root user; default: one that does not exist")
	cmd.Flags().StringVar(&a.ID, "id", "", "id of 12 digits; default: a random one")
	return cmd
}

func accountListCommand() *cobra.Command {
	var data string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the accounts",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDirectory(cmd.Context(), dataDir(data), func(ctx context.Context, d *directory.Directory) error {
				all, err := d.Accounts(ctx)
				if err != nil {
					return err
				}
				return printAccounts(cmd, all, asJSON)
			})
		},
	}
	cmd.Flags().StringVar(&data, "data", defaultDataDir(), "data directory of the server")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printAccounts(cmd *cobra.Command, all []directory.Account, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		return enc.Encode(all)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tEMAIL")
	for _, a := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\n", a.ID, printable(a.Name), printable(a.Email))
	}
	return w.Flush()
}
