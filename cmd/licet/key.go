package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/lockfile"
	"github.com/licet/licet/internal/node"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/postgres"
)

// longestSession is how long a token is good at most, that of GetSessionToken
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html), and an hour for clocks.
const longestSession = 37 * time.Hour

func keyCommand() *cobra.Command {
	var data, file string
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Replace the key that seals secrets and sessions",
		Long: "The key file of a data directory has one key or several: the first seals what is new, all open. To replace the key of a server that is\n" +
			"alone: licet key rotate, and after two days licet key retire. Of servers that share a database: licet key add on one, copy its key file to\n" +
			"all, licet key use, copy it again, licet key reseal; after two days licet key retire, and copy it once more. Running servers read the\n" +
			"file anew when it changes. One that cannot be written, such as a mounted secret, is copied, changed with --key-file COPY, and replaced by the copy.",
		Args: cobra.NoArgs,
	}
	cmd.PersistentFlags().StringVar(&data, "data", defaultDataDir(), "data directory of the server")
	cmd.PersistentFlags().StringVar(&file, "key-file", "", "change this copy of the key file, and leave the server's own to you")
	type run = func(cmd *cobra.Command, k *keyFile, args []string) error
	add := func(use, short string, args cobra.PositionalArgs, with func(dir dataDir, file string, fn func(*keyFile) error) error, run run) *cobra.Command {
		c := &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
			return with(dataDir(data), file, func(k *keyFile) error { return run(cmd, k, args) })
		}}
		cmd.AddCommand(c)
		return c
	}
	list := func(cmd *cobra.Command, k *keyFile, _ []string) error {
		return k.list(cmd.Context(), cmd.OutOrStdout())
	}
	add("list", "List the keys, and how much in the store each has sealed", cobra.NoArgs, readKeyFile, list)
	change := func(use, short string, fn func(k *keyFile, ctx context.Context, out io.Writer) error) {
		add(use, short, cobra.NoArgs, changeKeyFile, func(cmd *cobra.Command, k *keyFile, _ []string) error {
			return fn(k, cmd.Context(), cmd.OutOrStdout())
		})
	}
	change("add", "Add a key that opens, and is to seal later", func(k *keyFile, _ context.Context, out io.Writer) error { return k.add(out) })
	change("use", "Let the key that was added last seal what is new", (*keyFile).use)
	change("reseal", "Seal what is in the store with the key that seals", (*keyFile).reseal)
	change("rotate", "Do add, use and reseal, for a server that is alone", (*keyFile).rotate)
	var now bool
	retire := add("retire ID", "Remove a key that nothing is sealed with any more", cobra.ExactArgs(1), changeKeyFile,
		func(cmd *cobra.Command, k *keyFile, args []string) error {
			return k.retire(cmd.Context(), args[0], now, cmd.OutOrStdout())
		})
	retire.Flags().BoolVar(&now, "now", false, "although sessions may be about that were issued with it: they end")
	return cmd
}

// keyFile is the key file of a data directory, or a copy of it.
type keyFile struct {
	*secret.File
	dir dataDir
	// path is where the file is, place where the servers of the directory read it.
	path, place string
}

// readKeyFile calls fn with the file; with a copy unless that is "".
func readKeyFile(dir dataDir, file string, fn func(*keyFile) error) error {
	k, err := openKeyFile(dir, file)
	if err != nil {
		return err
	}
	return fn(k)
}

// changeKeyFile is readKeyFile while no other command changes the file: of two that did, one would lose the key of the other, and what was sealed
// with it.
func changeKeyFile(dir dataDir, file string, fn func(*keyFile) error) error {
	lock, err := lockfile.Take(dir.path("key.lock"))
	if errors.Is(err, lockfile.ErrHeld) {
		return fmt.Errorf("another licet key command is at work on %s", dir)
	} else if err != nil {
		return fmt.Errorf("lock key file: %w", err)
	}
	return errors.Join(readKeyFile(dir, file, fn), lock.Close())
}

