package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/blob/blobtest"
)

// Credentials of the root of the licet that is the S3 of these tests.
const (
	accessKey = "AKIAIOSFODNN7EXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// licet is the URL of that server, front that of a proxy before it, by which tests reach it.
var licet, front *url.URL

// between is what a test does to requests on their way; nil: nothing.
var between struct {
	mu  sync.Mutex
	way func(w http.ResponseWriter, r *http.Request, next http.Handler)
}

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "licet-blobs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	stop, err := start(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(licet)
		r.Out.Host = r.In.Host // which is signed
	}, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		between.mu.Lock()
		way := between.way
		between.mu.Unlock()
		if way == nil {
			pass.ServeHTTP(w, r)
			return
		}
		way(w, r, pass)
	}))
	front, _ = url.Parse(proxy.URL)
	code = m.Run()
	proxy.Close()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// start builds licet, runs it, and sets its URL.
func start(dir string) (stop func() error, err error) {
	binary, secret, data := filepath.Join(dir, "licet"), filepath.Join(dir, "secret"), filepath.Join(dir, "data")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, "../../../cmd/licet") // as `make build` does: what that has compiled is there
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build licet: %w\n%s", err, out)
	}
	if err := os.WriteFile(secret, []byte(secretKey), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "serve", "--data", data, "--listen", "127.0.0.1:0", "--sandbox", "process",
		"--root-access-key-id", accessKey, "--root-secret-file", secret)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop = func() error {
		err := cmd.Process.Signal(syscall.SIGTERM)
		return errors.Join(err, <-ended)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(filepath.Join(data, "endpoint"))
		if line, _, _ := strings.Cut(string(text), "\n"); err == nil && line != "" {
			licet, err = url.Parse(line)
			return stop, err
		}
		select {
		case err := <-ended:
			return nil, fmt.Errorf("licet ended: %w\n%s", err, log.String())
		default:
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(errors.New("licet does not start"), stop())
		}
	}
}

// on has requests pass through way until the test ends.
func on(t *testing.T, way func(w http.ResponseWriter, r *http.Request, next http.Handler)) {
	t.Helper()
	set := func(way func(http.ResponseWriter, *http.Request, http.Handler)) {
		between.mu.Lock()
		between.way = way
		between.mu.Unlock()
	}
	set(way)
	t.Cleanup(func() { set(nil) })
}

// environment has nothing of this machine's configuration, and the credentials.
func environment(tb testing.TB) {
	tb.Helper()
	none := filepath.Join(tb.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "", "AWS_SESSION_TOKEN": "",
		"AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_S3": front.String(), "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "",
		"AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey,
	} {
		setenv(tb, name, value)
	}
}

// setenv is Setenv of a test or a benchmark.
func setenv(tb testing.TB, name, value string) {
	tb.Helper()
	tb.(interface{ Setenv(name, value string) }).Setenv(name, value)
}

const bucketOfTests = "blobs-of-tests"

// connect gives the place s3://blobs-of-tests/PREFIX, whose bucket is made if it is missing.
func connect(tb testing.TB, prefix string) *Bucket {
	tb.Helper()
	environment(tb)
	b, err := Connect(context.Background(), Place{Bucket: bucketOfTests, Prefix: prefix})
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := b.client.CreateBucket(context.Background(), &sdk.CreateBucketInput{Bucket: aws.String(bucketOfTests)}); err != nil {
		tb.Fatal(err) // in us-east-1 making it again is no error
	}
	return b
}

// newStore opens a store of a test's own.
func newStore(tb testing.TB, o Options) *Store {
	tb.Helper()
	return openStore(tb, tb.Name(), o)
}

func openStore(tb testing.TB, place string, o Options) *Store {
	tb.Helper()
	sum := sha256.Sum256([]byte(place))
	o.Dir = tb.TempDir()
	s, err := connect(tb, hex.EncodeToString(sum[:8])).Open(context.Background(), "blobs", o)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	for name, o := range map[string]Options{"Stream": {}, "Whole": {Whole: true}} {
		t.Run(name, func(t *testing.T) {
			blobtest.Run(t, func(tb testing.TB, place string) blob.Store { return openStore(tb, place, o) })
		})
	}
}

// noise is size bytes that are always the same.
func noise(size int) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b) // never fails
	return b
}

func put(t *testing.T, s *Store, content []byte) blob.Name {
	t.Helper()
	name, size, err := s.Put(t.Context(), bytes.NewReader(content))
	if sum := sha256.Sum256(content); err != nil || size != int64(len(content)) || string(name) != hex.EncodeToString(sum[:]) {
		t.Fatalf("Put = %s, %d, %v", name, size, err)
	}
	return name
}

