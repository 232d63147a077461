package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/connection"
	"github.com/licet/licet/internal/console"
	"github.com/licet/licet/internal/dispatch"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/store/postgres"
)

// Defaults of the flags (design.md, fixed choice 8).
const (
	defaultListen = "127.0.0.1:4566"
	defaultRegion = "us-east-1"
)

// maxPrestart bounds what a runtime costs that nobody calls.
const maxPrestart = 100

// maxImage bounds --max-image-gib.
const maxImage = 1024

// config is everything that a person can choose about a server.
type config struct {
	// Data directory; made when missing.
	Data string
	// Store is where the state is kept: the URL of a PostgreSQL database, or "sqlite" for a file in the data directory. "" is what the
	// directory had at its last start, at first "sqlite".
	Store string
	// Blobs is a directory for code and the bytes of objects, which servers share, or the URL of a place in a bucket of S3. "" is what the data
	// directory had at its last start, at first the data directory itself.
	Blobs string
	// KeyFile is the sealing key's, which must be there. "" is the one that the directory had at its last start, at first one in the directory,
	// which is made.
	KeyFile string
	// Listen is the host:port of the front door; port 0 picks a free one.
	Listen string
	// TLS serves HTTPS with certificates of an authority of the server's own; TLSCertificate and TLSKey, with those in files. TLSHosts are
	// further names that the authority's certificates are good for.
	TLS                    bool
	TLSCertificate, TLSKey string
	TLSHosts               []string
	// Region that the server serves.
	Region string
	// Mode: enforce or observe.
	Mode string
	// Sandbox driver: native, oci or process.
	Sandbox string
	// OCIRuntime is the program of the oci driver; "" finds crun, else runc.
	OCIRuntime string
	// FunctionNetwork is what functions reach beside the server: none or host.
	FunctionNetwork string
	// IdleTimeout is how long an environment is kept without an invocation.
	IdleTimeout time.Duration
	// Prestart is how many environments without a function are kept for each runtime in use.
	Prestart int
	// RootAccessKey and RootSecretFile fix the root's credentials; both or neither. The file holds the secret.
	RootAccessKey  string
	RootSecretFile string
	// SigningProfiles are the publishers whose code signatures can be verified, each as "ARN of the profile's version=file of its
	// certificate".
	SigningProfiles []string
	// Subnets are those that functions can be attached to, with their VPCs. There is no EC2 to know them.
	Subnets map[string]string
	// Images is a directory with an OCI image layout for each repository of ECR; "": there is none.
	Images string
	// Registries stand in for others: their URLs by the hosts of these.
	Registries map[string]string
	// RegistryCredentials is a file of the form that docker login writes; "": registries are asked anonymously.
	RegistryCredentials string
	// MaxImageGiB is how large an image may be unpacked.
	MaxImageGiB int
	// Upstreams are the URLs of servers that have services which this one does not, by the names that requests are signed for; "*": all others.
	Upstreams map[string]string
	// UpstreamCredentials is a file with the credentials that sign calls to upstreams, a profile for each; "": there are none.
	UpstreamCredentials string
	// ConsoleHosts are host names under which the web console answers beside those of loopback, by HTTPS.
	ConsoleHosts []string
	// AdminFrom are the networks from which, beside this machine, the roots of accounts may ask for licet's own pages, such as licet explain does.
	AdminFrom []string
	// MaxConnectionsPerAddress is how many connections a client elsewhere may have.
	MaxConnectionsPerAddress int
	// Verbose logs each step.
	Verbose bool
}

