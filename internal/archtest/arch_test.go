package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/licet/licet"

// allowed says what each package may import beside the standard library: rooms of this module by their folder, other modules by
// their path. A trailing "/..." takes everything below. A package is ruled by its longest matching entry; "folder/..." rules all
// packages below the folder. cmd, bench, compat and tools may import everything.
var allowed = map[string][]string{
	// The public engine depends on nothing but the standard library.
	"policy":          {},
	"authz":           {"policy"},
	"authz/reference": {"authz", "policy"},
	// What the evaluators' tests share: it must not know either of them.
	"authz/internal/authztest": {"authz", "policy", "golang.org/x/tools/txtar"},

	// Words.
	"internal/arn":          {},
	"internal/awserr":       {},
	"internal/principal":    {"authz", "policy"},
	"internal/organization": {"authz"},
	"internal/awsdata":      {},
	"internal/secret":       {},
	"internal/lockfile":     {},
	"internal/tlscert":      {},
	"internal/connection":   {"github.com/prometheus/client_golang/..."},
	"internal/totp":         {},
	"internal/invoker":      {"internal/nearest"},
	"internal/nearest":      {},
	"internal/sampleevent":  {"internal/nearest", "internal/invoker", "github.com/aws/aws-lambda-go/events", "github.com/google/go-cmp/..."}, // shapes of AWS, for tests
	"internal/linediff":     {},
	"internal/telemetry":    {"go.opentelemetry.io/...", "google.golang.org/protobuf/proto", "github.com/google/go-cmp/..."},

	// Contracts and engines.
	"internal/store":               {},
	"internal/store/storetest":     {"internal/store", "internal/store/sqlite", "github.com/google/go-cmp/..."},
	"internal/store/sqlite":        {"internal/store", "modernc.org/sqlite/..."},
	"internal/blob":                {},
	"internal/backup":              {"internal/blob", "internal/secret", "internal/store", "internal/store/sqlite", "github.com/google/go-cmp/..."},
	"internal/blob/blobtest":       {"internal/blob", "internal/blob/disk"},
	"internal/blob/disk":           {"internal/blob"},
	"internal/blob/s3":             {"internal/blob", "github.com/aws/aws-sdk-go-v2/...", "github.com/aws/smithy-go/..."},
	"internal/sandbox":             {},
	"internal/sandbox/sandboxtest": {"internal/sandbox", "github.com/google/go-cmp/..."},
	"internal/sandbox/osthread":    {"golang.org/x/sys/unix"},
	"internal/sandbox/linux":       {"internal/sandbox", "internal/sandbox/osthread", "internal/sandbox/stdio", "internal/lockfile", "golang.org/x/sys/unix"},
	"internal/sandbox/native":      {"internal/sandbox", "internal/sandbox/linux", "golang.org/x/sys/unix"},
	"internal/sandbox/oci":         {"internal/sandbox", "internal/sandbox/linux", "golang.org/x/sys/unix"},
	"internal/sandbox/stdio":       {},
	"internal/sandbox/process":     {"internal/sandbox", "internal/sandbox/osthread", "internal/sandbox/stdio", "internal/lockfile", "golang.org/x/sys/unix"},
	"internal/runtimes":            {"internal/sandbox"},
	"internal/archive":             {},
	"internal/registry":            {"github.com/google/go-containerregistry/..."},
	"internal/image":               {"internal/registry", "github.com/google/go-containerregistry/...", "golang.org/x/sys/unix", "github.com/google/go-cmp/..."},
	"internal/image/imagetest":     {"internal/image", "internal/registry", "github.com/google/go-containerregistry/..."},
	"internal/audit":               {"authz", "policy", "internal/principal", "internal/store"},

	// What a loss of power leaves; the engines are those of its tests.
	"internal/powercut": {
		"internal/backup", "internal/blob/...", "internal/image", "internal/registry", "internal/secret", "internal/store", "internal/store/sqlite", "internal/tlscert",
		"github.com/google/go-containerregistry/...",
	},

	// The time of day that does not jump.
	"internal/clock": {"github.com/prometheus/client_golang/prometheus", "golang.org/x/sys/unix"},

	// Several servers over one store.
	"internal/node":       {"internal/store", "internal/store/storetest", "github.com/google/uuid"},
	"internal/node/share": {"internal/store", "internal/store/storetest", "internal/node"},

	// The engine for a database, and the clusters of its tests.
	"internal/store/postgres":              {"internal/store", "internal/store/postgres/postgrestest", "github.com/jackc/pgx/...", "github.com/google/go-cmp/..."},
	"internal/store/postgres/postgrestest": {"github.com/jackc/pgx/..."},

	// Tokens of identity providers.
	"internal/oidc":          {"github.com/go-jose/go-jose/v4"},
	"internal/oidc/oidctest": {"github.com/go-jose/go-jose/v4"},
	"internal/saml": {
		"github.com/russellhaering/goxmldsig/...", "github.com/russellhaering/gosaml2/types", "github.com/beevik/etree",
		"github.com/mattermost/xml-roundtrip-validator",
	},
	"internal/codesign":              {"github.com/go-jose/go-jose/v4"},
	"internal/codesign/codesigntest": {},
	"internal/saml/samltest":         {"github.com/russellhaering/goxmldsig/...", "github.com/beevik/etree"},

	// The wire.
	"internal/sigv4":                 {"internal/awserr"},
	"internal/protocol":              {"internal/awserr", "github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream", "github.com/aws/smithy-go/..."},
	"internal/protocol/protocoltest": {"internal/protocol", "internal/awserr", "github.com/aws/...", "github.com/google/go-cmp/..."},
	"internal/protocol/...":          {"internal/protocol/...", "internal/awserr", "github.com/aws/smithy-go/...", "github.com/aws/aws-sdk-go-v2/service/..."},

	// Operations.
	"internal/service":                {"authz", "internal/awserr", "internal/principal", "internal/protocol"},
	"internal/execution/extension":    {"github.com/google/uuid"},
	"internal/execution/platform":     {"github.com/google/go-cmp/..."},
	"internal/execution/subscription": {"internal/execution/platform"},
	"internal/execution":              {"internal/execution/extension", "internal/execution/platform", "internal/execution/subscription", "internal/principal", "internal/sandbox", "internal/runtimes", "internal/telemetry", "github.com/prometheus/client_golang/...", "github.com/google/uuid"},
	"internal/dispatch": {
		"authz", "policy", "internal/audit", "internal/awserr", "internal/organization", "internal/principal", "internal/protocol",
		"internal/service", "internal/telemetry", "github.com/google/uuid",
	},
	"internal/edge": {
		"authz", "internal/audit", "internal/awserr", "internal/connection", "internal/dispatch", "internal/principal", "internal/protocol/...",
		"internal/leastpolicy", "internal/report", "internal/service", "internal/sigv4", "internal/secret", "policy", "internal/blob", "internal/oidc", "internal/telemetry",
		"github.com/prometheus/client_golang/...", "github.com/google/uuid",
	},
	"internal/upstream": {
		"authz", "internal/arn", "internal/awsdata", "internal/awserr", "internal/principal", "internal/protocol/...", "internal/service",
		"github.com/aws/aws-sdk-go-v2/aws/...", "github.com/aws/smithy-go/encoding/cbor",
	},
	"internal/console": {
		"authz", "policy", "internal/audit", "internal/awserr", "internal/dispatch", "internal/edge", "internal/leastpolicy", "internal/principal",
		"internal/service", "github.com/google/uuid", "github.com/aws/aws-sdk-go-v2/service/iam/...", "github.com/aws/aws-sdk-go-v2/service/lambda/...",
	},
	"internal/report":         {"authz", "policy"},
	"internal/policylint":     {"policy", "internal/awsdata", "internal/nearest", "internal/report"},
	"internal/decisiontable":  {"authz", "internal/landscape", "internal/report"},
	"internal/permissiontest": {"authz", "policy", "internal/arn", "internal/landscape", "internal/report", "go.yaml.in/yaml/v3"},
	"internal/cloudformation": {"authz", "internal/landscape", "internal/requirements", "go.yaml.in/yaml/v3"},
	"internal/landscape":      {"authz", "policy", "internal/arn", "internal/dispatch", "internal/organization", "internal/principal", "internal/service"},
	"internal/terraform":      {"authz", "internal/landscape", "internal/requirements", "github.com/google/go-cmp/..."},
	"internal/requirements":   {"authz", "internal/arn", "internal/landscape"},
	"internal/leastpolicy":    {"authz", "policy"},
	"internal/archtest":       {},
	"internal/history":        {"github.com/anishathalye/porcupine"}, // of tests, as porcupine

	// Services never import each other; the folder below a service is its own.
	"internal/services/sts": append(serviceMay("sts"), "internal/oidc", "internal/saml"),
	"internal/services/logs": append(serviceMay("logs", "cloudwatchlogs"), "internal/services/logs/...",
		"github.com/prometheus/client_golang/prometheus"),
	"internal/services/logs/pattern":      {},
	"internal/services/logs/subscription": {},
	"internal/services/logs/tail":         {},
	"internal/services/lambda": append(serviceMay("lambda"), "internal/archive", "internal/blob", "internal/execution", "internal/image/...",
		"internal/registry", "internal/services/lambda/...", "github.com/prometheus/client_golang/prometheus"),
	// Rooms below lambda: the words of all, then one room for each resource that stands by itself.
	"internal/services/lambda/fault":   {"internal/awserr"},
	"internal/services/lambda/request": {"internal/service", "internal/services/lambda/fault"},
	"internal/services/lambda/bundle":  {"authz", "github.com/aws/aws-sdk-go-v2/aws", "internal/archive", "internal/awserr", "internal/blob", "internal/service", "internal/services/lambda/fault"},
	"internal/services/lambda/layer": append(serviceMay("lambda"), "internal/blob", "internal/services/lambda/bundle",
		"internal/services/lambda/fault", "internal/services/lambda/request", "internal/codesign"),
	"internal/services/lambda/signing": append(serviceMay("lambda"), "internal/services/lambda/fault", "internal/services/lambda/request",
		"internal/services/lambda/tag", "internal/codesign"),
	"internal/services/lambda/stream": {"internal/execution", "github.com/google/go-cmp/..."},
	"internal/services/lambda/async": {
		"internal/arn", "internal/execution", "internal/store", "internal/services/lambda/request", "github.com/aws/aws-sdk-go-v2/aws",
		"github.com/aws/aws-sdk-go-v2/service/lambda/...", "github.com/aws/aws-sdk-go-v2/service/s3", "github.com/aws/aws-sdk-go-v2/service/sqs/...",
		"github.com/prometheus/client_golang/...",
	},
	"internal/services/lambda/mapping": append(serviceMay("lambda"), "internal/services/lambda/fault", "internal/services/lambda/request",
		"internal/services/lambda/tag", "internal/services/lambda/mapping/filter", "internal/services/lambda/mapping/poll"),
	"internal/services/lambda/mapping/filter": {},
	"internal/services/lambda/mapping/poll": {
		"internal/awserr", "internal/store", "internal/services/lambda/request", "github.com/aws/aws-sdk-go-v2/service/lambda/...",
		"github.com/prometheus/client_golang/prometheus",
	},
	"internal/services/lambda/mapping/poll/sqs": {
		"internal/arn", "internal/awserr", "internal/services/lambda/mapping/filter", "internal/services/lambda/mapping/poll",
		"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/service/lambda/...", "github.com/aws/aws-sdk-go-v2/service/sqs/...",
	},
	"internal/services/lambda/tag": {"authz", "internal/service", "internal/services/lambda/fault"},
	"internal/services/lambda/functionurl": {
		"authz", "internal/awserr", "internal/execution", "internal/protocol", "internal/service", "internal/store",
		"internal/services/lambda/fault", "internal/services/lambda/functionurl/payload", "internal/services/lambda/request",
		"internal/services/lambda/stream", "github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/service/lambda/...",
		"github.com/prometheus/client_golang/prometheus", "github.com/google/go-cmp/...",
	},
	"internal/services/lambda/functionurl/payload": {"github.com/google/go-cmp/..."},
	"internal/services/lambda/resourcepolicy": {
		"authz", "policy", "internal/arn", "internal/principal", "internal/service", "internal/store",
		"internal/services/lambda/fault", "internal/services/lambda/request",
		"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/service/lambda", "github.com/google/uuid",
	},

	"internal/services/s3": append(serviceMay("s3", "s3", "s3control"), "internal/services/s3/..."),
	// Rooms below s3.
	"internal/services/s3/fault":        {"internal/awserr"},
	"internal/services/s3/checksum":     {},
	"internal/services/s3/content":      {"internal/blob", "internal/store"},
	"internal/services/s3/object":       {"internal/store", "internal/services/s3/checksum", "internal/services/s3/content"},
	"internal/services/s3/notification": {"internal/store"},
	"internal/services/s3/bucket": {
		"authz", "policy", "internal/store", "internal/services/s3/notification", "internal/services/s3/object",
	},

	"internal/services/organizations":                  append(serviceMay("organizations"), "internal/organization"),
	"internal/services/organizations/organizationsapi": apiMay("organizations"),

	"internal/services/sqs":          append(serviceMay("sqs"), "internal/services/sqs/queue", "internal/services/sqs/movetask"),
	"internal/services/sqs/queue":    {"internal/arn", "internal/store"},
	"internal/services/sqs/movetask": {"internal/services/sqs/queue", "internal/store", "github.com/google/uuid"},
	"internal/services/sqs/sqsapi":   apiMay("sqs"),

	// Rooms below iam: what all operations share, then one room for each subject.
	"internal/services/iam":             iamMay("internal/organization", "credential", "certificate", "provider", "report", "simulator", "simulation"),
	"internal/services/iam/credential":  iamMay("internal/totp", "rsc.io/qr"),
	"internal/services/iam/certificate": iamMay(),
	"internal/services/iam/provider":    iamMay("internal/oidc", "internal/saml"),
	"internal/services/iam/report":      iamMay("internal/organization"),
	"internal/services/iam/simulator":   iamMay("simulation"),
	"internal/services/iam/target":      roomsMay("request", "record", "directory", "memo"),
	"internal/services/iam/directory":   roomsMay("request", "record", "memo", "internal/organization", "internal/oidc", "internal/saml"),
	"internal/services/iam/record":      roomsMay("request", "internal/totp"),
	"internal/services/iam/request":     roomsMay(),
	"internal/services/iam/memo":        {},
	"internal/services/iam/simulation": {
		"authz", "policy", "github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/service/iam/...",
	},

	"internal/services/iam/iamapi":       apiMay("iam"),
	"internal/services/s3/s3api":         apiMay("s3"),
	"internal/services/s3/s3controlapi":  apiMay("s3control"),
	"internal/services/sts/stsapi":       apiMay("sts"),
	"internal/services/logs/logsapi":     apiMay("cloudwatchlogs"),
	"internal/services/lambda/lambdaapi": apiMay("lambda"),
}

