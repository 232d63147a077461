package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/licet/licet/internal/protocol"
)

// restXML is what an SDK module's serializers.go and deserializers.go tell of the protocol restXml, for which the SDK has no schemas.
// Both are generated and of one form throughout; whatever is not of that form is an error.
type restXML struct {
	// operations by name.
	operations map[string]*protocol.HTTP
	// elements are the names on the wire of members, by type and field: see protocol.API.
	elements map[string]string
	// lists are the names of the elements of lists, by the name of the list's shape.
	lists map[string]string
	// shapes are the lists' shapes, by type and field.
	shapes map[string]string
}

// The name of a generated function is one of these and the name of what it is for.
const (
	writesHead     = "awsRestxml_serializeOpHttpBindings"
	writesInput    = "awsRestxml_serializeOpDocument"
	writesDocument = "awsRestxml_serializeDocument"
	readsHead      = "awsRestxml_deserializeOpHttpBindings"
	readsOutput    = "awsRestxml_deserializeOpDocument"
	readsDocument  = "awsRestxml_deserializeDocument"
)

func (s service) readRestXML() (*restXML, error) {
	dir, err := s.dir()
	if err != nil {
		return nil, err
	}
	x := &restXML{operations: map[string]*protocol.HTTP{}, elements: map[string]string{}, lists: map[string]string{}, shapes: map[string]string{}}
	for _, name := range []string{"serializers.go", "deserializers.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if err := x.function(f); err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name.Name, err)
			}
		}
	}
	for field, shape := range x.shapes {
		if name, isList := x.lists[shape]; isList && !strings.HasSuffix(x.elements[field], ",flat") {
			x.elements[field] += ">" + name
		}
	}
	maps.DeleteFunc(x.elements, func(field, element string) bool { return strings.HasSuffix(field, "."+element) })
	return x, nil
}

func (x *restXML) function(f *ast.FuncDecl) error {
	name := f.Name.Name
	if takesMap(f) { // which the codec does not have
		return nil
	}
	switch op, isHandler := handlerOf(f); {
	case isHandler && name == "HandleSerialize":
		return x.request(x.operation(op), f.Body)
	case isHandler && name == "HandleDeserialize":
		x.response(x.operation(op), f.Body)
	case strings.HasPrefix(name, writesHead):
		return x.head(&x.operation(between(name, writesHead, "Input")).Input, f.Body)
	case strings.HasPrefix(name, readsHead):
		return x.head(&x.operation(between(name, readsHead, "Output")).Output, f.Body)
	case strings.HasPrefix(name, writesInput):
		return x.written(between(name, writesInput, ""), f)
	case strings.HasPrefix(name, writesDocument):
		return x.written(between(name, writesDocument, ""), f)
	case strings.HasPrefix(name, readsOutput) && f.Type.Params.List[1].Names[0].Name == "body": // which is a member
		op := x.operation(between(name, readsOutput, "Output"))
		op.Output = append(op.Output, protocol.Binding{Place: protocol.InPayload, Field: fieldIn(f.Body, "v")})
	case strings.HasPrefix(name, readsOutput), strings.HasPrefix(name, readsDocument):
		return x.read(f)
	}
	return nil
}

// handlerOf gives the operation whose request or response a method handles.
func handlerOf(f *ast.FuncDecl) (op string, ok bool) {
	if f.Recv == nil {
		return "", false
	}
	star, ok := f.Recv.List[0].Type.(*ast.StarExpr)
	if !ok {
		return "", false
	}
	name := star.X.(*ast.Ident).Name
	if _, op, ok = strings.Cut(name, "serializeOp"); !ok {
		_, op, ok = strings.Cut(name, "deserializeOp")
	}
	return op, ok
}

func between(s, before, after string) string {
	return strings.TrimSuffix(strings.TrimPrefix(s, before), after)
}

func (x *restXML) operation(name string) *protocol.HTTP {
	if x.operations[name] == nil {
		x.operations[name] = &protocol.HTTP{}
	}
	return x.operations[name]
}

