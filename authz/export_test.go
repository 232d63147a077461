package authz

// CompileIndexed is Compile with the indices that otherwise only large groups have.
func CompileIndexed(p Policies) *Set { return compile(p, 1) }