// overwrite puts other bytes where a blob is.
func overwrite(t *testing.T, s *Store, name blob.Name, content []byte) {
	t.Helper()
	in := &sdk.PutObjectInput{Bucket: s.in(), Key: s.key(name), Body: bytes.NewReader(content)}
	if _, err := s.bucket.client.PutObject(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

func readAll(t *testing.T, s *Store, name blob.Name) ([]byte, error) {
	t.Helper()
	r, err := s.Open(t.Context(), name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// Keys are the paths of package disk, what is not a blob has no name, and no file is left.
func TestLayout(t *testing.T) {
	s := newStore(t, Options{})
	names := []blob.Name{put(t, s, []byte("abc")), put(t, s, []byte("abd"))}
	slices.Sort(names)
	if got, want := strings.TrimPrefix(*s.key(put(t, s, []byte("abc"))), s.bucket.place.Prefix), "/blobs/ba/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; got != want {
		t.Errorf("got key %s, want %s", got, want)
	}
	for _, other := range []string{"put-1", "ba/" + string(names[0])[1:], "00/" + string(names[0]), string(names[0]), "ba/x/" + string(names[0])} {
		key := s.prefix + other
		if _, err := s.bucket.client.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: s.in(), Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	var got []blob.Name
	for name, err := range s.Names(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, name)
	}
	if diff := cmp.Diff(got, names); diff != "" {
		t.Errorf("names: -got +want:\n%s", diff)
	}
	if _, _, err := s.Put(t.Context(), iotest.ErrReader(errors.New("broken"))); err == nil {
		t.Error("Put of a broken reader succeeded")
	}
	if left, err := os.ReadDir(s.Dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A large blob is put in parts and read in ranges; its upload is given up when a part cannot be put.
func TestLarge(t *testing.T) {
	s := newStore(t, Options{})
	s.partSize = 5 << 20 // the least of S3
	content := noise(11 << 20)
	name := put(t, s, content)
	r, err := s.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, at := range []int{0, 16, 3 << 20, 3<<20 + 5000, 10 << 20, 100, len(content) - 7, 300 << 10} {
		got := make([]byte, min(4000, len(content)-at))
		if _, err := r.Seek(int64(at), io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, content[at:at+len(got)]) {
			t.Errorf("from %d on: got other bytes, %v", at, err)
		}
	}
	if n, err := r.Read(nil); n != 0 || err != nil {
		t.Errorf("a read of nothing: got %d, %v", n, err)
	}
	if _, err := r.Seek(1, io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after the end: got %d, %v", n, err)
	}
	if _, err := r.Seek(-1, io.SeekStart); err == nil {
		t.Error("a seek before the start succeeded")
	}
	if got, err := readAll(t, s, name); err != nil || !bytes.Equal(got, content) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}

	on(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Query().Get("partNumber") == "2" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
	if _, _, err := s.Put(t.Context(), bytes.NewReader(content[1:])); err == nil {
		t.Error("Put without a part succeeded")
	}
	if got := uploads(t, s); got != 0 {
		t.Errorf("%d uploads are left", got)
	}
}

func uploads(t *testing.T, s *Store) int {
	t.Helper()
	out, err := s.bucket.client.ListMultipartUploads(t.Context(), &sdk.ListMultipartUploadsInput{Bucket: s.in(), Prefix: &s.prefix})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Uploads)
}

// What a crash left of an upload goes; what another server is about to put stays.
func TestRemoveUploads(t *testing.T) {
	s := newStore(t, Options{})
	begin := &sdk.CreateMultipartUploadInput{Bucket: s.in(), Key: s.key(blob.Name(strings.Repeat("0", 64)))}
	if _, err := s.bucket.client.CreateMultipartUpload(t.Context(), begin); err != nil {
		t.Fatal(err)
	}
	if s := newStore(t, Options{}); uploads(t, s) != 1 { // opens it again
		t.Error("an upload of today is gone")
	}
	if err := s.removeUploads(t.Context(), time.Now().Add(time.Hour)); err != nil || uploads(t, s) != 0 {
		t.Errorf("%d uploads of the past are left, %v", uploads(t, s), err)
	}
}

// No byte of a small blob that is damaged is handed out, and of a large one never all. Putting it again heals it.
func TestDamaged(t *testing.T) {
	small, large := []byte("code"), noise(2<<20)
	for name, tt := range map[string]struct {
		options Options
		content []byte
		damage  func([]byte) []byte
		opens   bool
	}{
		"small":           {Options{}, small, func(b []byte) []byte { b[0]++; return b }, false},
		"emptied":         {Options{}, small, func([]byte) []byte { return nil }, false},
		"whole":           {Options{Whole: true}, large, func(b []byte) []byte { b[0]++; return b }, false},
		"whole truncated": {Options{Whole: true}, large, func(b []byte) []byte { return b[1:] }, false},
		"large":           {Options{}, large, func(b []byte) []byte { b[0]++; return b }, true},
		"large truncated": {Options{}, large, func(b []byte) []byte { return b[:len(b)-1] }, true},
		"large extended":  {Options{}, large, func(b []byte) []byte { return append(b, 0) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, tt.options)
			name := put(t, s, tt.content)
			damaged := tt.damage(slices.Clone(tt.content))
			overwrite(t, s, name, damaged)
			r, err := s.Open(t.Context(), name)
			if tt.opens != (err == nil) {
				t.Fatalf("Open: got %v", err)
			}
			if tt.opens {
				defer r.Close()
				var got []byte
				if got, err = io.ReadAll(r); len(got) >= len(damaged) {
					t.Errorf("%d bytes were handed out", len(got))
				}
				if n, again := r.Read(make([]byte, 1)); n != 0 || again == nil {
					t.Errorf("a read after that: got %d, %v", n, again)
				}
			}
			if !errors.Is(err, blob.ErrDamaged) || errors.Is(err, blob.ErrNotFound) {
				t.Errorf("got %v, want that it is damaged", err)
			}
			put(t, s, tt.content)
			if got, err := readAll(t, s, name); err != nil || !bytes.Equal(got, tt.content) {
				t.Errorf("put again: got %d bytes, %v", len(got), err)
			}
		})
	}
}

// A connection that breaks in the middle is taken up where it was; one that breaks always is an error.
func TestBreaks(t *testing.T) {
	s := newStore(t, Options{})
	content := noise(3 << 20)
	name := put(t, s, content)
	var asked []string
	at := func(after int) {
		asked = nil
		on(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method == http.MethodGet {
				asked = append(asked, r.Header.Get("Range"))
				w = &breaking{w, after}
			}
			next.ServeHTTP(w, r)
		})
	}
	at(1 << 20)
	if got, err := readAll(t, s, name); err != nil || !bytes.Equal(got, content) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if len(asked) < 3 || asked[0] != "" || !strings.HasPrefix(asked[1], "bytes=") {
		t.Errorf("asked for %q, want the whole, and what was left", asked)
	}
	at(0)
	if got, err := readAll(t, s, name); err == nil {
		t.Errorf("got %d bytes, want an error", len(got))
	}
	if len(asked) != maxBreaks+1 {
		t.Errorf("asked %d times, want %d", len(asked), maxBreaks+1)
	}
}

// breaking ends the connection after so many bytes.
type breaking struct {
	http.ResponseWriter
	left int
}

func (b *breaking) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		_ = http.NewResponseController(b.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return b.ResponseWriter.Write(p)
}

// A server that does not go on, or does not begin, is not waited for without end. A caller that does not go on has time.
func TestStalls(t *testing.T) {
	s := newStore(t, Options{})
	content := noise(3 << 20)
	name := put(t, s, content)
	s.stall = 2 * time.Second // enough for what does go on, on a slow machine
	r, err := s.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	time.Sleep(s.stall + s.stall/4)
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content) {
		t.Errorf("after a rest: got %d bytes, %v", len(got), err)
	}
	stallAfter := func(after int) {
		on(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(&stalling{w, r.Context(), after}, r)
		})
	}
	stallAfter(2 << 20)
	if got, err := readAll(t, s, name); err != nil || !bytes.Equal(got, content) {
		t.Errorf("asked again for what is left: got %d bytes, %v", len(got), err)
	}
	stallAfter(0)
	if got, err := readAll(t, s, name); !errors.Is(err, errStalled) {
		t.Errorf("a server that sends nothing: got %d bytes, %v", len(got), err)
	}
}

