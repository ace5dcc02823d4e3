package events

// OpenAt is Open with a journal elsewhere.
func OpenAt(dir string, fileFirst bool, socket string) Log {
	l := Open(dir, fileFirst).(*log)
	for i, s := range l.sinks {
		if _, ok := s.(journal); ok {
			l.sinks[i] = journal{socket}
		}
	}
	return l
}

// MaxFile is the size at which the file is renamed.
const MaxFile = maxFile