// free are the folders whose packages may import everything.
var free = []string{"cmd/", "bench", "compat", "tools/"}

// serviceMay is what every service may import: the words, the store, its own wire description and its own SDK module.
func serviceMay(name string, sdk ...string) []string {
	if sdk == nil {
		sdk = []string{name}
	}
	rooms := []string{
		"authz", "policy", "internal/arn", "internal/awserr", "internal/principal", "internal/protocol/...", "internal/secret",
		"internal/service", "internal/store", "internal/services/" + name + "/" + name + "api",
		"github.com/aws/aws-sdk-go-v2/aws", "github.com/google/uuid",
	}
	for _, s := range sdk {
		rooms = append(rooms, "github.com/aws/aws-sdk-go-v2/service/"+s+"/...")
	}
	return rooms
}

// roomsMay is what a room of IAM may import: what the service may, and the rooms that are named.
func roomsMay(more ...string) []string {
	all := serviceMay("iam")
	for _, m := range more {
		if !strings.Contains(m, "/") {
			m = "internal/services/iam/" + m
		}
		all = append(all, m)
	}
	return all
}

// iamMay is what IAM's rooms of operations may import.
func iamMay(more ...string) []string {
	return roomsMay(append([]string{"request", "record", "directory", "target"}, more...)...)
}

