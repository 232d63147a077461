package permissiontest

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/landscape"
)

// Options are what Read needs of the world.
type Options struct {
	// ReadFile reads a file that another names, by a path that is relative to it.
	ReadFile func(path string) ([]byte, error)
	// ManagedPolicy gives the text of an AWS managed policy.
	ManagedPolicy func(arn string) (text string, ok bool)
	// Action tells whether AWS has an action, and else which is like it; "" for none.
	Action func(action string) (near string, ok bool)
	// Resource says what is wrong with a call of an action on an ARN, or "*": that AWS never makes such a call. "" is nothing.
	Resource func(action, resource string) string
	// Key tells whether a call of an action can have a condition key.
	Key func(action, key string) bool
	// Loaders read sources. The first that takes a file reads it.
	Loaders []Loader
}

// Loader reads a kind of source.
type Loader struct {
	// Takes tells by a file's text whether it is of this kind.
	Takes func(text []byte) bool
	Load  func(name string, text []byte, s Settings) (*landscape.Landscape, error)
}

// Settings are what a file says of the deployment.
type Settings struct {
	Account, Region, Partition, Stack string
	// Parameters of templates, by name.
	Parameters map[string]string
}

// File is a file of tests.
type File struct {
	Name      string
	Landscape *landscape.Landscape
	Tests     []Test
}

// Test is one test of a file.
type Test struct {
	At   landscape.Place
	Name string
	// Cases in the order of the file.
	Cases []Case
}

// Expected is what a case expects.
type Expected string

// The expectations, which are the keys of a test.
const (
	// Can: the call is allowed.
	Can Expected = "can"
	// Cannot: it is denied, by whatever.
	Cannot Expected = "cannot"
	// Missing: it is denied because permissions are missing, and statements that allow it are all that it takes.
	Missing Expected = "missing"
)

// Case is one call with what is expected of it.
type Case struct {
	At   landscape.Place
	Want Expected
	Call landscape.Call
	// By is the type of policy that must have decided; "" for any.
	By authz.PolicyType
}

// String is the case in words: "ResizeRole can s3:GetObject Photos/a.png".
func (c Case) String() string {
	want := string(c.Want)
	if c.Want == Missing {
		want = "is missing"
	}
	text := c.Call.Principal + " " + want + " " + c.Call.Action
	if c.Call.Resource != "*" {
		text += " " + c.Call.Resource
	}
	return text
}

// Cases counts the cases of a file.
func (f *File) Cases() (n int) {
	for _, t := range f.Tests {
		n += len(t.Cases)
	}
	return n
}

// Defaults of Settings.
const (
	defaultAccount = "123456789012"
	defaultRegion  = "us-east-1"
)

// aFileHas is what a file without tests is told.
const aFileHas = "a file has tests, or sufficient: true with sources"

// file reads one file.
type file struct {
	reader
	Options
	dir   string
	out   *File
	docs  map[string]landscape.Policy // by path or ARN
	tests map[string]bool             // by name
}

// Read reads a file of tests with all that it names. The error is an *Error, or of a source.
func Read(name string, text []byte, o Options) (*File, error) {
	f := &file{
		reader: reader{file: name}, Options: o, dir: filepath.Dir(name), out: &File{Name: name},
		docs: make(map[string]landscape.Policy), tests: make(map[string]bool),
	}
	root := f.parse(text)
	if f.err != nil {
		return nil, f.err
	}
	f.read(root)
	if f.err != nil {
		return nil, f.err
	}
	return f.out, nil
}

func (f *file) read(root *yaml.Node) {
	in := f.fields(root, "a file of tests", "sources", "parameters", "account", "region", "stack", "principals", "resources", "organization",
		"sufficient", "tests")
	s := f.settings(in)
	f.out.Landscape = &landscape.Landscape{Partition: s.Partition, Account: s.Account, Region: s.Region}
	for _, n := range f.items(in["sources"]) {
		f.source(n, s)
	}
	f.each(in["parameters"], "parameters", func(name string, at, _ *yaml.Node) {
		if !slices.Contains(f.out.Landscape.Parameters, name) {
			f.fail(at, "no source has a parameter %q", name)
		}
	})
	f.each(in["principals"], "principals", f.principal)
	f.each(in["resources"], "resources", f.resource)
	f.organization(in["organization"])
	if f.flag(in["sufficient"], "sufficient") {
		f.sufficient(in["sufficient"])
	}
	if n := in["tests"]; n != nil {
		if n.Kind != yaml.SequenceNode {
			f.fail(n, "tests must be a list")
			return
		}
		for _, t := range n.Content {
			f.test(t)
		}
	}
	if f.err == nil && f.out.Cases() == 0 {
		f.fail(root, "there are no tests: %s", aFileHas)
	}
}