func openKeyFile(dir dataDir, file string) (*keyFile, error) {
	place, _, err := secret.Place(string(dir))
	if err != nil {
		return nil, err
	}
	path := place
	if file != "" {
		if path, err = filepath.Abs(file); err != nil {
			return nil, err
		}
	}
	f, err := secret.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && file == "" {
		return nil, fmt.Errorf("%s has no key at %s: start a server on it first", dir, path)
	}
	if err == nil && path != place {
		err = complete(f, place)
	}
	return &keyFile{f, dir, path, place}, err
}

// complete wants a copy to have all keys of the file that it is to replace: what these sealed would be lost.
func complete(f *secret.File, place string) error {
	now, err := secret.ReadFile(place)
	if err != nil {
		return err
	}
	for _, key := range now.Keys {
		if f.Find(key.ID()) < 0 {
			return fmt.Errorf("the copy has no key %s, which %s has: copy that again, or put the copy there if the key was removed from it", key.ID(), place)
		}
	}
	return nil
}

func (k *keyFile) write() error { return k.Write(k.path) }

// withStore calls fn with the store of the directory.
func (k *keyFile) withStore(ctx context.Context, fn func(store.DB) error) error {
	place, err := k.dir.place()
	if err != nil {
		return err
	}
	db, err := openStore(ctx, place)
	if err != nil {
		return err
	}
	return errors.Join(fn(db), db.Close())
}