func apiMay(sdk string) []string {
	return []string{"internal/protocol", "github.com/aws/aws-sdk-go-v2/service/" + sdk + "/...", "github.com/aws/smithy-go/..."}
}

// testMay is what test files may import beside what their package may.
var testMay = []string{
	"github.com/google/go-cmp/...", "golang.org/x/tools/txtar", "github.com/aws/...", "policy", "authz/...",
	"github.com/prometheus/client_golang/prometheus/testutil",
	"internal/codesign/...", "internal/oidc/...", "internal/saml/samltest", "github.com/go-jose/go-jose/v4",
	"internal/store/storetest", "internal/blob/blobtest", "internal/totp", "internal/sandbox/...", "internal/runtimes", "internal/awsdata", "internal/secret",
	"internal/service", "internal/services/...", "internal/protocol/...", "internal/organization",
}

type file struct {
	path string // relative to the module root, with slashes
	pkg  string // folder
	ast  *ast.File
	test bool
	gen  bool
}

func files(t *testing.T) []file {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var all []file
	fset := token.NewFileSet()
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == "testdata" || name == "node_modules" || (strings.HasPrefix(name, ".") && p != root)) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		all = append(all, file{path: rel, pkg: path.Dir(rel), ast: f, test: strings.HasSuffix(name, "_test.go"), gen: ast.IsGenerated(f)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("found %d Go files below %s: the walk is broken", len(all), root)
	}
	return all
}

