// Package awsdata knows what AWS publishes about itself: the actions, resource types and condition keys of every service, what tells
// the operations of its APIs apart on the wire, and the AWS managed policies.
//
// The data are tables embedded in the program. They never change while it runs, are not fetched, and decide nothing: an action
// that is not listed here is unknown, which is for the caller to judge. Document texts are handed out as they are; package
// policy reads them.
//
// Load reads three directories of contents and the list of policies. Everything else is read when first asked for and kept: one
// service at a time, while documents are unpacked on each call. A Data is safe for concurrent use, and nothing it returns may be
// changed.
//
// The tables are written by tools/awsdata from three npm packages (NOTICE.md), which follow AWS's Service Authorization Reference
// (https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html), IAM's ListPolicies and AWS's service models. To bring them up
// to date, raise the versions in tools/awsdata, run "make gen", and commit the folder data. To keep another fact about an
// action: a field of Action here, and its source in tools/awsdata.
package awsdata

import (
	"archive/zip"
	_ "embed" // the tables
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// The tables: a Service by its name, the Models of an API by its signing name, the text of a policy by its path and name, and a line for
// each policy. They are strings, so that they stay in the program's read-only pages.
var (
	//go:embed data/services.zip
	servicesZip string
	//go:embed data/models.zip
	modelsZip string
	//go:embed data/policies.zip
	policiesZip string
	//go:embed data/policies.tsv
	policiesTSV string
)

// GlobalService is the name under which the condition keys of all services are found, those that start with "aws:".
const GlobalService = "aws"

// Data gives access to the tables.
type Data struct {
	services map[string]func() *Service // by name
	models   map[string]func() []Model  // by signing name
	policies map[string]ManagedPolicy   // by ARN
	arns     []string                   // sorted
}

// Load opens the tables. The error can only be a broken build.
func Load() (*Data, error) {
	d := &Data{services: make(map[string]func() *Service), policies: make(map[string]ManagedPolicy)}
	services, err := zip.NewReader(strings.NewReader(servicesZip), int64(len(servicesZip)))
	if err != nil {
		return nil, fmt.Errorf("open the table of services: %v", err)
	}
	for _, f := range services.File {
		d.services[f.Name] = sync.OnceValue(func() *Service { return readService(f) })
	}
	if err := d.loadModels(); err != nil {
		return nil, err
	}
	if err := d.loadPolicies(); err != nil {
		return nil, err
	}
	d.arns = slices.Sorted(maps.Keys(d.policies))
	return d, nil
}

func (d *Data) loadPolicies() error {
	documents, err := zip.NewReader(strings.NewReader(policiesZip), int64(len(policiesZip)))
	if err != nil {
		return fmt.Errorf("open the table of policies: %v", err)
	}
	files := make(map[string]*zip.File, len(documents.File))
	for _, f := range documents.File {
		files[f.Name] = f
	}
	for line := range strings.Lines(policiesTSV) {
		p, err := parsePolicy(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return err
		}
		if p.file = files[(p.Path + p.Name)[1:]]; p.file == nil {
			return fmt.Errorf("policy %s has no document", p.ARN)
		}
		d.policies[p.ARN] = p
	}
	return nil
}

// parsePolicy reads a line: path and name, default version, creation, last change.
func parsePolicy(line string) (ManagedPolicy, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 4 {
		return ManagedPolicy{}, fmt.Errorf("line %q of the table of policies: want four fields", line)
	}
	created, err := time.Parse(time.RFC3339, fields[2])
	if err != nil {
		return ManagedPolicy{}, fmt.Errorf("line %q of the table of policies: %v", line, err)
	}
	updated, err := time.Parse(time.RFC3339, fields[3])
	if err != nil {
		return ManagedPolicy{}, fmt.Errorf("line %q of the table of policies: %v", line, err)
	}
	name := strings.LastIndexByte(fields[0], '/') + 1
	return ManagedPolicy{
		ARN:              "arn:aws:iam::aws:policy" + fields[0],
		Name:             fields[0][name:],
		Path:             fields[0][:name],
		DefaultVersionID: fields[1],
		CreateDate:       created,
		UpdateDate:       updated,
	}, nil
}

// read unpacks a file of a table. It panics when the table is damaged: the tables are part of the program, and its tests read
// all of them.
func read(f *zip.File) []byte {
	r, err := f.Open()
	if err != nil {
		panic(fmt.Sprintf("awsdata: open %s: %v", f.Name, err))
	}
	defer r.Close() // only reads
	data, err := io.ReadAll(r)
	if err != nil {
		panic(fmt.Sprintf("awsdata: read %s: %v", f.Name, err))
	}
	return data
}

func readService(f *zip.File) *Service {
	var s Service
	if err := json.Unmarshal(read(f), &s); err != nil {
		panic(fmt.Sprintf("awsdata: decode %s: %v", f.Name, err))
	}
	return &s
}

// Services lists the prefixes of all services, sorted.
func (d *Data) Services() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(d.services)), func(s string) bool { return s == GlobalService })
}

// service finds a service by its prefix, without regard to case.
func (d *Data) service(prefix string) (*Service, bool) {
	load, ok := d.services[strings.ToLower(prefix)]
	if !ok {
		return nil, false
	}
	return load(), true
}

// Action finds an action by its full name, such as "lambda:InvokeFunction", without regard to case.
func (d *Data) Action(action string) (Action, bool) {
	prefix, name, _ := strings.Cut(action, ":")
	s, ok := d.service(prefix)
	if !ok {
		return Action{}, false
	}
	a, ok := s.Actions[strings.ToLower(name)]
	return a, ok
}

