package opensc_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// The tool's own tests use every key with every mechanism that they know.
func TestSelfTest(t *testing.T) {
	tokens(t, "--test: its self-test of signatures, digests, decryption", func(p *tool) {
		p.generate("rsa:2048", "01")
		p.generate("EC:prime256v1", "02")
		out := p.user("--test")
		kit.Contains(p.t, out, "No errors", "RSA-X-509: OK", "RSA-PKCS: OK", "all 4 digest functions seem to work")
		if strings.Contains(out, "ERR:") {
			p.t.Errorf("it reports an error:\n%s", out)
		}
	})
}

func TestSelfTestEC(t *testing.T) {
	tokens(t, "--test-ec: key pairs, signatures and agreement on curves", func(p *tool) {
		out := p.user("--session-rw", "--test-ec", "--id", "03", "--key-type", "EC:prime256v1")
		kit.Contains(p.t, out, "==> OK")
	})
}

// The child of a fork calls C_Initialize and expects it to work.
func TestFork(t *testing.T) {
	tokens(t, "--test-fork: C_Initialize in a forked child", func(p *tool) {
		out := p.user("--test-fork")
		kit.Contains(p.t, out, "Calling C_Initialize in forked child process")
		if strings.Contains(out, "CKR_") {
			p.t.Error(out)
		}
	})
}

// Threads initialize and look round while the main one does the same, and look at the slots again. Where it is done first, the tool waits
// for its threads by sleeping: the fewer there are to wait for, the less.
func TestThreads(t *testing.T) {
	tokens(t, "--test-threads: initialized from several threads at once", func(p *tool) {
		out := p.user("--test", "--test-threads", "ILGISLT0", "--test-threads", "ILGISLT0")
		kit.Contains(p.t, out, "all threads have ended with CKR_OK", "No errors")
	})
}

// There is nothing to plug in; tokens come and go all the same.
func TestHotplug(t *testing.T) {
	tokens(t, "--test-hotplug: waits for slot events", func(p *tool) {
		cmd := kit.Command(p.t, kit.User, "pkcs11-tool", slices.Concat(p.args, []string{"--pin", p.k.PIN, "--test-hotplug"})...)
		cmd.Stdin = strings.NewReader("\nx\nx\n")
		out, err := kit.Output(cmd)
		if err != nil {
			p.t.Fatalf("%v\n%s", err, out)
		}
		kit.Contains(p.t, out, "Testing card detection using C_GetSlotList()", p.k.Label, "Testing card detection using C_WaitForSlotEvent()")
	})
}

// As Mozilla's programs did: a key pair is made, and a certificate for it is stored, in one session.
func TestMozilla(t *testing.T) {
	tokens(t, "--moz-cert: a key pair and a request as Mozilla's programs make them", func(p *tool) {
		key, cert := p.path("moz.key"), p.path("moz.crt")
		p.openssl("req", "-new", "-x509", "-newkey", "rsa:2048", "-noenc", "-keyout", key, "-subj", "/CN=moz", "-outform", "DER", "-out", cert)
		out := p.user("--session-rw", "--moz-cert", cert, "--id", "01", "--key-type", "RSA:2048")
		if kit.Contains(p.t, out, "==> OK"); strings.Contains(out, "CKR_") {
			p.t.Error(out)
		}
	})
}
