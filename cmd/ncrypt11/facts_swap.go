package main

import (
	"os"
	"path/filepath"
	"strings"
)

// swapSpace is where the kernel may write memory to.
type swapSpace struct {
	Name       string `json:"name"`
	Protection string `json:"protection"` // encrypted, memory (zram), unknown
}

// What protects swap space.
const (
	swapEncrypted = "encrypted"
	swapMemory    = "memory"
)

func (s *swapSpace) safe() bool { return s.Protection != factUnknown }

// swap reads proc(5)'s swaps: a heading, then a line for each, whose names have blanks as \040.
func (t tree) swap() []swapSpace {
	spaces := []swapSpace{}
	text, _ := t.read("/proc/swaps")
	for i, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if i == 0 || len(fields) == 0 {
			continue
		}
		spaces = append(spaces, swapSpace{fields[0], t.swapProtection(fields[0])})
	}
	return spaces
}

func (t tree) swapProtection(name string) string {
	if real, err := filepath.EvalSymlinks(t.path(name)); err == nil {
		name = real // /dev/mapper has links
	}
	device := filepath.Base(name)
	switch {
	case !t.exists("/sys/class/block/" + device):
		return factUnknown // a file: what it lies on is not looked for
	case strings.HasPrefix(device, "zram") && t.line("/sys/class/block/"+device+"/backing_dev") == "none":
		return swapMemory
	case t.encrypted(device, 0):
		return swapEncrypted
	}
	return factUnknown
}

// mostLayers bounds how deep block devices stand on each other.
const mostLayers = 8

// encrypted says whether a block device is dm-crypt, or stands on nothing else.
func (t tree) encrypted(device string, depth int) bool {
	dir := "/sys/class/block/" + device
	if strings.HasPrefix(t.line(dir+"/dm/uuid"), "CRYPT-") {
		return true
	}
	below, _ := os.ReadDir(t.path(dir + "/slaves")) // none where it cannot be read
	if len(below) == 0 || depth == mostLayers {
		return false
	}
	for _, b := range below {
		if !t.encrypted(b.Name(), depth+1) {
			return false
		}
	}
	return true
}
