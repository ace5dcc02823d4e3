package harden

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// maxStatus bounds a thread's status in /proc: some 1500 bytes, and the supplementary groups.
const maxStatus = 1 << 20

// parseStatus reads proc_pid_status(5).
func parseStatus(text string) map[string]string {
	status := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			status[name] = strings.TrimSpace(value)
		}
	}
	return status
}

func ownStatus() (map[string]string, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil, err
	}
	return parseStatus(string(text)), nil
}

// threads are the status files of this process's threads. They are opened while /proc can be reached, and read when it cannot any more.
type threads []*os.File

func openThreads() (threads, error) {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return nil, err
	}
	var all threads
	for _, entry := range entries {
		file, err := os.Open("/proc/self/task/" + entry.Name() + "/status")
		if errors.Is(err, os.ErrNotExist) {
			continue // the thread has ended
		}
		if err != nil {
			all.close()
			return nil, err
		}
		all = append(all, file)
	}
	return all, nil
}

func (all threads) close() {
	for _, file := range all {
		file.Close()
	}
}

// confined asks the kernel whether each thread has a filter, and none can get privileges. That a filter failed to reach a thread is nothing that
// seccomp(2) answers with an error: it answers with the thread's number, which a library may take for success.
func (all threads) confined() error {
	checked, buf := 0, make([]byte, maxStatus)
	for _, file := range all {
		n, err := file.ReadAt(buf, 0)
		if errors.Is(err, unix.ESRCH) {
			continue
		}
		status := parseStatus(string(buf[:n]))
		if status["Seccomp"] != "2" || status["NoNewPrivs"] != "1" {
			return fmt.Errorf("thread %s: Seccomp %q, NoNewPrivs %q", status["Pid"], status["Seccomp"], status["NoNewPrivs"])
		}
		checked++
	}
	if checked == 0 {
		return errors.New("no thread says whether it is confined")
	}
	return nil
}
