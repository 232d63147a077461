package terraform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/licet/licet/internal/landscape"
)

// Options say where a plan will be applied.
type Options struct {
	Account, Region, Partition string
	// ManagedPolicy gives the text of an AWS managed policy.
	ManagedPolicy func(arn string) (text string, ok bool)
}

// largest is how many bytes a plan may have.
const largest = 64 << 20

// document is a plan, or a state, as it is written.
type document struct {
	FormatVersion string `json:"format_version"`
	Variables     map[string]struct {
		Value any `json:"value"`
	} `json:"variables"`
	PlannedValues   *values `json:"planned_values"`
	ResourceChanges []struct {
		Address string `json:"address"`
		resourceValues
		ModuleAddress string `json:"module_address"`
		Change        struct {
			Actions      []string       `json:"actions"`
			Before       map[string]any `json:"before"`
			After        map[string]any `json:"after"`
			AfterUnknown any            `json:"after_unknown"`
		} `json:"change"`
	} `json:"resource_changes"`
	PriorState *struct {
		Values *values `json:"values"`
	} `json:"prior_state"`
	Configuration struct {
		ProviderConfig map[string]struct {
			Expressions map[string]any `json:"expressions"`
		} `json:"provider_config"`
		RootModule configModule `json:"root_module"`
	} `json:"configuration"`
	Values *values `json:"values"` // of a state
}

type values struct {
	RootModule moduleValues `json:"root_module"`
}

type moduleValues struct {
	Address      string           `json:"address"`
	Resources    []resourceValues `json:"resources"`
	ChildModules []moduleValues   `json:"child_modules"`
}

type resourceValues struct {
	Address string         `json:"address"`
	Mode    string         `json:"mode"`
	Type    string         `json:"type"`
	Name    string         `json:"name"`
	Index   any            `json:"index"`
	Values  map[string]any `json:"values"`
}

type configModule struct {
	Outputs map[string]struct {
		Expression any `json:"expression"`
	} `json:"outputs"`
	Resources   []*configResource `json:"resources"`
	ModuleCalls map[string]struct {
		Expressions map[string]any `json:"expressions"`
		Module      configModule   `json:"module"`
	} `json:"module_calls"`
	Variables map[string]struct {
		Default any `json:"default"`
	} `json:"variables"`
}

type configResource struct {
	Address           string         `json:"address"`
	ProviderConfigKey string         `json:"provider_config_key"`
	Expressions       map[string]any `json:"expressions"`
}

// Takes tells whether a file looks like a plan or a state in JSON.
func Takes(text []byte) bool {
	if trimmed := bytes.TrimSpace(text); len(trimmed) == 0 || trimmed[0] != '{' {
		return false
	}
	var d struct {
		FormatVersion string          `json:"format_version"`
		PlannedValues json.RawMessage `json:"planned_values"`
		Values        json.RawMessage `json:"values"`
	}
	return json.Unmarshal(text, &d) == nil && d.FormatVersion != "" && (d.PlannedValues != nil || d.Values != nil)
}

// Load reads a plan. The error says what is none, or that it is for another account.
func Load(name string, text []byte, o Options) (*landscape.Landscape, error) {
	d, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p := newPlan(name, d, o)
	if err := p.checkAccount(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p.load()
	if p.err != nil {
		return nil, p.err
	}
	return p.out, nil
}

// marks are those of landscape.Unknown, which no plan may bring along, as text and as JSON escapes them.
var marks = regexp.MustCompile(`[\x{e000}\x{e001}]|\\u[eE]00[01]`)

func parse(text []byte) (*document, error) {
	if len(text) > largest {
		return nil, fmt.Errorf("a plan has at most %d bytes", largest)
	}
	if marks.Match(text) {
		return nil, errors.New("the characters U+E000 and U+E001 are not read")
	}
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("this is not the JSON of a plan: %v", err)
	}
	if major, _, _ := strings.Cut(d.FormatVersion, "."); major != "0" && major != "1" {
		return nil, fmt.Errorf("the format of plans has version %q: only major versions 0 and 1 are known", d.FormatVersion)
	}
	if d.PlannedValues == nil {
		d.PlannedValues = d.Values
	}
	if d.PlannedValues == nil {
		return nil, errors.New("there are no planned_values: this is no plan")
	}
	return &d, nil
}

// plan is a document on its way to a landscape.
type plan struct {
	Options
	file string
	doc  *document
	out  *landscape.Landscape
	err  error

	modules map[string]*module // by address; "" is the root's
	order   []*instance        // managed ones and data sources, as they stand in the plan
	byAddr  map[string]*instance
	noted   map[landscape.Note]bool
	counts  map[string]int // instances with an index, by the address without it
	depth   int            // of references under way
	state
}

// module is an instance of one.
type module struct {
	address string
	parent  *module
	config  *configModule
	inputs  map[string]any // expressions by name of a variable, in the parent
	index   any            // of count or for_each; nil for none
	call    string         // address without the index
	// resources of the configuration by mode-less address: "aws_iam_role.x", "data.aws_region.y".
	resources map[string]*configResource
}

// instance is a resource or data source of a plan.
type instance struct {
	resourceValues
	in      *module
	unknown any // after_unknown: true, or a mapping or list of such
	config  *configResource
}

