package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/policylint"
	"github.com/licet/licet/policy"
)

type policyLintFlags struct {
	kind, failOn  string
	asJSON, sarif bool
	github        bool
}

var errFindings = errors.New("there are findings")

func policyLintCommand() *cobra.Command {
	var f policyLintFlags
	cmd := &cobra.Command{
		Use:   "lint [FILE|DIRECTORY|- …]",
		Short: "Find what is wrong in policies, with line and column",
		Long: "Checks the policies in the files that are named and in the files *.json of directories; without any, or for -, standard input. The\n" +
			"findings are those of IAM Access Analyzer's ValidatePolicy: by its codes, what AWS refuses to save, and what it saves though it does not\n" +
			"do what was meant: actions and condition keys that do not exist, resources of another type than the action's, conditions that never\n" +
			"hold. docs/POLICY.md is the manual.\n\n" +
			"The type of a policy is guessed by its looks, and told, unless --type says it: a boundary or SCP looks like an identity-based policy,\n" +
			"an RCP like a resource-based one.\n\n" +
			"The exit status is 0 when nothing is as bad as --fail-on says, 1 when something is, and 2 when a file cannot be read.",
		RunE: func(cmd *cobra.Command, args []string) error { return unusableIf(f.lint(cmd, args), errFindings) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.kind, "type", "", "what the policies are: "+strings.Join(policylint.Types(), ", "))
	fs.StringVar(&f.failOn, "fail-on", "error", "the least severity that fails: error, security-warning, warning or suggestion")
	fs.BoolVar(&f.asJSON, "json", false, "print the findings as JSON")
	fs.BoolVar(&f.sarif, "sarif", false, "print the findings as SARIF 2.1.0, for code scanning")
	fs.BoolVar(&f.github, "github", os.Getenv("GITHUB_ACTIONS") == "true", "print annotations for GitHub Actions, too")
	return cmd
}

func (f *policyLintFlags) lint(cmd *cobra.Command, args []string) error {
	least := slices.IndexFunc(policylint.Severities(), func(s policy.Severity) bool { return policylint.Level(s) == f.failOn })
	if least < 0 {
		return fmt.Errorf("--fail-on must be error, security-warning, warning or suggestion, not %q", f.failOn)
	}
	if _, ok := policylint.KindOf(f.kind); !ok && f.kind != "" {
		return fmt.Errorf("--type must be one of %s, not %q", strings.Join(policylint.Types(), ", "), f.kind)
	}
	if f.asJSON && f.sarif {
		return errors.New("choose one of --json and --sarif")
	}
	docs, err := policyDocuments(args, cmd.InOrStdin())
	if err != nil {
		return err
	}
	data, err := awsdata.Load()
	if err != nil {
		return fmt.Errorf("load AWS's tables: %w", err)
	}
	linter := policylint.New(data)
	results := make([]policylint.Result, len(docs))
	for i, d := range docs {
		r := policylint.Result{File: d.name, Text: d.text, Type: f.kind, Guessed: f.kind == ""}
		if r.Guessed {
			r.Type = policylint.Guess(d.text)
		}
		kind, _ := policylint.KindOf(r.Type)
		r.Findings = linter.Findings(d.text, kind)
		results[i] = r
	}
	if err := f.print(cmd, results); err != nil {
		return err
	}
	if policylint.AtLeast(results, policylint.Severities()[least]) > 0 {
		return errFindings
	}
	return nil
}

func (f *policyLintFlags) print(cmd *cobra.Command, results []policylint.Result) error {
	out := cmd.OutOrStdout()
	switch {
	case f.asJSON:
		return policylint.WriteJSON(out, results)
	case f.sarif:
		return policylint.WriteSARIF(out, results)
	}
	for _, r := range results {
		if err := newPainter(out).print(r.Report()); err != nil {
			return err
		}
	}
	if f.github {
		if err := policylint.WriteGitHub(out, results); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "%s.\n", policylint.Summary(results))
	return err
}
