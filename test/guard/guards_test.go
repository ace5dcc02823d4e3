package guard_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// guards are the numbers of the guard processes of the site's home, as their command lines say.
func (s *site) guards() []int {
	s.t.Helper()
	var found []int
	for _, pid := range processes(s.t) {
		line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		words := strings.Split(string(line), "\x00")
		if err == nil && slices.Contains(words, "guard") && strings.Contains(string(line), s.dir+"/") {
			found = append(found, pid)
		}
	}
	return found
}

func processes(t *testing.T) (pids []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// children are the processes that have been made by one and have not been waited for, dead ones included.
func children(t *testing.T, pid int) (found []int) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	if err != nil || len(tasks) == 0 {
		t.Fatalf("process %d: %v", pid, err)
	}
	for _, path := range tasks {
		text, _ := os.ReadFile(path) // a thread may have ended
		for _, word := range strings.Fields(string(text)) {
			child, _ := strconv.Atoi(word)
			found = append(found, child)
		}
	}
	return found
}

// theGuard is the only guard of the site.
func (s *site) theGuard() int {
	s.t.Helper()
	all := s.guards()
	if len(all) != 1 {
		s.t.Fatalf("there are guards %v, want one", all)
	}
	return all[0]
}

// signalGuard sends the only guard a signal, and where that ends it, sees it gone.
func (s *site) signalGuard(signal syscall.Signal) int {
	s.t.Helper()
	pid := s.theGuard()
	if err := syscall.Kill(pid, signal); err != nil {
		s.t.Fatal(err)
	}
	if signal == syscall.SIGKILL || signal == syscall.SIGTERM {
		s.gone(pid)
	}
	if signal == syscall.SIGSTOP {
		s.stopped(pid)
	}
	return pid
}

// stopped waits until all threads of a process stand still: the signal reaches them one by one.
func (s *site) stopped(pid int) {
	s.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err == nil && len(threads) > 0 && !slices.ContainsFunc(threads, runs) {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("guard %d does not stop", pid)
		}
	}
}

// runs says of a thread's stat file (proc_pid_stat(5)) that it is not that of a stopped one.
func runs(stat string) bool {
	text, err := os.ReadFile(stat)
	return err == nil && !strings.Contains(string(text), ") T ")
}

// gone waits until a process has ended, and reaps it where nobody else does.
func (s *site) gone(pid int) {
	s.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil) // it may be somebody else's child
		if syscall.Kill(pid, 0) != nil {
			return
		}
		if time.Now().After(end) {
			s.t.Errorf("guard %d does not end", pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
			return
		}
	}
}

// stopGuards ends the guards as init does.
func (s *site) stopGuards() {
	for _, pid := range s.guards() {
		_ = syscall.Kill(pid, syscall.SIGCONT)
		_ = syscall.Kill(pid, syscall.SIGTERM)
		s.gone(pid)
	}
}

// guardReport is what the tests read of a guard's report.
type guardReport struct {
	PID         int    `json:"pid"`
	Level       string `json:"level"`
	Unavailable string `json:"unavailable"`
	Sessions    int    `json:"sessions"`
	Keys        int    `json:"keys"`
	Uses        uint64 `json:"uses"`
}

// report asks the guard that runs.
func (s *site) report() guardReport {
	s.t.Helper()
	var status struct {
		Guard struct{ Report *guardReport }
	}
	out := s.run("status", "--json")
	if err := json.Unmarshal([]byte(out), &status); err != nil || status.Guard.Report == nil {
		s.t.Fatalf("no guard reports: %v\n%s", err, out)
	}
	return *status.Guard.Report
}

// serve starts a guard for every user, as the init system does, that has the site's user for its own. Programs find it at the address.
func (s *site) serve() (address string) {
	s.t.Helper()
	socket := filepath.Join(s.dir, "run", "guard.sock")
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chown(filepath.Dir(socket), s.uid, -1); err != nil {
		s.t.Fatal(err)
	}
	cmd := s.program("ncrypt11", "guard", "--machine", "--socket", socket, "--state", filepath.Join(s.home, "guard"))
	log, err := os.Create(filepath.Join(s.dir, "guard.out"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	s.t.Cleanup(func() { _ = cmd.Process.Kill() })
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(socket); err == nil {
			return "unix:" + socket
		}
		select {
		case err = <-ended:
		default:
			if time.Now().Before(end) {
				continue
			}
		}
		text, _ := os.ReadFile(log.Name())
		s.t.Fatalf("the guard does not start: %v\n%s", err, text)
	}
}