// stalling sends no more than so many bytes.
type stalling struct {
	http.ResponseWriter
	ctx  context.Context
	left int
}

func (s *stalling) Write(p []byte) (int, error) {
	if s.left -= len(p); s.left < 0 {
		<-s.ctx.Done()
		return 0, s.ctx.Err()
	}
	return s.ResponseWriter.Write(p)
}

// An error that passes is tried again, also one that comes after the object was put. One that stays is an error: nothing is acknowledged.
func TestErrors(t *testing.T) {
	s := newStore(t, Options{})
	fail := 0
	on(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if fail--; fail >= 0 {
			next.ServeHTTP(httptest.NewRecorder(), r)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
	fail = 2
	name := put(t, s, []byte("tried thrice"))
	fail = 2
	if got, err := readAll(t, s, name); err != nil || string(got) != "tried thrice" {
		t.Errorf("got %q, %v", got, err)
	}
	fail = 2
	if err := s.Delete(t.Context(), name); err != nil {
		t.Error(err)
	}
	fail = 1000
	if _, _, err := s.Put(t.Context(), strings.NewReader("x")); err == nil {
		t.Error("Put succeeded")
	}
	if _, err := s.Open(t.Context(), name); err == nil || errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Open: got %v, want an error that does not say that it is not there", err)
	}
	if err := s.Delete(t.Context(), name); err == nil {
		t.Error("Delete succeeded")
	}
	for _, err := range s.Names(t.Context()) {
		if err == nil {
			t.Error("Names succeeded")
		}
	}
	if fail > 1000-4*3 || fail < 1000-4*10 {
		t.Errorf("asked %d times", 1000-fail)
	}
}

// A bucket that is gone is not a blob that is not there.
func TestBucketGone(t *testing.T) {
	s := newStore(t, Options{})
	s.bucket = &Bucket{place: Place{Bucket: "no-such-bucket"}, client: s.bucket.client}
	if _, err := s.Open(t.Context(), blob.Name(strings.Repeat("0", 64))); err == nil || errors.Is(err, blob.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// What is wrong is said when a store is opened, with what to do.
func TestOpenFails(t *testing.T) {
	connect(t, "") // makes the bucket
	deny := func(method string) func(http.ResponseWriter, *http.Request, http.Handler) {
		return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method != method {
				next.ServeHTTP(w, r)
				return
			}
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
		}
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	for name, tt := range map[string]struct {
		place       Place
		environment map[string]string
		way         func(http.ResponseWriter, *http.Request, http.Handler)
		want        string
	}{
		"no bucket":      {Place{Bucket: "no-such-bucket"}, nil, nil, "make it first, with aws s3 mb s3://no-such-bucket: "},
		"no key":         {Place{Bucket: bucketOfTests}, map[string]string{"AWS_ACCESS_KEY_ID": "AKIDNONE"}, nil, "the credentials of this server are not those of http://"},
		"wrong secret":   {Place{Bucket: bucketOfTests}, map[string]string{"AWS_SECRET_ACCESS_KEY": "x"}, nil, "the credentials of this server are not those of http://"},
		"no credentials": {Place{Bucket: bucketOfTests}, map[string]string{"AWS_ACCESS_KEY_ID": ""}, nil, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"},
		"no region":      {Place{Bucket: bucketOfTests}, map[string]string{"AWS_REGION": ""}, nil, "add ?region=REGION, or set AWS_REGION"},
		"no server":      {Place{Bucket: bucketOfTests, Endpoint: closed.URL}, nil, nil, closed.URL + " does not answer: start it"},
		"no list":        {Place{Bucket: bucketOfTests}, nil, deny(http.MethodGet), "give them the policy in docs/STORES.md: "},
		"no put":         {Place{Bucket: bucketOfTests}, nil, deny(http.MethodPut), "give them the policy in docs/STORES.md: "},
		"no delete":      {Place{Bucket: bucketOfTests}, nil, deny(http.MethodDelete), "give them the policy in docs/STORES.md: "},
		"other bytes": {Place{Bucket: bucketOfTests}, nil, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, unfinished) {
				_, _ = io.WriteString(w, "hello")
				return
			}
			next.ServeHTTP(w, r)
		}, "does not give back what was put there"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t)
			for name, value := range tt.environment {
				t.Setenv(name, value)
			}
			on(t, tt.way)
			b, err := Connect(t.Context(), tt.place)
			if err == nil {
				_, err = b.Open(t.Context(), "blobs", Options{Dir: t.TempDir()})
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), secretKey) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestHas(t *testing.T) {
	s := newStore(t, Options{})
	put(t, s, []byte("x"))
	left := s.bucket.place.folder("left") + unfinished + "x" // by a server that was killed at its start
	if _, err := s.bucket.client.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: s.in(), Key: &left}); err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[string]bool{"blobs": true, "blob": false, "objects": false, "left": false} {
		if got, err := s.bucket.Has(t.Context(), folder); got != want || err != nil {
			t.Errorf("Has(%s) = %t, %v, want %t", folder, got, err, want)
		}
	}
}
