package wide

// Always says whether Run works here. Where it does not, the shim blocks signals around every call.
const Always = true

// Run calls f with the stack kept wide.
func Run(f func()) {
	reserve()
	run(f)
}

// reserve has a frame of 180 KiB that it does not touch: calling it makes the stack large enough.
func reserve()

// run calls f from a frame of 66 KiB, more than a quarter of the 256 KiB that reserve made of the stack.
//
//go:noescape
func run(f func())