func serveCommand() *cobra.Command {
	var c config
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.Store == "" { // not the flag's default: --help would print it, password and all
				c.Store = os.Getenv(storeVariable)
			}
			if c.Blobs == "" {
				c.Blobs = os.Getenv("LICET_BLOBS")
			}
			if c.KeyFile == "" {
				c.KeyFile = os.Getenv(keyVariable)
			}
			return serve(cmd.Context(), c, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.Data, "data", defaultDataDir(), "data directory; made on first start, readable for its owner only")
	f.StringVar(&c.Store, "store", "",
		"where the state is kept: postgres://USER@HOST/DATABASE or sqlite (a file in the data directory); default: $LICET_STORE, else as at the last start, at first sqlite")
	f.StringVar(&c.Blobs, "blobs", "",
		"where code and the bytes of objects are, which several servers share: a directory, or s3://BUCKET/PREFIX with ?endpoint=URL&region=REGION&path-style=BOOL; default: $LICET_BLOBS, else as at the last start, at first the data directory")
	f.StringVar(&c.KeyFile, "key-file", "",
		"file with the key that seals secrets, kept apart from the data directory; only read; default: $LICET_KEY_FILE, else as at the last start, at first the data directory's")
	f.StringVar(&c.Listen, "listen", defaultListen, "host:port to listen on; port 0 picks a free one")
	f.BoolVar(&c.TLS, "tls", false, "serve HTTPS, with certificates of an authority of its own: ca.pem in the data directory, which licet env tells clients of")
	f.StringVar(&c.TLSCertificate, "tls-cert", "", "serve HTTPS with the certificate in this PEM file, and those behind it; read again when it changes")
	f.StringVar(&c.TLSKey, "tls-key", "", "PEM file with the key of --tls-cert")
	f.StringArrayVar(&c.TLSHosts, "tls-host", nil, "a name or address that the certificates of --tls are good for, beside this machine's (repeatable)")
	f.StringVar(&c.Region, "region", defaultRegion, "the AWS region to be")
	f.StringVar(&c.Mode, "mode", string(dispatch.Enforce), "enforce: refuse what is denied; observe: record it and let it pass")
	f.StringVar(&c.Sandbox, "sandbox", defaultSandbox(),
		"where functions run: native (sandboxes of its own), oci (containers by crun, runc, runsc) or process (no isolation)")
	f.StringVar(&c.OCIRuntime, "oci-runtime", "", "program of the oci sandbox; default crun, else runc")
	f.StringVar(&c.FunctionNetwork, "function-network", string(sandbox.NetworkNone), "what functions reach beside this server: none or host")
	f.DurationVar(&c.IdleTimeout, "idle-timeout", 5*time.Minute, "how long a function's environment is kept without an invocation")
	f.IntVar(&c.Prestart, "prestart", 1, "how many environments are started beforehand for each runtime in use; 0: none")
	f.StringVar(&c.RootAccessKey, "root-access-key-id", "", "fixed access key of the root; needs --root-secret-file")
	f.StringVar(&c.RootSecretFile, "root-secret-file", "", "file with the secret of --root-access-key-id")
	f.StringArrayVar(&c.SigningProfiles, "signing-profile", nil,
		"publisher of signed code, as ARN=CERTIFICATE: version of a signing profile, PEM file (repeatable)")
	f.StringToStringVar(&c.Subnets, "subnet", nil, "a subnet of functions' VpcConfig and its VPC, subnet-id=vpc-id; may be repeated")
	f.StringVar(&c.Images, "images", "",
		"directory of OCI image layouts: ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG is TAG in the layout DIRECTORY/REPOSITORY")
	f.StringToStringVar(&c.Registries, "registry", nil,
		"a registry's host and the URL of the registry to ask instead, HOST=URL; may be repeated")
	f.StringVar(&c.RegistryCredentials, "registry-credentials", "", "file with credentials of registries, as docker login writes it")
	f.IntVar(&c.MaxImageGiB, "max-image-gib", 10, "how large a container image may be unpacked, in GiB")
	f.StringToStringVar(&c.Upstreams, "upstream", nil,
		"where permitted calls of a service go that licet does not have, SERVICE=URL, such as dynamodb=http://127.0.0.1:8000; *=URL: of all others; may be repeated")
	f.StringVar(&c.UpstreamCredentials, "upstream-credentials", "",
		"file with the credentials for upstreams, as ~/.aws/credentials: a profile called as the service, or [default]; without: the account's id as access key")
	f.StringArrayVar(&c.ConsoleHosts, "console-host", nil,
		"a host name under which a TLS proxy on this machine serves the web console, beside localhost and loopback (repeatable)")
	f.StringArrayVar(&c.AdminFrom, "admin-from", nil,
		"a network, such as 10.0.0.0/8, from which roots may use licet explain, record and the others, beside this machine (repeatable)")
	f.IntVar(&c.MaxConnectionsPerAddress, "max-connections-per-address", defaultPerAddress,
		"how many connections one address, or network of IPv6, may have: more for a proxy on another machine")
	f.BoolVar(&c.Verbose, "verbose", false, "log each step")
	return cmd
}

