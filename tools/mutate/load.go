package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// pkg is the package to mutate, parsed and type-checked.
type pkg struct {
	path string // import path
	dir  string
	// shown is the folder as it is printed.
	shown    string
	fset     *token.FileSet
	names    []string // of files, without the tests
	files    []*ast.File
	bare     []*ast.File       // without the bodies of functions
	source   map[string][]byte // by file name
	importer types.Importer
	info     *types.Info
	types    *types.Package
}

// load reads the one package that pattern names. Its dependencies are compiled, for their types.
func load(ctx context.Context, pattern string) (*pkg, error) {
	type listed struct {
		ImportPath, Dir, Export string
		GoFiles                 []string
		DepOnly                 bool
	}
	packages, err := goList[listed](ctx, "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,DepOnly", pattern)
	if err != nil {
		return nil, err
	}
	export := make(map[string]string)
	for _, l := range packages {
		export[l.ImportPath] = l.Export
	}
	roots := slices.DeleteFunc(packages, func(l listed) bool { return l.DepOnly })
	if len(roots) != 1 {
		return nil, fmt.Errorf("%s names %d packages, want one", pattern, len(roots))
	}
	root := roots[0]
	p := &pkg{path: root.ImportPath, dir: root.Dir, shown: root.Dir, names: root.GoFiles, fset: token.NewFileSet(), source: make(map[string][]byte)}
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, p.dir); err == nil {
			p.shown = rel
		}
	}
	p.importer = importer.ForCompiler(p.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(export[path]) })
	for _, name := range p.names {
		text, err := os.ReadFile(filepath.Join(p.dir, name))
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(p.fset, name, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		p.source[name] = text
		p.files, p.bare = append(p.files, f), append(p.bare, withoutBodies(f))
	}
	question, err := parser.ParseFile(p.fset, "", "package "+p.files[0].Name.Name+"\nfunc mutantOn(int) bool", 0)
	if err != nil {
		return nil, err
	}
	p.bare = append(p.bare, question)
	p.info = &types.Info{
		Types: make(map[ast.Expr]types.TypeAndValue), Defs: make(map[*ast.Ident]types.Object), Uses: make(map[*ast.Ident]types.Object),
	}
	c := types.Config{Importer: p.importer}
	p.types, err = c.Check(p.path, p.fset, p.files, p.info)
	return p, err
}

// compiles tells whether the package type-checks with another text of one file. Of the other files only the declarations are looked
// at: no change of a function changes those.
func (p *pkg) compiles(file int, text []byte) bool {
	f, err := parser.ParseFile(p.fset, p.names[file], text, parser.SkipObjectResolution)
	if err != nil {
		return false
	}
	files := slices.Clone(p.bare)
	files[file] = f
	ok := true
	c := types.Config{Importer: p.importer, Error: func(err error) {
		var at types.Error
		if !errors.As(err, &at) || f.FileStart <= at.Pos && at.Pos < f.FileEnd {
			ok = false
		}
	}}
	_, _ = c.Check(p.path, p.fset, files, nil) // told above
	return ok
}

// withoutBodies is a copy of a file without what its functions do.
func withoutBodies(f *ast.File) *ast.File {
	out := *f
	out.Decls = slices.Clone(f.Decls)
	for i, d := range out.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			bare := *fn
			bare.Body = nil
			out.Decls[i] = &bare
		}
	}
	return &out
}

// goList decodes what "go list" with the arguments says.
func goList[T any](ctx context.Context, args ...string) ([]T, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %v: %w", args, err)
	}
	var all []T
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var one T
		if err := dec.Decode(&one); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
}
