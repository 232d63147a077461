package authz

import (
	"strings"
	"testing"

	"github.com/licet/licet/policy"
)

// compiled compiles one policy for a user.
func compiled(t *testing.T, statements string, many int) *Set {
	t.Helper()
	doc, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + statements + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return compile(Policies{Identity: []Policy{{Name: "p", Document: doc}}}, many)
}

// TestCheapestFirst: whatever the order of the text, what takes less work is compared first.
func TestCheapestFirst(t *testing.T) {
	for name, tt := range map[string]struct{ resource, conditions, want string }{
		"an equal string before a pattern":     {`"*"`, `"StringLike":{"k":"*a*b*"},"StringEquals":{"k":"a"}`, "action resource k=1 k=0"},
		"a prefix before a pattern":            {`"*"`, `"StringLike":{"k":"*a*b*"},"StringLikeIfExists":{"k":"a*"}`, "action resource k=1 k=0"},
		"a pattern before one with characters": {`"*"`, `"StringLike":{"k":"a?b"},"StringLikeIfExists":{"k":"*a*b*"}`, "action resource k=1 k=0"},
		"few values before many": {`"*"`, `"StringEquals":{"k":["a","b","c"]},"StringNotEquals":{"k":"a"}`,
			"action resource k=1 k=0"},
		"regard to case first":                      {`"*"`, `"StringEqualsIgnoreCase":{"k":["a","b"]},"StringEquals":{"k":["a","b"]}`, "action resource k=1 k=0"},
		"a short literal before a long one":         {`"*"`, `"StringLike":{"k":"` + strings.Repeat("a", 100) + `"},"StringLikeIfExists":{"k":"a"}`, "action resource k=1 k=0"},
		"a condition before a pattern of resources": {`"arn:aws:s3:::*a*b*"`, `"StringEquals":{"k":"a"}`, "action k=0 resource"},
		"a variable last":                           {`"arn:aws:s3:::${k}"`, `"StringLike":{"k":"*a*b*"}`, "action k=0 resource"},
		"a resource that lacks segments":            {`"arn:aws:s3"`, `"StringLike":{"k":"*a*b*"}`, "action k=0 resource"},
	} {
		g := compiled(t, `{"Effect":"Allow","Action":"s3:Get*","Resource":`+tt.resource+`,"Condition":{`+tt.conditions+`}}`, 2).groups[identityType]
		var got []string
		for _, st := range g.steps {
			got = append(got, map[elementKind]string{actionElement: "action", resourceElement: "resource", conditionElement: "k"}[st.element])
			if st.element == conditionElement {
				got[len(got)-1] += "=" + string(rune('0'+st.place-3))
			}
		}
		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("%s: got %s, want %s", name, text, tt.want)
		}
	}
}

// TestDecideAllocatesNothing once its memory is as large as the policies need.
func TestDecideAllocatesNothing(t *testing.T) {
	for name, statements := range map[string]string{
		"action":     `{"Effect":"Allow","Action":["s3:getobject","s3:G*"],"Resource":"*"}`,
		"conditions": `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"k:s":["a","b"]},"NumericEquals":{"k:n":"1"}}}`,
		"variable":   `{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${k:s}/*"}`,
		"wildcards":  `{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/?/*"}`,
		"case":       `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEqualsIgnoreCase":{"k:s":"${k:s}"}}}`,
		"binary":     `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"BinaryEquals":{"k:b":"aGk="}}}`,
		"denied":     `{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::*"}`,
	} {
		for _, many := range []int{1, 10} {
			req := Request{Principal: Principal{Kind: User, Account: "1", ARN: "arn:aws:iam::1:user/a"}, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/a/k"}
			req.Context.Set("k:s", "a")
			req.Context.Set("k:n", "1")
			req.Context.Set("k:b", "aGk=")
			s := compiled(t, statements, many)
			sc := new(scratch)
			decide := func() {
				var d Decision
				own := req // a caller's request stays on its stack
				e := evaluation{set: s, req: &own, scratch: sc}
				if e.decide(&d); d.By != IdentityBasedPolicy || d.Policy == nil {
					t.Errorf("%s: %v", name, d)
				}
			}
			if n := testing.AllocsPerRun(10, decide); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	}
}
