package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/postgres"
	"github.com/licet/licet/internal/store/postgres/postgrestest"
)

// increment adds one to the number at "n" and leaves a key of its own.
func increment(ctx context.Context, db store.DB, key string) error {
	return db.Update(ctx, func(tx store.Tx) error {
		n, err := store.GetJSON[int](tx, "n")
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return errors.Join(store.PutJSON(tx, "n", n+1), tx.Put(key, nil))
	})
}

// counted reads the number at "n" and the keys that were left with it.
func counted(t *testing.T, db store.DB) (n, keys int) {
	t.Helper()
	if err := db.View(t.Context(), func(r store.Reader) (err error) {
		if n, err = store.GetJSON[int](r, "n"); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		items, err := r.Scan("k/", "", 0)
		keys = len(items)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n, keys
}

func closeDB(t *testing.T, db *postgres.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// A COMMIT whose connection breaks, before or after it has reached the server, takes effect exactly once.
func TestLostCommit(t *testing.T) {
	for name, f := range map[string]fault{"before": before, "after": after} {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, cluster.Socket())
			db := openURL(t, cluster.URLAt(p.dir, schema(t.Name())))
			defer closeDB(t, db)
			var mu sync.Mutex
			var told []string
			defer db.Watch(func(changed []string) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, changed...)
			})()
			var commits, broken atomic.Int32
			p.mu.Lock()
			p.onCommit = func() fault {
				if commits.Add(1)%3 == 1 { // the commit of the DB; those that look for it, and try again, come through
					broken.Add(1)
					return f
				}
				return none
			}
			p.mu.Unlock()
			const rounds = 5
			for i := range rounds {
				if err := increment(t.Context(), db, fmt.Sprint("k/", i)); err != nil {
					t.Fatalf("%d: %v", i, err)
				}
			}
			if n, keys := counted(t, db); n != rounds || keys != rounds {
				t.Errorf("counted %d with %d keys, want %d", n, keys, rounds)
			}
			if broken.Load() < 2 {
				t.Errorf("%d commits were broken, want more", broken.Load())
			}
			mu.Lock()
			defer mu.Unlock()
			for i := range rounds {
				if want := fmt.Sprint("k/", i); !strings.Contains(strings.Join(told, " "), want) {
					t.Errorf("watchers were not told of %s: %q", want, told)
				}
			}
		})
	}
}

// Connections break at any moment while several nodes write: what was acknowledged is there once, what was refused is not.
func TestBrokenConnections(t *testing.T) {
	const nodes, writers, rounds = 2, 6, 20
	var dbs []*postgres.DB
	var proxies []*proxy
	for range nodes {
		p := newProxy(t, cluster.Socket())
		db := openURL(t, cluster.URLAt(p.dir, schema(t.Name())))
		defer closeDB(t, db)
		dbs, proxies = append(dbs, db), append(proxies, p)
	}
	done, progress := make(chan struct{}), make(chan struct{}, writers*rounds)
	var cutter sync.WaitGroup
	cutter.Go(func() {
		for i := 0; ; i++ {
			for range 3 { // a slow machine must get something done in between
				select {
				case <-done:
					return
				case <-progress:
				}
			}
			time.Sleep(rand.N(5 * time.Millisecond)) // at any moment of what runs then
			proxies[i%nodes].cut()
		}
	})
	var mu sync.Mutex
	acknowledged, uncertain := map[string]bool{}, 0
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				key := fmt.Sprintf("k/%d/%d", w, i)
				err := increment(t.Context(), dbs[w%nodes], key)
				mu.Lock()
				acknowledged[key] = err == nil
				if err == nil {
					progress <- struct{}{}
				}
				if errors.Is(err, store.ErrUncertain) {
					uncertain++
					delete(acknowledged, key)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	close(done)
	cutter.Wait()
	clean := openURL(t, cluster.URL(schema(t.Name())))
	defer closeDB(t, clean)
	n, keys := counted(t, clean)
	if n != keys {
		t.Errorf("the number is %d for %d keys", n, keys)
	}
	good := 0
	if err := clean.View(t.Context(), func(r store.Reader) error {
		for key, ok := range acknowledged {
			_, err := r.Get(key)
			if there := err == nil; there != ok {
				t.Errorf("%s: acknowledged %t, there %t (%v)", key, ok, there, err)
			}
			if ok {
				good++
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if good == 0 {
		t.Error("nothing was acknowledged")
	}
	t.Logf("%d of %d acknowledged, %d uncertain", good, writers*rounds, uncertain)
}

// Without its database a store answers errors, soon, and gives nothing that is old; with it, it goes on by itself. The database may be
// gone so that everybody can see it, or say nothing any more.
func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(p *proxy, away bool){
		"closed": func(p *proxy, away bool) { p.set(away) },
		"silent": func(p *proxy, away bool) {
			if away {
				p.hang(everybody)
			} else {
				p.hang(nobody) // what was sent meanwhile is lost for ever
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t, cluster.Socket())
			db := openURL(t, cluster.URLAt(p.dir, schema(t.Name())))
			defer closeDB(t, db)
			cache := store.NewCache(db, 10, store.DecodeJSON[int])
			defer cache.Close()
			if err := increment(t.Context(), db, "k/1"); err != nil {
				t.Fatal(err)
			}
			wantSoon(t, cache, 1)
			take(p, true)
			start := time.Now()
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					if err := increment(t.Context(), db, "k/2"); err == nil {
						t.Error("Update without a database: no error")
					}
					if err := db.View(t.Context(), func(r store.Reader) error { _, err := r.Get("n"); return err }); err == nil || errors.Is(err, store.ErrNotFound) {
						t.Errorf("View without a database = %v, want its error", err)
					}
				})
			}
			wg.Wait()
			for {
				if _, err := cache.Get(t.Context(), "n"); err != nil {
					break // what others may have changed is not known, so that nothing old is given
				}
				if time.Since(start) > time.Minute {
					t.Fatal("a cache still answers")
				}
				time.Sleep(10 * time.Millisecond)
			}
			take(p, false)
			for {
				err := increment(t.Context(), db, "k/3")
				if err == nil {
					break
				}
				if time.Since(start) > time.Minute {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Millisecond)
			}
			if n, keys := counted(t, db); n != 2 || keys != 2 {
				t.Errorf("counted %d with %d keys, want 2", n, keys)
			}
			wantSoon(t, cache, 2)
		})
	}
}