// validate refuses what cannot be meant. The rest is refused by what uses it.
func (c config) validate() error {
	if c.Mode != string(dispatch.Enforce) && c.Mode != string(dispatch.Observe) {
		return fmt.Errorf("--mode %q: want enforce or observe", c.Mode)
	}
	if err := checkChoice(c.Store); err != nil {
		return fmt.Errorf("--store: %w", err)
	}
	if c.FunctionNetwork != string(sandbox.NetworkNone) && c.FunctionNetwork != string(sandbox.NetworkHost) {
		return fmt.Errorf("--function-network %q: want none or host", c.FunctionNetwork)
	}
	if !regexp.MustCompile(`^[a-z]{2}-[a-z]+-[0-9]$`).MatchString(c.Region) || strings.HasPrefix(c.Region, "cn-") {
		return fmt.Errorf("--region %q: want a region of the partition %s, such as us-east-1", c.Region, partition)
	}
	if c.Prestart < 0 || c.Prestart > maxPrestart {
		return fmt.Errorf("--prestart %d: want 0 to %d", c.Prestart, maxPrestart)
	}
	if c.IdleTimeout <= 0 {
		return fmt.Errorf("--idle-timeout %v: want more than nothing", c.IdleTimeout)
	}
	if c.MaxImageGiB < 1 || c.MaxImageGiB > maxImage {
		return fmt.Errorf("--max-image-gib %d: want 1 to %d", c.MaxImageGiB, maxImage)
	}
	if c.MaxConnectionsPerAddress < 1 || c.MaxConnectionsPerAddress > maxConnections {
		return fmt.Errorf("--max-connections-per-address %d: want 1 to %d", c.MaxConnectionsPerAddress, maxConnections)
	}
	if _, err := c.adminFrom(); err != nil {
		return err
	}
	switch {
	case (c.TLSCertificate == "") != (c.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key go together")
	case c.TLS && c.TLSCertificate != "":
		return errors.New("--tls and --tls-cert: want one of them")
	case len(c.TLSHosts) > 0 && !c.TLS:
		return errors.New("--tls-host is for --tls")
	}
	if (c.RootAccessKey == "") != (c.RootSecretFile == "") {
		return errors.New("--root-access-key-id and --root-secret-file go together")
	}
	if !regexp.MustCompile(`^\w{0,128}$`).MatchString(c.RootAccessKey) {
		return fmt.Errorf("--root-access-key-id %q: want at most 128 letters, digits and underscores", c.RootAccessKey)
	}
	for subnet, vpc := range c.Subnets {
		if !regexp.MustCompile(`^subnet-[0-9a-z]+$`).MatchString(subnet) || !regexp.MustCompile(`^vpc-[0-9a-z]+$`).MatchString(vpc) {
			return fmt.Errorf("--subnet %s=%s: want subnet-id=vpc-id", subnet, vpc)
		}
	}
	return nil
}

// adminFrom reads the networks of --admin-from.
func (c config) adminFrom() (networks []netip.Prefix, err error) {
	for _, text := range c.AdminFrom {
		p, err := netip.ParsePrefix(text)
		if err != nil || p != p.Masked() {
			return nil, fmt.Errorf("--admin-from %q: want a network, such as 10.0.0.0/8", text)
		}
		networks = append(networks, p)
	}
	return networks, nil
}

// fixedRoot reads the root's credentials that the flags fix; the zero value when they fix none.
func (c config) fixedRoot() (principal.Credentials, error) {
	if c.RootAccessKey == "" {
		return principal.Credentials{}, nil
	}
	b, err := os.ReadFile(c.RootSecretFile)
	if err != nil {
		return principal.Credentials{}, fmt.Errorf("read --root-secret-file: %w", err)
	}
	secret := strings.TrimSpace(string(b))
	if secret == "" {
		return principal.Credentials{}, errors.New("--root-secret-file is empty")
	}
	return principal.Credentials{AccessKeyID: c.RootAccessKey, SecretAccessKey: secret}, nil
}

// serve runs a server until ctx ends.
func serve(ctx context.Context, c config, out io.Writer) (err error) {
	if err := c.validate(); err != nil {
		return err
	}
	// What the server prints about its directory must hold in another shell, which has another working directory.
	if c.Data, err = filepath.Abs(c.Data); err != nil {
		return fmt.Errorf("find data directory: %w", err)
	}
	collectLate()
	level := slog.LevelInfo
	if c.Verbose {
		level = slog.LevelDebug
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	s, err := newServer(ctx, c, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	l, err := s.listen(c)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if err := s.openTLS(c); err != nil {
		return errors.Join(err, l.Close())
	}
	url := localURL(l.Addr(), s.tls != nil)
	s.url = url
	if err := dataDir(c.Data).announce(url, c.TLS); err != nil {
		return errors.Join(err, l.Close())
	}
	if err := s.greet(out, c, url); err != nil {
		return errors.Join(err, l.Close())
	}
	return s.run(ctx, l)
}

// listen opens the front door, for no more connections than files can be open.
func (s *server) listen(c config) (net.Listener, error) {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return nil, fmt.Errorf("find how many files may be open: %w", err)
	}
	tcp, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, err
	}
	all := max(1, int(min(maxConnections, files.Cur/2)))
	l := connection.Listen(tcp.(*net.TCPListener), connection.Limits{All: all, PerSource: min(c.MaxConnectionsPerAddress, all)})
	s.metrics.MustRegister(l.Metrics()...)
	return l, nil
}

// greet tells a person how to talk to the server.
func (s *server) greet(out io.Writer, c config, url string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "licet %s on %s, account %s, region %s, data in %s\n", version, url, defaultAccount, c.Region, c.Data)
	place, err := dataDir(c.Data).place()
	if err != nil {
		return err
	}
	if postgres.IsURL(place) {
		fmt.Fprintf(&b, "State in %s\n", shownPlace(place))
	}
	if s.newRoot {
		fmt.Fprintf(&b, "\nRoot credentials, shown this once (licet env prints them again):\n  AWS_ACCESS_KEY_ID=%s\n  AWS_SECRET_ACCESS_KEY=%s\n",
			s.root.AccessKeyID, s.root.SecretAccessKey)
	}
	if c.Mode == string(dispatch.Observe) {
		b.WriteString("\nOBSERVE MODE: denied calls are recorded and let through. Nothing is enforced.\n")
	}
	if c.Sandbox == "process" {
		b.WriteString("\nSANDBOX process: functions run as plain processes of this user. They are not isolated.\n")
	}
	fmt.Fprintf(&b, "\nConsole: %s%s\n", url, console.Root)
	self, err := os.Executable()
	if err != nil {
		self = "licet"
	}
	fmt.Fprintf(&b, "\nIn another shell:\n  eval \"$(%s env --data %s --region %s)\"\n  aws --endpoint-url \"$AWS_ENDPOINT_URL\" sts get-caller-identity   # from version 2.13 on the flag is not needed\n\n",
		quote(self), quote(c.Data), c.Region)
	_, err = io.WriteString(out, b.String())
	return err
}

