package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

const packagingDir = "../../packaging"

func packaged(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(packagingDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Every flag and variable that a packaged file uses is one that licet serve has.
func TestPackagedFlags(t *testing.T) {
	flags := serveCommand().Flags()
	variables := []string{"LICET_DATA", "LICET_STORE", "LICET_BLOBS", keyVariable}
	for _, name := range []string{"systemd/licet.service", "systemd/licet.env", "compose/compose.yaml", "helm/licet/templates/licet.yaml"} {
		text := packaged(t, name)
		for _, m := range regexp.MustCompile(`["\s]--([a-z][a-z0-9-]+)`).FindAllStringSubmatch(text, -1) {
			if flags.Lookup(m[1]) == nil {
				t.Errorf("%s: licet serve has no --%s", name, m[1])
			}
		}
		for _, v := range regexp.MustCompile(`LICET_\w+`).FindAllString(text, -1) {
			if !slices.Contains(variables, v) {
				t.Errorf("%s: licet knows no %s", name, v)
			}
		}
	}
}

// What is to be YAML or JSON is. The chart is a template: it is held against the binary by its flags, and `make helm` reads it as helm does.
func TestPackagedDocuments(t *testing.T) {
	for _, name := range []string{"compose/compose.yaml", "nfpm.yaml", "helm/licet/values.yaml", "helm/licet/Chart.yaml", "grafana/alerts.yaml"} {
		var v any
		if err := yaml.Unmarshal([]byte(packaged(t, name)), &v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// metrics are the labels of the metrics that a server shows, by name.
func metricsOf(t *testing.T) map[string][]string {
	t.Helper()
	r := startServer(t)
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		for _, all := range [][]prometheus.Collector{
			r.server.clock.Collectors(), r.server.edge.Metrics(), r.server.functions.Collectors(), r.server.lambda.Collectors(), r.server.logs.Collectors(),
		} {
			for _, c := range all {
				c.Describe(descs)
			}
		}
	}()
	found := map[string][]string{}
	desc := regexp.MustCompile(`fqName: "(\w+)".*variableLabels: \{([^}]*)\}`)
	for d := range descs {
		m := desc.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("cannot read %s", d)
		}
		found[m[1]] = strings.Split(m[2], ",")
	}
	return found
}

// Every metric, and every label, that a dashboard or an alert asks for is one that a server shows.
func TestPackagedMetrics(t *testing.T) {
	known := metricsOf(t)
	var expressions []string
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(packaged(t, "grafana/licet.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			expressions = append(expressions, target.Expr)
		}
	}
	var alerts struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal([]byte(packaged(t, "grafana/alerts.yaml")), &alerts); err != nil {
		t.Fatal(err)
	}
	runbook, err := os.ReadFile("../../docs/operations/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range alerts.Groups {
		for _, r := range g.Rules {
			expressions = append(expressions, r.Expr)
			if !strings.Contains(string(runbook), "### "+r.Alert+"\n") {
				t.Errorf("the runbook does not say what to do about %s", r.Alert)
			}
		}
	}
	if len(expressions) < 20 {
		t.Fatalf("%d expressions", len(expressions))
	}
	everywhere := []string{"le", "instance", "job", ""}
	for _, e := range expressions {
		var labels []string
		for _, name := range regexp.MustCompile(`licet_\w+`).FindAllString(e, -1) {
			base := strings.TrimSuffix(name, "_bucket")
			if _, ok := known[base]; !ok {
				t.Errorf("%s: there is no metric %s", e, name)
			}
			labels = append(labels, known[base]...)
		}
		for _, m := range regexp.MustCompile(`by \(([\w, ]+)\)|(\w+)="`).FindAllStringSubmatch(e, -1) {
			for label := range strings.SplitSeq(m[1]+m[2], ",") {
				if label = strings.TrimSpace(label); !slices.Contains(labels, label) && !slices.Contains(everywhere, label) {
					t.Errorf("%s: there is no label %s", e, label)
				}
			}
		}
	}
}

// Each command has a page and completions, which the package brings.
func TestManualAndCompletions(t *testing.T) {
	dir := t.TempDir()
	if err := writeManual(command(), dir); err != nil {
		t.Fatal(err)
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if !c.IsAvailableCommand() && c.HasParent() {
			return
		}
		page, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(c.CommandPath(), " ", "-")+".1"))
		if err != nil || !strings.Contains(string(page), ".SH SYNOPSIS") {
			t.Errorf("%s: %v", c.CommandPath(), err)
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(command())
	for _, shell := range []string{"bash", "zsh", "fish"} {
		c := command()
		var out strings.Builder
		c.SetOut(&out)
		c.SetArgs([]string{"completion", shell})
		if err := c.Execute(); err != nil || !strings.Contains(out.String(), "licet") {
			t.Errorf("%s: %v", shell, err)
		}
	}
}
