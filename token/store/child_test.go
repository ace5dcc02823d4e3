package store_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/store"
)

// roles are what this test binary does when it is started again as another process: with a token's path and further words.
var roles = map[string]func(path string, args []string) error{
	"add forever":        addForever,
	"add and delete":     addAndDelete,
	"follow":             follow,
	"fill a small disk":  fillSmallDisk,
	"hit the size limit": hitSizeLimit,
	"read only":          readOnly,
	"read only with log": readOnlyWithLog,
	"read shared":        readShared,
}

const roleVariable = "STORE_TEST_ROLE"

func TestMain(m *testing.M) {
	name := os.Getenv(roleVariable)
	if name == "" {
		os.Exit(m.Run())
	}
	if err := roles[name](os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child prepares this binary in a role.
func child(t testing.TB, role, path string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{path}, args...)...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	return cmd
}

// inNamespace gives the child mounts of its own, also where the tests do not run as root.
func inNamespace(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
	if err := exec.Command("unshare", "--user", "--map-root-user", "--mount", "true").Run(); err != nil {
		t.Skip("this system gives no user and mount namespaces: ", err)
	}
}

// talk starts the child and returns its input and its lines of output.
func talk(t *testing.T, cmd *exec.Cmd) (io.Writer, *bufio.Scanner) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return in, bufio.NewScanner(out)
}

// addForever adds objects from number args[0] on and prints each number when the store has acknowledged it.
func addForever(path string, args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	s, err := store.Open(path)
	if err != nil {
		return err
	}
	for ; ; n++ {
		if err := s.Add(object(n)); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// addAndDelete adds the objects from args[0] to args[1] one by one and deletes each odd one.
func addAndDelete(path string, args []string) error {
	from, _ := strconv.Atoi(args[0])
	to, _ := strconv.Atoi(args[1])
	s, err := store.Open(path)
	if err != nil {
		return err
	}
	for n := from; n < to; n++ {
		if err := s.Add(object(n)); err != nil {
			return err
		}
		if n%2 == 1 {
			if err := s.Delete(object(n).ID); err != nil {
				return err
			}
		}
	}
	return s.Close()
}

// follow does as it is told on its input, one line each: "add N", "delete N", and "look", which asks for the version and, if that is new,
// for what changed, and prints the numbers of the objects that it then knows of.
func follow(path string, _ []string) error {
	s, err := store.Open(path)
	if err != nil {
		return err
	}
	known := map[store.ID]int{}
	var seen, rev int64
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		verb, number, _ := strings.Cut(in.Text(), " ")
		n, _ := strconv.Atoi(number)
		switch verb {
		case "add":
			err = s.Add(object(n))
		case "delete":
			err = s.Delete(object(n).ID)
		case "look":
			var version int64
			if version, err = s.Version(); err != nil || version == seen {
				break
			}
			seen = version
			rev, err = s.Since(rev,
				func(o *store.Object) error { known[o.ID] = int(o.ID[15]); return nil },
				func(id store.ID) error { delete(known, id); return nil })
		}
		if err != nil {
			return err
		}
		fmt.Println(numbers(known))
	}
	return s.Close()
}
