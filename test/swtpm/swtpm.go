// Package swtpm runs a software TPM 2.0 for a test: the swtpm program, on sockets of its own, with the state that a TPM would have in its chip.
//
// The program serves one client at a time, so nothing here holds a connection longer than one command.
package swtpm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TPM is a software TPM. Its methods end the test where they fail. They are not for use by two goroutines at once.
type TPM struct {
	t     testing.TB
	dir   string // short, because the name of a unix socket has no more than 108 bytes
	child *child
	dirty bool // it was killed: the next start finds a failed try more than there were
}

// child is a running swtpm.
type child struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has been waited for
}

// patience is how long a software TPM may take for anything.
const patience = 10 * time.Second

// Start runs a new TPM. It is stopped, and its state removed, when the test ends.
func Start(t testing.TB) *TPM {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "n11tpm")
	if err != nil {
		t.Fatal(err)
	}
	s := &TPM{t: t, dir: dir}
	t.Cleanup(func() {
		if s.child != nil {
			s.Continue()
			s.Stop()
		}
		if log, err := os.ReadFile(filepath.Join(dir, "log")); err == nil && t.Failed() {
			t.Logf("swtpm says:\n%s", strings.ReplaceAll(string(log), "Data client disconnected\n", ""))
		}
		os.RemoveAll(dir)
	})
	s.Start()
	return s
}

// Address is what NCRYPT11_TPM takes.
func (s *TPM) Address() string { return "swtpm:unix:" + s.socket() }

// TCTI is what tpm2-tools take.
func (s *TPM) TCTI() string { return "swtpm:path=" + s.socket() }

func (s *TPM) socket() string  { return filepath.Join(s.dir, "sock") }
func (s *TPM) control() string { return s.socket() + ".ctrl" } // the name that tpm2-tools expect
func (s *TPM) state() string   { return filepath.Join(s.dir, "state") }

// Start runs the TPM again, with the state that it had. A TPM that was killed has counted that as a wrong PIN; it is made to forget.
func (s *TPM) Start() {
	s.t.Helper()
	if s.child != nil {
		s.t.Fatal("the TPM is running already")
	}
	if err := os.MkdirAll(s.state(), 0o700); err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command("swtpm", "socket", "--tpm2", "--tpmstate", "dir="+s.state(), "--flags", "not-need-init,startup-clear",
		"--server", "type=unixio,path="+s.socket(), "--ctrl", "type=unixio,path="+s.control(), "--log", "level=1,file="+filepath.Join(s.dir, "log"))
	child, err := run(cmd)
	if err != nil {
		s.t.Fatalf("swtpm (tools/install-deps.sh installs it): %v", err)
	}
	s.child = child
	s.await()
	if s.dirty {
		s.ResetLockout()
		s.dirty = false
	}
}

// run starts cmd on a thread that lives until it ends, because the kernel kills it with the thread that made it. So it never survives the test.
func run(cmd *exec.Cmd) (*child, error) {
	c := &child{cmd: cmd, ended: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(c.ended)
		}
	}()
	return c, <-started
}

// await waits until the TPM takes connections.
func (s *TPM) await() {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if conn, err := net.Dial("unix", s.socket()); err == nil {
			conn.Close()
			return
		}
	}
	s.t.Fatal("swtpm does not take connections")
}

// Stop ends the TPM as a machine does that is switched off: TPM2_Shutdown first.
func (s *TPM) Stop() {
	s.t.Helper()
	s.shutdown()
	s.end()
}

// Kill ends the TPM as a power cut does.
func (s *TPM) Kill() {
	s.t.Helper()
	s.end()
	s.dirty = true
}

func (s *TPM) end() {
	s.t.Helper()
	if s.child == nil {
		s.t.Fatal("the TPM is not running")
	}
	s.signal(syscall.SIGKILL)
	<-s.child.ended
	s.child = nil
	os.Remove(s.socket())
	os.Remove(s.control())
}

// Reset is a reboot of the machine.
func (s *TPM) Reset() {
	s.t.Helper()
	s.Stop()
	s.Start()
}

// Replace puts another TPM in the place of this one.
func (s *TPM) Replace() {
	s.t.Helper()
	s.Stop()
	if err := os.RemoveAll(s.state()); err != nil {
		s.t.Fatal(err)
	}
	s.Start()
}

// Pause makes the TPM hang. It takes connections still, because the kernel does that.
func (s *TPM) Pause() { s.t.Helper(); s.signal(syscall.SIGSTOP) }

// Continue ends a Pause.
func (s *TPM) Continue() { s.t.Helper(); s.signal(syscall.SIGCONT) }

func (s *TPM) signal(number syscall.Signal) {
	s.t.Helper()
	if s.child == nil {
		s.t.Fatal("the TPM is not running")
	}
	if err := s.child.cmd.Process.Signal(number); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Fatalf("signal %v: %v", number, err)
	}
}

// PowerCycle resets the TPM and leaves it as the chip comes up: no TPM2_Startup was sent.
func (s *TPM) PowerCycle() {
	s.t.Helper()
	s.shutdown()
	if out, err := exec.Command("swtpm_ioctl", "--unix", s.control(), "-i").CombinedOutput(); err != nil {
		s.t.Fatalf("swtpm_ioctl -i: %v: %s", err, out)
	}
}

// Tool runs one of tpm2-tools on the TPM and gives what it prints.
func (s *TPM) Tool(name string, args ...string) string {
	s.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "TPM2TOOLS_TCTI="+s.TCTI())
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// send sends one command and gives the answer, whatever it is. A TPM asks for a second try of the first PIN after each start, because it
// first notes that there was one.
func (s *TPM) send(command []byte) []byte {
	s.t.Helper()
	conn, err := net.Dial("unix", s.socket())
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	for {
		if _, err := conn.Write(command); err != nil {
			s.t.Fatal(err)
		}
		answer := make([]byte, 4096)
		n, err := conn.Read(answer)
		if err != nil || n < headerLen {
			s.t.Fatal(fmt.Errorf("the TPM answers %d bytes: %w", n, err))
		}
		if binary.BigEndian.Uint32(answer[6:]) != rcRetry {
			return answer[:n]
		}
	}
}
