package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/awsdata"
	blobs3 "github.com/licet/licet/internal/blob/s3"
	"github.com/licet/licet/internal/clock"
	"github.com/licet/licet/internal/console"
	"github.com/licet/licet/internal/dispatch"
	"github.com/licet/licet/internal/edge"
	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/image"
	"github.com/licet/licet/internal/node"
	"github.com/licet/licet/internal/node/share"
	"github.com/licet/licet/internal/oidc"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol/json"
	"github.com/licet/licet/internal/protocol/query"
	"github.com/licet/licet/internal/protocol/restjson"
	"github.com/licet/licet/internal/protocol/restxml"
	"github.com/licet/licet/internal/registry"
	"github.com/licet/licet/internal/runtimes"
	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/iamapi"
	"github.com/licet/licet/internal/services/lambda"
	"github.com/licet/licet/internal/services/lambda/functionurl"
	"github.com/licet/licet/internal/services/lambda/lambdaapi"
	"github.com/licet/licet/internal/services/lambda/mapping/poll"
	"github.com/licet/licet/internal/services/logs"
	"github.com/licet/licet/internal/services/logs/logsapi"
	"github.com/licet/licet/internal/services/organizations"
	"github.com/licet/licet/internal/services/organizations/organizationsapi"
	"github.com/licet/licet/internal/services/s3"
	"github.com/licet/licet/internal/services/s3/s3api"
	"github.com/licet/licet/internal/services/s3/s3controlapi"
	"github.com/licet/licet/internal/services/sqs"
	"github.com/licet/licet/internal/services/sqs/sqsapi"
	"github.com/licet/licet/internal/services/sts"
	"github.com/licet/licet/internal/services/sts/stsapi"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/postgres"
)

const partition = "aws"

// server is all parts of a running licet, wired by hand.
type server struct {
	logger *slog.Logger
	// metrics are what /_licet/metrics shows.
	metrics *prometheus.Registry
	// db is the store itself; services get the one that insists on a decision for every change (decisions.Recorded).
	db store.DB
	// clock is what keeps, retries and deletes go by.
	clock *clock.Clock
	// node is this server among those that share the store; nodeFailed gets the error when it must stop. Capacity 1.
	node       *node.Node
	nodeFailed chan error
	// concurrency is this server's part of what functions may run at once on all of them; nil when it is alone.
	concurrency *share.Keeper
	// bucket tells whether blobs are in a bucket, which others may use.
	bucket bool
	// room tells whether the disks have place for what callers bring.
	room func() bool
	// keys seal session tokens and what is secret in the store.
	keys *secret.Keyring
	// decisions is the decision log.
	decisions *audit.Log
	// directory knows users, roles, keys and their policies.
	directory *directory.Directory
	// organizations knows which accounts belong together, and the policies above them.
	organizations *organizations.Directory
	// lastUsed knows when access keys and roles were last used.
	lastUsed *directory.LastUsed
	// offered are the services behind the door.
	offered []service.Service
	// door is the only way to an operation.
	door *dispatch.Dispatcher
	// driver makes sandboxes, functions runs environments in them.
	driver    sandbox.Driver
	functions *execution.Manager
	lambda    *lambda.Service
	logs      *logs.Service
	s3        *s3.Service
	sqs       *sqs.Service
	// tls has the certificates of the front door; nil for HTTP.
	tls *tls.Config
	// url is how clients on this machine reach the server; set before it serves.
	url string
	// edge is the HTTP handler, console that of the pages for a browser; functions reach edge alone.
	edge    *edge.Server
	console *console.Console
	// root credentials of the default account; newRoot when this start made them.
	root    principal.Credentials
	newRoot bool

	// closers undo what was made, last first.
	closers []func() error
}

