package tpmseal_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/test/swtpm"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/tpmseal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

func TestAbsentAndBack(t *testing.T) {
	r := newRig(t)
	blob := r.sealed(pin("1234"), nil)
	r.soft.Stop()
	for range limit + 1 {
		r.want("stopped", blob, pin("1234"), seal.ErrAbsent)
	}
	if _, err := r.Seal(secret.Copy(master), nil, context, nil); !errors.Is(err, seal.ErrAbsent) {
		t.Errorf("sealing: %v", err)
	}
	r.soft.Start()
	r.want("back", blob, pin("1234"), nil)
	r.soft.Kill()
	r.want("killed", blob, pin("1234"), seal.ErrAbsent)
	r.soft.Start()
	r.want("back", blob, pin("1234"), nil)
}

// A TPM that hangs is given up for now, those who wait for their turn too, and nothing is lost.
func TestPaused(t *testing.T) {
	r := newRig(t)
	blob := r.sealed(pin("1234"), nil)
	r.soft.Pause()
	start := time.Now()
	var wait sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		wait.Go(func() { _, errs[i] = r.Unseal(blob, pin("1234"), context) })
	}
	wait.Wait()
	absent := 0
	for _, err := range errs {
		if errors.Is(err, seal.ErrAbsent) {
			absent++
		} else if !errors.Is(err, seal.ErrBusy) {
			t.Errorf("paused: %v", err)
		}
	}
	if took := time.Since(start); absent == 0 || took > 6*time.Second {
		t.Errorf("%v, after %v", errs, took)
	}
	r.soft.Continue()
	for range limit + 1 {
		r.want("back", blob, pin("1234"), nil)
	}
}

// A TPM that ends while it works on a command.
func TestKilledMeanwhile(t *testing.T) {
	r := newRig(t)
	blob := r.sealed(pin("1234"), nil)
	r.soft.Pause()
	failed := make(chan error)
	go func() {
		_, err := r.Unseal(blob, pin("1234"), context)
		failed <- err
	}()
	time.Sleep(50 * time.Millisecond) // it waits for the answer to its first command
	r.soft.Kill()
	if err := <-failed; !errors.Is(err, seal.ErrAbsent) {
		t.Errorf("killed: %v", err)
	}
	r.soft.Start()
	r.want("back", blob, pin("1234"), nil)
}

// meddler stands between the sealer and the TPM, and cuts the line at the nth command, or alters the answer.
type meddler struct {
	net.Listener
	soft  *swtpm.TPM
	mu    sync.Mutex
	cutAt int                 // commands until then; negative: never
	heard bool                // the TPM gets the command, but its answer is lost
	alter func(answer []byte) // in place of cutting the line
}

func newMeddler(t *testing.T, soft *swtpm.TPM, network, address string) *meddler {
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	m := &meddler{Listener: l, soft: soft, cutAt: -1}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			m.serve(client)
		}
	}()
	return m
}

