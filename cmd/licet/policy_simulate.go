package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/decisiontable"
	"github.com/licet/licet/internal/landscape"
	"github.com/licet/licet/internal/permissiontest"
)

// mostCells bounds a table.
const mostCells = 100_000

type policySimulateFlags struct {
	identity, session, scp, rcp []string
	boundary, resourcePolicy    string
	from                        []string
	as, actions, resources      []string
	context                     []string
	server                      bool
	data, account               string
	asJSON, asCSV, explain      bool
}

func policySimulateCommand() *cobra.Command {
	var f policySimulateFlags
	cmd := &cobra.Command{
		Use:   "simulate --action A … [--resource R …]",
		Short: "Show what policies would permit: principals × actions × resources",
		Long: "Prints a table of what would be decided, by the same engine as a server's. Nothing runs.\n\n" +
			"  licet policy simulate --identity p.json --boundary b.json --action 's3:Get*' --resource arn:aws:s3:::photos/a.png\n" +
			"  licet policy simulate --from template.yaml --action lambda:InvokeFunction     all principals and resources of a template\n" +
			"  licet policy simulate --server --as ARN --as ARN --action s3:GetObject --resource ARN\n\n" +
			"Policies are files, or ARNs of AWS managed policies. An action may have wildcards: of these only the actions are shown that take one of\n" +
			"the resources. A cell is allow, implicit deny, explicit deny, or conditional: denied, and only for want of a condition, which --context\n" +
			"may meet. unsure depends on what a template leaves open. A resource is one resource: wildcards in it are text.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return unusableIf(f.simulate(cmd), nil) },
	}
	fs := cmd.Flags()
	fs.StringArrayVar(&f.identity, "identity", nil, "identity-based policy of the principals; may be repeated, as may all but --boundary and --resource-policy")
	fs.StringVar(&f.boundary, "boundary", "", "permissions boundary of the principals")
	fs.StringArrayVar(&f.session, "session", nil, "session policy")
	fs.StringVar(&f.resourcePolicy, "resource-policy", "", "policy of the resources")
	fs.StringArrayVar(&f.scp, "scp", nil, "service control policy, each of a level of its own")
	fs.StringArrayVar(&f.rcp, "rcp", nil, "resource control policy, each of a level of its own")
	fs.StringArrayVar(&f.from, "from", nil, "CloudFormation or SAM template, or Terraform plan as JSON, that declares principals and resources")
	fs.StringSliceVar(&f.as, "as", nil, "who calls: an ARN, a service such as s3.amazonaws.com, or a name of --from; default: all of --from, else a role")
	fs.StringSliceVar(&f.actions, "action", nil, "IAM action such as s3:GetObject or s3:Get*")
	fs.StringSliceVar(&f.resources, "resource", nil, "ARN, * or a name of --from; default: all of --from, else *")
	fs.StringArrayVar(&f.context, "context", nil, "a condition key of the calls, key=value; of the same key again, another value of a list")
	fs.BoolVar(&f.server, "server", false, "ask the running server, by its own policies")
	fs.StringVar(&f.data, "data", "", "with --server: its data directory; default: the environment, else "+defaultDataDir())
	fs.StringVar(&f.account, "account", "", "with --server: account whose root asks; default: the environment, else "+defaultAccount)
	fs.BoolVar(&f.explain, "explain", false, "say of each cell why, and the smallest fix")
	fs.BoolVar(&f.asJSON, "json", false, "print JSON; the decisions' walks with --explain")
	fs.BoolVar(&f.asCSV, "csv", false, "print CSV")
	return cmd
}

func (f *policySimulateFlags) simulate(cmd *cobra.Command) error {
	offline := len(f.identity)+len(f.session)+len(f.scp)+len(f.rcp)+len(f.from) > 0 || f.boundary != "" || f.resourcePolicy != ""
	switch {
	case len(f.actions) == 0:
		return errors.New("--action says what is asked")
	case f.server && offline:
		return errors.New("--server has its own policies: it goes with none")
	case f.server && len(f.as) == 0:
		return errors.New("--server wants --as")
	case f.asJSON && f.asCSV, f.asCSV && f.explain:
		return errors.New("--csv goes with neither --json nor --explain")
	}
	data, err := awsdata.Load()
	if err != nil {
		return fmt.Errorf("load AWS's tables: %w", err)
	}
	keys, err := contextOf(f.context)
	if err != nil {
		return err
	}
	l, session, err := f.landscape(data)
	if err != nil {
		return err
	}
	cases, err := f.cases(data, l, landscape.Call{Context: keys, Session: session})
	if err != nil {
		return err
	}
	decider, err := f.decider(cmd.Context(), l)
	if err != nil {
		return err
	}
	file := &permissiontest.File{Landscape: l, Tests: []permissiontest.Test{{Cases: cases}}}
	results, err := permissiontest.Run(cmd.Context(), file, decider, func(string) bool { return true }, progressOf(cmd.ErrOrStderr(), "calls"))
	if err != nil {
		return err
	}
	cells := make([]decisiontable.Cell, len(results))
	for i, r := range results {
		if r.Verdict == permissiontest.Broken {
			return errors.New(r.Reason)
		}
		cells[i] = decisiontable.CellOf(r.Case.Call, r.Answer)
	}
	return f.print(cmd, cells)
}