// localURL is how clients on this machine reach a listener: by loopback where it listens on every address.
func localURL(a net.Addr, secure bool) string {
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	addr, ok := a.(*net.TCPAddr)
	if !ok || !addr.IP.IsUnspecified() {
		return scheme + a.String()
	}
	return scheme + net.JoinHostPort("127.0.0.1", strconv.Itoa(addr.Port))
}

// Limits of the front door; edge has those of bodies and answers.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// unreadTimeout is for bodies that nobody wants to read, and for connections of HTTP/2 whose other side reads nothing.
	unreadTimeout = 5 * time.Minute
	// maxHeader has room for a session token with all the tags and policies it may carry.
	maxHeader = 64 << 10
	// maxFields bounds what each field costs beside its length. S3's metadata are the most that AWS's clients send.
	maxFields = 500
	// maxConnections of all clients together take about 200 MiB while they are idle.
	maxConnections    = 10_000
	defaultPerAddress = 1000
	// drainTimeout is how long running requests may take to end by themselves, lastTimeout how long the rest may take when what
	// they waited for was ended.
	drainTimeout = time.Minute
	lastTimeout  = 5 * time.Second
)

// frontServer is the front door with its limits.
func frontServer(h http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler: fewFields(h), ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ReadTimeout: unreadTimeout, // edge gives its own time, and when a body is read there is none
		HTTP2:       &http.HTTP2Config{WriteByteTimeout: unreadTimeout, SendPingTimeout: idleTimeout},
	}
}

