package attack

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// Scan counts how often secret stands in what can be read of a process's memory.
func Scan(pid int, secret []byte) (int, error) {
	maps, err := os.ReadFile(file(pid, "maps"))
	if err != nil {
		return 0, err
	}
	mem, err := os.Open(file(pid, "mem"))
	if err != nil {
		return 0, err
	}
	defer mem.Close()
	found, read := 0, 0
	for line := range strings.Lines(string(maps)) {
		var start, end uint64 // the last one lies beyond int64
		var rights string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &start, &end, &rights); err != nil {
			return 0, fmt.Errorf("%q: %w", line, err)
		}
		if rights[0] == 'r' {
			hits, n := scanRange(mem, int64(start), int64(end), secret)
			found, read = found+hits, read+n
		}
	}
	if read == 0 {
		return 0, fmt.Errorf("nothing could be read of process %d", pid)
	}
	return found, nil
}

// scanRange reads a mapping in pieces that overlap. What cannot be read is passed over.
func scanRange(mem *os.File, start, end int64, secret []byte) (found, read int) {
	piece := make([]byte, 1<<20)
	for at := start; at < end; at += int64(len(piece) - len(secret) + 1) {
		n, _ := mem.ReadAt(piece[:min(int64(len(piece)), end-at)], at)
		found += bytes.Count(piece[:n], secret)
		read += n
	}
	return found, read
}
