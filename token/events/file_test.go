package events_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/events"
)

// roles are what this test binary does when it is started again as another process.
var roles = map[string]func(dir string) error{"append": appendMany, "full disk": fullDisk, "size limit": sizeLimit}

const roleVariable = "EVENTS_TEST_ROLE"

func TestMain(m *testing.M) {
	role := roles[os.Getenv(roleVariable)]
	if role == nil {
		os.Exit(m.Run())
	}
	if err := role(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(role, dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	return cmd
}

// nowhere is a journal that there is not, so that a test's events do not go to the machine's.
const nowhere = "/nonexistent/socket"

const (
	processes  = 3
	goroutines = 4
	each       = 250 // together fewer than the subjects that are told apart
)

// padded is an event that fills most of a line, from one of several goroutines of this process.
func padded(goroutine, n int) events.Event {
	return events.Event{Kind: events.Use, PID: os.Getpid(), Key: fmt.Sprintf("%d-%d", goroutine, n), Reason: strings.Repeat("r", 1500)}
}

func appendMany(dir string) error {
	log := events.OpenAt(dir, true, nowhere)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for n := range each {
				log.Write(padded(g, n))
			}
		})
	}
	wg.Wait()
	log.Flush()
	return nil
}

// Several processes write while the file is renamed: every event is whole, and there once.
func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, events.MaxFile-1<<20) // so that they rename it
	var commands []*exec.Cmd
	for range processes {
		cmd := child("append", dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		commands = append(commands, cmd)
	}
	for _, cmd := range commands {
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for _, e := range all(t, dir) {
		if e.Kind == events.Use && e.Key != "" {
			seen[fmt.Sprint(e.PID, e.Key)] = true
		}
	}
	if want := processes * goroutines * each; len(seen) != want {
		t.Errorf("%d events, want %d", len(seen), want)
	}
	const most = events.MaxFile + processes*goroutines*events.MaxLine // each may have looked before the others wrote
	for _, name := range []string{events.FileName, events.OldName} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() > most {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// fill makes a file of sound events.
func fill(t *testing.T, dir string, size int) {
	t.Helper()
	line := `{"time":"2026-01-01T00:00:00Z","kind":"create","reason":"` + strings.Repeat("f", 900) + `"}` + "\n"
	if err := os.WriteFile(filepath.Join(dir, events.FileName), []byte(strings.Repeat(line, size/len(line))), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRotation(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // over an old file, too
		fill(t, dir, events.MaxFile)
		events.OpenAt(dir, true, nowhere).Write(padded(0, 0))
		if n := len(lines(t, dir)); n != 1 {
			t.Fatalf("%d lines in the new file", n)
		}
	}
	if old, err := os.Stat(filepath.Join(dir, events.OldName)); err != nil || old.Size() < events.MaxFile-1000 {
		t.Errorf("%v, %v", old, err)
	}
}

// Whoever holds the lock keeps nobody waiting for long, and the file does not grow for ever.
func TestRotationThatIsHeldUp(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, events.MaxFile)
	f, err := os.Open(filepath.Join(dir, events.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	before := len(lines(t, dir))
	start := time.Now()
	log := events.OpenAt(dir, true, nowhere)
	log.Write(padded(0, 0))
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	if n := len(lines(t, dir)); n != before+1 {
		t.Errorf("%d lines, want %d", n, before+1)
	}
	fill(t, dir, 2*events.MaxFile)
	log.Write(padded(0, 1))
	if info, err := os.Stat(f.Name()); err != nil || info.Size() > 2*events.MaxFile {
		t.Errorf("%v, %v", info, err)
	}
}

// What is in the file's place and is not ours is left alone. Afterwards the log says how much it lost.
func TestRefusedFiles(t *testing.T) {
	for name, put := range map[string]func(path, elsewhere string) error{
		"symbolic link":             func(path, elsewhere string) error { return os.Symlink(elsewhere, path) },
		"link to what there is not": func(path, elsewhere string) error { return os.Symlink(elsewhere+".new", path) },
		"full device":               func(path, _ string) error { return os.Symlink("/dev/full", path) },
		"hard link":                 func(path, elsewhere string) error { return os.Link(elsewhere, path) },
		"pipe":                      func(path, _ string) error { return syscall.Mkfifo(path, 0o600) },
		"directory":                 func(path, _ string) error { return os.Mkdir(path, 0o700) },
		"others may write it": func(path, _ string) error {
			return errors.Join(os.WriteFile(path, []byte("x"), 0o600), os.Chmod(path, 0o662))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, elsewhere := filepath.Join(dir, events.FileName), filepath.Join(dir, "elsewhere")
			if err := errors.Join(os.WriteFile(elsewhere, []byte("x"), 0o600), put(path, elsewhere)); err != nil {
				t.Fatal(err)
			}
			log := events.OpenAt(dir, true, nowhere)
			log.Write(events.Event{Kind: events.Create})
			log.Write(events.Event{Kind: events.Import})
			if text, err := os.ReadFile(elsewhere); err != nil || string(text) != "x" {
				t.Errorf("it was written to: %q, %v", text, err)
			}
			if _, err := os.Lstat(elsewhere + ".new"); err == nil {
				t.Error("it was made elsewhere")
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			log.Write(events.Event{Kind: events.Unlock})
			got := all(t, dir)
			if len(got) != 2 || got[0].Kind != events.Unlock || got[1].Kind != events.Lost || got[1].Count != 2 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestFileOfAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make files of other users")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, events.FileName)
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chown(path, 65534, 65534)); err != nil {
		t.Fatal(err)
	}
	events.OpenAt(dir, true, nowhere).Write(events.Event{Kind: events.Create})
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Errorf("%v, %v", info, err)
	}
}

// Accounts without a home are not given one.
func TestHomeThatDoesNotExist(t *testing.T) {
	home := filepath.Join(t.TempDir(), "nonexistent")
	events.OpenAt(filepath.Join(home, ".local", "state", "ncrypt11"), true, nowhere).Write(events.Event{Kind: events.Create})
	if _, err := os.Stat(home); err == nil {
		t.Error("it was made")
	}
	events.OpenAt("/dev/null/log", true, nowhere).Write(events.Event{Kind: events.Create})
	events.OpenAt("", true, nowhere).Write(events.Event{Kind: events.Create})
	events.Discard.Write(events.Event{Kind: events.Create})
	events.Discard.Flush()
}

// A disk that is full for a while costs the events of that while, and those after it are whole.
func TestFullDisk(t *testing.T) {
	if err := exec.Command("unshare", "--user", "--map-root-user", "--mount", "true").Run(); err != nil {
		t.Skip("this system gives no user and mount namespaces: ", err)
	}
	cmd := child("full disk", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
}

func fullDisk(dir string) error {
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=16k"); err != nil {
		return err
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 8<<10), 0o600); err != nil {
		return err
	}
	log := events.OpenAt(dir, true, nowhere)
	for n := range 20 {
		log.Write(padded(0, n))
	}
	if err := os.Remove(ballast); err != nil {
		return err
	}
	log.Write(events.Event{Kind: events.Unlock})
	got, damage := read(dir)
	if len(damage) != 1 || len(got) < 3 {
		return fmt.Errorf("%d events, damage %v", len(got), damage)
	}
	last := got[len(got)-2:]
	if last[0].Kind != events.Unlock || last[1].Kind != events.Lost || last[1].Count != uint64(20-len(got)+2) {
		return fmt.Errorf("after it there is %+v", last)
	}
	return nil
}

// A process that may not write files lives on: the kernel would end it.
func TestSizeLimit(t *testing.T) {
	for _, limit := range []int{0, 1000, 20000} {
		dir := t.TempDir()
		cmd := child("size limit", dir)
		cmd.Env = append(cmd.Env, "LIMIT="+strconv.Itoa(limit))
		if err := cmd.Run(); err != nil {
			t.Errorf("%d: %v", limit, err)
		}
		if got := all(t, dir); (len(got) > 0) != (limit > 10000) {
			t.Errorf("%d: %d events", limit, len(got))
		}
	}
}

func sizeLimit(dir string) error {
	limit, err := strconv.ParseUint(os.Getenv("LIMIT"), 10, 64)
	if err != nil {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	log := events.OpenAt(dir, true, nowhere)
	for n := range 50 {
		log.Write(padded(0, n))
	}
	return nil
}
