package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/backup"
	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/services/lambda"
	"github.com/licet/licet/internal/services/s3/content"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/postgres"
)

// facts are what is known of a server's store.
func facts() backup.Facts { return backup.Facts{Needs: needs, Fits: checkKey} }

// needs are the blobs that services need, by the folders that they are in.
func needs(ctx context.Context, db store.DB) (map[string][]blob.Name, error) {
	code, err := lambda.CodeNames(ctx, db)
	objects, objectsErr := content.Needed(ctx, db)
	return map[string][]blob.Name{backup.Blobs: code, backup.Objects: objects}, errors.Join(err, objectsErr)
}

func backupCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "backup DIRECTORY",
		Short: "Copy all that a server keeps, while it runs, and verify the copy",
		Long: "Makes a data directory that a server can be started on, as the running one is at one moment. It has the sealing key, unless that is\n" +
			"kept apart (licet serve --key-file): keep it as safe as the original. The directory must not be there yet.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := dataDir(data).wantFile(); err != nil {
				return err
			}
			report, err := backup.Save(cmd.Context(), data, args[0], facts())
			if err != nil {
				return err
			}
			if err := showChecked(cmd.OutOrStdout(), args[0], report); err != nil {
				return err
			}
			key, apart, err := secret.Place(args[0])
			if err == nil && apart {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "The key is not in it: it is in %s, without which nobody can read the secrets in the backup.\n", key)
			}
			return err
		},
	}
	dataFlag(cmd, &data)
	return cmd
}

func restoreCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "restore BACKUP",
		Short: "Make a data directory of a backup",
		Long:  "The backup is verified, copied and verified again. The data directory must not be there: an old one must be moved away first.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := backup.Restore(cmd.Context(), args[0], data, facts())
			if err != nil {
				return err
			}
			return showChecked(cmd.OutOrStdout(), data, report)
		},
	}
	dataFlag(cmd, &data)
	return cmd
}

// errNotWhole is what a check ends with that found something.
var errNotWhole = errors.New("the data directory is not whole")

func checkCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Verify a data directory: the store, every blob, and what needs which",
		Long: "No server may run on it. Blobs are read where they are, in another directory or a bucket. A database verifies itself; other servers of it may\n" +
			"run. The exit status is 1 when something is wrong.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			release, err := dataDir(data).lock()
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, release()) }()
			report, err := dataDir(data).check(cmd.Context())
			if err != nil {
				return err
			}
			for _, p := range report.Problems {
				if _, err := fmt.Fprintln(cmd.OutOrStdout(), p); err != nil {
					return err
				}
			}
			if !report.OK() {
				return errNotWhole
			}
			return showChecked(cmd.OutOrStdout(), data, report)
		},
	}
	dataFlag(cmd, &data)
	return cmd
}

// check verifies a data directory, and what it has elsewhere.
func (d dataDir) check(ctx context.Context) (report backup.Report, err error) {
	if d.wantFile() == nil {
		return backup.Check(ctx, string(d), facts())
	}
	blobs := map[string]backup.Folder{}
	for _, name := range []string{codeBlobs, objectBlobs} {
		if blobs[name], err = d.openBlobs(ctx, name); err != nil {
			return report, err
		}
	}
	place, err := d.place()
	if err != nil {
		return report, err
	}
	var db store.DB
	if postgres.IsURL(place) {
		if db, err = openStore(ctx, place); err != nil {
			return report, err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
	}
	return backup.CheckElsewhere(ctx, string(d), db, blobs, facts())
}

func dataFlag(cmd *cobra.Command, data *string) {
	cmd.Flags().StringVar(data, "data", defaultDataDir(), "data directory")
}

func showChecked(w io.Writer, dir string, r backup.Report) error {
	sound := "the store is sound"
	if !r.Store {
		sound = "its database answers"
	}
	_, err := fmt.Fprintf(w, "%s is whole: %s, %d blobs of %d bytes have the content that their names say, and none of the %d that are needed is missing.\n",
		dir, sound, r.Blobs, r.Bytes, r.Needed)
	return err
}
