package archtest

import (
	"bufio"
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// secretWords in the names of what is compared say that it may be a secret, or prove one.
var secretWords = []string{"signature", "sig", "mac", "hmac", "secret", "token", "password", "passphrase", "hash", "otp", "totp", "seed", "credential", "cookie",
	"session", "nonce", "csrf", "master", "pin", "verifier"}

// codePackages are those in which a code is a secret, and not that of an error.
var codePackages = []string{"internal/totp", "internal/console", "internal/services/iam"}

// comparing are functions that compare what they are given, and end where it differs.
var comparing = []string{
	"bytes.Equal", "bytes.EqualFold", "bytes.Compare", "bytes.HasPrefix", "bytes.HasSuffix", "bytes.Contains", "bytes.Index",
	"strings.EqualFold", "strings.Compare", "strings.HasPrefix", "strings.HasSuffix", "strings.Contains", "strings.Index",
	"slices.Equal", "slices.Compare", "slices.Contains", "slices.Index", "slices.BinarySearch", "maps.Equal", "reflect.DeepEqual", "cmp.Compare",
}

// compared are the comparisons in which a name says secret, and none is: "folder function: comparison", and why.
var compared = map[string]string{
	"internal/audit caller: key":                                                             "the index of a cache of callers, which have no secrets",
	"internal/audit isStored: x.hash":                                                        "policies by their content",
	"internal/audit policy: ref.Hash":                                                        "policies by their content",
	"internal/audit putBounded: key":                                                         "the index of a cache of texts of the log",
	"internal/audit stored: x.hash":                                                          "policies by their content",
	"internal/backup verify: hex.EncodeToString(h.Sum(nil)), string(name)":                   "a blob's content, which has its hash for a name",
	"internal/blob/s3 verify: hex.EncodeToString(r.hash.Sum(nil)), string(r.name)":           "the same",
	"internal/console fillFunction: rec.Caller.Session.SourceFunctionARN, function":          "a name, of a record that may be shown",
	"internal/dispatch samePolicies: a.Session, b.Session":                                   "policies of a session that is known already",
	"internal/image unpack: got, diffID.Hex":                                                 "a layer's content, whose hash everybody may know",
	"internal/leastpolicy generalize: head + token":                                          "a part of a pattern",
	"internal/oidc verify: key.Algorithm, alg":                                               "public; the signature is compared by go-jose",
	"internal/oidc verify: key.KeyID, id":                                                    "public; the signature is compared by go-jose",
	"internal/policylint key: services, of":                                                  "names of services",
	"internal/secret ParseFile: other.Master, k.Master":                                      "both of one file, which its owner reads",
	"internal/services/iam/credential changePassword: *in.OldPassword, *in.NewPassword":      "both of one caller",
	"internal/services/iam/credential deleteServiceSpecificCredential: c.ID, gone.ID":        "ids, which are no secrets",
	"internal/services/iam/credential listServiceSpecificCredentials: cred.Service, of.Name": "names of services",
	"internal/services/iam/directory Authenticate: accessKeyID":                              "an access key's id, which is sent in the clear; what it finds has the secret",
	"internal/services/lambda mergeTraces: b.hash, a.hash":                                   "a function's name",
	"internal/services/lambda runs: a.hash, hash":                                            "a function's name",
	"internal/services/lambda with: a.hash, hash":                                            "a function's name",
	"internal/services/lambda/resourcepolicy statementConditions: equals, (stringEquals{})":  "nothing: whether there are conditions",
	"internal/services/lambda/signing Verify: c.Publishers, signature.Profile":               "an ARN, of a signature that is verified",
	"internal/services/logs/pattern take: p.text[p.at:], token":                              "a part of a pattern",
	"internal/services/sqs/queue held: m.Token, h.Token":                                     "receipt handles, which serve nobody whom the queue's policies do not let",
	"internal/services/sqs/queue repeat: m.Token, h.Token":                                   "receipt handles, which serve nobody whom the queue's policies do not let",
	"internal/services/sts keys: prefix + \"amr\"":                                           "the name of a condition key",
	"internal/services/sts session: had, session.SourceIdentity":                             "a name",
	"internal/sigv4 Read: computed, strings.ToLower(w.stated)":                               "the hash of a payload, which its sender knows",
	"internal/sigv4 get: id":                                                                 "the index of a cache: by a hash of the secret, and not the caller's to choose",
	"internal/store/postgres takePlace: found, token":                                        "the mark of a transaction of this server's own",
}

// finding is a comparison of what may be a secret.
type finding struct{ place, at string }

// TestConstantTime: no secret is compared by what ends at the first byte that differs. What has the name of one and is none is in compared.
func TestConstantTime(t *testing.T) {
	exported := exports(t)
	found := map[string]string{}
	sources := typed(t, exported)
	given := map[string]bool{} // parameters that are given secrets, as parameterName
	for _, p := range sources {
		p.passes(given)
	}
	for _, p := range sources {
		p.secrets(given)
		for _, f := range p.comparisons() {
			found[f.place] = f.at
		}
	}
	for place, at := range found {
		if compared[place] == "" {
			t.Errorf("%s: %s may compare secrets; use hmac.Equal, or say in compared why not", at, place)
		}
	}
	for place := range compared {
		if found[place] == "" {
			t.Errorf("compared has %q, which is not there any more", place)
		}
	}
}

// exports are the files with the types of all packages that the module needs, by their paths, as the compiler wrote them.
func exports(t *testing.T) map[string]string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-trimpath", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}", "./...")
	list.Dir, list.Stderr = root, os.Stderr
	list.Env = append(os.Environ(), "CGO_ENABLED=0") // as `make build` does: what that has compiled is there
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		path, file, _ := strings.Cut(lines.Text(), "\t")
		files[path] = file
	}
	return files
}