// newServer makes all parts. On an error what was made is closed again.
func newServer(ctx context.Context, c config, logger *slog.Logger) (*server, error) {
	s := &server{logger: logger, metrics: prometheus.NewRegistry(), nodeFailed: make(chan error, 1)}
	s.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	err := s.openData(ctx, c)
	if err == nil {
		err = s.openServices(ctx, c)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// openData locks the data directory and opens store, key and decision log.
func (s *server) openData(ctx context.Context, c config) (err error) {
	dir := dataDir(c.Data)
	if err := dir.create(); err != nil {
		return err
	}
	release, err := dir.lock()
	if err != nil {
		return err
	}
	s.closers = append(s.closers, release)
	if c.Blobs != "" {
		if err := dir.setBlobs(ctx, c.Blobs); err != nil {
			return err
		}
	}
	blobs, err := dir.blobs()
	if err != nil {
		return err
	}
	s.room = roomIn(c.Data)
	if s.bucket = blobs3.IsURL(blobs); !s.bucket {
		s.room = roomIn(c.Data, blobs)
	}
	if err := dir.sweep(time.Now()); err != nil {
		return err
	}
	if s.db, s.keys, err = dir.openWith(ctx, c.Store, c.KeyFile); err != nil {
		return err
	}
	s.closers = append(s.closers, s.db.Close)
	if unused, err := dir.unusedKey(); err != nil {
		return err
	} else if unused {
		s.logger.WarnContext(ctx, "The key is kept apart from the data directory, which has a key file as well; remove that.", "path", dir.path("key"))
	}
	s.clock = clock.New(clock.Config{Source: timeOf(s.db), Logger: s.logger})
	s.closers = append(s.closers, background(s.clock.Run))
	if err := s.joinNodes(ctx, dir, c.Listen); err != nil {
		return err
	}
	s.decisions = audit.New(s.db, audit.Options{Now: s.clock.Now, Logger: s.logger})
	return nil
}

// timeOf is the time of day of a store that has one.
func timeOf(db store.DB) func() time.Time {
	shared, ok := db.(store.Clocked)
	if !ok {
		return nil
	}
	return func() time.Time {
		shown, at := shared.Time()
		return shown.Add(time.Since(at))
	}
}

// joinNodes makes this server known to those that share its store.
func (s *server) joinNodes(ctx context.Context, dir dataDir, listen string) error {
	id, err := dir.nodeID()
	if err != nil {
		return err
	}
	place, err := dir.place()
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "" // it is for people only
	}
	s.node = node.New(node.Config{
		DB: s.db, ID: id, Shared: postgres.IsURL(place), Off: s.clock.Off, Logger: s.logger,
		Self: node.Description{Listen: listen, Host: host, Version: version, Since: time.Now().UTC().Truncate(time.Second), Keys: s.keys.IDs()},
	})
	if err := s.node.Join(ctx); err != nil {
		return err
	}
	stop := background(func(ctx context.Context) error {
		err := s.node.Run(ctx)
		if err != nil && ctx.Err() == nil {
			s.nodeFailed <- err
			err = nil // it is told once
		}
		return err
	})
	s.closers = append(s.closers, stop)
	if !s.node.Alone() {
		s.concurrency = share.New(s.db, s.node, s.logger)
	}
	return nil
}

// shareConcurrency begins to share the limits of concurrency with other servers, if there may be any.
func (s *server) shareConcurrency(ctx context.Context) error {
	if s.concurrency == nil {
		return nil
	}
	if err := s.concurrency.Open(ctx, s.functions); err != nil {
		return err
	}
	s.closers = append(s.closers, func() error { return s.concurrency.Release(context.Background()) }, background(s.concurrency.Run))
	return nil
}

// openServices makes the services, the door in front of them and what runs behind them.
func (s *server) openServices(ctx context.Context, c config) error {
	data, err := awsdata.Load()
	if err != nil {
		return fmt.Errorf("load the tables of AWS's actions: %w", err)
	}
	blobs, err := dataDir(c.Data).openBlobs(ctx, codeBlobs)
	if err != nil {
		return err
	}
	fixed, err := c.fixedRoot()
	if err != nil {
		return err
	}
	s.organizations = organizations.NewDirectory(s.db, partition)
	s.closers = append(s.closers, func() error { s.organizations.Close(); return nil })
	s.lastUsed = directory.NewLastUsed(s.decisions.Recorded())
	identities := iam.Config{
		Config: directory.Config{
			DB:            s.decisions.Recorded(),
			Keyring:       s.keys,
			Managed:       managedPolicies{data},
			Organizations: s.organizations,
			Partition:     partition,
			Now:           time.Now,
			FixedRoot:     fixedRoots(fixed),
			Issuer:        func(id string) string { return s.url + edge.IssuerPage + id },
		},
		Actions:  data,
		Usage:    usage{s.decisions},
		Entities: s.organizations,
		LastUsed: s.lastUsed,
	}
	s.directory = directory.New(identities.Config)
	s.closers = append(s.closers, func() error { s.directory.Close(); return nil })
	if s.root, s.newRoot, err = s.directory.EnsureAccount(audit.System(ctx, "first start"), defaultAccount); err != nil {
		return err
	}
	if err := markKey(ctx, s.db, s.keys); err != nil {
		return err
	}
	keyFile, _, err := secret.Place(c.Data)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, background(func(ctx context.Context) error { return s.followKey(ctx, keyFile) }))
	set, err := s.openRuntimes(c)
	if err != nil {
		return err
	}
	tracing, err := s.openTracing(ctx)
	if err != nil {
		return err
	}
	links := edge.NewCodeLinks(blobs, s.keys, time.Now)
	if s.functions, err = s.openExecution(ctx, c, set); err != nil {
		return err
	}
	if err := s.shareConcurrency(ctx); err != nil {
		return err
	}
	publishers, err := publishers(c.SigningProfiles)
	if err != nil {
		return err
	}
	images, unpacked, err := s.openImages(c)
	if err != nil {
		return err
	}
	s.lambda, err = lambda.New(lambda.Config{
		DB: s.decisions.Recorded(), Blobs: blobs, Keys: s.keys, CodeDir: dataDir(c.Data).path("code"), Runner: s.functions,
		Roles: executionRoles{s}, Principals: s.directory, CodeURLs: links, Permissions: permissions{s}, FunctionURLs: s.functionURL,
		Publishers: publishers, OrganizationOf: s.organizationOf,
		Runtimes: func(name types.Runtime) bool { _, ok := set.Lookup(string(name)); return ok },
		VPCs:     func(subnet string) (string, bool) { vpc, ok := c.Subnets[subnet]; return vpc, ok },
		Images:   images,
		Pollers:  &pollers{server: s, sessions: map[poll.Role]*roleSession{}},
		Unpacked: unpacked,
		Room:     s.room,
		Objects:  codeObjects{s},
		Nodes:    s.node,
		Now:      s.clock.Now,
		Logger:   s.logger,
	})
	if err != nil {
		return err
	}
	s.closers = append(s.closers, func() error { s.lambda.Close(); return nil })
	if err := s.lambda.Sweep(ctx); err != nil {
		return fmt.Errorf("remove unpacked code that nobody uses: %w", err)
	}
	if err := s.lambda.OpenEvents(ctx); err != nil {
		return err
	}
	if err := s.openObjects(ctx, c); err != nil {
		return err
	}
	if s.offered, err = s.services(identities, data); err != nil {
		return err
	}
	others, err := s.openUpstreams(c, data)
	if err != nil {
		return err
	}
	s.door, err = dispatch.New(dispatch.Config{
		Services: s.offered, Others: others.Service, Policies: s.directory, Organizations: s.organizations, Log: recorder{s.decisions, s.lastUsed},
		Mode:        dispatch.Mode(c.Mode),
		KnownAction: func(action string) bool { _, ok := data.Action(action); return ok },
		Now:         time.Now, Region: c.Region, Partition: partition,
	})
	if err != nil {
		return err
	}
	adminFrom, err := c.adminFrom()
	if err != nil {
		return err
	}
	s.edge, err = edge.New(edge.Config{
		AdminFrom: adminFrom, Ready: s.ready,
		Dispatcher: s.door, Keys: keys{s.directory, s.organizations}, Decisions: s.decisions, Suppositions: suppositions{s, data},
		Invocations: invocations{s},
		Code:        links, Gatherer: s.metrics, ServiceOf: s.serviceOf, Remark: s.remark(others),
		Message: func(id string) (string, error) { return sts.EncodeAuthorizationMessage(s.keys, id) },
		Issuers: s.directory, Tracing: tracing,
		Logger: s.logger, Now: time.Now, Region: c.Region, Partition: partition, Mode: dispatch.Mode(c.Mode),
	})
	if err != nil {
		return err
	}
	s.console = console.New(console.Config{
		Keys: keys{s.directory, s.organizations}, Door: s.door, Log: s.edge, Seals: s.keys, Hosts: c.ConsoleHosts,
		Others: func(r *http.Request) bool { return s.serviceOf(r, "") != "" },
		Now:    time.Now, Logger: s.logger, Region: c.Region, Partition: partition, Mode: dispatch.Mode(c.Mode),
	})
	s.metrics.MustRegister(s.clock.Collectors()...)
	s.metrics.MustRegister(s.edge.Metrics()...)
	s.metrics.MustRegister(s.functions.Collectors()...)
	s.metrics.MustRegister(s.lambda.Collectors()...)
	s.metrics.MustRegister(s.logs.Collectors()...)
	return nil
}