func (f *file) settings(in map[string]*yaml.Node) Settings {
	s := Settings{
		Account: f.text(in["account"], "account"), Region: f.text(in["region"], "region"), Partition: "aws", Stack: f.text(in["stack"], "stack"),
		Parameters: f.strings(in["parameters"], "parameters"),
	}
	if n := in["account"]; n != nil && (len(s.Account) != 12 || strings.Trim(s.Account, "0123456789") != "") {
		f.fail(n, "account must have twelve digits, in quotation marks")
	}
	if s.Account == "" {
		s.Account = defaultAccount
	}
	if s.Region == "" {
		s.Region = defaultRegion
	}
	switch {
	case strings.HasPrefix(s.Region, "cn-"):
		s.Partition = "aws-cn"
	case strings.HasPrefix(s.Region, "us-gov-"):
		s.Partition = "aws-us-gov"
	}
	return s
}

func (f *file) source(n *yaml.Node, s Settings) {
	path := f.text(n, "a source")
	if f.err != nil {
		return
	}
	name := f.pathOf(path)
	text, err := f.ReadFile(name)
	if err != nil {
		f.fail(n, "%v", err)
		return
	}
	for _, l := range f.Loaders {
		if !l.Takes(text) {
			continue
		}
		loaded, err := l.Load(name, text, s)
		if err != nil {
			f.fail(n, "%v", err)
			return
		}
		f.out.Landscape.Join(loaded)
		return
	}
	const neither = "%s is neither a CloudFormation or SAM template nor the JSON of a Terraform plan (terraform show -json)"
	if err := unreadable(name, text); err != nil {
		f.fail(n, neither+": %v", path, err)
		return
	}
	f.fail(n, neither, path)
}

func (f *file) pathOf(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(f.dir, path)
}

// policyOf reads a policy: a document, the path of one, or the ARN of an AWS managed policy.
func (f *file) policyOf(n *yaml.Node, name string) landscape.Policy {
	if n.Kind == yaml.MappingNode {
		return f.parsed(n, fmt.Sprintf("%s at line %d", name, n.Line), "", f.json(n))
	}
	ref := f.text(n, "a policy")
	if known, ok := f.docs[ref]; ok || f.err != nil {
		return known
	}
	var p landscape.Policy
	if strings.HasPrefix(ref, "arn:") {
		text, ok := f.ManagedPolicy(ref)
		if !ok {
			f.fail(n, "AWS has no managed policy %s", ref)
			return p
		}
		p = f.parsed(n, ref[strings.LastIndexByte(ref, '/')+1:], ref, []byte(text))
	} else {
		text, err := f.ReadFile(f.pathOf(ref))
		if err != nil {
			f.fail(n, "%v", err)
			return p
		}
		p = f.parsed(n, ref, "", text)
	}
	f.docs[ref] = p
	return p
}

func (f *file) parsed(n *yaml.Node, name, arn string, text []byte) landscape.Policy {
	if f.err != nil {
		return landscape.Policy{}
	}
	p, err := landscape.ParsePolicy(name, arn, text)
	if err != nil {
		f.fail(n, "%s: %v", name, err)
	}
	return p
}

func (f *file) policies(n *yaml.Node, name string) []landscape.Policy {
	list := []landscape.Policy{}
	for _, item := range f.items(n) {
		list = append(list, f.policyOf(item, name))
	}
	return list
}

func (f *file) optional(n *yaml.Node, name string) *landscape.Policy {
	if n == nil {
		return nil
	}
	p := f.policyOf(n, name)
	return &p
}