// fewFields refuses heads with too many fields.
func fewFields(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := 0
		for _, values := range r.Header {
			n += len(values)
		}
		if n > maxFields {
			w.Header().Set("Connection", "close")
			http.Error(w, "431 Request Header Fields Too Large", http.StatusRequestHeaderFieldsTooLarge)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// run serves until ctx ends, then drains: no new requests, running invocations end, logs and decisions are written.
func (s *server) run(ctx context.Context, l net.Listener) error {
	front := frontServer(s.console.Before(s.edge), s.logger)
	front.TLSConfig = s.tls
	failed := make(chan error, 1)
	go func() {
		if s.tls == nil {
			failed <- front.Serve(l)
			return
		}
		failed <- front.ServeTLS(l, "", "") // s.tls has the certificates
	}()
	memory := background(func(ctx context.Context) error { return returnMemory(ctx, s.db) })
	functions, retention, decisions := background(s.functions.Run), s.lead("log retention", s.expireLogs), background(s.decisions.Run)
	provisioned, code := background(s.lambda.Run), background(s.lambda.RunCode)
	subscriptions := s.lead("log subscriptions", func(ctx context.Context) error { return s.logs.Deliver(audit.System(ctx, "log subscription")) })
	tails := background(func(ctx context.Context) error { return s.logs.Follow(audit.System(ctx, "live tail")) })
	queues := s.lead("queues", func(ctx context.Context) error { return s.sqs.Run(audit.System(ctx, "queues' own work")) })
	deliver, halt := context.WithCancel(audit.System(context.Background(), "asynchronous invocation"))
	defer halt()
	poll, haltPolls := context.WithCancel(audit.System(context.Background(), "event source mapping"))
	defer haltPolls()
	events := background(func(context.Context) error { return s.lambda.RunEvents(deliver) })
	objects := s.lead("events of buckets", func(ctx context.Context) error { return s.s3.Run(audit.System(ctx, "event of a bucket")) })
	givenUp := background(func(ctx context.Context) error {
		return s.s3.Collect(audit.System(ctx, "bytes of objects that are gone"))
	})
	garbage := s.lead("bytes of objects", func(ctx context.Context) error {
		return s.s3.CollectGarbage(audit.System(ctx, "bytes of objects that are gone"))
	})
	pollers := background(func(context.Context) error { return s.lambda.RunPollers(poll) })
	lastUsed := background(func(ctx context.Context) error { return s.lastUsed.Run(audit.System(ctx, "last use")) })
	var err error
	select {
	case err = <-failed:
		err = fmt.Errorf("serve: %w", err)
	case err = <-s.nodeFailed:
	case <-ctx.Done():
		s.logger.Info("Stopping.")
	}
	// In this order: each may still ask something of those after it. The last log lines of functions are decided calls, too.
	haltPolls()
	halt() // no event is begun any more; those that run end with the functions
	s.logs.EndTails()
	s.sqs.EndPolls()
	err = errors.Join(err, provisioned(), code(), subscriptions(), tails(), objects(), queues(), s.closeDoors(front, functions), events(), pollers())
	return errors.Join(err, garbage(), givenUp(), retention(), lastUsed(), decisions(), memory())
}

// closeDoors ends the front door, the functions, and with them the doors that the functions have. Afterwards no operation runs and
// none can begin.
func (s *server) closeDoors(front *http.Server, functions func() error) error {
	shutdown := func(patience time.Duration) error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return front.Shutdown(ctx)
	}
	_ = shutdown(drainTimeout) // what runs on is asked again below
	err := functions()
	if late := shutdown(lastTimeout); late != nil {
		err = errors.Join(err, fmt.Errorf("requests were broken off: %w", late), front.Close())
	}
	s.edge.Close()
	return err
}
