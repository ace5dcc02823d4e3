// Package injection_test has a server and a client go through secure key injection by the minidriver's functions, as C programs: the server's without a token
// or a TPM, the client's with a token that a guard keeps. The program of both is driver/main.c, which does what a test says line by line.
package injection_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// built is a directory with the library, the command and the driver.
var built string

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	// Guards are nobody's children: this process sees how they end.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return failed(err)
	}
	dir, err := os.MkdirTemp("/tmp", "n11inject")
	if err != nil {
		return failed(err)
	}
	defer os.RemoveAll(dir)
	if err := prepare(dir); err != nil {
		return failed(err)
	}
	built = dir
	return m.Run()
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func prepare(dir string) error {
	for _, name := range []string{"libncrypt11.so", "ncrypt11"} {
		content, err := os.ReadFile(filepath.Join("../../build", name))
		if err != nil {
			return fmt.Errorf("%w: run make build first", err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o755); err != nil {
			return err
		}
	}
	sources, err := filepath.Glob("driver/*.c")
	if err != nil || len(sources) == 0 {
		return fmt.Errorf("no sources of the driver: %v", err)
	}
	args := append([]string{"-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-o", filepath.Join(dir, "driver")}, sources...)
	if out, err := exec.Command("gcc", append(args, "-ldl")...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// place is where programs run: a home, and a TPM or none.
type place struct {
	t         *testing.T
	home, tpm string
	guard     string
}

// newPlace makes an empty home. Guards that are started there end with the test.
func newPlace(t *testing.T, tpm, guard string) *place {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "n11place")
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, home: dir, tpm: tpm, guard: guard}
	t.Cleanup(func() {
		p.stopGuards()
		os.RemoveAll(dir)
	})
	return p
}

// program prepares a program of what was built. Nothing of the tests' own environment reaches it.
func (p *place) program(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(built, name), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "NCRYPT11_HOME=" + p.home, "NCRYPT11_TPM=" + p.tpm, "NCRYPT11_GUARD=" + p.guard}
	cmd.Dir = "/"
	return cmd
}

// ncrypt11 runs the command line.
func (p *place) ncrypt11(args ...string) {
	p.t.Helper()
	if out, err := p.program("ncrypt11", args...).CombinedOutput(); err != nil {
		p.t.Fatalf("ncrypt11 %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// stopGuards ends the guards of this home, by their command lines, and waits for them.
func (p *place) stopGuards() {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		p.t.Error(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if err != nil || !slices.Contains(strings.Split(string(line), "\x00"), "guard") || !strings.Contains(string(line), p.home+"/") {
			continue
		}
		_ = syscall.Kill(pid, syscall.SIGTERM)
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if _, err := syscall.Wait4(pid, nil, syscall.WNOHANG, nil); err != nil {
				break
			}
		}
	}
}

// driver is a running driver.
type driver struct {
	t      *testing.T
	pid    int
	in     io.Writer
	out    *bufio.Reader
	errors *bytes.Buffer
}

// drive starts a driver. It ends with the test.
func (p *place) drive() *driver {
	p.t.Helper()
	cmd := p.program("driver", filepath.Join(built, "libncrypt11.so"))
	in, err := cmd.StdinPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	d := &driver{t: p.t, in: in, out: bufio.NewReader(out), errors: &bytes.Buffer{}}
	cmd.Stderr = d.errors
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	d.pid = cmd.Process.Pid
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute) // the test's own ends before its cleanup
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	p.t.Cleanup(func() {
		stop()
		cancel()
		_ = in.Close()
		if err := cmd.Wait(); err != nil || d.errors.Len() > 0 {
			p.t.Errorf("the driver: %v\n%s", err, d.errors)
		}
	})
	return d
}

// call has the driver do something, and gives the status and what came with it.
func (d *driver) call(words ...string) (uint32, []byte) {
	d.t.Helper()
	if _, err := fmt.Fprintln(d.in, strings.Join(words, "\t")); err != nil {
		d.t.Fatalf("%s: %v", words[0], err)
	}
	line, err := d.out.ReadString('\n')
	if err != nil {
		d.t.Fatalf("%s: %v\n%s", words[0], err, d.errors)
	}
	status, data, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	number, err := strconv.ParseUint(status, 16, 32)
	if err != nil {
		d.t.Fatalf("%v: %q", words, line)
	}
	given, err := hex.DecodeString(data)
	if err != nil {
		d.t.Fatalf("%v: %q", words, line)
	}
	return uint32(number), given
}

// must is a call that has to go well.
func (d *driver) must(words ...string) []byte {
	d.t.Helper()
	status, data := d.call(words...)
	if status != 0 {
		d.t.Fatalf("%s: %08x", words[0], status)
	}
	return data
}

// is wants a status.
func (d *driver) is(status uint32, words ...string) {
	d.t.Helper()
	if got, _ := d.call(words...); got != status {
		d.t.Errorf("%s: %08x, want %08x", words[0], got, status)
	}
}