// services is the list of what this server offers. To add one: one line.
func (s *server) services(identities iam.Config, data *awsdata.Data) ([]service.Service, error) {
	lambdaAPI, logsAPI, iamAPI, stsAPI := lambdaapi.API(), logsapi.API(), iamapi.API(), stsapi.API()
	organizationsAPI, sqsAPI := organizationsapi.API(), sqsapi.API()
	lambdaCodec, err := restjson.New(lambdaAPI)
	if err != nil {
		return nil, fmt.Errorf("make codec of lambda: %w", err)
	}
	s3API := s3api.API()
	s3Codec, err := restxml.New(s3API, s.s3.Hosted)
	if err != nil {
		return nil, fmt.Errorf("make codec of s3: %w", err)
	}
	controlAPI := s3controlapi.API()
	controlCodec, err := restxml.New(controlAPI, nil)
	if err != nil {
		return nil, fmt.Errorf("make codec of s3 control: %w", err)
	}
	s.logs = logs.New(logs.Config{
		DB: s.decisions.Recorded(), Room: s.room, Functions: subscribers{s}, Partition: partition, Now: s.clock.Now, Logger: s.logger,
	})
	s.closers = append(s.closers, func() error { s.logs.Close(); return nil })
	s.sqs = sqs.New(sqs.Config{
		DB: s.decisions.Recorded(), Room: s.room, URL: func() string { return s.url }, Partition: partition, Now: s.clock.Now, Logger: s.logger,
	})
	s.closers = append(s.closers, func() error { s.sqs.Close(); return nil })
	orgs := organizations.New(organizations.Config{
		DB: s.decisions.Recorded(), Accounts: accounts{s.directory}, Partition: partition,
	})
	return []service.Service{
		iam.New(identities, s.directory).Definition(iamAPI, query.New(iamAPI)),
		sts.New(sts.Config{
			Directory: s.directory, Providers: s.directory, Keyring: s.keys, Tokens: oidc.New(time.Now),
			KnownKey:     func(key string) bool { _, ok := data.ConditionKey("sts", key); return ok },
			Organization: s.directory, Denials: denials{s}, Issuers: s.directory,
		}).Definition(stsAPI, query.New(stsAPI)),
		s.lambda.Definition(lambdaAPI, lambdaCodec), s.lambda.FunctionURLRequests(lambdaCodec),
		s.logs.Definition(logsAPI, json.New(logsAPI, json.Version11)),
		s.s3.Definition(s3API, s3Codec), s.s3.Control(controlAPI, controlCodec),
		orgs.Definition(organizationsAPI, json.New(organizationsAPI, json.Version11)),
		s.sqs.Definition(sqsAPI, sqs.NewProtocols(json.New(sqsAPI, json.Version10), query.New(sqsAPI))),
	}, nil
}