func (f *policySimulateFlags) print(cmd *cobra.Command, cells []decisiontable.Cell) error {
	out := cmd.OutOrStdout()
	switch {
	case f.asCSV:
		return decisiontable.WriteCSV(out, cells)
	case f.asJSON:
		if !f.explain {
			for i := range cells {
				cells[i].Explanation = nil
			}
		}
		return decisiontable.WriteJSON(out, cells)
	}
	lines := decisiontable.Report(cells)
	if f.explain {
		lines = append(append(lines, nil), decisiontable.Explain(cells)...)
	}
	return newPainter(out).print(lines)
}

// contextOf are the keys of --context.
func contextOf(pairs []string) (keys authz.Context, err error) {
	var names []string
	values := make(map[string][]string)
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return keys, fmt.Errorf("--context must be key=value, not %q", pair)
		}
		if values[name] == nil {
			names = append(names, name)
		}
		values[name] = append(values[name], value)
	}
	for _, name := range names {
		if v := values[name]; len(v) == 1 {
			keys.Set(name, v[0])
		} else {
			keys.SetList(name, v...)
		}
	}
	return keys, nil
}

func (f *policySimulateFlags) decider(ctx context.Context, l *landscape.Landscape) (permissiontest.Decider, error) {
	if !f.server {
		return permissiontest.Offline{Landscape: l, Now: time.Now()}, nil
	}
	t, err := findTarget(ctx, f.data, f.account)
	if err != nil {
		return nil, err
	}
	return &asked{target: t, declared: l}, nil
}

// simulatedAccount owns what no ARN says otherwise of.
const simulatedAccount = "123456789012"

// landscape is what the flags declare, and the session policies of the calls.
func (f *policySimulateFlags) landscape(data *awsdata.Data) (l *landscape.Landscape, session []landscape.Policy, err error) {
	l = &landscape.Landscape{Partition: "aws", Account: f.callers(), Region: defaultRegion}
	read := func(ref string) landscape.Policy {
		if err != nil || ref == "" {
			return landscape.Policy{}
		}
		var p landscape.Policy
		p, err = policyNamed(data, ref)
		return p
	}
	optional := func(ref string) *landscape.Policy {
		if ref == "" {
			return nil
		}
		p := read(ref)
		return &p
	}
	for _, ref := range f.scp {
		l.SCPs = append(l.SCPs, []landscape.Policy{read(ref)})
	}
	for _, ref := range f.rcp {
		l.RCPs = append(l.RCPs, []landscape.Policy{read(ref)})
	}
	for _, ref := range f.session {
		session = append(session, read(ref))
	}
	own := []landscape.Policy{}
	for _, ref := range f.identity {
		own = append(own, read(ref))
	}
	boundary, resource := optional(f.boundary), optional(f.resourcePolicy)
	if err == nil {
		err = f.load(data, l)
	}
	if err != nil || f.server {
		return l, session, err
	}
	if len(f.from) == 0 {
		if len(f.as) == 0 {
			f.as = []string{"arn:aws:iam::" + l.Account + ":role/simulated"}
		}
		l.Principals = declaredPrincipals(f.as, own, boundary)
	} else if len(own) > 0 || boundary != nil {
		return nil, nil, errors.New("--identity and --boundary do not go with --from, whose principals have their own policies")
	}
	if resource == nil {
		return l, session, nil
	}
	if len(f.resources) == 0 {
		return nil, nil, errors.New("--resource-policy wants --resource, whose policy it is")
	}
	for _, r := range slices.Compact(slices.Sorted(slices.Values(f.resources))) {
		l.Resources = append(l.Resources, &landscape.Resource{ARN: r, Policy: resource})
	}
	return l, session, nil
}

// callers is the account of the first principal that is an ARN: the simulation is seen from there.
func (f *policySimulateFlags) callers() string {
	for _, name := range f.as {
		if a, err := arn.Parse(name); err == nil && a.AccountID != "" {
			return a.AccountID
		}
	}
	for _, name := range f.resources {
		if a, err := arn.Parse(name); err == nil && a.AccountID != "" {
			return a.AccountID
		}
	}
	return simulatedAccount
}

// declaredPrincipals are the users and roles among the callers, all with the same policies.
func declaredPrincipals(as []string, policies []landscape.Policy, boundary *landscape.Policy) (list []*landscape.Principal) {
	for _, name := range slices.Compact(slices.Sorted(slices.Values(as))) {
		a, err := arn.Parse(name)
		if err != nil || a.Service != "iam" {
			continue // a service, or one that landscape refuses
		}
		p := &landscape.Principal{ARN: name, Policies: policies, Boundary: boundary}
		switch kind, _, _ := strings.Cut(a.Resource, "/"); kind {
		case "role":
			p.Kind = authz.AssumedRole
		case "user":
			p.Kind = authz.User
		default:
			continue
		}
		list = append(list, p)
	}
	return list
}