// source is a package with its types.
type source struct {
	folder string
	fset   *token.FileSet
	files  []*ast.File
	info   *types.Info
	// secret are the variables that have secrets, whatever their names.
	secret map[types.Object]bool
}

// typed reads the packages of the module that are not tests' alone.
func typed(t *testing.T, exported map[string]string) (all []source) {
	t.Helper()
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exported[path]) })
	for path := range exported {
		folder, ours := strings.CutPrefix(path, module+"/")
		if !ours || strings.HasSuffix(folder, "api") || strings.HasSuffix(folder, "test") { // generated, or for tests
			continue
		}
		s := source{folder: folder, fset: fset, secret: map[types.Object]bool{}, info: &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{},
		}}
		names, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if ok, err := build.Default.MatchFile(filepath.Split(name)); err != nil || !ok || strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			s.files = append(s.files, f)
		}
		checker := types.Config{Importer: imports, FakeImportC: true}
		if _, err := checker.Check(path, fset, s.files, s.info); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// comparisons are those of what may be secrets.
func (s source) comparisons() (found []finding) {
	for _, f := range s.files {
		for _, d := range f.Decls {
			name := "a variable"
			if fn, ok := d.(*ast.FuncDecl); ok {
				name = fn.Name.Name
			}
			ast.Inspect(d, func(n ast.Node) bool {
				for _, c := range s.pairs(n) {
					if s.variable(c...) && slices.ContainsFunc(c, s.mayBeSecret) {
						text := types.ExprString(c[0])
						if len(c) > 1 {
							text += ", " + types.ExprString(c[1])
						}
						found = append(found, finding{s.folder + " " + name + ": " + text, s.fset.Position(n.Pos()).String()})
					}
				}
				return true
			})
		}
	}
	return found
}

// pairs are the operands of the comparisons that a node makes itself.
func (s source) pairs(n ast.Node) (operands [][]ast.Expr) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			operands = append(operands, []ast.Expr{n.X, n.Y})
		}
	case *ast.CallExpr:
		if len(n.Args) == 2 && slices.Contains(comparing, s.function(n.Fun)) {
			operands = append(operands, n.Args)
		}
	case *ast.IndexExpr:
		if _, isMap := s.info.TypeOf(n.X).Underlying().(*types.Map); isMap {
			operands = append(operands, []ast.Expr{n.Index})
		}
	case *ast.SwitchStmt:
		if n.Tag == nil {
			return nil
		}
		for _, clause := range n.Body.List {
			for _, value := range clause.(*ast.CaseClause).List {
				operands = append(operands, []ast.Expr{n.Tag, value})
			}
		}
	}
	return operands
}

