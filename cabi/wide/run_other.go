//go:build !amd64

package wide

// Always says whether Run works here. Where it does not, the shim blocks signals around every call.
const Always = false

// Run calls f.
func Run(f func()) { f() }