// short is a directory whose name leaves room for that of a socket.
func short(t *testing.T) string {
	dir, err := os.MkdirTemp("/tmp", "n11")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (m *meddler) serve(client net.Conn) {
	defer client.Close()
	tpm, err := net.Dial("unix", strings.TrimPrefix(m.soft.Address(), "swtpm:unix:"))
	if err != nil {
		return
	}
	defer tpm.Close()
	buf := make([]byte, 4096)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		m.mu.Lock()
		cut, heard, alter := m.cutAt == 0, m.heard, m.alter
		m.cutAt--
		m.mu.Unlock()
		if cut && !heard && alter == nil {
			return
		}
		if _, err := tpm.Write(buf[:n]); err != nil {
			return
		}
		if n, err = tpm.Read(buf); err != nil || cut && alter == nil {
			return
		}
		if cut {
			alter(buf[:n])
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}

// The line is cut at every command of a login in turn, before it or after it. The next login works, and nothing stays in the TPM: not even
// what was loaded when the line was cut, which without a resource manager nobody else removes.
func TestCutAnywhere(t *testing.T) {
	r := newRig(t)
	m := newMeddler(t, r.soft, "unix", filepath.Join(short(t), "m"))
	tpm, err := tpmseal.Open("swtpm:unix:"+m.Addr().String(), tpmseal.WithPatience(2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	s := tpmseal.New(tpm, cheap, tpmseal.WithTries(r.tries, limit))
	blob := r.sealed(pin("1234"), nil)
	wantFrom(t, s, "uncut", blob, pin("1234"), nil)
	for _, heard := range []bool{false, true} {
		for at := range 5 { // behind the fifth command only flushes come
			m.mu.Lock()
			m.cutAt, m.heard = at, heard
			m.mu.Unlock()
			wantFrom(t, s, "cut", blob, pin("1234"), seal.ErrAbsent)
			wantFrom(t, s, "uncut", blob, pin("1234"), nil)
			if left := r.soft.Loaded(); len(left) != 0 {
				t.Fatalf("cut at %d, heard %v: %x are left", at, heard, left)
			}
		}
	}
}

func TestTCP(t *testing.T) {
	r := newRig(t)
	m := newMeddler(t, r.soft, "tcp", "127.0.0.1:0")
	tpm, err := tpmseal.Open("swtpm:" + m.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	wantFrom(t, tpmseal.New(tpm, cheap), "over TCP", r.sealed(pin("1234"), nil), pin("1234"), nil)
}

// Others fill a TPM without a resource manager, and go.
func TestFull(t *testing.T) {
	r := newRig(t)
	blob := r.sealed(pin("1234"), nil)
	fill := func() {
		t.Helper()
		for range 3 {
			r.soft.Tool("tpm2_createprimary", "-Q", "-c", "left.ctx")
		}
		if n := len(r.soft.Loaded()); n != 3 {
			t.Fatalf("%d objects are loaded", n)
		}
	}
	fill()
	r.want("full", blob, pin("1234"), nil)
	fill()
	r.want("full", r.sealed(pin("1234"), perBoot), pin("1234"), nil)
}

// Nobody has sent TPM2_Startup.
func TestNotStarted(t *testing.T) {
	r := newRig(t)
	blob, fleeting := r.sealed(pin("1234"), nil), r.sealed(nil, perBoot)
	r.soft.PowerCycle()
	spent := r.spent(func() { r.want("not started", blob, pin("1234"), nil) })
	if spent["TPM2_Startup"] != 1 {
		t.Errorf("it took %v", spent)
	}
	r.want("per-boot", fleeting, nil, seal.ErrDead)
}

// Two guards, each with a connection of its own, at a TPM that serves one client at a time.
func TestTwoGuards(t *testing.T) {
	r := newRig(t)
	blob := r.sealed(pin("1234"), nil)
	var wait sync.WaitGroup
	for range 2 {
		s := tpmseal.New(r.open(), cheap, tpmseal.WithTries(r.tries, limit))
		for range 2 {
			wait.Go(func() {
				for range 25 {
					got, err := s.Unseal(blob, pin("1234"), context)
					if err != nil || !got.Equal(master) {
						t.Errorf("together: %v", err)
						return
					}
				}
			})
		}
	}
	wait.Wait()
}

// What is no TPM, and what talks nonsense.
func TestNoTPM(t *testing.T) {
	nonsense := func(answer string) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Read(make([]byte, 4096))
				_, _ = io.WriteString(c, answer)
				c.Close()
			}
		}()
		return "swtpm:" + l.Addr().String()
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		address string
		want    error
		text    string
	}{
		"none":            {"none", seal.ErrAbsent, "NCRYPT11_TPM is none"},
		"machine without": {"", seal.ErrAbsent, "/dev/tpmrm0"},
		"no device":       {"/nonexistent/tpm0", seal.ErrAbsent, "no such file"},
		"a file":          {file, seal.ErrAbsent, "not a device"},
		"no TPM":          {"/dev/null", seal.ErrAbsent, "EOF"},
		"no socket":       {"swtpm:unix:/nonexistent/sock", seal.ErrAbsent, "no such file"},
		"nobody there":    {"swtpm:127.0.0.1:1", seal.ErrAbsent, "no software TPM listens"},
		"silence":         {nonsense(""), seal.ErrAbsent, "EOF"},
		"other protocol":  {nonsense("HTTP/1.1 400 Bad Request\r\n\r\n"), seal.ErrAbsent, "no TPM 2.0 answer"},
		"giant":           {nonsense("\x80\x01\x00\xff\xff\xff\x00\x00\x00\x00"), seal.ErrAbsent, "no TPM 2.0 answer"},
		"TPM 1.2":         {nonsense("\x00\xc4\x00\x00\x00\x0a\x00\x00\x00\x1e"), ck.CKR_DEVICE_ERROR, "TPM 1.2"},
		"failure mode":    {nonsense("\x80\x01\x00\x00\x00\x0a\x00\x00\x01\x01"), ck.CKR_DEVICE_ERROR, "failure mode"},
		"always busy":     {nonsense("\x80\x01\x00\x00\x00\x0a\x00\x00\x09\x22"), seal.ErrAbsent, ""}, // and then it hangs up
		"empty success":   {nonsense("\x80\x02\x00\x00\x00\x0a\x00\x00\x00\x00"), ck.CKR_DEVICE_ERROR, "not sound"},
	} {
		if name == "machine without" && slices.ContainsFunc([]string{"/dev/tpmrm0", "/dev/tpm0"}, func(p string) bool { _, err := os.Stat(p); return err == nil }) {
			continue // it has one, which is none of a test's business
		}
		tpm, err := tpmseal.Open(test.address, tpmseal.WithPatience(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		_, err = tpmseal.New(tpm, cheap).Seal(secret.Copy(master), nil, context, nil)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %v, want %v with %q", name, err, test.want, test.text)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, address := range []string{"tpmrm0", "swtpm:", "swtpm:unix:", "swtpm:unix:relative", "swtpm:host", "swtpm:host:", "swtpm::1", "tcp:host:1", "None"} {
		if _, err := tpmseal.Open(address); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
	for address, device := range map[string]string{"/dev/tpmrm7": "/dev/tpmrm7", "swtpm:unix:/s": "", "swtpm:[::1]:2321": "", "none": ""} {
		tpm, err := tpmseal.Open(address)
		if err != nil || tpm.Device() != device {
			t.Errorf("%q: device %q, %v", address, tpm.Device(), err)
		}
	}
}
