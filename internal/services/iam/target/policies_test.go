package target

import (
	"regexp"
	"testing"

	"github.com/licet/licet/internal/awsdata"
)

// Every policy of AWS has an id of its own, wherever it is shown, and always the same.
func TestIDsOfAWSPolicies(t *testing.T) {
	data, err := awsdata.Load()
	if err != nil {
		t.Fatal(err)
	}
	form, seen := regexp.MustCompile("^ANPA[A-Z2-7]{17}$"), map[string]string{}
	for p := range data.ManagedPolicies() {
		id := awsPolicyID(p.ARN)
		if !form.MatchString(id) {
			t.Errorf("%s: got id %q", p.ARN, id)
		}
		if other, ok := seen[id]; ok {
			t.Errorf("%s and %s have the id %s", p.ARN, other, id)
		}
		seen[id] = p.ARN
	}
	if len(seen) < 1000 {
		t.Errorf("got %d policies", len(seen))
	}
}
