package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// mutant is one change of one file.
type mutant struct {
	id         int // from 1; 0 when the mutant needs a build of its own
	file       string
	start, end int // offsets
	text       string
	schema     schema
	function   string // that has it; "" outside of functions
	// What a reader is told. source is the line on which the change starts.
	line, column     int
	source, from, to string
	verdict          verdict
	killer           string // the test
}

// apply gives the source with the change.
func (m *mutant) apply(source []byte) []byte {
	return slices.Concat(source[:m.start], []byte(m.text), source[m.end:])
}

// mutants lists the changes of the files named, or of all, in the order of the text, and how many do not compile.
//
//   - A condition, or another boolean expression, becomes true, and false. An operand of && becomes true, of || false: a test that
//     notices both for all operands also notices a negated condition, && for ||, and == for !=, which are therefore left out.
//   - < becomes <=, > becomes >=, and the reverse; + becomes -, * becomes /, & becomes |, and the reverse; true becomes false.
//   - An integer literal becomes one more; 1 becomes 0.
//   - An assignment, a call, a break, continue or return is removed, unless it is all that a condition guards.
//   - A loop does nothing; a case of a switch, an entry of a map literal is removed.
//   - A returned value, a field of a struct literal is its type's zero value, or 1 if it is a constant that is 0.
//
// What is replaced stays in the text where it is not executed, so that no variable becomes unused. What does not compile is, nearly
// always, a function without its last return.
func (p *pkg) mutants(only []string) (valid []*mutant, invalid int) {
	id := 0
	for i, f := range p.files {
		if len(only) > 0 && !slices.Contains(only, p.names[i]) {
			continue
		}
		e := &enumerator{pkg: p, file: p.names[i], ast: f, done: make(map[ast.Expr]bool)}
		ast.PreorderStack(f, nil, e.visit)
		slices.SortStableFunc(e.found, func(a, b *mutant) int { return a.start - b.start })
		for _, m := range e.found {
			switch {
			case m.schema.wrap != nil && p.compiles(i, compose(p.source[m.file], []*mutant{m})):
				id++
				m.id = id
				valid = append(valid, m)
			case p.compiles(i, m.apply(p.source[m.file])):
				valid = append(valid, m)
			default:
				invalid++
			}
		}
	}
	return valid, invalid
}

// enumerator finds the mutants of one file.
type enumerator struct {
	*pkg
	file     string
	ast      *ast.File
	function string // at hand
	found    []*mutant
	// done are the expressions that need no mutants of their own.
	done map[ast.Expr]bool
}

func (e *enumerator) offset(p token.Pos) int { return e.fset.Position(p).Offset }

func (e *enumerator) textOf(n ast.Node) string {
	return string(e.source[e.file][e.offset(n.Pos()):e.offset(n.End())])
}

func (e *enumerator) add(start, end token.Pos, text, from, to string) *mutant {
	at := e.fset.Position(start)
	m := &mutant{file: e.file, start: at.Offset, end: e.offset(end), text: text, line: at.Line, column: at.Column, to: to}
	m.source = strings.TrimSpace(strings.Split(string(e.source[e.file]), "\n")[at.Line-1])
	m.from = strings.Join(strings.Fields(from), " ")
	if long := []rune(m.from); len(long) > 80 {
		m.from = string(long[:79]) + "…"
	}
	m.function = e.function
	e.found = append(e.found, m)
	return m
}

// replace adds a mutant that has text in the place of n; wrap writes both.
func (e *enumerator) replace(n ast.Node, text, to string, wrap wrapper) {
	e.add(n.Pos(), n.End(), text, e.textOf(n), to).schema = schema{e.offset(n.Pos()), e.offset(n.End()), wrap}
}