// wantSoon waits until the cached number at "n" is want.
func wantSoon(t *testing.T, cache *store.Cache[int], want int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		n, err := cache.Get(t.Context(), "n")
		if err == nil && n == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the cache still gives %d, %v, want %d", n, err, want)
		}
	}
}

// A writer whose connection hangs does not keep its node from learning what others write.
func TestHangingWriter(t *testing.T) {
	p := newProxy(t, cluster.Socket())
	db, other := openURL(t, cluster.URLAt(p.dir, schema(t.Name()))), openURL(t, cluster.URL(schema(t.Name())))
	defer closeDB(t, db)
	defer closeDB(t, other)
	cache := store.NewCache(db, 10, store.DecodeJSON[int])
	defer cache.Close()
	if err := increment(t.Context(), other, "k/1"); err != nil {
		t.Fatal(err)
	}
	wantSoon(t, cache, 1)
	p.hang(writers)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := increment(t.Context(), db, "k/3"); err != nil {
			t.Error(err)
		}
	})
	defer wg.Wait()
	p.await(t) // the writer's statement
	if err := increment(t.Context(), other, "k/2"); err != nil {
		t.Fatal(err)
	}
	wantSoon(t, cache, 2)
	p.hang(nobody)
	p.cut()
}

// A process that was stopped answers nothing from memory that is older than store.MaxAge: the first question after it goes on comes
// before its feed has noticed anything.
func TestStoppedProcess(t *testing.T) {
	t.Parallel()
	url := cluster.URL(schema(t.Name()))
	db := openURL(t, url)
	defer closeDB(t, db)
	if err := increment(t.Context(), db, "k/0"); err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), os.Args[0])
	node.Env = append(os.Environ(), nodeVariable+"="+url)
	node.Stderr = t.Output()
	questions, err := node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(answers)
	answer := func() string {
		t.Helper()
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(line)
	}
	ask := func() {
		t.Helper()
		if _, err := questions.Write([]byte{'\n'}); err != nil {
			t.Fatal(err)
		}
	}
	for i := 1; i <= 3; i++ {
		ask()
		if got := answer(); got != strconv.Itoa(i) {
			t.Fatalf("before it was stopped the node says %s, want %d", got, i)
		}
		if err := node.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		if err := increment(t.Context(), db, fmt.Sprint("k/", i)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(store.MaxAge) // what is tested is the time that passes
		ask()
		if err := node.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if got := answer(); got != strconv.Itoa(i+1) {
			t.Fatalf("after it was stopped the node says %s, want %d", got, i+1)
		}
	}
	if err := questions.Close(); err != nil {
		t.Fatal(err)
	}
	if err := node.Wait(); err != nil {
		t.Fatal(err)
	}
}

// nodeVariable makes the test program a node on the database it names.
const nodeVariable = "LICET_TEST_NODE"

