package machine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// The base is a directory that process 1 mounts a tmpfs on: the machine's writable layer, and the place where its root is put together.
const (
	imageVariable = "NCRYPT11_TEST_IMAGE"
	base          = images + "/mnt"
	root          = base + "/root"
)

// start runs this program once more, as process 1 of a machine, and gives its exit code.
func start(image *os.File) int {
	defer image.Close()
	if err := os.MkdirAll(base, 0o755); err != nil {
		return failed(err)
	}
	self, err := os.Executable()
	if err != nil {
		return failed(err)
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), stageVariable+"="+booting, imageVariable+"="+image.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		Pdeathsig:  unix.SIGKILL, // and with process 1 goes the machine
	}
	return exitCode(cmd.Run())
}

// boot makes the machine and runs the tests in it. Process 1 has what was orphaned for children, and must collect them.
func boot() int {
	repository, err := Repository()
	if err != nil {
		return failed(err)
	}
	if err := assemble(os.Getenv(imageVariable), repository); err != nil {
		return failed(err)
	}
	self, err := os.Executable()
	if err != nil {
		return failed(err)
	}
	if err := enter(self, repository); err != nil {
		return failed(err)
	}
	cmd := exec.Command("/run/tests", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = environment()
	if err := cmd.Start(); err != nil {
		return failed(err)
	}
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return failed(err)
		case pid == cmd.Process.Pid && status.Exited():
			return status.ExitStatus()
		case pid == cmd.Process.Pid:
			return failed(fmt.Errorf("the tests ended by %v", status.Signal()))
		}
	}
}

// environment is root's after a login, and what Go's tests are asked for.
func environment() []string {
	env := []string{
		stageVariable + "=" + inside, "HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/sh", "LANG=C.UTF-8",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	}
	for _, name := range []string{"NCRYPT11_LONG"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// assemble puts the machine's root together: the image, a layer in memory, the kernel's file systems, the source tree.
func assemble(image, repository string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := unix.Mount("machine", base, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mounting on %s: %w", base, err)
	}
	for _, dir := range []string{"upper", "work", "root"} {
		if err := os.Mkdir(filepath.Join(base, dir), 0o755); err != nil {
			return err
		}
	}
	layers := fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", image, base, base)
	if err := unix.Mount("machine", root, "overlay", 0, layers); err != nil {
		return fmt.Errorf("mounting the overlay: %w", err)
	}
	for _, m := range []struct {
		from, to, kind string
		flags          uintptr
		data           string
	}{
		{"proc", "/proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"sysfs", "/sys", "sysfs", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_RDONLY, ""},
		{"/dev", "/dev", "", unix.MS_BIND, ""},
		{"devpts", "/dev/pts", "devpts", unix.MS_NOSUID | unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620,gid=5"},
		{"/dev/pts/ptmx", "/dev/ptmx", "", unix.MS_BIND, ""},
		{"shm", "/dev/shm", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
		{"run", "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=755"},
		{"tmp", "/tmp", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
		{repository, repository, "", unix.MS_BIND, ""},
	} {
		from := m.from
		if from == "/dev/pts/ptmx" {
			from = root + from
		}
		to := root + m.to
		if info, err := os.Stat(from); m.flags&unix.MS_BIND == 0 || err == nil && info.IsDir() {
			if err := os.MkdirAll(to, 0o755); err != nil {
				return err
			}
		}
		if err := unix.Mount(from, to, m.kind, m.flags, m.data); err != nil {
			return fmt.Errorf("mounting %s: %w", m.to, err)
		}
	}
	// As an administrator would, with the tools from outside.
	out, err := exec.Command("make", "-C", repository, "install", "DESTDIR="+root, "PREFIX=/usr", "LIBDIR=/usr/lib/x86_64-linux-gnu").CombinedOutput()
	if err != nil {
		return fmt.Errorf("make install: %w\n%s", err, tail(out))
	}
	return nil
}

// enter makes the machine's root this process's, with the test program in /run and the source tree's directory as the current one.
func enter(self, repository string) error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := copyProgram(self, root+"/run/tests"); err != nil {
		return err
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil { // the old root is on top of the new one then (pivot_root(2))
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("letting go of the old root: %w", err)
	}
	if err := os.Chdir(here); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte("machine")); err != nil {
		return err
	}
	return settle()
}

// settle does what an init system would before anything else: the loopback, the guard's user, the machine's directories, a user.
func settle() error {
	for _, args := range [][]string{
		{"ip", "link", "set", "lo", "up"},
		{"systemd-sysusers", "ncrypt11.conf"},
		{"install", "-d", "-m", "1777", "/run/lock"}, // it is in another file of tmpfiles.d in each release, or in none
		{"systemd-tmpfiles", "--create", "ncrypt11.conf"},
		{"ldconfig"},
		{"useradd", "--create-home", "--shell", "/bin/sh", User},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", args, err, tail(out))
		}
	}
	return os.WriteFile("/etc/hosts", []byte("127.0.0.1 localhost machine\n::1 localhost\n"), 0o644)
}

// User is somebody who works at the machine.
const User = "alice"

func copyProgram(from, to string) error {
	program, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, program, 0o755)
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, "machine:", err)
	return 1
}

// exitCode is a finished program's. One that could not be run, or was killed, has failed.
func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode()
	}
	return failed(err)
}