// request reads method, URI and payload off the method that makes a request.
func (x *restXML) request(op *protocol.HTTP, body *ast.BlockStmt) error {
	for _, s := range body.List {
		switch s := s.(type) {
		case *ast.AssignStmt:
			if uri := textArgument(s.Rhs[0], "SplitURI"); uri != "" {
				op.URI = uri
			}
			if selects(s.Lhs[0], "request", "Method") {
				op.Method = text(s.Rhs[0])
			}
		case *ast.IfStmt:
			field := fieldIn(s.Cond, "input")
			if field == "" {
				continue
			}
			b := protocol.Binding{Place: protocol.InPayload, Field: field, Name: firstLocal(s.Body)}
			op.Input = append(op.Input, b)
		}
	}
	if op.URI == "" || op.Method == "" {
		return fmt.Errorf("it has no method or URI")
	}
	return nil
}

// response reads the payload off the method that reads a response.
func (x *restXML) response(op *protocol.HTTP, body *ast.BlockStmt) {
	ast.Inspect(body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && strings.HasPrefix(called(call), readsDocument) {
			if field := fieldIn(call.Args[0], "output"); field != "" {
				op.Output = append(op.Output, protocol.Binding{Place: protocol.InPayload, Field: field})
			}
		}
		return true
	})
}

// head reads the members in path, query and headers off a function: each has a statement of its own.
func (x *restXML) head(bindings *[]protocol.Binding, body *ast.BlockStmt) error {
	for _, s := range body.List {
		var b protocol.Binding
		ast.Inspect(s, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if isIdent(n.Lhs[0], "locationName") {
					b.Place, b.Name = protocol.InHeader, text(n.Rhs[0])
				}
				if lenOf := textArgument(n.Rhs[0], "len"); lenOf != "" {
					b.Place, b.Name = protocol.InPrefixHeaders, lenOf
				}
			case *ast.CallExpr:
				place, ok := map[string]protocol.Place{
					"SetURI": protocol.InPath, "SetQuery": protocol.InQuery, "AddQuery": protocol.InQuery, "SetHeader": protocol.InHeader, "Values": protocol.InHeader,
					"Headers": protocol.InPrefixHeaders,
				}[called(n)]
				b.DateTime = b.DateTime || strings.HasSuffix(called(n), "DateTime")
				if ok && len(n.Args) > 0 && text(n.Args[0]) != "" {
					b.Place, b.Name = place, text(n.Args[0])
				}
			case *ast.SelectorExpr:
				if isIdent(n.X, "v") {
					b.Field = n.Sel.Name
				}
			}
			return true
		})
		if b.Name != "" {
			if b.Field == "" {
				return fmt.Errorf("%s is of no member", b.Name)
			}
			*bindings = append(*bindings, b)
		}
	}
	return nil
}

// written reads names off a function that writes a structure or list.
func (x *restXML) written(shape string, f *ast.FuncDecl) error {
	owner := typeName(f.Type.Params.List[0].Type)
	if owner == "" { // a list
		name := firstLocal(f.Body)
		if name == "" {
			name = "member"
		}
		return x.name(x.lists, shape, name)
	}
	for _, s := range f.Body.List {
		if union, ok := s.(*ast.TypeSwitchStmt); ok {
			return x.union(union)
		}
		branch, ok := s.(*ast.IfStmt)
		if !ok {
			continue
		}
		if field := fieldIn(branch.Cond, "v"); field != "" {
			if err := x.member(owner, field, firstLocal(branch.Body), branch.Body, "FlattenedElement"); err != nil {
				return err
			}
		}
	}
	return nil
}

// union reads the names of members that are types of their own.
func (x *restXML) union(s *ast.TypeSwitchStmt) error {
	for _, c := range s.Body.List {
		branch := c.(*ast.CaseClause)
		if len(branch.List) == 0 { // default
			continue
		}
		if err := x.name(x.elements, typeName(branch.List[0])+".Value", firstLocal(branch)); err != nil {
			return err
		}
	}
	return nil
}