// openObjects makes S3, and removes what a crash left of it.
func (s *server) openObjects(ctx context.Context, c config) error {
	blobs, err := dataDir(c.Data).openBlobs(ctx, objectBlobs)
	if err != nil {
		return err
	}
	s.s3 = s3.New(s3.Config{
		DB: s.decisions.Recorded(), Blobs: blobs, SharedBlobs: s.bucket || !s.node.Alone(), Principals: s.directory, Permissions: permissions{s}, Targets: notified{s},
		Room: s.room, Region: c.Region, Partition: partition, Now: s.clock.Now, Logger: s.logger,
	})
	s.closers = append(s.closers, func() error { s.s3.Close(); return nil })
	return s.s3.Sweep(ctx)
}

// serviceOf names the service of a request whose host or path says so. Those to function URLs may sign what they like: it is for the
// function. S3 Control shares S3's signatures; its requests have the account in a
// header, and in the host if the client is not told otherwise.
func (s *server) serviceOf(r *http.Request, signed string) string {
	switch {
	case functionurl.IsRequest(r):
		return functionurl.ServiceName
	case signed != "" && signed != "s3":
		return ""
	case r.Header.Get("X-Amz-Account-Id") != "" && strings.HasPrefix(r.URL.Path, "/v20180820/"):
		return "s3-control"
	case signed == "" && s.s3.Hosted(r.Host) != "":
		return "s3"
	}
	return ""
}

// openRuntimes writes the bootstraps of the managed runtimes.
func (s *server) openRuntimes(c config) (*runtimes.Set, error) {
	set, err := runtimes.Load()
	if err != nil {
		return nil, fmt.Errorf("load runtimes: %w", err)
	}
	dir, err := filepath.Abs(dataDir(c.Data).path("runtimes"))
	if err != nil {
		return nil, err
	}
	if err := set.Install(dir); err != nil {
		return nil, fmt.Errorf("install runtimes: %w", err)
	}
	return set, nil
}

