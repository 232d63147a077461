package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/cloudformation"
	"github.com/licet/licet/internal/edge"
	"github.com/licet/licet/internal/landscape"
	"github.com/licet/licet/internal/nearest"
	"github.com/licet/licet/internal/permissiontest"
	"github.com/licet/licet/internal/terraform"
	"github.com/licet/licet/policy"
)

// testSuffixes are the names of test files in a folder.
var testSuffixes = []string{".licet.yaml", ".licet.yml"}

// unusable is the exit status of a run that could not be made.
const unusable = 2

type testFlags struct {
	data, account string
	server        bool
	run, junit    string
	asJSON        bool
	github        bool
}

func testCommand() *cobra.Command {
	var f testFlags
	cmd := &cobra.Command{
		Use:   "test [FILE|DIRECTORY …]",
		Short: "Run permission tests: who can do what, before anything is deployed",
		Long: "Runs the test files that are named, or those of directories whose names end with .licet.yaml; without any, those below the working\n" +
			"directory. A file names its sources (CloudFormation and SAM templates, Terraform plans as JSON, policy documents) and says who can and\n" +
			"cannot do what; docs/TESTING.md is its manual. No server is needed. With --server the running one decides instead.\n\n" +
			"The exit status is 0 when all is as expected, 1 when something is not or depends on what is not known, and 2 when a file cannot be\n" +
			"used.",
		RunE: func(cmd *cobra.Command, args []string) error {
			err := f.test(cmd, args)
			if err != nil && !errors.Is(err, errNotAsExpected) {
				return exitStatus{err, unusable}
			}
			return err
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&f.server, "server", false, "ask the running server what it would decide, by its own policies")
	fs.StringVar(&f.data, "data", "", "with --server: its data directory; default: the environment, else "+defaultDataDir())
	fs.StringVar(&f.account, "account", "", "with --server: account whose root asks; default: the environment, else "+defaultAccount)
	fs.StringVar(&f.run, "run", "", "only tests whose name matches this regular expression")
	fs.StringVar(&f.junit, "junit", "", "write the results to this file, too, as JUnit's XML")
	fs.BoolVar(&f.asJSON, "json", false, "print the results as JSON")
	fs.BoolVar(&f.github, "github", os.Getenv("GITHUB_ACTIONS") == "true", "print annotations for GitHub Actions, too")
	return cmd
}

var errNotAsExpected = errors.New("not all is as expected")

func (f *testFlags) test(cmd *cobra.Command, args []string) error {
	chosen, err := regexp.Compile(f.run)
	if err != nil {
		return fmt.Errorf("--run: %w", err)
	}
	paths, err := testFiles(args)
	if err != nil {
		return err
	}
	data, err := awsdata.Load()
	if err != nil {
		return fmt.Errorf("load AWS's tables: %w", err)
	}
	started := time.Now()
	var all []permissiontest.Result
	out := cmd.OutOrStdout()
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := permissiontest.Read(path, text, testOptions(data))
		if e, ok := errors.AsType[*permissiontest.Error](err); ok && f.github {
			err = errors.Join(err, permissiontest.WriteGitHubError(out, e))
		}
		if err != nil {
			return err
		}
		by, err := f.decider(cmd.Context(), file, started)
		if err != nil {
			return err
		}
		results, err := permissiontest.Run(cmd.Context(), file, by, chosen.MatchString, progressOf(cmd.ErrOrStderr(), path))
		if err != nil {
			return err
		}
		if f.asJSON {
			for _, n := range file.Landscape.Notes {
				fmt.Fprintf(cmd.ErrOrStderr(), "note: %s: %s\n", n.At, n.Text)
			}
		} else {
			if err := newPainter(out).print(permissiontest.Report(file, results)); err != nil {
				return err
			}
		}
		all = append(all, results...)
	}
	return f.finish(out, all, time.Since(started))
}

