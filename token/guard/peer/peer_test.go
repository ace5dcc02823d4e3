package peer

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/seal"
)

const dialEnv = "NCRYPT11_TEST_DIAL"

// TestMain lets the tests start this program as another user, who connects.
func TestMain(m *testing.M) {
	if path := os.Getenv(dialEnv); path != "" {
		dial(path)
		return
	}
	os.Exit(m.Run())
}

// dial connects, and waits until the other end is done.
func dial(path string) {
	conn, err := net.Dial("unixpacket", path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, _ = conn.Read(make([]byte, 1))
}

// place is a directory that every user may enter.
func place(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "peer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// connectAs starts a program as somebody, and tells who the kernel says it is.
func connectAs(t *testing.T, who *syscall.Credential) (Peer, int) {
	t.Helper()
	dir := place(t)
	path := filepath.Join(dir, "s")
	listener, err := net.Listen("unixpacket", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "dial")
	copyProgram(t, program)
	cmd := exec.Command(program)
	cmd.Env = []string{dialEnv + "=" + path}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Of(conn)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return p, cmd.Process.Pid
}

func copyProgram(t *testing.T, to string) {
	t.Helper()
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, program, 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestProcess(t *testing.T) {
	many := make([]uint32, 1000)
	for i := range many {
		many[i] = uint32(i + 70000)
	}
	for name, who := range map[string]syscall.Credential{
		"no groups":    {Uid: 65534, Gid: 65533, Groups: []uint32{}},
		"three groups": {Uid: 1234, Gid: 42, Groups: []uint32{5, 42, 70000}},
		"many groups":  {Uid: 1234, Gid: 42, Groups: many},
	} {
		t.Run(name, func(t *testing.T) {
			p, pid := connectAs(t, &who)
			slices.Sort(p.Groups)
			if p.PID != int32(pid) || p.UID != who.Uid || p.GID != who.Gid || p.VM || !slices.Equal(p.Groups, who.Groups) {
				t.Errorf("%+v is not %+v of process %d", p, who, pid)
			}
		})
	}
}

func TestPrincipals(t *testing.T) {
	user := func(id uint32) seal.Principal { return seal.Principal{Kind: seal.User, ID: id} }
	group := func(id uint32) seal.Principal { return seal.Principal{Kind: seal.Group, ID: id} }
	for name, c := range map[string]struct {
		peer Peer
		want []seal.Principal
	}{
		"root":    {Peer{PID: 1}, []seal.Principal{user(0), group(0)}},
		"groups":  {Peer{UID: 33, GID: 34, Groups: []uint32{35, 34, 36, 35}}, []seal.Principal{user(33), group(34), group(35), group(36)}},
		"machine": {Peer{VM: true, CID: 7, UID: 33}, []seal.Principal{{Kind: seal.VM, ID: 7}}},
	} {
		if got := c.peer.Principals(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, not %v", name, got, c.want)
		}
	}
}

func TestNobody(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	client, err := net.Dial("tcp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	left, right := net.Pipe()
	defer left.Close()
	defer right.Close()
	for name, conn := range map[string]net.Conn{"TCP": client, "pipe": left} {
		if p, err := Of(conn); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if p, err := OfSocket(fd); err == nil {
		t.Errorf("a socket that is not connected: %+v", p)
	}
}

// TestMachine connects to the guard's end of a vsock where the kernel has a loopback for it.
func TestMachine(t *testing.T) {
	server, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Skipf("this kernel has no vsock: %v", err)
	}
	defer unix.Close(server)
	if err := unix.Bind(server, &unix.SockaddrVM{CID: unix.VMADDR_CID_ANY, Port: unix.VMADDR_PORT_ANY}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(server, 1); err != nil {
		t.Fatal(err)
	}
	address, err := unix.Getsockname(server)
	if err != nil {
		t.Fatal(err)
	}
	client, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(client)
	port := address.(*unix.SockaddrVM).Port
	if err := unix.Connect(client, &unix.SockaddrVM{CID: unix.VMADDR_CID_LOCAL, Port: port}); err != nil {
		t.Skipf("this kernel has no vsock loopback: %v", err)
	}
	p, err := OfSocket(client)
	if want := (Peer{VM: true, CID: unix.VMADDR_CID_LOCAL}); err != nil || !reflect.DeepEqual(p, want) {
		t.Errorf("%+v, %v", p, err)
	}
}
