package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/directory"
)

func envCommand() *cobra.Command {
	var data, region, account string
	cmd := &cobra.Command{
		Use:   "env",
		Short: `Print shell exports for AWS clients: eval "$(licet env)"`,
		Long: "Prints the exports that point AWS clients and licet itself at the server on a data directory, as the root of an account. The server\n" +
			"need not have started yet: the root's keys are made on first use.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir := dataDir(data)
			root, err := rootCredentials(cmd.Context(), dir, account)
			if err != nil {
				return err
			}
			endpoint, err := dir.endpoint()
			if err != nil {
				return err
			}
			absolute, err := filepath.Abs(data)
			if err != nil {
				return err
			}
			authority, err := dir.authority()
			if err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), exports(absolute, endpoint, authority, region, root))
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", defaultDataDir(), "data directory of the server")
	cmd.Flags().StringVar(&region, "region", defaultRegion, "region of the server")
	cmd.Flags().StringVar(&account, "account", defaultAccount, "id of the account")
	return cmd
}

// exports are shell commands that point AWS clients at a server, and licet at its data directory: `licet account create` without it
// would make a directory of its own, and an account that no server has.
func exports(data, endpoint, authority, region string, c principal.Credentials) string {
	var b strings.Builder
	for _, v := range [][2]string{
		{"AWS_ENDPOINT_URL", endpoint}, {"AWS_ACCESS_KEY_ID", c.AccessKeyID}, {"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey},
		{"AWS_REGION", region}, {"AWS_DEFAULT_REGION", region}, {"LICET_DATA", data},
		// The server has one name: streaming-logs is not another (https://docs.aws.amazon.com/sdkref/latest/guide/feature-host-prefix.html).
		{"AWS_DISABLE_HOST_PREFIX_INJECTION", "true"},
	} {
		fmt.Fprintf(&b, "export %s=%s\n", v[0], quote(v[1]))
	}
	if authority != "" { // the second is Node's own
		fmt.Fprintf(&b, "export AWS_CA_BUNDLE=%s\nexport NODE_EXTRA_CA_CERTS=%s\n", quote(authority), quote(authority))
	}
	b.WriteString("unset AWS_SESSION_TOKEN\n")
	return b.String()
}

// quote makes one word of a shell out of any text.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// rootCredentials reads the keys of an account's root, or makes them. The default account is made with them.
func rootCredentials(ctx context.Context, dir dataDir, account string) (root principal.Credentials, err error) {
	err = withDirectory(ctx, dir, func(ctx context.Context, d *directory.Directory) error {
		if err := checkAccount(ctx, d, account); err != nil {
			return err
		}
		if root, _, err = d.EnsureAccount(ctx, account); err != nil {
			return err
		}
		if root.AccessKeyID == "" {
			return fmt.Errorf("the root of account %s has no active access key", account)
		}
		return nil
	})
	return root, err
}

// checkAccount wants an account to be there.
func checkAccount(ctx context.Context, d *directory.Directory, account string) error {
	if account == defaultAccount {
		return nil
	}
	all, err := d.Accounts(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(a directory.Account) bool { return a.ID == account }) {
		return fmt.Errorf("there is no account %q (licet account list shows those there are)", account)
	}
	return nil
}
