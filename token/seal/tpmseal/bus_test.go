package tpmseal_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"sync"
	"testing"

	"golang.org/x/crypto/argon2"

	"github.com/ncrypt11/ncrypt11/test/swtpm"
	"github.com/ncrypt11/ncrypt11/token/seal/tpmseal"
)

// bus is what went over it.
type bus struct {
	mu  sync.Mutex
	all []byte
}

func (b *bus) listen(command, answer []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(append(b.all, command...), answer...)
}

// Neither the key in the data object nor the PIN's hash is ever on the bus in the clear. The test knows the key because it asks the TPM, too,
// with the PIN's hash as a password and without encryption.
func TestBus(t *testing.T) {
	r := newRig(t)
	var quiet bus
	r.tpm.Tap(quiet.listen)
	blob := r.sealed(pin("1234"), nil)
	r.want("unseal", blob, pin("1234"), nil)

	hash := argon2.IDKey([]byte("1234"), blob[atSalt:atSalt+32], 1, 8, 1, 32)
	tpmseal.WithoutZeros(hash)
	key := unsealOpenly(t, r.soft, blob, hash)
	for name, secret := range map[string][]byte{"the key": key, "the PIN's hash": hash} {
		if bytes.Contains(quiet.all, secret) {
			t.Errorf("%s is on the bus", name)
		}
	}
	if len(quiet.all) < 1000 || bytes.Contains(quiet.all, master) || bytes.Contains(quiet.all, []byte("1234")) {
		t.Errorf("%d bytes are on the bus, or the master key, or the PIN", len(quiet.all))
	}

	// It is the key: it opens the master key as FORMAT.md says.
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, _ := cipher.NewGCM(block)
	at := atNonce(blob)
	head, sealed := blob[:at+12], blob[at+12:len(blob)-tpmseal.ChecksumLen]
	got, err := gcm.Open(nil, head[at:], sealed, append(bytes.Clone(head), context...))
	if err != nil || !bytes.Equal(got, master) {
		t.Errorf("FORMAT.md is wrong: %v", err)
	}
}

// unsealOpenly gives what is in the data object of a blob that nobody is named in.
func unsealOpenly(t *testing.T, s *swtpm.TPM, blob, auth []byte) []byte {
	t.Helper()
	u16 := binary.BigEndian.AppendUint16
	coordinate := append([]byte{0, 32}, make([]byte, 32)...)
	// The TCG's template, byte by byte: ECC, SHA-256, attributes, no policy, AES-128-CFB, no scheme, P-256, no KDF, X and Y.
	template := bytes.Join([][]byte{{0, 0x23, 0, 0x0B, 0, 3, 0x04, 0x72, 0, 0, 0, 6, 0, 128, 0, 0x43, 0, 0x10, 0, 3, 0, 0x10}, coordinate, coordinate}, nil)
	public := append(u16(nil, uint16(len(template))), template...)
	parent, _ := s.Do(0x131, []uint32{0x40000001}, nil, []byte{0, 4, 0, 0, 0, 0}, public, make([]byte, 2+4)) // TPM2_CreatePrimary

	// A data object: KEYEDHASH, SHA-256, fixedTPM | fixedParent | userWithAuth | adminWithPolicy, policy, no scheme, unique.
	object := bytes.Join([][]byte{{0, 8, 0, 0x0B, 0, 0, 0, 0xD2, 0, 32}, blob[atPolicy:atUnique], {0, 0x10, 0, 32}, blob[atUnique:atSize]}, nil)
	loaded, _ := s.Do(0x157, []uint32{parent}, nil, blob[atSize:atNonce(blob)], u16(nil, uint16(len(object))), object) // TPM2_Load
	_, answer := s.Do(0x15E, []uint32{loaded}, auth)                                                                   // TPM2_Unseal
	s.Flush()
	const behind = 10 + 4 + 2 // header, size of the parameters, size of the data
	return answer[behind : behind+32]
}
