package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/edge"
)

// decisionPage explains one call, made or supposed.
type decisionPage struct {
	// Entry is the record; its RequestID is "" for a supposed call.
	Entry  entry
	Failed string
	Notes  []string
	Needs  []need
	// Form supposes the first need again.
	Form supposeForm
	// Asked tells that a call was supposed.
	Asked   bool
	Denied  *refusal
	Problem string
}

// need is one decision of a call.
type need struct {
	authz.Explanation
	// Note explains what no policy decided.
	Note    string
	Differs bool
	Steps   []step
	// Text is the policy that decided or came nearest.
	Text *policyText
	Fix  *fixView
}

// step is what one type of policy said.
type step struct {
	authz.TypeTrace
	// Decides tells that the type made the decision.
	Decides bool
	Texts   []policyText
}

// supposeForm is a call that nobody makes. Context has a key=value in each line.
type supposeForm struct {
	As, Action, Resource, Context string
}

func (c *Console) decision(w http.ResponseWriter, v *visit) error {
	x, err := c.config.Log.ExplainDecision(v.Context(), v.caller, v.PathValue("id"))
	if err != nil {
		return err
	}
	title := "Allowed: "
	if !x.Record.Allowed {
		title = "Denied: "
	}
	return c.show(w, v, "decision", title+x.Record.Service+":"+x.Record.Operation, decisionOf(x))
}

func (c *Console) suppose(w http.ResponseWriter, v *visit) error {
	q := v.URL.Query()
	form := supposeForm{As: strings.TrimSpace(q.Get("as")), Action: strings.TrimSpace(q.Get("action")),
		Resource: strings.TrimSpace(q.Get("resource")), Context: q.Get("context")}
	body := decisionPage{Form: form}
	if form.As != "" && form.Action != "" {
		x, err := c.supposed(v, form)
		denied, rest := refused(err)
		if rest != nil {
			message, ok := forClient(rest)
			if !ok {
				return rest
			}
			body.Problem = message
		}
		if body.Denied = denied; err == nil {
			body = decisionOf(x)
			body.Form, body.Asked = form, true
		}
	}
	return c.show(w, v, "suppose", "Suppose a call", body)
}

func (c *Console) supposed(v *visit, form supposeForm) (edge.Explanation, error) {
	question := edge.Question{Principal: form.As, Action: form.Action, Resource: form.Resource}
	if question.Resource == "" {
		question.Resource = "*"
	}
	var pairs []string
	for line := range strings.Lines(form.Context) {
		if line = strings.TrimSpace(line); line != "" {
			pairs = append(pairs, line)
		}
	}
	var err error
	if question.Context, err = edge.ContextOf(pairs); err != nil {
		return edge.Explanation{}, err
	}
	return c.config.Log.ExplainSupposed(v.Context(), v.caller, question)
}

func decisionOf(x edge.Explanation) decisionPage {
	body := decisionPage{Entry: entryOf(x.Record), Notes: x.Notes}
	if f := x.Record.Failure; f != nil {
		body.Failed = f.Code + ": " + f.Message
	}
	for i, d := range x.Decisions {
		n := need{Explanation: d.Explanation, Differs: d.Differs}
		if i < len(x.Record.Decisions) {
			n.Note = x.Record.Decisions[i].Note
		}
		if n.Note == "" {
			n.Steps, n.Text = stepsOf(d.Explanation), decidingText(d.Explanation)
		}
		if d.Fix != nil {
			n.Fix = fixOf(d.Explanation)
		}
		body.Needs = append(body.Needs, n)
	}
	if len(x.Decisions) > 0 {
		r := x.Decisions[0].Request
		body.Form = supposeForm{As: r.Principal.ARN, Action: r.Action, Resource: r.Resource}
		if !crosses(r) {
			body.Form.Context = strings.Join(ownKeys(r.Context), "\n")
		}
		body.Entry.Principal = r.Principal.ARN
		if x.Record.RequestID == "" {
			body.Entry.Operation = r.Action
		}
	}
	return body
}

// SupposeURL asks again what a call would be answered now.
func (f supposeForm) SupposeURL() string {
	q := url.Values{"as": {f.As}, "action": {f.Action}, "resource": {f.Resource}}
	if f.Context != "" {
		q.Set("context", f.Context)
	}
	return Pages + "suppose?" + q.Encode()
}

// stepsOf draws the way through the types of policy. One that has no say stays on it: that it has none explains, too.
func stepsOf(x authz.Explanation) []step {
	var steps []step
	for _, t := range x.Decision.Types {
		s := step{TypeTrace: t, Decides: t.Type == x.Decision.By}
		for _, p := range t.Policies {
			s.Texts = append(s.Texts, textOf(p.Policy, marksOf(p, x.Decision)))
		}
		steps = append(steps, s)
	}
	return steps
}

// crosses tells of a call on a resource of another account. Nothing may be supposed of those (edge.Suppositions).
func crosses(r authz.Request) bool {
	return r.ResourceAccount != "" && r.ResourceAccount != r.Principal.Account
}

// ownKeys are the keys of a call, as key=value, that the call itself brought. Those that depend on the principal, the resource and the time
// are as they are when it is asked again.
func ownKeys(k authz.Context) []string {
	var pairs []string
	for name, value := range k.All {
		folded := authz.FoldKey(name)
		if slices.ContainsFunc([]string{"aws:principal", "aws:resource", "aws:currenttime", "aws:epochtime", "aws:userid", "aws:username"},
			func(prefix string) bool { return strings.HasPrefix(folded, authz.FoldKey(prefix)) }) ||
			strings.Contains(folded, authz.FoldKey(":resourcetag/")) {
			continue
		}
		for _, v := range value.Values {
			if !strings.ContainsAny(v, "\r\n") {
				pairs = append(pairs, name+"="+v)
			}
		}
	}
	slices.Sort(pairs)
	return pairs
}
