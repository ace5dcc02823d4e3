package kit

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The machine's TPM, in software, and its guard. They go when the machine does.
const (
	TPMSocket   = "/run/tpm/sock"
	GuardSocket = "/run/ncrypt11/guard.sock"
	guardLog    = "/run/guard.log"
)

// startGuard starts the machine's TPM and guard, once.
var startGuard = sync.OnceValue(func() error {
	if err := startTPM(); err != nil {
		return err
	}
	return startService()
})

func startTPM() error {
	dir := filepath.Dir(TPMSocket)
	if err := os.MkdirAll(filepath.Join(dir, "state"), 0o755); err != nil {
		return err
	}
	cmd := exec.Command("swtpm", "socket", "--tpm2", "--daemon", "--tpmstate", "dir="+filepath.Join(dir, "state"), "--flags", "not-need-init,startup-clear",
		"--server", "type=unixio,path="+TPMSocket, "--ctrl", "type=unixio,path="+TPMSocket+".ctrl")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("swtpm: %w\n%s", err, out)
	}
	if err := tolerate(); err != nil {
		return err
	}
	group, err := user.LookupGroup("tss") // as tpm-udev has it for a TPM's device
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(group.Gid)
	if err != nil {
		return err
	}
	if err := os.Chown(TPMSocket, 0, gid); err != nil {
		return err
	}
	return unix.Chmod(TPMSocket, 0o660)
}

// tolerate sets how many wrong PINs the TPM takes before it locks itself to what TPMs of machines have, 32 and ten minutes to forget one. A new swtpm
// takes three.
func tolerate() error {
	conn, err := net.Dial("unix", TPMSocket)
	if err != nil {
		return err
	}
	defer conn.Close()
	command := []byte{
		0x80, 2, 0, 0, 0, 39, 0, 0, 1, 0x3A, 0x40, 0, 0, 0x0A, // TPM2_DictionaryAttackParameters, TPM_RH_LOCKOUT
		0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 1, 0, 0, // TPM_RS_PW, and no password
		0, 0, 0, 32, 0, 0, 2, 0x58, 0, 0, 2, 0x58,
	}
	if _, err := conn.Write(command); err != nil {
		return err
	}
	answer := make([]byte, 10)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if !bytes.Equal(answer[6:], make([]byte, 4)) {
		return fmt.Errorf("swtpm answers %x to TPM2_DictionaryAttackParameters", answer)
	}
	return nil
}

// startService starts the guard as the units in packaging/systemd do: its own user, and a socket that is there before.
func startService() error {
	if err := os.MkdirAll(filepath.Dir(GuardSocket), 0o755); err != nil {
		return err
	}
	listener, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: GuardSocket, Net: "unixpacket"})
	if err != nil {
		return err
	}
	defer listener.Close()
	listener.SetUnlinkOnClose(false)
	if err := os.Chmod(GuardSocket, 0o666); err != nil {
		return err
	}
	socket, err := listener.File()
	if err != nil {
		return err
	}
	defer socket.Close()
	log, err := os.Create(guardLog)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("sh", "-c", `umask 077; ulimit -l unlimited; install -d -m 700 -o ncrypt11 -g ncrypt11 "$STATE_DIRECTORY" "$LOGS_DIRECTORY"
LISTEN_PID=$$ exec setpriv --reuid ncrypt11 --regid ncrypt11 --groups ncrypt11,tss --bounding-set -all --inh-caps -all --no-new-privs ncrypt11 guard`)
	cmd.Env = []string{
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LISTEN_FDS=1", "GOTRACEBACK=none", "NCRYPT11_TPM=swtpm:unix:" + TPMSocket,
		"STATE_DIRECTORY=/var/lib/ncrypt11-guard", "LOGS_DIRECTORY=/var/log/ncrypt11",
	}
	cmd.ExtraFiles = []*os.File{socket}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	return awaitGuard()
}

func awaitGuard() error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: GuardSocket, Net: "unixpacket"})
		if err == nil {
			return conn.Close()
		}
	}
	text, _ := os.ReadFile(guardLog)
	return fmt.Errorf("no guard answers; it says: %s", text)
}

// guarded has the machine's guard running.
func guarded(t testing.TB) {
	t.Helper()
	if err := startGuard(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if text, err := os.ReadFile(guardLog); t.Failed() && err == nil && len(text) > 0 {
			t.Logf("the guard says:\n%s", text)
		}
	})
}
