package kit

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Children are the processes that this one has forked and that have not ended.
func Children(pid int) []int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
	if err != nil {
		return nil // it has ended
	}
	var list []int
	for _, field := range strings.Fields(string(text)) {
		child, err := strconv.Atoi(field)
		if err == nil && alive(child) {
			list = append(list, child)
		}
	}
	return list
}

// alive says whether there is a process, be it a zombie: one that has several threads may look like one before they all have ended.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// Replaced waits until a server has n workers, none of which is in before.
func Replaced(t testing.TB, master, n int, before []int) {
	t.Helper()
	Eventually(t, fmt.Sprintf("%d has %d new workers", master, n), func() bool {
		now := Children(master)
		return len(now) == n && !slices.ContainsFunc(now, func(pid int) bool { return slices.Contains(before, pid) })
	})
}

// Gone waits until none of these processes runs.
func Gone(t testing.TB, pids []int) {
	t.Helper()
	Eventually(t, fmt.Sprintf("%d have ended", pids), func() bool { return !slices.ContainsFunc(pids, alive) })
}