// finish writes what is about all files.
func (f *testFlags) finish(out io.Writer, all []permissiontest.Result, took time.Duration) error {
	if f.asJSON {
		if err := permissiontest.WriteJSON(out, all); err != nil {
			return err
		}
	}
	if f.github {
		if err := permissiontest.WriteGitHub(out, all); err != nil {
			return err
		}
	}
	if f.junit != "" {
		if err := writeJUnit(f.junit, all, took); err != nil {
			return err
		}
	}
	sum := permissiontest.Sum(all)
	if sum.Cases == 0 {
		return errors.New("no test was chosen")
	}
	if !f.asJSON {
		if _, err := fmt.Fprintf(out, "%s. (%.2f s)\n", sum, took.Seconds()); err != nil {
			return err
		}
	}
	if !sum.OK() {
		return errNotAsExpected
	}
	return nil
}

func writeJUnit(path string, all []permissiontest.Result, took time.Duration) error {
	w, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(permissiontest.WriteJUnit(w, all, took), w.Close())
}

// testFiles are the files to read, each once, in order.
func testFiles(args []string) ([]string, error) {
	if len(args) == 0 {
		args = []string{"."}
	}
	files, err := filesOf(args, func(path string) bool {
		return slices.ContainsFunc(testSuffixes, func(s string) bool { return strings.HasSuffix(path, s) })
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("there is no file %s in %s", "*"+testSuffixes[0], strings.Join(args, ", "))
	}
	return files, err
}

// filesOf are the files that are named, and those of named directories that are wanted, each once, in order.
func filesOf(args []string, wanted func(path string) bool) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, arg)
			continue
		}
		err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				if err == nil && path != arg && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules") {
					return filepath.SkipDir
				}
				return err
			}
			if wanted(path) {
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// testOptions joins what test files may name with what reads it.
func testOptions(data *awsdata.Data) permissiontest.Options {
	managed := func(arn string) (string, bool) {
		p, ok := data.ManagedPolicy(arn)
		if !ok {
			return "", false
		}
		return p.Document(), true
	}
	named := func(name string) (string, bool) {
		for p := range data.ManagedPolicies() {
			if p.Name == name {
				return p.ARN, true
			}
		}
		return "", false
	}
	return permissiontest.Options{
		ReadFile: os.ReadFile, ManagedPolicy: managed,
		Loaders: []permissiontest.Loader{{
			Takes: cloudformation.Takes,
			Load: func(name string, text []byte, s permissiontest.Settings) (*landscape.Landscape, error) {
				return cloudformation.Load(name, text, cloudformation.Options{
					Account: s.Account, Region: s.Region, Partition: s.Partition, StackName: s.Stack, Parameters: s.Parameters,
					ManagedPolicy: managed, ManagedPolicyARN: named,
				})
			},
		}, {
			Takes: terraform.Takes,
			Load: func(name string, text []byte, s permissiontest.Settings) (*landscape.Landscape, error) {
				return terraform.Load(name, text, terraform.Options{
					Account: s.Account, Region: s.Region, Partition: s.Partition, ManagedPolicy: managed,
				})
			},
		}},
		Action: func(action string) (string, bool) {
			if _, ok := data.Action(action); ok {
				return "", true
			}
			return nearAction(data, action), false
		},
		Resource: func(action, resource string) string { return misfit(data, action, resource) },
		Key: func(action, key string) bool {
			service, _, _ := strings.Cut(action, ":")
			provider, _, _ := strings.Cut(key, ":")
			_, ok := data.ConditionKey(service, key)
			_, global := policy.LookupKey(key)
			return ok || global || strings.Contains(provider, ".") // of an OIDC provider, by its domain
		},
	}
}

// misfit says why AWS never asks for an action on a resource; "" when it may. An action that has types of resources is asked on one of
// them, but where it needs none it may be asked on all.
func misfit(data *awsdata.Data, action, resource string) string {
	formats, known := data.ResourceFormats(action)
	a, _ := data.Action(action)
	switch {
	case !known:
		return ""
	case len(formats) == 0 && resource != "*":
		return fmt.Sprintf("%s is not asked on a resource: leave %s out", action, resource)
	case len(formats) == 0:
		return ""
	case resource == "*" && (a.Service == "s3" || slices.ContainsFunc(a.ResourceTypes, func(r awsdata.ResourceTypeRef) bool { return r.Required })):
		return fmt.Sprintf("%s is asked on a resource, which must be given: %s", action, strings.Join(formats, " or "))
	case resource == "*":
		return ""
	}
	for _, format := range formats {
		if isOf(data, resource, format) {
			return ""
		}
	}
	return fmt.Sprintf("%s is not asked on %s, but on %s", action, resource, strings.Join(formats, " or "))
}

// isOf tells whether a resource is of the type that has the format. The name of a bucket has no slash: an object is none.
func isOf(data *awsdata.Data, resource, format string) bool {
	_, inBucket, _ := strings.Cut(resource, ":s3:::")
	isBucket := strings.HasSuffix(format, ":s3:::${BucketName}")
	return data.Fits(resource, format) && !(isBucket && strings.Contains(inBucket, "/"))
}

// nearAction is an action of AWS that is like one that is not; "" for none.
func nearAction(data *awsdata.Data, action string) string {
	service, name, _ := strings.Cut(action, ":")
	if near := nearest.Of(name, data.Names(service)); len(near) > 0 {
		return service + ":" + near[0]
	}
	if near := nearest.Of(service, data.Services()); len(near) > 0 && name != "" {
		if _, ok := data.Action(near[0] + ":" + name); ok {
			return near[0] + ":" + name
		}
	}
	return ""
}

func (f *testFlags) decider(ctx context.Context, file *permissiontest.File, now time.Time) (permissiontest.Decider, error) {
	if !f.server {
		return permissiontest.Offline{Landscape: file.Landscape, Now: now}, nil
	}
	t, err := findTarget(ctx, f.data, f.account)
	if err != nil {
		return nil, err
	}
	return &asked{target: t, declared: file.Landscape}, nil
}

// asked is a server that says what it would decide. What a file declares gives the names.
type asked struct {
	*target
	declared *landscape.Landscape
}

// Explain asks the server.
func (a *asked) Explain(ctx context.Context, c landscape.Call) (landscape.Answer, error) {
	if c.Session != nil {
		return landscape.Answer{}, errors.New("a server is not asked about session policies")
	}
	who, err := a.declared.Principal(c.Principal)
	if err != nil {
		return landscape.Answer{}, err
	}
	if who != nil {
		c.Principal = who.ARN
	} else if fn, err := a.declared.Resource(c.Principal); err != nil {
		return landscape.Answer{}, err
	} else if fn != nil && fn.Role != "" {
		c.Principal = fn.Role
		var keys authz.Context
		keys.Set("lambda:SourceFunctionArn", landscape.FunctionARN(fn.ARN))
		keys.Merge(c.Context)
		c.Context = keys
	}
	if c.Resource, err = a.declared.ResourceARN(c.Resource); err != nil {
		return landscape.Answer{}, err
	}
	if landscape.IsUnknown(c.Principal + c.Resource) {
		return landscape.Answer{Unsure: []string{landscape.Shown("the call is of " + c.Principal + " on " + c.Resource)}}, nil
	}
	q := url.Values{"as": {c.Principal}, "action": {c.Action}, "resource": {c.Resource}}
	for name, v := range c.Context.All {
		for _, value := range v.Values {
			q.Add("context", name+"="+value)
		}
	}
	body, err := a.ask(ctx, http.MethodGet, edge.SupposePage+"?"+q.Encode(), nil)
	if err != nil {
		return landscape.Answer{}, err
	}
	var e edge.Explanation
	if err := json.Unmarshal(body, &e); err != nil {
		return landscape.Answer{}, fmt.Errorf("read the server's answer: %w", err)
	}
	if len(e.Decisions) != 1 {
		return landscape.Answer{}, fmt.Errorf("the server answered with %d decisions", len(e.Decisions))
	}
	return landscape.Answer{Explanation: e.Decisions[0].Explanation, Notes: e.Notes}, nil
}

// progressOf shows on a terminal how far a run has come that takes longer than a second.
func progressOf(w io.Writer, path string) func(done, all int) {
	if !newPainter(w).coloured {
		return nil
	}
	var mu sync.Mutex
	shown := time.Now().Add(time.Second)
	began := false
	return func(done, all int) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.After(shown) {
			shown, began = now.Add(100*time.Millisecond), true
			fmt.Fprintf(w, "\r%s: %d of %d", path, done, all)
		}
		if began && done == all {
			fmt.Fprint(w, "\r\x1b[K")
		}
	}
}
