package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/node"
	"github.com/licet/licet/internal/services/lambda/mapping/poll"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/postgres"
)

func storeNodesCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "nodes",
		Short: "List the servers that share a database, and what each of them leads",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listNodes(cmd.Context(), dataDir(data), cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&data, "data", defaultDataDir(), "data directory of one of them")
	return cmd
}

// listNodes prints the servers of the store of a data directory.
func listNodes(ctx context.Context, dir dataDir, out io.Writer) (err error) {
	place, err := dir.place()
	if err != nil {
		return err
	}
	if !postgres.IsURL(place) {
		return fmt.Errorf("the state of %s is in a file, which one server uses: with licet serve --store postgres://… several share a database", dir)
	}
	db, err := openStore(ctx, place)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var all []node.Listed
	if err := db.View(ctx, func(r store.Reader) (err error) {
		all, err = node.List(r)
		return err
	}); err != nil {
		return fmt.Errorf("list servers: %w", err)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERVER\tHOST\tLISTENS ON\tVERSION\tSINCE\tCLOCK\tMAPPINGS\tOTHER WORK")
	for _, n := range all {
		if n.Gone {
			fmt.Fprintf(w, "%s\tgone\n", n.ID)
			continue
		}
		mappings := 0
		others := slices.DeleteFunc(n.Leads, func(name string) bool {
			is := strings.HasPrefix(name, poll.Lease)
			if is {
				mappings++
			}
			return is
		})
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", n.ID, n.Host, n.Listen, n.Version, n.Since.Format(time.RFC3339), clockOf(n), mappings, strings.Join(others, ", "))
	}
	return w.Flush()
}

// clockOf says whether the time of day of a server is right.
func clockOf(n node.Listed) string {
	switch {
	case n.Off > node.MaxOff:
		return n.Off.String() + " ahead"
	case n.Off < -node.MaxOff:
		return n.Off.Abs().String() + " behind"
	}
	return "right"
}