func (f *file) principal(name string, at, n *yaml.Node) {
	in := f.fields(n, "a principal", "kind", "arn", "policies", "boundary", "trust", "tags")
	p := &landscape.Principal{
		At: f.place(at), Names: []string{name}, ARN: f.text(in["arn"], "arn"), Tags: f.strings(in["tags"], "tags"),
		Policies: f.policies(in["policies"], name), Boundary: f.optional(in["boundary"], "boundary of "+name),
		Trust: f.optional(in["trust"], "trust policy of "+name),
	}
	kind := f.text(in["kind"], "kind")
	switch kind {
	case "", "role":
		p.Kind, kind = authz.AssumedRole, "role"
	case "user":
		p.Kind = authz.User
		if in["trust"] != nil {
			f.fail(in["trust"], "users have no trust policy")
		}
	default:
		f.fail(in["kind"], "kind must be role or user")
	}
	l := f.out.Landscape
	if p.ARN == "" && strings.HasPrefix(name, "arn:") {
		p.ARN = name
	}
	if p.ARN == "" {
		p.ARN = fmt.Sprintf("arn:%s:iam::%s:%s/%s", l.Partition, l.Account, kind, name)
	} else if a, err := arn.Parse(p.ARN); err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, kind+"/") {
		f.fail(cmp.Or(in["arn"], at), "this is not the ARN of a %s", kind)
	}
	if known, err := l.Principal(p.ARN); err != nil || known != nil {
		f.fail(at, "%s is declared already", p.ARN)
	}
	l.Principals = append(l.Principals, p)
}

func (f *file) resource(name string, at, n *yaml.Node) {
	in := f.fields(n, "a resource", "arn", "policy", "required", "tags", "role")
	r := &landscape.Resource{
		At: f.place(at), Names: []string{name}, ARN: f.text(in["arn"], "arn"), Tags: f.strings(in["tags"], "tags"),
		Policy: f.optional(in["policy"], "policy of "+name), Required: f.flag(in["required"], "required"), Role: f.text(in["role"], "role"),
	}
	if r.ARN == "" && strings.HasPrefix(name, "arn:") {
		r.ARN = name
	}
	if _, err := arn.Parse(r.ARN); err != nil {
		f.fail(at, "the resource must have its arn")
	}
	f.out.Landscape.AddResource(r)
}

func (f *file) organization(n *yaml.Node) {
	if n == nil {
		return
	}
	in := f.fields(n, "organization", "scps", "rcps")
	levels := func(n *yaml.Node, what string) (all [][]landscape.Policy) {
		if n != nil && n.Kind != yaml.SequenceNode {
			f.fail(n, "%s must be a list of levels, from the organization's root to the account, each a list of policies", what)
			return nil
		}
		for _, level := range f.items(n) {
			all = append(all, f.policies(level, what))
		}
		return all
	}
	l := f.out.Landscape
	l.SCPs, l.RCPs = append(l.SCPs, levels(in["scps"], "scps")...), append(l.RCPs, levels(in["rcps"], "rcps")...)
}

// sufficient is the test that what the sources declare can work: the calls that loaders know to be needed are allowed.
func (f *file) sufficient(n *yaml.Node) {
	t := Test{At: f.place(n), Name: "roles and policies suffice for what is configured"}
	if f.err == nil && len(f.out.Landscape.Calls) == 0 {
		f.fail(n, "nothing in the sources needs a permission")
	}
	for _, c := range f.out.Landscape.Calls {
		t.Cases = append(t.Cases, Case{At: t.At, Want: Can, Call: c})
	}
	f.out.Tests = append(f.out.Tests, t)
}

func (f *file) test(n *yaml.Node) {
	in := f.fields(n, "a test", "name", "as", "context", "source", "session", "can", "cannot", "missing")
	t := Test{At: f.place(n), Name: f.text(in["name"], "name")}
	who := f.texts(in["as"], "as")
	if len(who) == 0 {
		f.fail(n, "a test must say as whom it calls")
	}
	if t.Name == "" {
		t.Name = strings.Join(who, ", ")
	}
	if f.tests[t.Name] {
		f.fail(n, "another test has the name %q", t.Name)
	}
	f.tests[t.Name] = true
	base := landscape.Call{Context: f.sourceOf(in["source"])}
	base.Context.Merge(f.context(in["context"]))
	if in["session"] != nil {
		base.Session = f.policies(in["session"], "session policy")
	}
	for _, want := range []Expected{Can, Cannot, Missing} {
		for _, item := range f.items(in[string(want)]) {
			for _, c := range f.cases(item, base) {
				for _, principal := range who {
					c.Want, c.Call.Principal = want, principal
					t.Cases = append(t.Cases, c)
				}
			}
		}
	}
	if f.err == nil && len(t.Cases) == 0 {
		f.fail(n, "a test must expect something: can, cannot or missing")
	}
	f.out.Tests = append(f.out.Tests, t)
}