// visit adds the mutants of one node; the stack holds the nodes around it.
func (e *enumerator) visit(n ast.Node, stack []ast.Node) bool {
	if x, ok := n.(ast.Expr); ok {
		if tv := e.info.Types[x]; tv.IsType() {
			return false
		}
		e.expression(x, stack[len(stack)-1])
	}
	switch n := n.(type) {
	case *ast.FuncDecl:
		e.function = nameOf(n)
	case *ast.GenDecl:
		if len(stack) == 1 {
			e.function = ""
		}
		return n.Tok == token.VAR
	case *ast.BlockStmt:
		e.statements(n.List, onlyGuarded(n, stack))
	case *ast.CommClause:
		e.statements(n.Body, false)
	case *ast.CaseClause:
		e.caseClause(n, stack[len(stack)-2])
		e.statements(n.Body, false)
	case *ast.IfStmt:
		e.boolean(n.Cond, true, true)
	case *ast.ForStmt:
		if n.Cond != nil {
			e.boolean(n.Cond, false, true)
		} else {
			e.skipLoop(n, n.Body)
		}
	case *ast.RangeStmt:
		e.skipLoop(n, n.Body)
	case *ast.ReturnStmt:
		e.results(n, stack)
	case *ast.CompositeLit:
		e.elements(n)
	case *ast.ExprStmt:
		e.done[n.X] = true // removed as a statement
	case *ast.DeferStmt:
		e.done[n.Call] = true
	case *ast.GoStmt:
		e.done[n.Call] = true
	}
	return true
}

// nameOf is the name of a function, or (*T).name of a method.
func nameOf(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	t := types.ExprString(d.Recv.List[0].Type)
	if strings.HasPrefix(t, "*") {
		t = "(" + t + ")"
	}
	return t + "." + d.Name.Name
}

// onlyGuarded tells whether the block is the body of an if without else, or of a loop: without its only statement it would be as
// if the condition were false.
func onlyGuarded(b *ast.BlockStmt, stack []ast.Node) bool {
	if len(b.List) != 1 {
		return false
	}
	switch parent := stack[len(stack)-1].(type) {
	case *ast.IfStmt:
		return parent.Body == b && parent.Else == nil
	case *ast.ForStmt, *ast.RangeStmt:
		return true
	}
	return false
}

func (e *enumerator) statements(list []ast.Stmt, keep bool) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE || allBlank(s.Lhs) {
				continue
			}
		case *ast.ExprStmt:
			if call, ok := s.X.(*ast.CallExpr); ok && isBuiltin(call, "panic") {
				continue
			}
		case *ast.IncDecStmt, *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt, *ast.BranchStmt, *ast.ReturnStmt:
		default:
			continue
		}
		if !keep {
			e.replace(s, "if false { "+e.textOf(s)+" }", "removed", func(on string) (string, string) { return "if !" + on + " { ", " }" })
		}
	}
}

func allBlank(list []ast.Expr) bool {
	return !slices.ContainsFunc(list, func(x ast.Expr) bool { id, ok := x.(*ast.Ident); return !ok || id.Name != "_" })
}

func isBuiltin(call *ast.CallExpr, name string) bool {
	id, ok := call.Fun.(*ast.Ident)
	return ok && id.Name == name
}

func (e *enumerator) skipLoop(loop ast.Node, body *ast.BlockStmt) {
	header := string(e.source[e.file][e.offset(loop.Pos()):e.offset(body.Lbrace)])
	e.add(body.Lbrace, body.Lbrace+1, "{ break; ", header, "no loop").schema = schema{
		e.offset(body.Lbrace), e.offset(body.Lbrace) + 1,
		func(on string) (string, string) { return "", " if " + on + " { break }; " },
	}
}

