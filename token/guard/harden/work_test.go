package harden_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

// work does what a guard does, after it was confined: serve a socket, keep files, make keys and signatures, threads and garbage.
func work() error {
	dir := os.Getenv(dirEnv)
	var listener net.Listener
	if _, err := confine(func() (err error) {
		listener, err = net.Listen("unixpacket", filepath.Join(dir, "socket"))
		return err
	}); err != nil {
		return err
	}
	defer listener.Close()
	for name, do := range map[string]func(string) error{
		"serve": func(string) error { return serve(listener) },
		"files": files, "keys": keys, "threads": threads, "garbage": garbage, "dial": dial, "sockets": besideSockets, "arena": arena,
	} {
		if err := do(dir); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func serve(listener net.Listener) error {
	failed := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			defer conn.Close()
			buf := make([]byte, 64)
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			var n int
			if n, err = conn.Read(buf); err == nil {
				_, err = conn.Write(buf[:n])
			}
		}
		failed <- err
	}()
	conn, err := net.Dial("unixpacket", listener.Addr().String())
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("hello")); err != nil {
		return err
	}
	buf := make([]byte, 64)
	n, err := conn.Read(buf)
	if err != nil || string(buf[:n]) != "hello" {
		return fmt.Errorf("%q: %w", buf[:n], err)
	}
	return <-failed
}

func files(dir string) error {
	path := filepath.Join(dir, "sub", "file")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "new")
	if err != nil {
		return err
	}
	defer file.Close()
	steps := []func() error{
		func() error { _, err := file.Write(make([]byte, 100)); return err },
		func() error { return file.Chmod(0o600) },
		func() error { return file.Truncate(50) },
		func() error { return unix.Flock(int(file.Fd()), unix.LOCK_EX) },
		file.Sync,
		func() error { return os.Rename(file.Name(), path) },
		func() error { _, err := os.ReadFile(path); return err },
		func() error { _, err := os.ReadDir(dir); return err },
		func() error { _, err := os.Stat(path); return err },
		func() error { return os.RemoveAll(filepath.Dir(path)) },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	return nil
}

func keys(string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	digest := make([]byte, 32)
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest)
	if err == nil && !ecdsa.VerifyASN1(&key.PublicKey, digest, signature) {
		err = errors.New("the signature is wrong")
	}
	return err
}

// threads makes the runtime start some: each goroutine keeps one for itself.
func threads(string) error {
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for range 16 {
		wg.Go(func() {
			runtime.LockOSThread()
			<-gate
			time.Sleep(time.Millisecond)
		})
	}
	close(gate)
	wg.Wait()
	return nil
}

// garbage makes 200 MB of it, and gives memory back.
func garbage(string) error {
	var keep [16][]byte
	for i := range 200 {
		keep[i%len(keep)] = make([]byte, 1<<20)
		keep[i%len(keep)][i] = 1
	}
	runtime.KeepAlive(&keep)
	debug.FreeOSMemory()
	return nil
}

func dial(string) error {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", os.Getenv(portEnv)), 10*time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}

// besideSockets connects to a socket, and removes it as a guard does with its own.
func besideSockets(string) error {
	path := filepath.Join(os.Getenv(socketsEnv), "socket")
	conn, err := net.Dial("unix", path)
	if err != nil {
		return err
	}
	return errors.Join(conn.Close(), os.Remove(path))
}

func arena(string) error {
	if _, err := secret.UseArena(1 << 16); err == nil {
		return errors.New("secrets had no arena")
	}
	s := secret.Copy([]byte("0123456789"))
	defer s.Close()
	return nil
}

// attempts are what a confined process must not do, and what it is answered with.
var attempts = map[string]struct {
	do   func() error
	want error
}{
	"read a file":                  {func() error { _, err := os.ReadFile("/etc/passwd"); return err }, unix.EACCES},
	"read own memory":              {func() error { _, err := os.Open("/proc/self/mem"); return err }, unix.EACCES},
	"write a file":                 {func() error { return os.WriteFile("/tmp/ncrypt11-confined", nil, 0o600) }, unix.EACCES},
	"read a file beside a socket":  {func() error { _, err := os.ReadFile(beside("file")); return err }, unix.EACCES},
	"write a file beside a socket": {func() error { return os.WriteFile(beside("file"), nil, 0o600) }, unix.EACCES},
	"make a file beside a socket":  {func() error { return os.WriteFile(beside("new"), nil, 0o600) }, unix.EACCES},
	"list what is beside a socket": {func() error { _, err := os.ReadDir(beside("")); return err }, unix.EACCES},
	"connect by TCP":               {func() error { _, err := net.Dial("tcp", "127.0.0.1:1"); return err }, unix.EACCES},
	"open a UDP socket":            {func() error { _, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0); return err }, unix.EPERM},
	"open a vsock":                 {func() error { _, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0); return err }, unix.EPERM},
	"open a netlink":               {func() error { _, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, 0); return err }, unix.EPERM},
	"multipath TCP":                {func() error { _, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 262); return err }, unix.EPERM},
	"be dumpable":                  {func() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) }, unix.EPERM},
	"have core dumps":              {func() error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 1, Max: 1}) }, unix.EPERM},
	"map code": {func() error {
		_, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
		return err
	}, unix.EPERM},
	"signal somebody": {func() error { return unix.Tgkill(os.Getppid(), os.Getppid(), 0) }, unix.EPERM},
	"start a process": {func() error {
		_, _, errno := unix.RawSyscall(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0)
		return errno
	}, unix.EPERM},
	"clone3":              {func() error { _, _, errno := unix.RawSyscall(unix.SYS_CLONE3, 0, 0, 0); return errno }, unix.ENOSYS},
	"take another filter": {func() error { _, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, 0, 0, 0); return errno }, unix.EPERM},
	"serve another port":  {func() error { return unix.Listen(0, 1) }, unix.EPERM},
}

func beside(name string) string { return filepath.Join(os.Getenv(socketsEnv), name) }

// killing are calls that nothing in a guard makes.
var killing = map[string]uintptr{
	"execve": unix.SYS_EXECVE, "ptrace": unix.SYS_PTRACE, "process_vm_readv": unix.SYS_PROCESS_VM_READV, "bpf": unix.SYS_BPF,
	"keyctl": unix.SYS_KEYCTL, "mount": unix.SYS_MOUNT, "io_uring_setup": unix.SYS_IO_URING_SETUP, "kexec_load": unix.SYS_KEXEC_LOAD,
}

const forbiddenEnv = "NCRYPT11_TEST_FORBIDDEN"

// forbid makes one attempt, or all that are answered with an error.
func forbid() error {
	if _, err := confine(); err != nil {
		return err
	}
	if name := os.Getenv(forbiddenEnv); name != "" {
		_, _, errno := unix.RawSyscall(killing[name], 0, 0, 0)
		return fmt.Errorf("%s: the process goes on (%w)", name, errno)
	}
	var wrong []error
	for name, a := range attempts {
		if err := a.do(); !errors.Is(err, a.want) {
			wrong = append(wrong, fmt.Errorf("%s: %w", name, errors.Join(err, errors.New("not "+a.want.Error()))))
		}
	}
	return errors.Join(wrong...)
}
