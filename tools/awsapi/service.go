package main

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"text/template"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logsschemas "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/schemas"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	organizationsschemas "github.com/aws/aws-sdk-go-v2/service/organizations/schemas"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqsschemas "github.com/aws/aws-sdk-go-v2/service/sqs/schemas"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/licet/licet/internal/protocol"
)

// service is what the generator cannot read off an SDK client, and the client.
type service struct {
	// folder below internal/services; the package is folder/pkg.
	folder, pkg string
	client      any
	// types tells that the SDK module has a TypeRegistry of its error shapes.
	types bool
	// bound tells that operations have HTTP bindings, in the module's schemas package.
	bound bool
	// restXML tells that its protocol is restXml.
	restXML bool
	// roots are the root elements of outputs that are documents, by operation.
	roots map[string]string
	// codes are success statuses where AWS does not do as its model says.
	codes map[string]int
	api   protocol.API
}

// services lists the services. Signing names and namespaces are those of AWS's service models (trait aws.auth#sigv4, trait
// smithy.api#xmlNamespace); the SDK keeps them unexported.
func services() []service {
	return []service{
		{
			folder: "lambda", pkg: "lambdaapi", client: (*lambda.Client)(nil), types: true, bound: true,
			// The model says 200; recorded answers of AWS are 204 (AWS's own Terraform provider and CLI show the latter).
			codes: map[string]int{"DeleteFunction": 204},
			api:   protocol.API{ID: lambda.ServiceID, SigningName: "lambda", Version: lambda.ServiceAPIVersion},
		},
		{
			folder: "logs", pkg: "logsapi", client: (*cloudwatchlogs.Client)(nil), types: true,
			api: protocol.API{
				ID: cloudwatchlogs.ServiceID, SigningName: "logs", Version: cloudwatchlogs.ServiceAPIVersion,
				TargetPrefix: logsschemas.Logs_20140328.ID().Name,
			},
		},
		{
			folder: "organizations", pkg: "organizationsapi", client: (*organizations.Client)(nil), types: true,
			api: protocol.API{
				ID: organizations.ServiceID, SigningName: "organizations", Version: organizations.ServiceAPIVersion,
				TargetPrefix: organizationsschemas.AWSOrganizationsV20161128.ID().Name,
			},
		},
		{
			folder: "iam", pkg: "iamapi", client: (*iam.Client)(nil),
			api: protocol.API{
				ID: iam.ServiceID, SigningName: "iam", Version: iam.ServiceAPIVersion,
				Namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
			},
		},
		{
			folder: "s3", pkg: "s3api", client: (*s3.Client)(nil), restXML: true, roots: s3Roots, codes: s3Codes,
			api: protocol.API{
				ID: s3.ServiceID, SigningName: "s3", Version: s3.ServiceAPIVersion,
				Namespace: "http://s3.amazonaws.com/doc/2006-03-01/",
			},
		},
		{
			// Its requests are signed for S3: the name here is that of its action's host.
			folder: "s3", pkg: "s3controlapi", client: (*s3control.Client)(nil), restXML: true, roots: s3ControlRoots, codes: s3ControlCodes,
			api: protocol.API{
				ID: s3control.ServiceID, SigningName: "s3-control", SignedAs: "s3", Version: s3control.ServiceAPIVersion,
				Namespace: "http://awss3control.amazonaws.com/doc/2018-08-20/",
			},
		},
		{
			folder: "sqs", pkg: "sqsapi", client: (*sqs.Client)(nil), types: true,
			api: protocol.API{
				ID: sqs.ServiceID, SigningName: "sqs", Version: sqs.ServiceAPIVersion, TargetPrefix: sqsschemas.AmazonSQS.ID().Name,
				// Of the query protocol, which the model had until 2023.
				Namespace: "http://queue.amazonaws.com/doc/2012-11-05/", Elements: sqsElements, QueryCodes: sqsCodes,
				// A batch of 1 MiB, each of its bytes percent-encoded, and what stands around it.
				MaxForm: 4 << 20,
			},
		},
		{
			folder: "sts", pkg: "stsapi", client: (*sts.Client)(nil),
			api: protocol.API{
				ID: sts.ServiceID, SigningName: "sts", Version: sts.ServiceAPIVersion,
				Namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
			},
		},
	}
}

func (s service) path() string { return "internal/services/" + s.folder + "/" + s.pkg + "/api.go" }

// operations gives the client's operations, in the order of their names: its methods of the form
// (context.Context, *XInput, ...func(*Options)) (*XOutput, error).
func (s service) operations() []string {
	client := reflect.TypeOf(s.client)
	var names []string
	for m := range client.Methods() {
		t := m.Type
		if t.NumIn() != 4 || t.NumOut() != 2 || t.In(1) != reflect.TypeFor[context.Context]() {
			continue
		}
		if structName(t.In(2)) == m.Name+"Input" && structName(t.Out(0)) == m.Name+"Output" {
			names = append(names, m.Name)
		}
	}
	return names
}

