package reference_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/authz/reference"
	"github.com/licet/licet/policy"
)

// TestCorpus decides every case of ../testdata. ../testdata/README.md describes the format.
func TestCorpus(t *testing.T) {
	for _, c := range readCorpus(t) {
		t.Run(c.name, func(t *testing.T) {
			d := reference.Decide(c.request, c.policies)
			if diff := cmp.Diff(c.want, outcome(d)); diff != "" {
				t.Errorf("decision (-want +got):\n%s\n%s", diff, traceText(t, d))
			}
			if got := d.Message(c.request); c.message != "" && got != c.message {
				t.Errorf("message:\ngot  %s\nwant %s", got, c.message)
			}
			if c.match != "" {
				got := string(firstStatement(t, d, authz.ResourceBasedPolicy, authz.RoleTrustPolicy).Match)
				if got != c.match {
					t.Errorf("got match %q, want %q", got, c.match)
				}
			}
			if c.failed != "" {
				if got := failedText(d); got != c.failed {
					t.Errorf("got failed %q, want %q\n%s", got, c.failed, traceText(t, d))
				}
			}
		})
	}
}

// TestCorpusCoversChecklist wants a case for each line of the checklist that the evaluator implements.
func TestCorpusCoversChecklist(t *testing.T) {
	lines := strings.Fields(`D1 D2 D3 D4 D5 D6 D7 D8 D9 D10 D11 D12 D13 D14 T1 T2 T3 T6 P1 P2 P3 P4 P5 P6 P7 P9 A1 A2
		R1 R2 R3 R4 R5 R6 R7 V1 C1 C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13 C14 C15 C16 C17 C18 X1 X2 X3 X4 X5 M1 M2 M3`)
	covered := map[string]int{}
	for _, c := range readCorpus(t) {
		for _, id := range regexp.MustCompile(`\b[DTPARVCXM][0-9]+\b`).FindAllString(c.source, -1) {
			covered[id]++
		}
	}
	for _, line := range lines {
		if covered[line] == 0 {
			t.Errorf("no case cites %s", line)
		}
	}
}

// corpusCase is one section of a corpus file.
type corpusCase struct {
	name, source           string
	request                authz.Request
	policies               authz.Policies
	want                   string
	message, match, failed string
}

func readCorpus(t testing.TB) []corpusCase {
	t.Helper()
	files, err := filepath.Glob("../testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus files: %v", err)
	}
	var cases []corpusCase
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, defaults, _ := strings.Cut(string(archive.Comment), "\n\n") // the first paragraph is for the reader
		for _, section := range archive.Files {
			c := corpusCase{name: strings.TrimSuffix(filepath.Base(file), ".txtar") + "/" + section.Name}
			if err := c.read(defaults, string(section.Data)); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			cases = append(cases, c)
		}
	}
	return cases
}

type field struct{ name, arn, value string }

var fieldLine = regexp.MustCompile(`^([a-z-]+)(?: \[(.+?)\])?: (.*)$`)

// fieldsOf reads "name: value" and "name [arn]: value" lines; indented lines continue a value.
func fieldsOf(text string) ([]field, error) {
	var fields []field
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		switch m := fieldLine.FindStringSubmatch(line); {
		case line == "" || strings.HasPrefix(line, "#"):
		case m != nil:
			fields = append(fields, field{m[1], m[2], m[3]})
		case strings.HasPrefix(line, " ") && len(fields) > 0:
			fields[len(fields)-1].value += "\n" + strings.TrimSpace(line)
		default:
			return nil, fmt.Errorf("cannot read line %q", line)
		}
	}
	return fields, nil
}