func TestImports(t *testing.T) {
	for _, f := range files(t) {
		if slices.ContainsFunc(free, func(p string) bool { return strings.HasPrefix(f.path, p) }) {
			continue
		}
		rule, ok := ruleOf(f.pkg)
		if !ok {
			t.Errorf("%s: no import rule for package %s: add one to the table", f.path, f.pkg)
			continue
		}
		for _, spec := range f.ast.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.SplitN(p, "/", 2)[0], ".") {
				continue // standard library
			}
			p = strings.TrimPrefix(p, module+"/")
			if p == f.pkg || matches(rule, p) || (f.test && matches(testMay, p)) {
				continue
			}
			t.Errorf("%s imports %s, which the architecture does not allow", f.path, p)
		}
	}
}

// TestReferenceIsForTests keeps the slow evaluator, by which the fast one is tested, out of what is shipped.
func TestReferenceIsForTests(t *testing.T) {
	const reference = module + "/authz/reference"
	for _, f := range files(t) {
		if f.test || f.pkg == "bench" {
			continue
		}
		for _, spec := range f.ast.Imports {
			if spec.Path.Value == strconv.Quote(reference) {
				t.Errorf("%s imports %s, which only tests and benchmarks may", f.path, reference)
			}
		}
	}
}

// ruleOf finds the entry of a package: its own, or the nearest "folder/...".
func ruleOf(pkg string) ([]string, bool) {
	if r, ok := allowed[pkg]; ok {
		return r, true
	}
	for dir := path.Dir(pkg); dir != "."; dir = path.Dir(dir) {
		if r, ok := allowed[dir+"/..."]; ok {
			return r, true
		}
	}
	return nil, false
}