// read reads names off a function that reads a structure or list.
func (x *restXML) read(f *ast.FuncDecl) (err error) {
	owner, shape := typeName(f.Type.Params.List[0].Type), between(f.Name.Name, readsDocument, "")
	ast.Inspect(f.Body, func(n ast.Node) bool {
		branch, ok := n.(*ast.CaseClause)
		if !ok || len(branch.List) != 1 || err != nil {
			return err == nil
		}
		name := textArgument(branch.List[0], "EqualFold")
		if name == "" {
			return true
		}
		body := &ast.BlockStmt{List: branch.Body}
		if owner == "" {
			err = x.name(x.lists, shape, name)
			return false
		}
		if isIdent(branch.List[0].(*ast.CallExpr).Args[1], "name") {
			name = "@" + name
		}
		if field := fieldIn(body, "sv"); field != "" {
			err = x.member(owner, field, name, body, "Unwrapped")
		}
		return false
	})
	return err
}

// member notes how a member of a type is called. Its code calls a function whose name ends with flat if its list has no element of its
// own.
func (x *restXML) member(owner, field, name string, code ast.Node, flat string) error {
	key := owner + "." + field
	ast.Inspect(code, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if strings.HasSuffix(called(call), flat) {
			name += ",flat"
		}
		for _, prefix := range []string{writesDocument, readsDocument} {
			if shape, ok := strings.CutPrefix(called(call), prefix); ok {
				x.shapes[key] = strings.TrimSuffix(shape, "Unwrapped")
			}
		}
		return true
	})
	return x.name(x.elements, key, name)
}

// name notes a name, which must be the same wherever it is told.
func (x *restXML) name(names map[string]string, key, name string) error {
	if told, ok := names[key]; ok && told != name {
		return fmt.Errorf("%s is called %s and %s", key, told, name)
	}
	names[key] = name
	return nil
}

// takesMap tells the functions of documents that are maps.
func takesMap(f *ast.FuncDecl) bool {
	if f.Type.Params.NumFields() == 0 {
		return false
	}
	t := f.Type.Params.List[0].Type
	if p, ok := t.(*ast.StarExpr); ok {
		t = p.X
	}
	_, ok := t.(*ast.MapType)
	return ok
}

// The rest looks at expressions.

func isIdent(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

func selects(e ast.Expr, of, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && isIdent(s.X, of) && s.Sel.Name == name
}

// called gives the name of the function or method that is called.
func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// text gives the value of a string literal; "" for other expressions.
func text(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	s, _ := strconv.Unquote(lit.Value) // the parser has seen to it
	return s
}

// textArgument gives the string that is the first argument of a call of a function; "" if e is none.
func textArgument(e ast.Expr, function string) string {
	call, ok := e.(*ast.CallExpr)
	if !ok || called(call) != function || len(call.Args) == 0 {
		return ""
	}
	return text(call.Args[0])
}

// fieldIn gives the field of a variable that code uses first.
func fieldIn(code ast.Node, variable string) (field string) {
	ast.Inspect(code, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && field == "" && isIdent(s.X, variable) {
			field = s.Sel.Name
		}
		return field == ""
	})
	return field
}

// firstLocal gives the first name of an element in code.
func firstLocal(code ast.Node) (name string) {
	ast.Inspect(code, func(n ast.Node) bool {
		if kv, ok := n.(*ast.KeyValueExpr); ok && name == "" && isIdent(kv.Key, "Local") {
			name = text(kv.Value)
		}
		return name == ""
	})
	return name
}

// typeName gives the name of the structure that a parameter points to; "" for a list.
func typeName(e ast.Expr) string {
	for {
		switch t := e.(type) {
		case *ast.StarExpr:
			e = t.X
		case *ast.SelectorExpr:
			return t.Sel.Name
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}
