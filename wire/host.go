package wire

// Host is what the library needs of the program that it is loaded into, done in C: Go's own ways would show there.
type Host struct {
	Spawn   func(program string, args, env []string) error // starts a process that is none of the program's children
	KeepFD  func(fd int) bool                              // a forked child must not share this descriptor; false where there is no room to remember it
	DropFD  func(fd int)                                   // it is closed now
	Library func() string                                  // the library's own file; empty where it cannot be told
}

// InHost is set by the library. Nil: this is a program of its own.
var InHost *Host