func matches(rules []string, imported string) bool {
	return slices.ContainsFunc(rules, func(r string) bool {
		if below, ok := strings.CutSuffix(r, "/..."); ok {
			return imported == below || strings.HasPrefix(imported, below+"/")
		}
		return imported == r
	})
}

func TestPackageDocs(t *testing.T) {
	docs := make(map[string][]string)
	packages := make(map[string]bool)
	for _, f := range files(t) {
		if f.test {
			continue
		}
		packages[f.pkg] = true
		if f.ast.Doc == nil {
			continue
		}
		docs[f.pkg] = append(docs[f.pkg], f.path)
		if n := strings.Count(f.ast.Doc.Text(), "\n"); n > 40 {
			t.Errorf("%s: package doc has %d lines, at most 40; the rest belongs into DESIGN.md beside it", f.path, n)
		}
		if !strings.HasPrefix(f.ast.Doc.Text(), "Package ") && !strings.HasPrefix(f.ast.Doc.Text(), "Command ") {
			t.Errorf("%s: package doc must begin with %q or %q", f.path, "Package", "Command")
		}
	}
	for pkg := range packages {
		if len(docs[pkg]) != 1 {
			t.Errorf("package %s has %d package docs, want exactly one: %v", pkg, len(docs[pkg]), docs[pkg])
		}
	}
}

func TestNothingRunsAtImport(t *testing.T) {
	for _, f := range files(t) {
		for _, decl := range f.ast.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function", f.path)
			}
		}
	}
}

func TestNames(t *testing.T) {
	banned := []string{"util", "utils", "common", "helpers", "base", "core", "types", "models", "interfaces", "pkg"}
	for _, f := range files(t) {
		if slices.Contains(banned, f.ast.Name.Name) {
			t.Errorf("%s: package name %q says nothing", f.path, f.ast.Name.Name)
		}
	}
}

func TestGeneratedCodeStaysInItsFolders(t *testing.T) {
	for _, f := range files(t) {
		if f.gen && !strings.HasSuffix(f.pkg, "api") {
			t.Errorf("%s is generated but not in an *api folder", f.path)
		}
	}
}

// TestDependenciesAreExplained wants a line of docs/DEPENDENCIES.md for every direct dependency.
func TestDependenciesAreExplained(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/DEPENDENCIES.md")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.FieldsFunc(string(doc), func(r rune) bool { return r == ' ' || r == ',' || r == '|' || r == '\n' })
	direct := 0
	for line := range strings.Lines(string(mod)) {
		f := strings.Fields(line)
		if len(f) != 2 || !strings.HasPrefix(f[1], "v") {
			continue // a longer line is indirect
		}
		direct++
		if !slices.Contains(words, f[0]) {
			t.Errorf("%s is not in docs/DEPENDENCIES.md", f[0])
		}
	}
	if direct < 5 {
		t.Errorf("found %d direct dependencies: go.mod was not understood", direct)
	}
}