// key is an instance's address within its module without an index.
func (r *instance) key() string {
	if r.Mode == "data" {
		return "data." + r.Type + "." + r.Name
	}
	return r.Type + "." + r.Name
}

func newPlan(file string, d *document, o Options) *plan {
	p := &plan{
		Options: o, file: file, doc: d, out: &landscape.Landscape{Partition: o.Partition, Account: o.Account, Region: o.Region},
		modules: make(map[string]*module), byAddr: make(map[string]*instance), noted: make(map[landscape.Note]bool), counts: make(map[string]int), state: newState(),
	}
	p.modules[""] = newModule("", nil, &d.Configuration.RootModule)
	if d.PriorState != nil && d.PriorState.Values != nil {
		p.take(&d.PriorState.Values.RootModule, true)
	}
	p.take(&d.PlannedValues.RootModule, false)
	for i := range d.ResourceChanges {
		c := &d.ResourceChanges[i]
		r := p.byAddr[c.Address]
		if r == nil {
			if c.Mode != "data" || c.Change.After == nil || c.Address == "" {
				continue // to be destroyed
			}
			values := c.resourceValues
			values.Address, values.Values = c.Address, c.Change.After
			r = p.add(values, p.moduleAt(c.ModuleAddress))
		}
		r.unknown = c.Change.AfterUnknown
	}
	return p
}

// take takes the instances of a module in: of a prior state only data sources, which were read already.
func (p *plan) take(m *moduleValues, dataOnly bool) {
	in := p.moduleAt(m.Address)
	for _, r := range m.Resources {
		if r.Address == "" {
			p.err = fmt.Errorf("%s: a resource has no address: this is no plan", p.file)
			return
		}
		if !dataOnly || r.Mode == "data" {
			p.add(r, in)
		}
	}
	for i := range m.ChildModules {
		p.take(&m.ChildModules[i], dataOnly)
	}
}

func (p *plan) add(values resourceValues, in *module) *instance {
	if r := p.byAddr[values.Address]; r != nil {
		r.Values = values.Values
		return r
	}
	r := &instance{resourceValues: values, in: in}
	r.config = in.resources[r.key()]
	if r.Index != nil {
		p.counts[join(in.address, r.key())]++
	}
	p.byAddr[r.Address] = r
	p.order = append(p.order, r)
	return r
}

func newModule(address string, parent *module, config *configModule) *module {
	m := &module{address: address, parent: parent, config: config, resources: make(map[string]*configResource)}
	if config != nil {
		for _, r := range config.Resources {
			if r != nil {
				m.resources[r.Address] = r
			}
		}
	}
	return m
}

// moduleAt is the module of an address such as module.app["a"].module.bucket, with what the configuration has of it.
func (p *plan) moduleAt(address string) *module {
	if m := p.modules[address]; m != nil {
		return m
	}
	steps := traversal(address)
	m := p.modules[""]
	for i := 0; i+1 < len(steps) && steps[i].name == "module"; {
		call := steps[i+1].name
		at := join(m.address, "module."+call)
		i += 2
		var index any
		if i < len(steps) && steps[i].isIndex {
			index = steps[i].index
			at += steps[i].String()
			i++
		}
		m = p.child(m, call, at, index)
	}
	p.modules[address] = m
	return m
}

func (p *plan) child(parent *module, call, at string, index any) *module {
	if m := p.modules[at]; m != nil {
		return m
	}
	var config *configModule
	var inputs map[string]any
	if parent.config != nil {
		if c, ok := parent.config.ModuleCalls[call]; ok {
			config, inputs = &c.Module, c.Expressions
		}
	}
	m := newModule(at, parent, config)
	m.inputs, m.index, m.call = inputs, index, join(parent.address, "module."+call)
	if index != nil {
		p.counts[m.call]++
	}
	p.modules[at] = m
	return m
}

func join(module, rest string) string {
	if module == "" {
		return rest
	}
	return module + "." + rest
}

// checkAccount wants the account that was planned for to be that of the tests: else all ARNs would be of another.
func (p *plan) checkAccount() error {
	other := ""
	for _, r := range p.order {
		if r.Mode != "data" || r.Type != "aws_caller_identity" {
			continue
		}
		id, _ := r.Values["account_id"].(string)
		if id == p.Account {
			return nil
		}
		if id != "" {
			other = id
		}
	}
	if other != "" {
		return fmt.Errorf("the plan was made for the account %s, not %s: give the account in the test file (account: %q)", other, p.Account, other)
	}
	return nil
}

func (p *plan) at(r *instance) landscape.Place {
	return landscape.Place{File: p.file + " " + r.Address}
}

// note adds a note about an instance, once.
func (p *plan) note(r *instance, format string, args ...any) {
	note := landscape.Note{At: p.at(r), Text: landscape.Shown(fmt.Sprintf(format, args...))}
	if !p.noted[note] {
		p.noted[note] = true
		p.out.Notes = append(p.out.Notes, note)
	}
}

func (p *plan) fail(r *instance, format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("%s: %s: %s", p.file, r.Address, landscape.Shown(fmt.Sprintf(format, args...)))
	}
}
