package tpmseal_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/test/swtpm"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/tpmseal"
)

// The line is cut at every command of an attestation and of a credential in turn, before it or after it. The next one works, and nothing stays in the TPM.
func TestAttestCutAnywhere(t *testing.T) {
	r := newRig(t)
	r.soft.Endorse(swtpm.NewMaker(t, "maker", nextYear), "ecc")
	m := newMeddler(t, r.soft, "unix", filepath.Join(short(t), "m"))
	tpm, err := tpmseal.Open("swtpm:unix:"+m.Addr().String(), tpmseal.WithPatience(2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	s := tpmseal.New(tpm, cheap)
	blob, encrypted := credential(t, r.attested())
	for name, do := range map[string]func(*tpmseal.Sealer) error{
		"Attest":   func(s *tpmseal.Sealer) error { _, err := s.Attest(statement); return err },
		"Activate": func(s *tpmseal.Sealer) error { _, err := s.Activate(blob, encrypted); return err },
	} {
		commands, flushes := r.commandsOf(func() error { return do(r.Sealer) })
		for _, heard := range []bool{false, true} {
			for at := range commands {
				m.mu.Lock()
				m.cutAt, m.heard = at, heard
				m.mu.Unlock()
				// Where only a flush at the end is cut, all was done already; what was not flushed, the next operation flushes.
				if err := do(s); err != nil && !errors.Is(err, seal.ErrAbsent) || err == nil && at < commands-flushes {
					t.Errorf("%s, cut at %d of %d, heard %v: %v", name, at, commands, heard, err)
				}
				if err := do(s); err != nil {
					t.Errorf("%s after a cut at %d, heard %v: %v", name, at, heard, err)
				}
				if left := r.soft.Loaded(); len(left) != 0 {
					t.Fatalf("%s, cut at %d, heard %v: %x are left", name, at, heard, left)
				}
			}
		}
	}
}

// commandsOf counts the commands of something, and how many of them are flushes.
func (r *rig) commandsOf(do func() error) (commands, flushes int) {
	r.Helper()
	for command, n := range r.spent(func() {
		if err := do(); err != nil {
			r.Fatal(err)
		}
	}) {
		if commands += int(n); command == "TPM2_FlushContext" {
			flushes = int(n)
		}
	}
	return commands, flushes
}

// Who sits on the bus alters an answer, any of them, anywhere. What comes of it is an error, or what would have come anyway.
func TestAlteredAnswers(t *testing.T) {
	r := newRig(t)
	r.soft.Endorse(swtpm.NewMaker(t, "maker", nextYear), "ecc")
	m := newMeddler(t, r.soft, "unix", filepath.Join(short(t), "m"))
	tpm, err := tpmseal.Open("swtpm:unix:"+m.Addr().String(), tpmseal.WithPatience(2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	s := tpmseal.New(tpm, cheap)
	a := r.attested()
	id := identity(t, a)
	blob, encrypted := credential(t, a)
	altered := func(do func(*tpmseal.Sealer) error) {
		commands, _ := r.commandsOf(func() error { return do(r.Sealer) })
		for at := range commands {
			for try := range 16 {
				m.mu.Lock()
				m.cutAt, m.alter = at, func(answer []byte) {
					if body := answer[10:]; len(body) > 0 { // the header says how long an answer is, and a wrong one is waited for
						body[(try*31+try/8)%len(body)] ^= 1 << (try % 8)
					}
				}
				m.mu.Unlock()
				_ = do(s)
			}
		}
	}
	altered(func(s *tpmseal.Sealer) error {
		got, err := s.Attest(statement)
		if err == nil && identity(t, got).AKFingerprint != id.AKFingerprint {
			t.Error("an altered key is taken for the TPM's")
		}
		return err
	})
	altered(func(s *tpmseal.Sealer) error {
		got, err := s.Activate(blob, encrypted)
		if err == nil && !got.Equal(sesame) {
			t.Error("another secret")
		}
		return err
	})
	m.mu.Lock()
	m.alter, m.cutAt = nil, -1
	m.mu.Unlock()
	if _, err := s.Attest(statement); err != nil {
		t.Error(err)
	}
	r.soft.Flush() // where the altered answer was the one that has the handle, nobody knows what to flush; a resource manager does
}

// Others fill a TPM without a resource manager, and go; nobody has sent TPM2_Startup; it is away; it hangs.
func TestAttestInTrouble(t *testing.T) {
	r := newRig(t)
	a := r.attested()
	for range 3 {
		r.soft.Tool("tpm2_createprimary", "-Q", "-c", "left.ctx")
	}
	r.opens("full", a)
	for range 3 {
		r.soft.Tool("tpm2_createprimary", "-Q", "-c", "left.ctx")
	}
	r.attested()
	r.soft.PowerCycle()
	r.opens("not started", a)
	r.soft.PowerCycle()
	r.attested()
	away := func(what string, or error) {
		t.Helper()
		blob, encrypted := credential(t, a)
		_, err := r.Attest(statement)
		_, also := r.Activate(blob, encrypted)
		for _, err := range []error{err, also} {
			if !errors.Is(err, seal.ErrAbsent) && (or == nil || !errors.Is(err, or)) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	r.soft.Stop()
	away("stopped", nil)
	r.soft.Start()
	r.soft.Pause()
	away("paused", seal.ErrBusy) // the second may find the first one's connection still waiting
	r.soft.Continue()
	r.opens("back", r.attested())
}

// The TPM locks itself for others' wrong PINs. Nothing here has a PIN.
func TestAttestLocked(t *testing.T) {
	r := newRig(t)
	r.soft.Lockout(21)
	r.opens("locked", r.attested())
}

// The secret of a credential is never on the bus in the clear.
func TestCredentialOnTheBus(t *testing.T) {
	r := newRig(t)
	maker := swtpm.NewMaker(t, "maker", nextYear)
	for _, kind := range []string{"rsa", "ecc"} {
		r.soft.Endorse(maker, kind)
		a := r.attested()
		var heard bus
		r.tpm.Tap(heard.listen)
		r.opens(kind, a)
		if len(heard.all) < 1000 || bytes.Contains(heard.all, sesame) {
			t.Errorf("%s: %d bytes are on the bus, or the secret", kind, len(heard.all))
		}
		r.tpm.Tap(func([]byte, []byte) {})
		r.soft.RemoveNV(swtpm.IssuersOfThem)
	}
}

// Two guards attest, open and unseal at the same time.
func TestAttestTogether(t *testing.T) {
	r := newRig(t)
	sealed := r.sealed(pin("1234"), nil)
	blob, encrypted := credential(t, r.attested())
	var wait sync.WaitGroup
	for range 2 {
		s := tpmseal.New(r.open(), cheap, tpmseal.WithTries(r.tries, limit))
		for _, do := range []func() error{
			func() error { _, err := s.Attest(statement); return err },
			func() error { _, err := s.Activate(blob, encrypted); return err },
			func() error { _, err := s.Unseal(sealed, pin("1234"), context); return err },
		} {
			wait.Go(func() {
				for range 10 {
					if err := do(); err != nil {
						t.Errorf("together: %v", err)
						return
					}
				}
			})
		}
	}
	wait.Wait()
}

// How long it takes, where a TPM is software: BenchmarkAttest, BenchmarkActivate.
func BenchmarkAttest(b *testing.B) { benchmark(b, false) }

func BenchmarkActivate(b *testing.B) { benchmark(b, true) }

func benchmark(b *testing.B, activate bool) {
	soft := swtpm.Start(b)
	tpm, err := tpmseal.Open(soft.Address())
	if err != nil {
		b.Fatal(err)
	}
	s := tpmseal.New(tpm, cheap)
	for _, kind := range []string{"rsa", "ecc"} {
		soft.Endorse(swtpm.NewMaker(b, "maker", nextYear), kind)
		soft.RemoveNV(swtpm.IssuersOfThem)
		a, err := s.Attest(statement)
		if err != nil {
			b.Fatal(err)
		}
		blob, encrypted := credential(b, a)
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				if activate {
					_, err = s.Activate(blob, encrypted)
				} else {
					_, err = s.Attest(statement)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