// openExecution makes the sandbox driver and the manager of environments.
func (s *server) openExecution(ctx context.Context, c config, set *runtimes.Set) (*execution.Manager, error) {
	if err := os.MkdirAll(dataDir(c.Data).path("code"), 0o700); err != nil {
		return nil, fmt.Errorf("make code directory: %w", err)
	}
	driver, err := openDriver(c)
	if err != nil {
		return nil, err
	}
	s.driver = driver
	s.closers = append(s.closers, driver.Close)
	config := execution.Config{
		Driver: driver, Runtimes: execution.Managed(set), Credentials: executionRoles{s}.credentials, Logs: logWriter{s},
		Endpoint: frontDoor{s}, Network: sandbox.Network(c.FunctionNetwork), IdleTimeout: c.IdleTimeout, Logger: s.logger,
		Prestart: c.Prestart, Pressed: memoryIsShort,
		ProvisionedMemoryMB: machineMemoryMB() * 3 / 4, // what sandboxes may use together
	}
	if s.concurrency != nil {
		config.Shares = s.concurrency
	}
	return execution.New(config)
}

// openImages finds where container images come from, and where they are unpacked: nowhere when the sandboxes have no root of their own.
func (s *server) openImages(c config) (*registry.Registry, *image.Store, error) {
	if c.Images != "" {
		if _, err := os.ReadDir(c.Images); err != nil {
			return nil, nil, fmt.Errorf("--images: %w", err)
		}
	}
	places := registry.Config{Layouts: c.Images, Mirrors: c.Registries}
	if c.RegistryCredentials != "" {
		var err error
		if places.Credentials, err = registry.ReadCredentials(c.RegistryCredentials); err != nil {
			return nil, nil, err
		}
	}
	images, err := registry.New(places)
	if err != nil || c.Sandbox == "process" {
		return images, nil, err
	}
	dir, err := filepath.Abs(dataDir(c.Data).path("images"))
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("make image directory: %w", err)
	}
	unpacked := image.New(image.Settings{
		Dir: dir, Source: images, Limits: image.Limits{Bytes: int64(c.MaxImageGiB) << 30}, Room: s.room, Logger: s.logger,
	})
	s.closers = append(s.closers, func() error { unpacked.Close(); return nil })
	return images, unpacked, nil
}

// expireLogs deletes log events that are past their group's retention, at once and every hour.
func (s *server) expireLogs(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := s.logs.Expire(audit.System(ctx, "log retention"), s.clock.Now()); err != nil && ctx.Err() == nil {
			s.logger.ErrorContext(ctx, "Log events past their retention could not be deleted.", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// ready wants the store to answer, other servers of it to know of this one, and the time of day to be right, if that of another server is.
func (s *server) ready(ctx context.Context) error {
	if err := s.db.View(ctx, func(store.Reader) error { return nil }); err != nil {
		return err
	}
	if !s.node.Lives() {
		return errors.New("other servers of the store take this one for gone")
	}
	if off := s.clock.Off(); off.Abs() > node.MaxOff && s.node.OthersRight() { // else there is nobody who could do better
		return fmt.Errorf("the time of day of this machine is off by %v: what clients sign is refused", off.Round(time.Second))
	}
	return nil
}

// lead is background for work that one of the servers of a store does at a time.
func (s *server) lead(name string, fn func(context.Context) error) (stop func() error) {
	return background(func(ctx context.Context) error { return s.node.Lead(ctx, name, fn) })
}

// background runs fn until stop is called, which waits for it.
func background(fn func(context.Context) error) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}

// close undoes newServer.
func (s *server) close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// organizationOf is the id of the organization that an account is in; "" for none.
func (s *server) organizationOf(ctx context.Context, account string) (string, error) {
	m, err := s.organizations.Member(ctx, account)
	if err != nil || m == nil {
		return "", err
	}
	return m.ID, nil
}

// functionURL is where a function URL is: a name below localhost, which is this machine (RFC 6761, 6.3), by the server's own port.
// AWS has https://<id>.lambda-url.<region>.on.aws/.
func (s *server) functionURL(region, id string) string {
	scheme, address, _ := strings.Cut(s.url, "://")
	port := address[strings.LastIndexByte(address, ':')+1:]
	return scheme + "://" + id + ".lambda-url." + region + ".localhost:" + port + "/"
}