func (k *keyFile) list(ctx context.Context, out io.Writer) error {
	var sealed map[string]int
	if err := k.withStore(ctx, func(db store.DB) (err error) {
		sealed, err = countSealed(ctx, db, k.Keyring())
		return err
	}); err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tSTATE\tSINCE\tSEALED IN THE STORE")
	for _, key := range k.Keys {
		since := "the first start"
		if !key.Since.IsZero() {
			since = key.Since.Format(time.RFC3339)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\n", key.ID(), key.State, since, sealed[key.ID()])
	}
	return w.Flush()
}

func (k *keyFile) add(out io.Writer) error {
	if slices.ContainsFunc(k.Keys, func(key secret.Key) bool { return key.State == secret.Next }) {
		return errors.New("there is a key already that is to seal next: licet key use")
	}
	key := k.Add(time.Now())
	if err := k.write(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "Added key %s, which opens. Copy %s to all servers of the store, if there are others, and then: licet key use\n",
		key.ID(), k.path)
	return err
}

// use wants every server that lives to have the key: what is sealed with it, they must be able to open.
func (k *keyFile) use(ctx context.Context, out io.Writer) error {
	next := slices.IndexFunc(k.Keys, func(key secret.Key) bool { return key.State == secret.Next })
	if next < 0 {
		return errors.New("there is no key that is to seal next: licet key add")
	}
	id := k.Keys[next].ID()
	if err := k.agree(ctx, "do not have key "+id, has(id)); err != nil {
		return err
	}
	k.Turn(next, time.Now())
	if err := k.write(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "Key %s seals from now on, within a second. Copy the file to all servers again, if there are others, and then: licet key reseal\n", id)
	return err
}

// has and sealsWith are what a server's keys may have to be; the first seals.
func has(id string) func(ids []string) bool {
	return func(ids []string) bool { return slices.Contains(ids, id) }
}

func sealsWith(id string) func(ids []string) bool {
	return func(ids []string) bool { return len(ids) > 0 && ids[0] == id }
}

// agree wants the keys of every server that shares the store, and lives, to be good, and those that are where this server reads them.
func (k *keyFile) agree(ctx context.Context, lack string, good func(ids []string) bool) error {
	if k.path != k.place {
		f, err := secret.ReadFile(k.place)
		if err != nil {
			return err
		}
		if !good(f.Keyring().IDs()) {
			return fmt.Errorf("servers that read %s %s (yet). Copy %s there", k.place, lack, k.path)
		}
		select { // until they have read it
		case <-time.After(2 * keyPeriod):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	nodes, err := k.nodes(ctx)
	if err != nil {
		return err
	}
	if late := otherwise(nodes, good); len(late) > 0 {
		return fmt.Errorf("these servers %s (yet; it takes some seconds): %s. Copy %s there", lack, strings.Join(late, ", "), k.path)
	}
	return nil
}

// allSeal wants all servers to seal with the first key: what one seals with another would be lost with that. One that starts later with an older
// file is refused by checkKey.
func (k *keyFile) allSeal(ctx context.Context) error {
	id := k.Keys[0].ID()
	return k.agree(ctx, "do not seal with key "+id, sealsWith(id))
}

// otherwise are the servers that live and whose keys are not good.
func otherwise(nodes []node.Listed, good func(ids []string) bool) (late []string) {
	for _, n := range nodes {
		if !n.Gone && !good(n.Keys) {
			late = append(late, n.ID+" on "+n.Host)
		}
	}
	return late
}

// nodes are the servers that share the store; none of one in a file.
func (k *keyFile) nodes(ctx context.Context) (all []node.Listed, err error) {
	place, err := k.dir.place()
	if err != nil || !postgres.IsURL(place) {
		return nil, err
	}
	err = k.withStore(ctx, func(db store.DB) error {
		return db.View(ctx, func(r store.Reader) (err error) {
			all, err = node.List(r)
			return err
		})
	})
	return all, err
}

func (k *keyFile) reseal(ctx context.Context, out io.Writer) error {
	if err := k.allSeal(ctx); err != nil {
		return err
	}
	n := 0
	if err := k.withStore(ctx, func(db store.DB) (err error) {
		n, err = reseal(ctx, db, k.Keyring())
		return err
	}); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "Sealed %d values of the store anew, with key %s.\n", n, k.Keys[0].ID())
	return err
}

func (k *keyFile) rotate(ctx context.Context, out io.Writer) error {
	nodes, err := k.nodes(ctx)
	if err != nil {
		return err
	}
	if len(nodes) > 1 {
		return fmt.Errorf("%d servers share the store: add the key, copy the file to all, and use it then (licet key --help)", len(nodes))
	}
	if err := k.add(io.Discard); err != nil {
		return err
	}
	old, next := k.Keys[0].ID(), len(k.Keys)-1
	id := k.Keys[next].ID()
	// Without the key the server could not open what is sealed with it.
	if err := k.settle(ctx, func() error { return k.agree(ctx, "do not have key "+id, has(id)) }); err != nil {
		return err
	}
	k.Turn(next, time.Now())
	if err := k.write(); err != nil {
		return err
	}
	if err := k.settle(ctx, func() error { return k.allSeal(ctx) }); err != nil {
		return err
	}
	if err := k.reseal(ctx, out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Sessions that were issued before go on. When they have ended, in %v, remove the old key: licet key retire %s\n", longestSession, old)
	return err
}

// settle waits until a server that runs has read the file, and, where others may share the store, has told so.
func (k *keyFile) settle(ctx context.Context, told func() error) error {
	for n := 0; ; n++ {
		select {
		case <-time.After(2 * keyPeriod):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := told(); err == nil || n == 10 {
			return err
		}
	}
}

func (k *keyFile) retire(ctx context.Context, id string, now bool, out io.Writer) error {
	i := k.Find(id)
	switch {
	case i < 0:
		return fmt.Errorf("there is no key %q: licet key list", id)
	case i == 0:
		return fmt.Errorf("key %s seals: let another do it first (licet key rotate)", id)
	}
	key := k.Keys[i]
	if left := time.Until(key.Since.Add(longestSession)); key.State == secret.Old && left > 0 && !now {
		return fmt.Errorf("sessions that were issued with key %s may be good for another %v: wait, or end them with --now", id, left.Round(time.Minute))
	}
	if err := k.allSeal(ctx); err != nil {
		return err
	}
	var sealed map[string]int
	if err := k.withStore(ctx, func(db store.DB) (err error) {
		sealed, err = countSealed(ctx, db, k.Keyring())
		return err
	}); err != nil {
		return err
	}
	if n := sealed[id]; n > 0 {
		return fmt.Errorf("%d values of the store are sealed with key %s, and would be lost: licet key reseal", n, id)
	}
	k.Drop(i)
	if err := k.write(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "Key %s is gone. Copy the file to all servers, if there are others.\n", id)
	return err
}
