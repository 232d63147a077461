package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/postgres"
)

func storeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store",
		Short: "Move the state of a server from one store to another, and list the servers that share one",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(storeCopyCommand(), storeNodesCommand())
	return cmd
}

func storeCopyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "copy FROM TO",
		Short: "Copy all state into an empty store, and compare the two",
		Long: "FROM and TO are each a data directory (its file licet.db), a SQLite file, or the URL of a PostgreSQL database. TO must be empty. The\n" +
			"copy is of one moment, keeps revisions, and is all there or not at all; at the end both are compared, part by part, by number and hash.\n" +
			"Stop the server first: what it writes afterwards is not copied. Code, objects of buckets and the key stay in the data directory;\n" +
			"licet serve --data DIRECTORY --store TO goes on with the copy.",
		Example: "  licet store copy ~/.local/share/licet postgres://licet@db.example.com/licet",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return copyStore(cmd.Context(), args[0], args[1], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
}

// copyStore copies one store into another and prints what was copied.
func copyStore(ctx context.Context, from, to string, out, progress io.Writer) (err error) {
	source, closeSource, err := openSide(ctx, from, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeSource()) }()
	target, closeTarget, err := openSide(ctx, to, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeTarget()) }()

	told := time.Now()
	sums, err := store.Copy(ctx, source, target, func(done store.Sum) {
		if time.Since(told) > time.Second {
			told = time.Now()
			fmt.Fprintf(progress, "%d items, %d MiB\n", done.Items, done.Bytes>>20)
		}
	})
	if errors.Is(err, store.ErrNotEmpty) {
		return fmt.Errorf("%s is not empty: nothing was copied", shownPlace(to))
	}
	if err != nil {
		return fmt.Errorf("copy %s to %s: %w", shownPlace(from), shownPlace(to), err)
	}
	return printSums(out, sums)
}

// printSums prints what both stores hold.
func printSums(out io.Writer, sums store.Sums) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PART\tITEMS\tBYTES\tSHA-256")
	for _, part := range slices.Sorted(maps.Keys(sums)) {
		s := sums[part]
		fmt.Fprintf(w, "%s\t%d\t%d\t%x\n", printable(part), s.Items, s.Bytes, s.Hash)
	}
	total := sums.Total()
	fmt.Fprintf(w, "all\t%d\t%d\tthe same on both sides\n", total.Items, total.Bytes)
	return w.Flush()
}

// openSide opens one side of a copy. A data directory is locked, so that no server changes it meanwhile. A source has to be there.
func openSide(ctx context.Context, place string, source bool) (db store.DB, closeAll func() error, err error) {
	unlock := func() error { return nil }
	if !postgres.IsURL(place) {
		if place, unlock, err = openFile(place, source); err != nil {
			return nil, nil, err
		}
	}
	if db, err = openStore(ctx, place); err != nil {
		return nil, nil, errors.Join(err, unlock())
	}
	return db, func() error { return errors.Join(db.Close(), unlock()) }, nil
}

// openFile finds the file of a place, and locks its data directory.
func openFile(place string, source bool) (file string, unlock func() error, err error) {
	info, err := os.Stat(place)
	switch {
	case err == nil && !info.IsDir():
		return lockFile(place)
	case err == nil:
		file = dataDir(place).path("licet.db")
		if _, err := os.Stat(file); source && err != nil {
			return "", nil, fmt.Errorf("%s is no data directory with a store in it: %w", place, err)
		}
		return lockFile(file)
	case !errors.Is(err, fs.ErrNotExist) || source:
		return "", nil, err
	case filepath.Ext(place) == "": // a directory to be made
		if err := dataDir(place).create(); err != nil {
			return "", nil, err
		}
		return lockFile(dataDir(place).path("licet.db"))
	}
	return lockFile(place)
}

// lockFile locks the data directory of a file if it is a server's.
func lockFile(file string) (string, func() error, error) {
	if filepath.Base(file) != "licet.db" {
		return file, func() error { return nil }, nil
	}
	unlock, err := dataDir(filepath.Dir(file)).lock()
	return file, unlock, err
}
