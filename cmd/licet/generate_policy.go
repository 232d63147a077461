package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/edge"
	"github.com/licet/licet/internal/leastpolicy"
	"github.com/licet/licet/internal/report"
)

// errMissing is the outcome of a check that found that permissions are missing. What is missing was printed.
var errMissing = errors.New("permissions are missing")

func generatePolicyCommand() *cobra.Command {
	var (
		data, account, role, generalize string
		since                           time.Duration
		check, asJSON                   bool
	)
	cmd := &cobra.Command{
		Use:   "generate-policy --role ROLE",
		Short: "Write the least policy for what a role was seen to do",
		Long: "Reads what the sessions of a role asked for out of the decision log, allowed or not, and prints the least identity-based policy that\n" +
			"allows it. What was seen is judged again by the policy before it is printed. licet record lets calls through that are\n" +
			"denied, so that one run shows everything that a function needs.\n\n" +
			"  --generalize exact      the very resources that were seen; any log stream for one whose name Lambda made up\n" +
			"  --generalize prefix     what they have in common, where an action was seen on several with the same beginning\n" +
			"  --generalize wildcard   all resources of the same kind in the account and region\n\n" +
			"With --check the role's present policies are compared with it instead: what is missing, unused or broader than needed. The exit status\n" +
			"is 1 when something is missing.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if role == "" {
				return errors.New("--role is missing")
			}
			q := url.Values{"role": {role}, "generalize": {generalize}}
			if since < 0 {
				return errors.New("--since must be a length of time, such as 10m")
			}
			if since > 0 {
				q.Set("since", time.Now().Add(-since).UTC().Format(time.RFC3339))
			}
			least, body, err := leastPolicy(cmd.Context(), data, account, q)
			if err != nil {
				return err
			}
			switch {
			case asJSON:
				_, err = cmd.OutOrStdout().Write(body)
			case check:
				err = newPainter(cmd.OutOrStdout()).print(checkReport(least))
			default:
				err = printPolicy(cmd.OutOrStdout(), cmd.ErrOrStderr(), least)
			}
			if err == nil && check && len(least.Check.Missing) > 0 {
				err = errMissing
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&data, "data", "", "data directory of the server; default: the environment, else "+defaultDataDir())
	f.StringVar(&account, "account", "", "account whose root asks; default: the environment, else "+defaultAccount)
	f.StringVar(&role, "role", "", "name or ARN of the role")
	f.DurationVar(&since, "since", 0, "how long ago, such as 10m or 2h; default: all that the log has")
	f.StringVar(&generalize, "generalize", string(leastpolicy.Exact), "exact, prefix or wildcard")
	f.BoolVar(&check, "check", false, "compare the role's present policies")
	f.BoolVar(&asJSON, "json", false, "print policy and comparison as JSON")
	return cmd
}

// leastPolicy asks the server.
func leastPolicy(ctx context.Context, data, account string, q url.Values) (least edge.LeastPolicy, body []byte, err error) {
	t, err := findTarget(ctx, data, account)
	if err != nil {
		return least, nil, err
	}
	if body, err = t.ask(ctx, http.MethodGet, edge.PolicyPage+"?"+q.Encode(), nil); err != nil {
		return least, nil, err
	}
	if err := json.Unmarshal(body, &least); err != nil {
		return least, nil, fmt.Errorf("read the server's answer: %w", err)
	}
	return least, body, nil
}

// printPolicy prints the document, and what is to be said of it beside: so that the one can be put into a file.
func printPolicy(out, beside io.Writer, least edge.LeastPolicy) error {
	var document strings.Builder
	for i, line := range strings.Split(string(least.Policy), "\n") {
		if i > 0 {
			line = strings.TrimPrefix(line, "  ") // the answer has it as a member
		}
		document.WriteString(printable(line) + "\n")
	}
	if _, err := io.WriteString(out, document.String()); err != nil {
		return err
	}
	return newPainter(beside).print(notes(least))
}

func notes(least edge.LeastPolicy) []report.Line {
	lines := []report.Line{{{Text: fmt.Sprintf("From %d decisions about %s.", least.Calls, least.Role), Style: report.Faint}}}
	for _, n := range least.Notes {
		lines = append(lines, report.Line{{Text: n, Style: report.Bad}})
	}
	for _, d := range least.StillDenied {
		lines = append(lines, report.Line{
			{Text: "still denied  ", Style: report.Bad}, {Text: d.Action + " on " + d.Resource}, {Text: "  by " + string(d.By) + " policies", Style: report.Faint},
		})
	}
	return lines
}

// checkReport compares for a person.
func checkReport(least edge.LeastPolicy) []report.Line {
	lines := []report.Line{{{Text: least.Role, Style: report.Strong}}}
	c := least.Check
	for _, m := range c.Missing {
		why := ""
		if m.Denied {
			why = "  (a Deny of its own policies)"
		}
		lines = append(lines, report.Line{{Text: "  missing  ", Style: report.Bad}, {Text: m.Action + " on " + m.Resource}, {Text: why, Style: report.Faint}})
	}
	element := func(label string, style report.Style, e leastpolicy.Element) {
		name := e.Element + " " + e.Value
		if e.Element == "Statement" {
			name = "the whole statement"
		}
		sid := ""
		if e.Sid != "" {
			sid = fmt.Sprintf(" %q", e.Sid)
		}
		lines = append(lines, report.Line{
			{Text: label, Style: style}, {Text: name}, {Text: fmt.Sprintf("  in %s %d:%d%s", e.Policy, e.At.Line, e.At.Column, sid), Style: report.Faint},
		})
		if len(e.Needed) > 0 {
			lines = append(lines, report.Line{{Text: "           needed: " + strings.Join(e.Needed, ", "), Style: report.Good}})
		}
	}
	for _, e := range c.Unused {
		element("  unused   ", report.Faint, e)
	}
	for _, e := range c.Broad {
		element("  broad    ", report.Strong, e)
	}
	if len(c.Missing)+len(c.Unused)+len(c.Broad) == 0 {
		lines = append(lines, report.Line{{Text: "  Its policies are the least.", Style: report.Good}})
	}
	return append(lines, notes(least)...)
}
