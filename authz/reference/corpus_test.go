package reference_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/authz/internal/authztest"
	"github.com/licet/licet/authz/reference"
)

// TestCorpus decides every case of ../testdata. ../testdata/README.md describes the format.
func TestCorpus(t *testing.T) {
	for _, c := range authztest.Corpus(t, "../testdata") {
		t.Run(c.Name, func(t *testing.T) {
			d := reference.Decide(c.Request, c.Policies)
			if diff := cmp.Diff(c.Want, authztest.Outcome(d)); diff != "" {
				t.Errorf("decision (-want +got):\n%s\n%s", diff, traceText(t, d))
			}
			if got := d.Message(c.Request); c.Message != "" && got != c.Message {
				t.Errorf("message:\ngot  %s\nwant %s", got, c.Message)
			}
			if c.Match != "" {
				got := string(firstStatement(t, d, authz.ResourceBasedPolicy, authz.RoleTrustPolicy).Match)
				if got != c.Match {
					t.Errorf("got match %q, want %q", got, c.Match)
				}
			}
			if c.Failed != "" {
				if got := failedText(d); got != c.Failed {
					t.Errorf("got failed %q, want %q\n%s", got, c.Failed, traceText(t, d))
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
	for _, c := range authztest.Corpus(t, "../testdata") {
		for _, id := range regexp.MustCompile(`\b[DTPARVCXM][0-9]+\b`).FindAllString(c.Source, -1) {
			covered[id]++
		}
	}
	for _, line := range lines {
		if covered[line] == 0 {
			t.Errorf("no case cites %s", line)
		}
	}
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