// caseClause forces the conditions of a switch without a tag, and removes the values of one with a tag.
func (e *enumerator) caseClause(c *ast.CaseClause, parent ast.Node) {
	s, ok := parent.(*ast.SwitchStmt)
	if !ok || c.List == nil {
		return
	}
	for i, x := range c.List {
		if s.Tag == nil {
			e.boolean(x, true, true)
			continue
		}
		e.done[x] = true
		start, end := c.Pos(), c.End()
		switch {
		case len(c.List) > 1 && i == 0:
			start, end = x.Pos(), c.List[1].Pos()
		case len(c.List) > 1:
			start, end = c.List[i-1].End(), x.End()
		}
		e.add(start, end, "", "case "+e.textOf(x), "removed").schema = schema{e.offset(x.Pos()), e.offset(x.End()), e.unless(x)}
	}
}

// boolean forces an expression to the values asked for, and its operands to those that make them irrelevant.
func (e *enumerator) boolean(x ast.Expr, toTrue, toFalse bool) {
	if e.done[x] {
		return
	}
	e.done[x] = true
	if v := e.info.Types[x].Value; v != nil {
		flipped := fmt.Sprint(!constant.BoolVal(v))
		e.replace(x, flipped, flipped, e.instead(x, flipped))
		return
	}
	switch x := x.(type) {
	case *ast.ParenExpr:
		e.boolean(x.X, toTrue, toFalse)
		return
	case *ast.UnaryExpr:
		if in, ok := ast.Unparen(x.X).(*ast.BinaryExpr); ok && (in.Op == token.LAND || in.Op == token.LOR) {
			e.boolean(in, toFalse, toTrue)
			return
		}
	case *ast.BinaryExpr:
		if x.Op == token.LAND || x.Op == token.LOR {
			for _, operand := range []ast.Expr{x.X, x.Y} {
				in, ok := ast.Unparen(operand).(*ast.BinaryExpr)
				same := ok && in.Op == x.Op // its own operands are ours
				e.boolean(operand, x.Op == token.LAND && !same, x.Op == token.LOR && !same)
			}
		}
	}
	if toTrue {
		e.replace(x, "(true || ("+e.textOf(x)+"))", "true", func(on string) (string, string) { return "(" + on + " || (", "))" })
	}
	if toFalse {
		e.replace(x, "(false && ("+e.textOf(x)+"))", "false", func(on string) (string, string) { return "(!" + on + " && (", "))" })
	}
}

var swapped = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL, token.AND: token.OR, token.OR: token.AND,
}

// expression adds the mutants that depend on the expression alone.
func (e *enumerator) expression(x ast.Expr, parent ast.Node) {
	tv := e.info.Types[x]
	if outer, ok := parent.(ast.Expr); e.done[x] || !tv.IsValue() || tv.Type == nil || ok && e.info.Types[outer].Value != nil {
		if b, ok := x.(*ast.BinaryExpr); ok && tv.Value == nil {
			e.operator(b)
		}
		return
	}
	basic, _ := tv.Type.Underlying().(*types.Basic)
	if basic == nil {
		return
	}
	switch {
	case basic.Info()&types.IsBoolean != 0:
		switch x.(type) {
		case *ast.BinaryExpr, *ast.UnaryExpr, *ast.CallExpr:
			e.boolean(x, true, true)
		default:
			if tv.Value != nil {
				e.boolean(x, true, true)
			}
		}
	case basic.Info()&types.IsInteger != 0 && tv.Value != nil:
		e.integer(x, tv.Value, parent)
	}
	if b, ok := x.(*ast.BinaryExpr); ok && tv.Value == nil {
		e.operator(b)
	}
}

func (e *enumerator) operator(b *ast.BinaryExpr) {
	op, ok := swapped[b.Op]
	if basic, isBasic := e.info.TypeOf(b).Underlying().(*types.Basic); !ok || isBasic && basic.Info()&types.IsString != 0 {
		return
	}
	if e.isLength(b.X) && e.isZero(b.Y) || e.isZero(b.X) && e.isLength(b.Y) {
		return // a length is never negative: the same as true or false
	}
	text := e.textOf(b)
	at := e.offset(b.OpPos) - e.offset(b.Pos())
	changed := text[:at] + op.String() + text[at+len(b.Op.String()):]
	e.replace(b, changed, strings.Join(strings.Fields(changed), " "), e.instead(b, changed))
}