// policyNamed reads a file, or an AWS managed policy by its ARN.
func policyNamed(data *awsdata.Data, ref string) (landscape.Policy, error) {
	if strings.HasPrefix(ref, "arn:") {
		p, ok := data.ManagedPolicy(ref)
		if !ok {
			return landscape.Policy{}, fmt.Errorf("AWS has no managed policy %s", ref)
		}
		return landscape.ParsePolicy(p.Name, ref, []byte(p.Document()))
	}
	file, err := os.Open(ref)
	if err != nil {
		return landscape.Policy{}, err
	}
	text, err := readPolicy(ref, file)
	if err = errors.Join(err, file.Close()); err != nil {
		return landscape.Policy{}, err
	}
	p, err := landscape.ParsePolicy(ref, "", text)
	if err != nil {
		return landscape.Policy{}, fmt.Errorf("%s: %w", ref, err)
	}
	return p, nil
}

// load reads what --from names into a landscape.
func (f *policySimulateFlags) load(data *awsdata.Data, l *landscape.Landscape) error {
	settings := permissiontest.Settings{Account: l.Account, Region: l.Region, Partition: l.Partition}
	for _, name := range f.from {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		loaders := testOptions(data).Loaders
		i := slices.IndexFunc(loaders, func(loader permissiontest.Loader) bool { return loader.Takes(text) })
		if i < 0 {
			return fmt.Errorf("%s is not a template or plan that declares principals and resources", name)
		}
		loaded, err := loaders[i].Load(name, text, settings)
		if err != nil {
			return err
		}
		l.Join(loaded)
	}
	return nil
}

// cases are the cells of the table.
func (f *policySimulateFlags) cases(data *awsdata.Data, l *landscape.Landscape, base landscape.Call) ([]permissiontest.Case, error) {
	principals, resources := f.as, f.resources
	if len(principals) == 0 {
		for _, p := range l.Principals {
			principals = append(principals, nameOrARN(p.Names, p.ARN))
		}
	}
	if len(resources) == 0 {
		for _, r := range l.Resources {
			resources = append(resources, r.ARN)
		}
		resources = append(resources, "*")
	}
	actions, err := actionsNamed(data, f.actions)
	if err != nil {
		return nil, err
	}
	// Only what somebody named is asked though it makes no sense.
	all := len(f.resources) == 0 && len(l.Resources) > 0
	fits := func(action actionNamed, resource string) bool {
		if !action.byPattern && !all || resource == "*" && !all {
			return true
		}
		return takes(data, action.name, resource)
	}
	var cases []permissiontest.Case
	for _, principal := range principals {
		for _, action := range actions {
			for _, resource := range resources {
				target, err := l.ResourceARN(resource)
				if err != nil {
					return nil, err
				}
				if !fits(action, target) {
					continue
				}
				if len(cases) == mostCells {
					return nil, fmt.Errorf("the table has more than %d cells: ask for fewer actions, principals or resources", mostCells)
				}
				c := base
				c.Principal, c.Action, c.Resource = principal, action.name, resource
				cases = append(cases, permissiontest.Case{Call: c, Want: permissiontest.Can})
			}
		}
	}
	if len(cases) == 0 {
		return nil, errors.New("there is nobody to call, or none of the actions takes one of the resources")
	}
	return cases, nil
}

func nameOrARN(names []string, arn string) string {
	if len(names) > 0 {
		return names[0]
	}
	return arn
}

// takes tells whether an action is about a resource, by AWS's tables: one without resource types about "*" alone.
func takes(data *awsdata.Data, action, resource string) bool {
	formats, _ := data.ResourceFormats(action)
	if resource == "*" || landscape.IsUnknown(resource) {
		return resource != "*" || len(formats) == 0
	}
	return slices.ContainsFunc(formats, func(f string) bool { return isOf(data, resource, f) })
}

// actionNamed is an action, and whether a pattern named it.
type actionNamed struct {
	name      string
	byPattern bool
}

// actionsNamed expands patterns; each action is there once.
func actionsNamed(data *awsdata.Data, patterns []string) (list []actionNamed, err error) {
	seen := make(map[string]bool)
	for _, pattern := range patterns {
		found := data.Matching(pattern)
		wild := strings.ContainsAny(pattern, "*?")
		switch {
		case len(found) > 0:
		case wild:
			return nil, fmt.Errorf("no action of AWS is like %q", pattern)
		default:
			if near := nearAction(data, pattern); near != "" {
				return nil, fmt.Errorf("AWS has no action %q; did you mean %s?", pattern, near)
			}
			return nil, fmt.Errorf("AWS has no action %q", pattern)
		}
		for _, a := range found {
			if name := a.Service + ":" + a.Name; !seen[name] {
				seen[name] = true
				list = append(list, actionNamed{name, wild})
			}
		}
	}
	return list, nil
}