// Names gives the names of a service's actions, without the prefix, sorted; nil for a service that is not there.
func (d *Data) Names(service string) []string {
	s, ok := d.service(service)
	if !ok {
		return nil
	}
	names := make([]string, 0, len(s.Actions))
	for _, a := range s.Actions {
		names = append(names, a.Name)
	}
	slices.Sort(names)
	return names
}

// ResourceFormats gives the ARN patterns of the resource types that an action takes: those that it needs first, and the shorter ones
// before others. known is false for an action that is not there.
func (d *Data) ResourceFormats(action string) (formats []string, known bool) {
	a, ok := d.Action(action)
	if !ok {
		return nil, false
	}
	refs := slices.Clone(a.ResourceTypes)
	format := func(r ResourceTypeRef) string {
		t, _ := d.ResourceType(a.Service, r.Name)
		return t.ARNPattern
	}
	slices.SortStableFunc(refs, func(a, b ResourceTypeRef) int {
		if a.Required != b.Required {
			return map[bool]int{true: -1, false: 1}[a.Required]
		}
		return len(format(a)) - len(format(b))
	})
	for _, r := range refs {
		if f := format(r); f != "" {
			formats = append(formats, f)
		}
	}
	return formats, true
}

// Fits tells whether an ARN has an ARNPattern. Wildcards in the ARN are text like any other.
func (d *Data) Fits(arn, pattern string) bool { return fits(arn, pattern) }

// ResourceType finds a resource type, such as "lambda" and "function", without regard to case.
func (d *Data) ResourceType(service, name string) (ResourceType, bool) {
	s, ok := d.service(service)
	if !ok {
		return ResourceType{}, false
	}
	t, ok := s.ResourceTypes[strings.ToLower(name)]
	return t, ok
}

// ConditionKey finds a condition key that requests to a service may carry: one of the service's own, or a global one. Case does
// not matter, and a placeholder stands for any text: "aws:ResourceTag/team" finds "aws:ResourceTag/${TagKey}".
func (d *Data) ConditionKey(service, key string) (ConditionKey, bool) {
	for _, prefix := range []string{service, GlobalService} {
		if s, ok := d.service(prefix); ok {
			if k, ok := s.conditionKey(strings.ToLower(key)); ok {
				return k, true
			}
		}
	}
	return ConditionKey{}, false
}

// ManagedPolicy finds an AWS managed policy by its ARN, which is case-sensitive.
func (d *Data) ManagedPolicy(arn string) (ManagedPolicy, bool) {
	p, ok := d.policies[arn]
	return p, ok
}

// ManagedPolicies yields the AWS managed policies sorted by ARN.
func (d *Data) ManagedPolicies() iter.Seq[ManagedPolicy] {
	return func(yield func(ManagedPolicy) bool) {
		for _, arn := range d.arns {
			if !yield(d.policies[arn]) {
				return
			}
		}
	}
}

// Matching gives the actions that a pattern of a policy names, sorted by service and name: * and ? are wildcards, in the service too,
// and case does not matter.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
func (d *Data) Matching(pattern string) []Action {
	if pattern == "*" {
		pattern = "*:*"
	}
	service, name, ok := strings.Cut(strings.ToLower(pattern), ":")
	if !ok || strings.ContainsAny(pattern, `[\/`) { // path.Match knows more than * and ?
		return nil
	}
	if !strings.ContainsAny(pattern, "*?") {
		if a, ok := d.Action(pattern); ok {
			return []Action{a}
		}
		return nil
	}
	var found []Action
	for _, prefix := range d.Services() {
		if ok, err := path.Match(service, prefix); !ok || err != nil {
			continue
		}
		s, _ := d.service(prefix)
		for _, key := range slices.Sorted(maps.Keys(s.Actions)) {
			if ok, err := path.Match(name, key); ok && err == nil {
				found = append(found, s.Actions[key])
			}
		}
	}
	return found
}

// ResourceTypes gives the resource types of a service sorted by name; nil for a service that is not there.
func (d *Data) ResourceTypes(service string) []ResourceType {
	s, ok := d.service(service)
	if !ok {
		return nil
	}
	types := make([]ResourceType, 0, len(s.ResourceTypes))
	for _, key := range slices.Sorted(maps.Keys(s.ResourceTypes)) {
		types = append(types, s.ResourceTypes[key])
	}
	return types
}

// ConditionKeys gives the names of a service's own condition keys, sorted; of GlobalService those of all services.
func (d *Data) ConditionKeys(service string) []string {
	s, ok := d.service(service)
	if !ok {
		return nil
	}
	names := make([]string, 0, len(s.ConditionKeys))
	for _, k := range s.ConditionKeys {
		names = append(names, k.Name)
	}
	slices.Sort(names)
	return names
}

// Supports tells whether requests for an action can carry a condition key: one that is listed for the action, or for a resource type
// that it takes. Global keys are not listed, but for those of tags. Case does not matter.
func (d *Data) Supports(a Action, key string) bool {
	key = strings.ToLower(key)
	has := func(templates []string) bool {
		return slices.ContainsFunc(templates, func(t string) bool { return fits(key, strings.ToLower(t)) })
	}
	if has(a.ConditionKeys) {
		return true
	}
	return slices.ContainsFunc(a.ResourceTypes, func(r ResourceTypeRef) bool {
		t, _ := d.ResourceType(a.Service, r.Name)
		return has(r.ConditionKeys) || has(t.ConditionKeys)
	})
}
