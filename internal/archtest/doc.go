// Package archtest holds the architecture as tests: which room may import which, that every package says what it is, that nothing
// runs at import time. It reads the source files itself and provides nothing to other packages.
//
// The import table is a statement of policy: change it when the architecture changes, never to make a build pass.
package archtest