// unions gives the names of the types that are members of unions: those called XMember… with a method isX, where X is
// the union's interface. Reflection cannot list types, so this reads the source of the SDK's types package.
func (s service) unions() ([]string, error) {
	dir, err := s.dir()
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, "types", "types.go"), nil, 0)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv == nil || !strings.HasPrefix(f.Name.Name, "is") {
			continue
		}
		union := strings.TrimPrefix(f.Name.Name, "is")
		pointer, ok := f.Recv.List[0].Type.(*ast.StarExpr)
		if !ok {
			continue
		}
		if name, ok := pointer.X.(*ast.Ident); ok && strings.HasPrefix(name.Name, union+"Member") {
			names = append(names, name.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// dir is where the SDK's source is.
func (s service) dir() (string, error) {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", s.importPath()).Output()
	if err != nil {
		return "", fmt.Errorf("find package %s: %w", s.importPath(), err)
	}
	return strings.TrimSpace(string(out)), nil
}

func (s service) importPath() string { return reflect.TypeOf(s.client).Elem().PkgPath() }

func structName(pointer reflect.Type) string {
	if pointer.Kind() != reflect.Pointer {
		return ""
	}
	return pointer.Elem().Name()
}

// source gives the text of the package's file.
func (s service) source() ([]byte, error) {
	ops := s.operations()
	if len(ops) == 0 {
		return nil, fmt.Errorf("%T has no operations", s.client)
	}
	unions, err := s.unions()
	if err != nil {
		return nil, err
	}
	x := &restXML{elements: s.api.Elements}
	if s.restXML {
		if x, err = s.readRestXML(); err != nil {
			return nil, err
		}
		for op, root := range s.roots {
			x.operations[op].Root = root
		}
	}
	path := s.importPath()
	var buf bytes.Buffer
	err = file().Execute(&buf, map[string]any{
		"Package": s.pkg, "API": s.api, "SDK": path, "Name": path[strings.LastIndex(path, "/")+1:],
		"Types": s.types, "Bound": s.bound, "Operations": ops, "Codes": s.codes, "Unions": unions,
		"HTTP": x.operations, "Elements": x.elements,
	})
	if err != nil {
		return nil, err
	}
	return format.Source(buf.Bytes())
}

func file() *template.Template {
	return template.Must(template.New("api.go").Parse(`
{{- define "bindings"}}[]protocol.Binding{
{{- range .}}
						{Field: {{printf "%q" .Field}}, Place: protocol.{{.Place}}, Name: {{printf "%q" .Name}}
							{{- if .DateTime}}, DateTime: true{{end}}},
{{- end}}
					}
{{- end -}}
// Code generated by tools/awsapi. DO NOT EDIT.

// Package {{.Package}} describes {{.API.ID}} on the wire.
package {{.Package}}

import (
	"reflect"

	"{{.SDK}}"
{{- if .Bound}}
	"{{.SDK}}/schemas"
{{- end}}
{{- if .Unions}}
	"{{.SDK}}/types"
{{- end}}

	"github.com/licet/licet/internal/protocol"
)

// API describes {{.API.ID}}, API version {{.API.Version}}. Every call makes a new value, which the caller owns.
func API() *protocol.API {
	return &protocol.API{
		ID: {{printf "%q" .API.ID}},
		SigningName: {{printf "%q" .API.SigningName}},
{{- with .API.SignedAs}}
		SignedAs: {{printf "%q" .}},
{{- end}}
		Version: {{printf "%q" .API.Version}},
{{- with .API.TargetPrefix}}
		TargetPrefix: {{printf "%q" .}},
{{- end}}
{{- with .API.Namespace}}
		Namespace: {{printf "%q" .}},
{{- end}}
{{- with .API.MaxForm}}
		MaxForm: {{.}},
{{- end}}
{{- with .API.QueryCodes}}
		QueryCodes: map[string]string{
{{- range $code, $other := .}}
			{{printf "%q" $code}}: {{printf "%q" $other}},
{{- end}}
		},
{{- end}}
{{- if .Types}}
		Types: {{.Name}}.TypeRegistry,
{{- end}}
{{- with .Unions}}
		Unions: []reflect.Type{
{{- range .}}
			reflect.TypeFor[types.{{.}}](),
{{- end}}
		},
{{- end}}
{{- with .Elements}}
		Elements: map[string]string{
{{- range $member, $name := .}}
			{{printf "%q" $member}}: {{printf "%q" $name}},
{{- end}}
		},
{{- end}}
		Operations: []protocol.Operation{
{{- $ := .}}
{{- range .Operations}}
			{
				Name: "{{.}}",
{{- if $.Bound}}
				Schema: schemas.{{.}},
{{- end}}
{{- with index $.Codes .}}
				Code: {{.}},
{{- end}}
{{- with index $.HTTP .}}
				HTTP: &protocol.HTTP{
					Method: "{{.Method}}", URI: "{{.URI}}",
{{- with .Root}}
					Root: "{{.}}",
{{- end}}
{{- with .Input}}
					Input: {{template "bindings" .}},
{{- end}}
{{- with .Output}}
					Output: {{template "bindings" .}},
{{- end}}
				},
{{- end}}
				Input: reflect.TypeFor[{{$.Name}}.{{.}}Input](),
				Output: reflect.TypeFor[{{$.Name}}.{{.}}Output](),
			},
{{- end}}
		},
	}
}
`))
}
