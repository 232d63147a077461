package authz

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMakeColumns: conditions on a key that are of one kind make a column, if there are enough, their operands are known, and their
// classes take no long to work out. The steps of a statement that columns know come last.
func TestMakeColumns(t *testing.T) {
	const few, many, more = 2, 20, 120
	for name, tt := range map[string]struct {
		statements int
		conditions string // of each statement; # is its number
		others     string // of the first statements
		count      int    // of these
		want       string // the columns, with how many conditions each has
	}{
		"strings":            {many, `"StringEquals":{"k:a":"v#"}`, "", 0, "k:a 20"},
		"equal conditions":   {many, `"StringEquals":{"k:a":"v"}`, "", 0, "k:a 1"},
		"several operators":  {many, `"StringEquals":{"k:a":"v#"},"StringNotEquals":{"K:A":"w#"}`, "", 0, "k:a 40"},
		"several kinds":      {many, `"StringEquals":{"k:a":"v#"},"NumericEquals":{"k:a":"#"}`, "", 0, "k:a 20, k:a 20"},
		"few":                {many, `"StringLike":{"k:a":"v#"}`, `"Bool":{"k:b":"true"}`, few, ""},
		"enough":             {many, `"StringLike":{"k:a":"v#"}`, `"Bool":{"k:b":"true"}`, few + 1, "k:b 1"},
		"patterns":           {many, `"StringLike":{"k:a":"v#"}`, "", 0, ""},
		"variables":          {many, `"StringEquals":{"k:a":"${k:b}#"}`, "", 0, ""},
		"a variable":         {many, `"StringEquals":{"k:a":"v#"}`, `"StringEqualsIfExists":{"k:a":"${k:b}"}`, 1, "k:a 20"},
		"numbers":            {many, `"NumericLessThan":{"k:a":"#"}`, "", 0, "k:a 20"},
		"no numbers":         {many, `"NumericLessThan":{"k:a":"v#"}`, "", 0, "k:a 20"},
		"fractions":          {many, `"NumericLessThan":{"k:a":"#.5"}`, "", 0, ""},
		"dates":              {many, `"DateLessThan":{"k:a":"20#"}`, "", 0, "k:a 20"},
		"fractions of dates": {many, `"DateLessThan":{"k:a":"2020-01-01T00:00:00.1#Z"}`, "", 0, ""},
		"addresses":          {many, `"IpAddress":{"k:a":"192.0.2.#"}`, "", 0, "k:a 20"},
		"as many as can be worked out": {more, `"StringEquals":{"k:a":"v#","k:b":"v#","k:c":"v#","k:d":"v#"}`, "", 0,
			"k:a 120, k:b 120, k:c 120, k:d 120"},
		"more columns than can be worked out": {more,
			`"StringEquals":{"k:a":"v#","k:b":"v#","k:c":"v#","k:d":"v#","k:e":"v#"}`, "", 0, "k:a 120, k:b 120, k:c 120, k:d 120"},
		"more values than can be worked out": {more, `"StringEquals":{"k:a":["v#","w#"]}`, "", 0, ""},
		"too many statements":                {mostStatements + 1, `"Bool":{"k:a":"true"}`, "", 0, ""},
		"just not too many statements":       {mostStatements, `"Bool":{"k:a":"true"}`, "", 0, "k:a 1"},
		"too few statements":                 {manyStatements - 1, `"Bool":{"k:a":"true"}`, "", 0, ""},
		"just enough statements":             {manyStatements, `"Bool":{"k:a":"true"}`, "", 0, "k:a 1"},
	} {
		t.Run(name, func(t *testing.T) {
			var statements []string
			for i := range tt.statements {
				conditions := strings.ReplaceAll(tt.conditions, "#", strconv.Itoa(i))
				if i < tt.count {
					conditions = tt.others + "," + conditions
				}
				statements = append(statements, `{"Effect":"Allow","Action":"*","Resource":"a:b:c:d:e:*","Condition":{`+conditions+`}}`)
			}
			g := compiled(t, strings.Join(statements, ","), manyStatements).groups[identityType]
			var got []string
			indexed := map[uint32]bool{}
			for _, c := range g.columns {
				got = append(got, fmt.Sprintf("%s %d", g.keys[c.key].name, len(c.atoms)))
				for _, id := range c.atoms {
					indexed[id] = true
				}
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("columns (-want +got):\n%s", diff)
			}
			for i, s := range g.statements {
				for at := s.steps.lo; at < s.steps.hi; at++ {
					if st := g.steps[at]; (at >= s.indexed) != (st.element == conditionElement && indexed[st.atom]) {
						t.Errorf("statement %d, step %d of %v: those that columns know start at %d", i, at, s.steps, s.indexed)
					}
				}
			}
		})
	}
}
