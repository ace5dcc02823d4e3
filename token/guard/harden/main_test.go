package harden_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/test/attack"
	"github.com/ncrypt11/ncrypt11/token/guard/harden"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// What is tested cannot be undone, so it is done to children: this program, told by the environment what to be.
const (
	roleEnv = "NCRYPT11_TEST_ROLE"
	dirEnv  = "NCRYPT11_TEST_DIR"
	portEnv = "NCRYPT11_TEST_PORT"
	keepEnv = "NCRYPT11_TEST_KEEP"
	// socketsEnv has the sockets' directory: files in it may be removed, and sockets connected to.
	socketsEnv = "NCRYPT11_TEST_SOCKETS"
)

var roles = map[string]func() error{
	"victim":  victim,
	"early":   early,
	"inherit": inherit,
	"confine": confined,
	"work":    work,
	"forbid":  forbid,
}

func TestMain(m *testing.M) {
	name := os.Getenv(roleEnv)
	if name == "" {
		os.Exit(m.Run())
	}
	if err := roles[name](); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// confine takes all measures, with a directory to work in. Between the two steps, files are opened.
func confine(open ...func() error) (harden.Report, error) {
	report, err := harden.Early()
	if err != nil {
		return nil, err
	}
	for _, do := range open {
		if err := do(); err != nil {
			return nil, err
		}
	}
	needs := harden.Needs{Arena: 1 << 18}
	if dir := os.Getenv(dirEnv); dir != "" {
		needs.ReadWriteDirs = []string{dir}
	}
	if dir := os.Getenv(socketsEnv); dir != "" {
		needs.Sockets, needs.RemoveDirs = []string{dir}, []string{dir}
	}
	var port uint16
	if _, err := fmt.Sscan(os.Getenv(portEnv), &port); err == nil {
		needs.ConnectTCP = []uint16{port}
	}
	report = harden.Confine(report, needs)
	if ok, why := report.Hardened(); !ok {
		return nil, fmt.Errorf("not hardened: %s", why)
	}
	return report, nil
}

// victim holds a secret for others to look for.
func victim() error {
	if _, err := confine(); err != nil {
		return err
	}
	s := secret.New(32)
	defer s.Close()
	rand.Read(s.Bytes())
	attack.Hold(s.Bytes())
	return nil
}

// early prints what the process starts with.
func early() error {
	report, err := harden.Early()
	if err != nil {
		return err
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	var blocked unix.Sigset_t // of this thread: os/signal has one of its own, which blocks some
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, nil, &blocked); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(start{report, os.Environ(), string(status), blocked != unix.Sigset_t{}})
}

// confined prints the report.
func confined() error {
	report, err := confine()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

// inherit prints which descriptors it keeps.
func inherit() error {
	own, err := os.Open("/dev/null")
	if err != nil {
		return err
	}
	defer own.Close()
	var keep []int
	for word := range strings.FieldsSeq(os.Getenv(keepEnv)) {
		fd, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		keep = append(keep, fd)
	}
	if _, err := harden.Early(keep...); err != nil {
		return err
	}
	for fd := range 64 {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		switch {
		case err != nil:
		case fd == int(own.Fd()):
			fmt.Print("own,")
		case fd <= 2 || slices.Contains(keep, fd) || flags&unix.FD_CLOEXEC == 0:
			fmt.Printf("%d,", fd)
		}
	}
	return nil
}
