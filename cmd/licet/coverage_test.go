package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/functionurl"
)

var update = flag.Bool("update", false, "write docs/COVERAGE.md instead of comparing it")

const coverageFile = "../../docs/COVERAGE.md"

// TestCoverage holds docs/COVERAGE.md against the tables of operations and the tests of compat: what is there, what it is authorized as, and
// which tests call it by a real client.
func TestCoverage(t *testing.T) {
	l := newLaboratory(t)
	l.makeTagged()
	tests := callsOfTests(t)
	var b strings.Builder
	b.WriteString("# Coverage\n\nMade by `go test ./cmd/licet -run TestCoverage -update`; a test compares it.\n\n" +
		"Every operation of every service: what it is authorized as (the action on the kind of resource, further permissions after it), and\n" +
		"the tests that call it by a real client (compat/). Operations that are not implemented answer NotImplemented.\n")
	for _, s := range l.s.offered {
		inputs := make(map[string]reflect.Type, len(s.API.Operations))
		fmt.Fprintf(&b, "\n## %s\n\n%d of %d operations.\n\n| operation | authorized as | tested by |\n|---|---|---|\n", s.API.ID,
			implemented(s), len(s.API.Operations))
		for _, op := range s.API.Operations {
			inputs[op.Name] = op.Input
		}
		for _, op := range s.API.Operations {
			i := slices.IndexFunc(s.Operations, func(o service.Operation) bool { return o.Name == op.Name })
			if i < 0 {
				fmt.Fprintf(&b, "| %s | not implemented | |\n", op.Name)
				continue
			}
			if s.Operations[i].Later {
				fmt.Fprintf(&b, "| %s | %s; not implemented | |\n", op.Name, l.authorizedAs(s, s.Operations[i], inputs[op.Name]))
				continue
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", op.Name, l.authorizedAs(s, s.Operations[i], inputs[op.Name]),
				some(tests[packageOf(op.Input)+"."+op.Name]))
			if s.API.SigningName == "lambda" && len(tests[packageOf(op.Input)+"."+op.Name]) == 0 {
				t.Errorf("no test of compat calls %s", op.Name)
			}
		}
	}
	if *update {
		if err := os.WriteFile(coverageFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(coverageFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Errorf("docs/COVERAGE.md is not what the tables and tests say: go test ./cmd/licet -run TestCoverage -update")
	}
}

func implemented(s service.Service) (n int) {
	for _, op := range s.Operations {
		if !op.Later {
			n++
		}
	}
	return n
}

// some are the first of a list.
func some(names []string) string {
	const enough = 3
	if len(names) > enough {
		return strings.Join(names[:enough], ", ") + " …"
	}
	return strings.Join(names, ", ")
}

// authorizedAs names what an operation needs with every member given: its actions and the kinds of their resources.
func (l *laboratory) authorizedAs(s service.Service, op service.Operation, input reflect.Type) string {
	if s.API.SigningName == functionurl.ServiceName {
		return byURL(op)
	}
	if op.TakesUnsigned() {
		return "the token of a provider"
	}
	in := newInput(s.API.SigningName, input, true)
	needs, err := op.Needs(l.t.Context(), l.call(l.root, s.API.SigningName, op.Name), in.Interface())
	if err != nil {
		l.t.Errorf("%s: %v", op.Name, err)
	}
	var all []string
	for _, need := range needs {
		text := "`" + need.Action + "` on " + kindOf(need.Target.ARN)
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	if op.Exempt != "" {
		return "nothing: " + op.Exempt
	}
	return strings.Join(all, "; ")
}

// byURL is authorizedAs for requests to function URLs, whose needs are of a URL (TestFunctionURLNeeds).
func byURL(op service.Operation) string {
	if op.Exempt != "" {
		return "nothing: " + op.Exempt
	}
	return "`lambda:InvokeFunctionUrl` on function; `lambda:InvokeFunction` on function"
}

// kindOf is the type of resource of an ARN.
func kindOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return "`*`"
	}
	kind := parts[5][:strings.IndexAny(parts[5]+":", ":/")]
	switch {
	case parts[2] == "s3":
		return "object"
	case kind == "" || kind == someName:
		return parts[2]
	}
	return kind
}

// packageOf is the SDK's package of an input.
func packageOf(input reflect.Type) string {
	return input.PkgPath()[strings.LastIndex(input.PkgPath(), "/")+1:]
}

// callsOfTests finds, by "package.Operation", the tests of compat that make its input.
func callsOfTests(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("../../compat/*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("find the tests of compat: %v", err)
	}
	calls := make(map[string][]string)
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(fn.Name.Name, "Test") {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				if key := callOf(n, strings.HasPrefix(fn.Name.Name, "TestFunctionURL")); key != "" && !slices.Contains(calls[key], fn.Name.Name) {
					calls[key] = append(calls[key], fn.Name.Name)
				}
				return true
			})
		}
	}
	return calls
}

// callOf is the operation that a node makes an input of; "" for none. Requests to function URLs have no type of the SDK: tests of these make
// them by the method request, and those of browsers with a method of their own.
func callOf(n ast.Node, byURL bool) string {
	switch n := n.(type) {
	case *ast.BasicLit:
		if byURL && n.Value == `"OPTIONS"` {
			return "functionurl.PreflightFunctionUrl"
		}
	case *ast.SelectorExpr:
		pkg, ok := n.X.(*ast.Ident)
		operation, isInput := strings.CutSuffix(n.Sel.Name, "Input")
		switch {
		case ok && isInput:
			return pkg.Name + "." + operation
		case byURL && n.Sel.Name == "request":
			return "functionurl.InvokeFunctionUrl"
		}
	}
	return ""
}