func (e *enumerator) isLength(x ast.Expr) bool {
	call, ok := x.(*ast.CallExpr)
	return ok && isBuiltin(call, "len")
}

func (e *enumerator) isZero(x ast.Expr) bool {
	v := e.info.Types[x].Value
	return v != nil && v.ExactString() == "0"
}

// integer changes a literal, also a negative one.
func (e *enumerator) integer(x ast.Expr, v constant.Value, parent ast.Node) {
	literal := x
	if u, ok := x.(*ast.UnaryExpr); ok && u.Op == token.SUB {
		literal = u.X
	}
	if lit, ok := literal.(*ast.BasicLit); !ok || lit.Kind != token.INT {
		return
	}
	if call, ok := parent.(*ast.CallExpr); ok && isBuiltin(call, "make") {
		if _, slice := e.info.TypeOf(call).Underlying().(*types.Slice); !slice || x != call.Args[1] {
			return // a capacity
		}
	}
	next := constant.BinaryOp(v, token.ADD, constant.MakeInt64(1)).ExactString()
	if v.ExactString() == "1" {
		next = "0"
	}
	e.replace(x, next, next, e.instead(x, next))
}

// results replaces what a function returns by zero values.
func (e *enumerator) results(r *ast.ReturnStmt, stack []ast.Node) {
	var sig *types.Signature
	for _, n := range slices.Backward(stack) {
		if lit, ok := n.(*ast.FuncLit); ok {
			sig, _ = e.info.TypeOf(lit).(*types.Signature)
			break
		}
		if d, ok := n.(*ast.FuncDecl); ok {
			sig, _ = e.info.Defs[d.Name].Type().(*types.Signature)
			break
		}
	}
	if sig == nil || sig.Results().Len() != len(r.Results) {
		return
	}
	for i, x := range r.Results {
		e.zero(x, sig.Results().At(i).Type())
	}
}

// elements removes the entries of a map literal, and zeroes the fields of a struct literal.
func (e *enumerator) elements(c *ast.CompositeLit) {
	under := e.info.TypeOf(c).Underlying()
	if ptr, ok := under.(*types.Pointer); ok {
		under = ptr.Elem().Underlying()
	}
	for i, elt := range c.Elts {
		kv, ok := elt.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		switch under.(type) {
		case *types.Map:
			end := c.Rbrace
			if i+1 < len(c.Elts) {
				end = c.Elts[i+1].Pos()
			}
			e.add(kv.Pos(), end, "", e.textOf(kv), "removed")
		case *types.Struct:
			if key, ok := kv.Key.(*ast.Ident); ok && e.info.Uses[key] != nil {
				e.zero(kv.Value, e.info.Uses[key].Type())
			}
		}
	}
}

// zero replaces x, a value of type t, by the zero value, unless x is that.
func (e *enumerator) zero(x ast.Expr, t types.Type) {
	if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&types.IsBoolean != 0 {
		e.boolean(x, true, true)
		return
	}
	switch lit := ast.Unparen(x).(type) {
	case *ast.BasicLit:
		if lit.Kind == token.INT {
			return // has its own mutants
		}
	case *ast.CompositeLit:
		if len(lit.Elts) == 0 {
			return
		}
	case *ast.FuncLit:
		return
	}
	tv := e.info.Types[x]
	if tv.IsNil() || tv.Value != nil && tv.Value.ExactString() == `""` {
		return
	}
	if e.isZero(x) { // a named constant
		e.replace(x, "1", "1", e.instead(x, "1"))
		return
	}
	function := "func() (zero_ " + e.typeName(t) + ") { "
	e.replace(x, function+"return; return "+e.textOf(x)+" }()", "zero value", func(on string) (string, string) {
		return function + "if " + on + " { return }; return ", " }()"
	})
}

func (e *enumerator) typeName(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == e.types {
			return ""
		}
		return p.Name()
	})
}
