package guard

// Level is how far keys are out of reach of the program that uses them (NCrypt: virtualization-based security). A higher one stops more.
type Level byte

// The levels.
const (
	Software Level = iota // in the program's own memory
	Process               // in a guard process of the same user: whoever starts it under a tracer defeats it
	Service               // in a guard of another user, started by the init system
	VM                    // in a guard on another (virtual) machine
)

var levels = [...]string{"software", "process", "service", "vm"}

// String is the level's name.
func (l Level) String() string {
	if int(l) < len(levels) {
		return levels[l]
	}
	return "unknown"
}

// ParseLevel reads a level's name.
func ParseLevel(name string) (Level, bool) {
	for l, known := range levels {
		if name == known {
			return Level(l), true
		}
	}
	return 0, false
}

// Isolated says whether keys are out of reach and sealed to hardware.
func (l Level) Isolated() bool { return l > Software }
