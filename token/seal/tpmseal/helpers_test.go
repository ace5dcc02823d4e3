package tpmseal_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/test/swtpm"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/pinhash"
	"github.com/ncrypt11/ncrypt11/token/seal/tpmseal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

var (
	cheap   = tpmseal.WithCost(pinhash.Cost{Passes: 1, KiB: 8, Threads: 1})
	context = []byte("token 0123456789abcdef user")
	master  = bytes.Repeat([]byte{0x5a}, 32)

	perBoot = &seal.Terms{PerBoot: true}
	forSome = &seal.Terms{Access: seal.Access{
		Owner: seal.Principal{Kind: seal.User, ID: 33}, Machine: true,
		Allow: []seal.Principal{{Kind: seal.Group, ID: 4}, {Kind: seal.VM, ID: 3}},
	}}
)

func pin(s string) *secret.Bytes { return secret.Copy([]byte(s)) }

// rig is a software TPM and a sealer on it.
type rig struct {
	*testing.T
	soft  *swtpm.TPM
	tpm   *tpmseal.TPM
	tries tpmseal.Tries
	*tpmseal.Sealer
}

const limit = 4

// newRig starts a TPM that takes 20 wrong PINs and forgets none, and checks in the end that nothing was left in it.
func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t, soft: swtpm.Start(t)}
	r.soft.Tolerate(20, 1000)
	r.tpm = r.open()
	r.tries = tpmseal.FileTries(t.TempDir())
	r.Sealer = tpmseal.New(r.tpm, cheap, tpmseal.WithTries(r.tries, limit))
	t.Cleanup(func() {
		if left := r.soft.Loaded(); len(left) != 0 {
			t.Errorf("%x were left in the TPM", left)
		}
	})
	return r
}

// open is another way to the same TPM. It gives up soon.
func (r *rig) open() *tpmseal.TPM {
	r.Helper()
	tpm, err := tpmseal.Open(r.soft.Address(), tpmseal.WithPatience(2*time.Second))
	if err != nil {
		r.Fatal(err)
	}
	return tpm
}

// sealed seals master.
func (r *rig) sealed(auth *secret.Bytes, terms *seal.Terms) []byte {
	r.Helper()
	blob, err := r.Seal(secret.Copy(master), auth, context, terms)
	if err != nil {
		r.Fatal(err)
	}
	return blob
}

// want unseals, and checks what comes of it: a seal error, or nil for the master key.
func (r *rig) want(what string, blob []byte, auth *secret.Bytes, want error) error {
	r.Helper()
	return wantFrom(r.T, r.Sealer, what, blob, auth, want)
}

func wantFrom(t testing.TB, s *tpmseal.Sealer, what string, blob []byte, auth *secret.Bytes, want error) error {
	t.Helper()
	got, err := s.Unseal(blob, auth, context)
	if !errors.Is(err, want) {
		t.Fatalf("%s: %v, want %v", what, err, want)
	}
	if want == nil && !got.Equal(master) {
		t.Fatalf("%s: another master key", what)
	}
	if rv := ck.Code(err); rv != ck.CKR_GENERAL_ERROR && rv != codes[want] {
		t.Fatalf("%s: %v, want %v", what, rv, codes[want])
	}
	return err
}

// codes are the CK_RV of seal's errors, where one of them carries any.
var codes = map[error]ck.RV{
	nil:             ck.CKR_OK,
	seal.ErrAuth:    ck.CKR_PIN_INCORRECT,
	seal.ErrLocked:  ck.CKR_PIN_LOCKED,
	seal.ErrDamaged: ck.CKR_DEVICE_ERROR,
	seal.ErrAbsent:  ck.CKR_DEVICE_REMOVED,
	seal.ErrBusy:    ck.CKR_FUNCTION_FAILED,
}

// spent runs do and gives the commands that it took.
func (r *rig) spent(do func()) map[string]uint64 {
	before := r.tpm.Commands()
	do()
	after := r.tpm.Commands()
	maps.DeleteFunc(after, func(name string, n uint64) bool { return before[name] == n })
	for name := range after {
		after[name] -= before[name]
	}
	return after
}

// A blob's parts that tests alter, as FORMAT.md has them for terms that nobody is named in.
const (
	atKind   = 8
	atFlags  = 9
	atOwner  = 10
	atAllow  = 15
	atBoot   = 16
	atCost   = 32
	atSalt   = 41
	atParent = 73
	atPolicy = 105
	atUnique = 137
	atSize   = 169
	atSecret = 171
)

// altered gives a copy with another byte, and a checksum that fits.
func altered(blob []byte, at int, xor byte) []byte {
	forged := bytes.Clone(blob[:len(blob)-tpmseal.ChecksumLen])
	forged[at] ^= xor
	return tpmseal.Checksummed(forged)
}

// atNonce is where the nonce is.
func atNonce(blob []byte) int { return atSecret + int(binary.BigEndian.Uint16(blob[atSize:])) }