// sourceOf are the keys of a call that a service makes for a resource.
func (f *file) sourceOf(n *yaml.Node) (keys authz.Context) {
	if n == nil {
		return keys
	}
	source, err := f.out.Landscape.ResourceARN(f.text(n, "source"))
	if err != nil {
		f.fail(n, "%v", err)
		return keys
	}
	keys.Set("aws:SourceArn", source)
	account := f.out.Landscape.Account
	if a, err := arn.Parse(source); err == nil && a.AccountID != "" {
		account = a.AccountID
	}
	keys.Set("aws:SourceAccount", account)
	return keys
}

func (f *file) context(n *yaml.Node) (keys authz.Context) {
	f.each(n, "context", func(name string, _, value *yaml.Node) {
		if value.Kind == yaml.SequenceNode {
			keys.SetList(name, f.texts(value, name)...)
			return
		}
		keys.Set(name, f.text(value, name))
	})
	return keys
}

// cases are those of one line of a test: "s3:GetObject,s3:PutObject Photos/a Photos/b", or a mapping that says more.
func (f *file) cases(n *yaml.Node, base landscape.Call) []Case {
	var actions, resources []string
	c := Case{At: f.place(n), Call: base}
	if n.Kind == yaml.MappingNode {
		in := f.fields(n, "a call", "action", "resource", "context", "source", "by")
		actions, resources = f.texts(in["action"], "action"), f.texts(in["resource"], "resource")
		if more := in["context"]; more != nil || in["source"] != nil {
			c.Call.Context = authz.Context{}
			c.Call.Context.Merge(base.Context)
			c.Call.Context.Merge(f.sourceOf(in["source"]))
			c.Call.Context.Merge(f.context(more))
		}
		c.By = f.by(in["by"])
	} else {
		words := strings.Fields(f.text(n, "a call"))
		if len(words) > 0 {
			actions, resources = strings.Split(words[0], ","), words[1:]
		}
	}
	if len(actions) == 0 {
		f.fail(n, "a call must have an action")
	}
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	var all []Case
	for _, action := range actions {
		f.known(n, action)
		for key := range c.Call.Context.All {
			if f.err == nil && !f.Key(action, key) {
				f.fail(n, "calls of %s have no condition key %s", action, key)
			}
		}
		for _, resource := range resources {
			f.fits(n, action, resource)
			c.Call.Action, c.Call.Resource = action, resource
			all = append(all, c)
		}
	}
	return all
}

// known wants an action to be one of AWS's: a test of another could only pass.
func (f *file) known(n *yaml.Node, action string) {
	near, ok := f.Action(action)
	switch {
	case ok:
	case near != "":
		f.fail(n, "AWS has no action %s; did you mean %s?", action, near)
	default:
		f.fail(n, "AWS has no action %s", action)
	}
}

// fits wants the resource to be one that the action is asked on: of another kind the policies say nothing, and "cannot" would only pass.
func (f *file) fits(n *yaml.Node, action, resource string) {
	arn, err := f.out.Landscape.ResourceARN(resource)
	if f.err != nil || err != nil { // what names nothing is said of the call
		return
	}
	if problem := f.Resource(action, landscape.Shown(arn)); problem != "" {
		f.fail(n, "%s", problem)
	}
}

// words of the types of policy.
var types = map[string]authz.PolicyType{
	"identity-based policy": authz.IdentityBasedPolicy, "resource-based policy": authz.ResourceBasedPolicy,
	"permissions boundary": authz.PermissionsBoundary, "session policy": authz.SessionPolicy, "trust policy": authz.RoleTrustPolicy,
	"service control policy": authz.ServiceControlPolicy, "resource control policy": authz.ResourceControlPolicy,
}

func (f *file) by(n *yaml.Node) authz.PolicyType {
	if n == nil {
		return ""
	}
	t, ok := types[f.text(n, "by")]
	if !ok {
		f.fail(n, "by must be one of %s", strings.Join(slices.Sorted(maps.Keys(types)), ", "))
	}
	return t
}
