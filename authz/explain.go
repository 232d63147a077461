package authz

// Explanation is a decision with everything that led to it, and what would change it.
type Explanation struct {
	Request Request `json:"request"`
	// Decision has its trace.
	Decision Decision `json:"decision"`
	// Message is AWS's text of the denial; "" when allowed.
	Message string `json:"message,omitempty"`
	// Keys are the condition keys that conditions and variables asked for, in the order in which they did.
	Keys []ConsultedKey `json:"keys,omitempty"`
	// Fix is the least that would let a denied request pass; nil when it passes.
	Fix *Fix `json:"fix,omitempty"`
}

// ConsultedKey is a condition key that a policy asked for.
type ConsultedKey struct {
	// Name as the first policy that asked wrote it.
	Name string `json:"name"`
	// Present tells whether the request has the key; Values are its values.
	Present bool     `json:"present"`
	Values  []string `json:"values,omitempty"`
	// When says when requests have the key, if it is a global one that the request lacks.
	When string `json:"when,omitempty"`
	// By are the types of policy that asked.
	By []PolicyType `json:"by"`
}

// Explain decides a request and says why. It is Set.Explain for policies that are not compiled.
func Explain(req Request, p Policies) Explanation { return Compile(p).Explain(&req) }

// Explain decides a request and says why.
func (s *Set) Explain(req *Request) Explanation {
	t := s.trace(req)
	x := Explanation{Request: *req, Decision: t.decision, Message: t.decision.Message(*req), Keys: t.keys}
	if !x.Decision.Allowed {
		x.Fix = SmallestFix(*req, s.policies)
	}
	return x
}

// Trace is Decide with the whole walk in Decision.Types. It takes the same way through the policies, except that it goes on where the
// outcome is clear already.
func (s *Set) Trace(req *Request) Decision { return s.trace(req).decision }

func (s *Set) trace(req *Request) *trace {
	sc := scratches.Get().(*scratch)
	defer scratches.Put(sc)
	e := evaluation{set: s, req: req, scratch: sc, trace: &trace{}}
	e.decide(&e.trace.decision)
	return e.trace
}
