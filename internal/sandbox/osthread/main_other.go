//go:build !linux

package osthread

// isMain is of no importance where threads have no namespaces.
func isMain() bool { return false }