// passes notes the parameters of the module's functions that are given what is called a secret.
func (s source) passes(given map[string]bool) {
	for _, f := range s.files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			for i, arg := range call.Args {
				if s.variable(arg) && s.mayBeSecret(arg) {
					given[parameterName(s.function(call.Fun), i)] = true
				}
			}
			return true
		})
	}
}

func parameterName(function string, i int) string { return fmt.Sprint(function, " ", i) }

// secrets finds the variables that have secrets: parameters that are given some, and what is made of them.
func (s source) secrets(given map[string]bool) {
	for _, f := range s.files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				fn := s.info.Defs[n.Name].(*types.Func)
				for i := range fn.Signature().Params().Len() {
					if given[parameterName(fn.FullName(), i)] {
						s.secret[fn.Signature().Params().At(i)] = true
					}
				}
			case *ast.AssignStmt:
				for i, to := range n.Lhs {
					id, ok := to.(*ast.Ident)
					if ok && len(n.Lhs) == len(n.Rhs) && s.info.Defs[id] != nil && s.variable(n.Rhs[i]) && s.mayBeSecret(n.Rhs[i]) {
						s.secret[s.info.Defs[id]] = true
					}
				}
			}
			return true
		})
	}
}

// function is the full name of what is called; "" for what is no function of a package.
func (s source) function(called ast.Expr) string {
	if generic, ok := called.(*ast.IndexExpr); ok {
		called = generic.X
	}
	id, ok := called.(*ast.Ident)
	if selector, isSelector := called.(*ast.SelectorExpr); isSelector {
		id, ok = selector.Sel, true
	}
	if !ok {
		return ""
	}
	fn, ok := s.info.Uses[id].(*types.Func)
	if !ok {
		return ""
	}
	return fn.FullName()
}

// variable tells that no operand is a constant, and that all are texts, bytes, or made of these: numbers, pointers and errors are no secrets.
func (s source) variable(operands ...ast.Expr) bool {
	for _, x := range operands {
		v := s.info.Types[x]
		if v.Value != nil || v.IsNil() || !ofBytes(v.Type, 0) {
			return false
		}
	}
	return true
}

func ofBytes(t types.Type, depth int) bool {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Info()&types.IsString != 0 || u.Kind() == types.Byte
	case *types.Slice:
		return ofBytes(u.Elem(), depth)
	case *types.Array:
		return ofBytes(u.Elem(), depth)
	case *types.Struct:
		for f := range u.Fields() {
			if depth < 2 && ofBytes(f.Type(), depth+1) {
				return true
			}
		}
	case *types.Interface, *types.TypeParam:
		return true
	}
	return false
}

// mayBeSecret tells by the names in an expression, and of its type.
func (s source) mayBeSecret(x ast.Expr) bool {
	secret := secretName(s.folder, types.TypeString(s.info.TypeOf(x), func(*types.Package) string { return "" }))
	ast.Inspect(x, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if _, isPackage := s.info.Uses[id].(*types.PkgName); !isPackage {
				secret = secret || secretName(s.folder, id.Name) || s.secret[s.info.Uses[id]]
			}
		}
		return true
	})
	return secret
}

// secretName tells whether one of a name's words, which capitals begin, is a secret's.
func secretName(folder, name string) bool {
	var words []string
	start := 0
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && (unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) || !unicode.IsLetter(r)) {
			words, start = append(words, string(runes[start:i])), i
		}
	}
	words = append(words, string(runes[start:]))
	return slices.ContainsFunc(words, func(word string) bool {
		word = strings.ToLower(strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }))
		isCode := (word == "code" || word == "codes") && slices.ContainsFunc(codePackages, func(p string) bool { return strings.HasPrefix(folder, p) })
		return isCode || slices.Contains(secretWords, word) || slices.Contains(secretWords, strings.TrimSuffix(word, "s"))
	})
}
