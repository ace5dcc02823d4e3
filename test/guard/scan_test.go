package guard_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pieceLen is how much of a secret is enough to be found: copies may be torn by what was written over them.
const pieceLen = 16

// secrets are what is looked for, by what they are.
type secrets map[string][]byte

// needle is a piece of a secret as it may stand in memory.
type needle struct {
	name  string
	bytes [pieceLen]byte
}

// needles are all pieces, by their first two bytes.
type needles [1 << 16][]needle

// needles cuts secrets into pieces, in both byte orders: Go and most libraries keep large numbers with the least significant byte first.
func (s secrets) needles(t *testing.T) *needles {
	t.Helper()
	all := &needles{}
	for name, secret := range s {
		if len(secret) < pieceLen {
			t.Fatalf("%s has %d bytes, which may stand anywhere", name, len(secret))
		}
		turned := slices.Clone(secret)
		slices.Reverse(turned)
		for _, form := range [][]byte{secret, turned} {
			for piece := range slices.Chunk(form, pieceLen) {
				if len(piece) == pieceLen {
					first := binary.BigEndian.Uint16(piece)
					all[first] = append(all[first], needle{name, [pieceLen]byte(piece)})
				}
			}
		}
	}
	return all
}

// hits counts pieces that were found, by the name of the secret.
type hits map[string]int

// window is how much is looked through at a time.
const window = 1 << 20

// search looks for needles in what can be read between two offsets, and says how much that was.
func search(in io.ReaderAt, start, end uint64, all *needles, found hits) (read uint64) {
	buffer := make([]byte, window+pieceLen-1)
	for at := start; at < end; at += window {
		n, _ := in.ReadAt(buffer[:min(uint64(len(buffer)), end-at)], int64(at)) // what cannot be read is passed over
		if read += uint64(n); !empty(buffer[:n]) {
			all.search(buffer[:n], found)
		}
	}
	return read
}

func (all *needles) search(b []byte, found hits) {
	for ; len(b) >= pieceLen; b = b[1:] {
		for _, needle := range all[binary.BigEndian.Uint16(b)] {
			if [pieceLen]byte(b) == needle.bytes {
				found[needle.name]++
			}
		}
	}
}

// empty spares the search most of what a Go program has reserved.
func empty(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }

// scanMemory looks through all that can be read of a process's memory.
func scanMemory(t *testing.T, pid int, s secrets) hits {
	t.Helper()
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	maps, err := os.ReadFile(filepath.Join(dir, "maps"))
	if err != nil {
		t.Fatal(err)
	}
	memory, err := os.Open(filepath.Join(dir, "mem"))
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	all, found, read := s.needles(t), hits{}, uint64(0)
	for line := range strings.Lines(string(maps)) {
		var start, end uint64
		var rights string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &start, &end, &rights); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if rights[0] == 'r' && !strings.Contains(line, "[vsyscall]") {
			read += search(memory, start, end, all, found)
		}
	}
	if read < 1<<20 {
		t.Fatalf("only %d bytes of process %d could be read", read, pid)
	}
	return found
}

// scanCore looks through a core file of a process.
func scanCore(t *testing.T, pid int, s secrets) hits {
	t.Helper()
	base := filepath.Join(t.TempDir(), "core")
	out, err := exec.Command("gcore", "-a", "-o", base, strconv.Itoa(pid)).CombinedOutput()
	if err != nil {
		t.Fatalf("gcore (tools/install-deps.sh installs gdb): %v\n%s", err, out)
	}
	core, err := os.Open(base + "." + strconv.Itoa(pid))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	defer core.Close()
	info, err := core.Stat()
	if err != nil {
		t.Fatal(err)
	}
	found := hits{}
	if read := search(core, 0, uint64(info.Size()), s.needles(t), found); read < 1<<20 {
		t.Fatalf("the core file has %d bytes", read)
	}
	return found
}

// none fails for each secret that was found.
func (f hits) none(t *testing.T, where string) {
	t.Helper()
	for name, n := range f {
		if n > 0 {
			t.Errorf("%s: %d pieces of %s", where, n, name)
		}
	}
}
