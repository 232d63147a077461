package authztest

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// Case is one section of a corpus file: a request, the policies that apply to it, and what must come of it.
type Case struct {
	// Name is the file's and the section's.
	Name string
	// Source is the line of the checklist and the page of AWS's documentation.
	Source   string
	Request  authz.Request
	Policies authz.Policies
	// Want is compared with Outcome.
	Want string
	// Message is what the caller is told; "" when the case does not say.
	Message string
	// Match is how the first statement of the resource's policy named the caller; "" when the case does not say.
	Match string
	// Failed are the elements at which statements failed, in order; "" when the case does not say.
	Failed string
}

// Corpus reads every case of the files in dir, which is authz/testdata as seen from the test that calls.
func Corpus(t testing.TB, dir string) []Case {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus files in %s: %v", dir, err)
	}
	var cases []Case
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, defaults, _ := strings.Cut(string(archive.Comment), "\n\n") // the first paragraph is for the reader
		for _, section := range archive.Files {
			c := Case{Name: strings.TrimSuffix(filepath.Base(file), ".txtar") + "/" + section.Name}
			if err := c.read(defaults, string(section.Data)); err != nil {
				t.Fatalf("%s: %v", c.Name, err)
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
func (c *Case) read(defaults, text string) error {
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
	if c.Source == "" || c.Want == "" || c.Request.Principal.Kind == "" || c.Request.Action == "" {
		return fmt.Errorf("source, who, what and want are required")
	}
	return nil
}

func (c *Case) set(f field) (err error) {
	switch f.name {
	case "source":
		c.Source = f.value
	case "who":
		issuer, id := c.Request.Principal.IssuerARN, c.Request.Principal.ID
		linked := c.Request.Principal.ServiceLinked
		c.Request.Principal = Principal(f.value)
		if issuer != "" {
			c.Request.Principal.IssuerARN = issuer
		}
		c.Request.Principal.ID, c.Request.Principal.ServiceLinked = id, linked
	case "issuer":
		c.Request.Principal.IssuerARN = f.value
	case "id":
		c.Request.Principal.ID = f.value
	case "service-linked":
		c.Request.Principal.ServiceLinked = f.value == "yes"
	case "what":
		c.Request.Action, c.Request.Resource, _ = strings.Cut(f.value, " on ")
	case "owner":
		c.Request.ResourceAccount = f.value
	case "context":
		err = readContext(&c.Request.Context, f.value)
	case "want":
		c.Want = f.value
	case "message":
		c.Message = strings.ReplaceAll(f.value, "\n", " ")
	case "match":
		c.Match = f.value
	case "failed":
		c.Failed = f.value
	default:
		err = c.addPolicy(f)
	}
	return err
}

func (c *Case) addPolicy(f field) error {
	p := authz.Policy{ARN: f.arn, Name: f.name}
	var err error
	if p.Document, err = Document(f.value); err != nil {
		return err
	}
	level := []authz.Policy{p}
	if f.value == "empty" {
		level = []authz.Policy{}
	}
	ps := &c.Policies
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

// Principal reads who: an ARN, a service's name, "anonymous", "web <provider>" or "saml <provider>".
func Principal(text string) authz.Principal {
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
				text, ok := v[i].(string)
				if !ok {
					return fmt.Errorf("key %s holds what is no string", name)
				}
				values[i] = text
			}
			c.SetList(name, values...)
		default:
			return fmt.Errorf("key %s is neither string nor list", name)
		}
	}
	return nil
}

// Document reads a policy in any form that the corpus has: "none" or "empty", a whole document, a statement or list of statements, or
// lines of the short form "Allow ACTION on RESOURCE for PRINCIPAL if CONDITION".
func Document(text string) (*policy.Document, error) {
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

// Outcome words a decision as the corpus does.
func Outcome(d authz.Decision) string {
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