// node answers each line with the number at "n", by way of a cache.
func node(url string, questions io.Reader, answers io.Writer) (err error) {
	db, err := postgres.Open(context.Background(), url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	cache := store.NewCache(db, 10, store.DecodeJSON[int])
	defer cache.Close()
	for lines := bufio.NewScanner(questions); lines.Scan(); {
		n, err := cache.Get(context.Background(), "n")
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(answers, n); err != nil {
			return err
		}
	}
	return nil
}

// The server crashes while a node writes: nothing acknowledged is lost.
func TestServerCrash(t *testing.T) {
	c := postgrestest.Start(t)
	db := openURL(t, c.URL(""))
	defer closeDB(t, db)
	ctx, stop := context.WithCancel(t.Context())
	var acknowledged []string
	var progress atomic.Int32
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			key := fmt.Sprint("k/", i)
			if err := increment(context.Background(), db, key); err == nil {
				acknowledged = append(acknowledged, key)
				progress.Add(1)
			} else {
				time.Sleep(time.Millisecond)
			}
		}
	})
	defer wg.Wait()
	defer stop()
	awaitMore := func() { // a slow machine takes longer
		t.Helper()
		enough := progress.Load() + 5
		for deadline := time.Now().Add(time.Minute); progress.Load() < enough; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("only %d are acknowledged, want %d", progress.Load(), enough)
			}
		}
	}
	for range 2 {
		awaitMore()
		time.Sleep(rand.N(5 * time.Millisecond)) // at any moment of what runs then
		if err := c.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
	}
	awaitMore()
	stop()
	wg.Wait()
	n, keys := counted(t, db)
	if n != keys || keys < len(acknowledged) {
		t.Errorf("counted %d with %d keys, %d were acknowledged", n, keys, len(acknowledged))
	}
	if err := db.View(t.Context(), func(r store.Reader) error {
		for _, key := range acknowledged {
			if _, err := r.Get(key); err != nil {
				t.Errorf("%s was acknowledged: %v", key, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// A node that has vanished in the middle of a transaction holds up the others no longer than the server waits for it.
func TestVanishedNode(t *testing.T) {
	t.Parallel()
	url := cluster.URL(schema(t.Name()))
	gone, db := openURL(t, url), openURL(t, url)
	defer closeDB(t, gone)
	defer closeDB(t, db)
	started, back := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var wg sync.WaitGroup
	wg.Go(func() {
		// Its second attempt, when it comes back, is as good as any other.
		if err := gone.Update(t.Context(), func(tx store.Tx) error {
			if _, err := tx.Get("n"); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			once.Do(func() { close(started); <-back })
			return tx.Put("late", []byte(strconv.FormatInt(tx.Revision(), 10)))
		}); err != nil {
			t.Error(err)
		}
	})
	<-started
	if err := increment(t.Context(), db, "k/1"); err != nil {
		t.Error(err)
	}
	close(back)
	wg.Wait()
	if err := db.View(t.Context(), func(r store.Reader) error {
		item, err := r.Get("late")
		if err == nil && string(item.Value) != strconv.FormatInt(item.Revision, 10) {
			t.Errorf("late was written as %s and is %d", item.Value, item.Revision)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// A database of a newer licet is refused, and so is a URL that cannot be meant; no error tells the password.
func TestOpenErrors(t *testing.T) {
	url := cluster.URL(schema(t.Name()))
	closeDB(t, openURL(t, url))
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(t.Context(), "UPDATE licet_format SET version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ url, want string }{
		"newer":       {url, "the tables have format 99, of a newer licet; this one knows formats up to 1"},
		"no URL":      {"host=/tmp password=hush", "want a URL that begins with postgres://"},
		"schemas":     {cluster.URL("a,b"), `search_path "a,b": want the name of one schema`},
		"port":        {"postgres://u:hush@localhost:x/d", "cannot parse"},
		"unreachable": {"postgres://u:hush@127.0.0.1:1/d", "connect"},
		"parameter":   {cluster.URL("") + "&password=hush&nonsense=1", "nonsense"},
	} {
		_, err := postgres.Open(t.Context(), test.url)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

// Many nodes make the same schema and tables at once.
func TestOpenAtOnce(t *testing.T) {
	url := cluster.URL(schema(t.Name()))
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			db, err := postgres.Open(t.Context(), url)
			if err != nil {
				t.Error(err)
				return
			}
			defer closeDB(t, db)
			if err := increment(t.Context(), db, fmt.Sprint("k/", i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	db := openURL(t, url)
	defer closeDB(t, db)
	if n, keys := counted(t, db); n != 6 || keys != 6 {
		t.Errorf("counted %d with %d keys, want 6", n, keys)
	}
}
