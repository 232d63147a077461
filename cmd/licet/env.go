package main

import (
	"context"
	"errors"
	"fmt"

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
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "export AWS_ENDPOINT_URL='%s'\nexport AWS_ACCESS_KEY_ID='%s'\n"+
				"export AWS_SECRET_ACCESS_KEY='%s'\nexport AWS_REGION='%s'\nexport AWS_DEFAULT_REGION='%s'\nunset AWS_SESSION_TOKEN\n",
				endpoint, root.AccessKeyID, root.SecretAccessKey, region, region)
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", defaultDataDir(), "data directory of the server")
	cmd.Flags().StringVar(&region, "region", defaultRegion, "region of the server")
	return cmd
}

// rootCredentials reads the root's keys, or makes them.
func rootCredentials(ctx context.Context, dir dataDir) (creds principal.Credentials, err error) {
	db, keys, err := dir.open(ctx)
	if err != nil {
		return principal.Credentials{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return ensureAccount(ctx, db, keys)
}