// read fills the case. A field of the case replaces the file's default of that name; "-" takes it away.
func (c *corpusCase) read(defaults, text string) error {
	common, err := fieldsOf(defaults)
	if err != nil {
		return err
	}
	own, err := fieldsOf(text)
	if err != nil {
		return err
	}
	given := map[string]bool{}
	for _, f := range own {
		given[f.name] = true
	}
	fields := own
	for _, f := range common {
		if !given[f.name] {
			fields = append(fields, f)
		}
	}
	for _, f := range fields {
		if f.value == "-" {
			continue
		}
		if err := c.set(f); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	if c.source == "" || c.want == "" || c.request.Principal.Kind == "" || c.request.Action == "" {
		return fmt.Errorf("source, who, what and want are required")
	}
	return nil
}

func (c *corpusCase) set(f field) (err error) {
	switch f.name {
	case "source":
		c.source = f.value
	case "who":
		issuer, id := c.request.Principal.IssuerARN, c.request.Principal.ID
		linked := c.request.Principal.ServiceLinked
		c.request.Principal = principalOf(f.value)
		if issuer != "" {
			c.request.Principal.IssuerARN = issuer
		}
		c.request.Principal.ID, c.request.Principal.ServiceLinked = id, linked
	case "issuer":
		c.request.Principal.IssuerARN = f.value
	case "id":
		c.request.Principal.ID = f.value
	case "service-linked":
		c.request.Principal.ServiceLinked = f.value == "yes"
	case "what":
		c.request.Action, c.request.Resource, _ = strings.Cut(f.value, " on ")
	case "owner":
		c.request.ResourceAccount = f.value
	case "context":
		err = readContext(&c.request.Context, f.value)
	case "want":
		c.want = f.value
	case "message":
		c.message = strings.ReplaceAll(f.value, "\n", " ")
	case "match":
		c.match = f.value
	case "failed":
		c.failed = f.value
	default:
		err = c.addPolicy(f)
	}
	return err
}

func (c *corpusCase) addPolicy(f field) error {
	p := authz.Policy{ARN: f.arn, Name: f.name}
	var err error
	if p.Document, err = documentOf(f.value); err != nil {
		return err
	}
	level := []authz.Policy{p}
	if f.value == "empty" {
		level = []authz.Policy{}
	}
	ps := &c.policies
	switch f.name {
	case "identity":
		ps.Identity = append(ps.Identity, p)
	case "session":
		ps.Session = append(ps.Session, level...)
		if ps.Session == nil {
			ps.Session = level
		}
	case "boundary":
		ps.Boundary = &p
	case "resource":
		ps.Resource = &p
	case "trust":
		ps.Resource, ps.Trust = &p, true
	case "endpoint":
		ps.VPCEndpoint = &p
	case "scp":
		ps.SCPs = append(ps.SCPs, level)
	case "rcp":
		ps.RCPs = append(ps.RCPs, level)
	default:
		return fmt.Errorf("no such field")
	}
	return nil
}

// principalOf reads who: an ARN, a service's name, "anonymous", "web <provider>" or "saml <provider>".
func principalOf(text string) authz.Principal {
	p := authz.Principal{ARN: text}
	kind, provider, _ := strings.Cut(text, " ")
	parts := strings.SplitN(text, ":", 6)
	switch {
	case text == "anonymous":
		return authz.Principal{Kind: authz.Anonymous}
	case kind == "web":
		return authz.Principal{Kind: authz.WebIdentity, ARN: provider}
	case kind == "saml":
		return authz.Principal{Kind: authz.SAML, ARN: provider}
	case len(parts) < 6:
		p.Kind = authz.Service
		return p
	}
	p.Account = parts[4]
	role, name, _ := strings.Cut(parts[5], "/")
	entity := "arn:" + parts[1] + ":iam::" + p.Account + ":"
	switch role {
	case "user":
		p.Kind = authz.User
	case "root":
		p.Kind = authz.Root
	case "assumed-role":
		p.Kind = authz.AssumedRole
		name, p.SessionName, _ = strings.Cut(name, "/")
		p.IssuerARN = entity + "role/" + name
	case "federated-user":
		p.Kind = authz.FederatedUser
		p.IssuerARN = entity + "user/alice"
	}
	return p
}

func readContext(c *authz.Context, text string) error {
	var keys map[string]any
	if err := json.Unmarshal([]byte(text), &keys); err != nil {
		return err
	}
	for name, v := range keys {
		switch v := v.(type) {
		case string:
			c.Set(name, v)
		case []any:
			values := make([]string, len(v))
			for i := range v {
				values[i] = v[i].(string)
			}
			c.SetList(name, values...)
		default:
			return fmt.Errorf("key %s is neither string nor list", name)
		}
	}
	return nil
}

// documentOf reads a policy: "none" or "empty", a whole document, a statement or list of statements, or lines of the short form
// "Allow ACTION on RESOURCE for PRINCIPAL if CONDITION".
func documentOf(text string) (*policy.Document, error) {
	switch {
	case text == "none" || text == "empty":
		return &policy.Document{Version: policy.Version2012}, nil
	case strings.HasPrefix(text, "{") && strings.Contains(text, `"Statement"`):
	case strings.HasPrefix(text, "{") || strings.HasPrefix(text, "["):
		text = `{"Version":"2012-10-17","Statement":` + text + `}`
	default:
		var statements []string
		text = strings.NewReplacer("\nfor ", " for ", "\nif ", " if ").Replace(text)
		for line := range strings.Lines(text) {
			statements = append(statements, longForm(strings.TrimSpace(line)))
		}
		text = `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	}
	return policy.Parse([]byte(text))
}

func longForm(line string) string {
	rest, condition, hasCondition := strings.Cut(line, " if ")
	rest, principal, hasPrincipal := strings.Cut(rest, " for ")
	rest, resource, hasResource := strings.Cut(rest, " on ")
	effect, action, _ := strings.Cut(rest, " ")
	s := fmt.Sprintf(`{"Effect":%q,"Action":%q`, effect, action)
	if hasResource {
		s += fmt.Sprintf(`,"Resource":%q`, resource)
	}
	if hasPrincipal {
		s += `,"Principal":` + principalJSON(principal)
	}
	if hasCondition {
		s += `,"Condition":` + condition
	}
	return s + "}"
}

func principalJSON(text string) string {
	switch {
	case strings.HasPrefix(text, "{"):
		return text
	case text == "*":
		return `"*"`
	case strings.HasSuffix(text, ".amazonaws.com"):
		return fmt.Sprintf(`{"Service":%q}`, text)
	default:
		list, _ := json.Marshal(strings.Fields(text))
		return `{"AWS":` + string(list) + `}`
	}
}

// outcome words a decision as the corpus does.
func outcome(d authz.Decision) string {
	text := "deny"
	if d.Allowed {
		text = "allow"
	}
	if d.Explicit {
		text = "explicit deny"
	}
	if d.By != "" {
		text += " by " + string(d.By)
	}
	return text
}

func firstStatement(t *testing.T, d authz.Decision, types ...authz.PolicyType) authz.StatementTrace {
	t.Helper()
	for _, trace := range d.Types {
		for _, want := range types {
			if trace.Type == want && len(trace.Policies) > 0 {
				return trace.Policies[0].Statements[0]
			}
		}
	}
	t.Fatalf("no statement of types %v", types)
	panic("unreachable")
}

// failedText lists the elements at which statements failed, in order.
func failedText(d authz.Decision) string {
	var out []string
	for _, typ := range d.Types {
		for _, p := range typ.Policies {
			for _, s := range p.Statements {
				if s.Failed != nil {
					out = append(out, s.Failed.Element)
				}
			}
		}
	}
	return strings.Join(out, " ")
}

func traceText(t *testing.T, d authz.Decision) string {
	t.Helper()
	text, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
