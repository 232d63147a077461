package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/principal"
)

func envCommand() *cobra.Command {
	var data, region string
	cmd := &cobra.Command{
		Use:   "env",
		Short: `Print shell exports for AWS clients: eval "$(licet env)"`,
		Long: "Prints the exports that point AWS clients at the server on a data directory, as the root of its account. The server need not\n" +
			"have started yet: the root's keys are made on first use.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir := dataDir(data)
			root, err := rootCredentials(cmd.Context(), dir)
			if err != nil {
				return err
			}
			endpoint, err := dir.endpoint()
			if err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), exports(endpoint, region, root))
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", defaultDataDir(), "data directory of the server")
	cmd.Flags().StringVar(&region, "region", defaultRegion, "region of the server")
	return cmd
}

// exports are shell commands that point AWS clients at a server.
func exports(endpoint, region string, c principal.Credentials) string {
	var b strings.Builder
	for _, v := range [][2]string{
		{"AWS_ENDPOINT_URL", endpoint}, {"AWS_ACCESS_KEY_ID", c.AccessKeyID}, {"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey},
		{"AWS_REGION", region}, {"AWS_DEFAULT_REGION", region},
	} {
		fmt.Fprintf(&b, "export %s=%s\n", v[0], quote(v[1]))
	}
	b.WriteString("unset AWS_SESSION_TOKEN\n")
	return b.String()
}

// quote makes one word of a shell out of any text.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// rootCredentials reads the root's keys, or makes them.
func rootCredentials(ctx context.Context, dir dataDir) (creds principal.Credentials, err error) {
	db, keys, err := dir.open(ctx)
	if err != nil {
		return principal.Credentials{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	creds, err = ensureAccount(ctx, db, keys)
	if err == nil && creds.AccessKeyID == "" {
		err = errors.New("the root of the account has no active access key")
	}
	return creds, err
}
