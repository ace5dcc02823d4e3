package server

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// A ticket lets a client go on with the next guard where this one ends: it is the client's open vault, encrypted, in the client's own hands. Else a
// client would have to keep the PIN for that. A PIN is good for all it was set for, at any time, by whoever reads it in the client's memory, and on every
// token where its owner uses it again; a ticket is good for nothing but to have a guard on this machine, before its next boot, open the vault
// again for this user and process. It allows no change of the PIN (local.Keys.Reseal), and there is nothing in it to guess. What it holds, the TPM
// opens for whoever may use the TPM: that is the guard alone where it has a user of its own. A client that may
// not open the token any more (its access list says so, and is checked again) gains nothing by an old ticket.
//
// It is what an open vault in this guard already is: a PIN that is changed elsewhere ends neither.
//
//	ticket     = version(1) | length of blob(2) | blob | nonce(12) | AES-256-GCM under K of (master key(32) | terms | serial)
//	blob       = K, sealed for this boot and without a PIN
//	additional = version, length, blob | kind of principal(1) | its id(4) | pid(4)
//
// K is random, and each guard process has its own, made and sealed with its first ticket.

const (
	ticketVersion = 1
	ticketHead    = 3
	ticketKeyLen  = 32
	gcmNonceLen   = 12
	gcmTagLen     = 16
	masterLen     = 32
	maxTicketBlob = 8 << 10
	maxTicket     = ticketHead + maxTicketBlob + gcmNonceLen + masterLen + seal.MaxTermsLen + maxSerial + gcmTagLen
	// maxForeign bounds the keys of other guards that are remembered: there is one, the guard's before this, and one for each crash before.
	maxForeign = 16
)

var ticketContext = []byte("ncrypt11 guard resumption")

var errTicket = ck.Errorf(ck.CKR_ACTION_PROHIBITED, "the ticket is not this program's, or damaged")

// ticket is what one says.
type ticket struct {
	master *secret.Bytes
	terms  *seal.Terms
	serial string
}

// tickets issues them, and opens those of guards before.
type tickets struct {
	sealer seal.Sealer

	mu      sync.Mutex // held also while the sealer works, so that each blob is unsealed once, however many ask
	key     *secret.Bytes
	blob    []byte // key, sealed
	never   bool   // the sealer does not promise what a ticket needs
	foreign []foreignKey
}

type foreignKey struct {
	blob [sha256.Size]byte
	key  *secret.Bytes
}

// issue gives a ticket for who has the vault open; nil where there can be none.
func (t *tickets) issue(of *ticket, name seal.Principal, pid int32) []byte {
	if pid == 0 && name.Kind != seal.VM { // a process that cannot be told from its neighbours
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ready() {
		return nil
	}
	aead, err := ticketCipher(t.key)
	if err != nil {
		return nil
	}
	plain := secret.From(of.append(make([]byte, 0, masterLen+seal.MaxTermsLen+maxSerial)))
	defer plain.Close()
	head := ticketHeader(t.blob)
	nonce := make([]byte, gcmNonceLen)
	rand.Read(nonce)
	return aead.Seal(append(head, nonce...), nonce, plain.Bytes(), bound(head, name, pid))
}

// ready makes the key, with the first ticket. The lock is held.
func (t *tickets) ready() bool {
	if t.key != nil || t.never {
		return t.key != nil
	}
	key := secret.New(ticketKeyLen)
	rand.Read(key.Bytes())
	blob, err := t.sealer.Seal(key, nil, ticketContext, &seal.Terms{PerBoot: true})
	if err != nil || len(blob) > maxTicketBlob {
		key.Close()
		t.never = errors.Is(err, seal.ErrTerms)
		return false
	}
	t.key, t.blob = key, blob
	return true
}

// open reads a ticket for who presents it.
func (t *tickets) open(b []byte, name seal.Principal, pid int32) (*ticket, error) {
	if len(b) < ticketHead || len(b) > maxTicket || b[0] != ticketVersion {
		return nil, errTicket
	}
	blobLen := int(binary.BigEndian.Uint16(b[1:]))
	rest := b[ticketHead:]
	if blobLen > maxTicketBlob || len(rest) < blobLen+gcmNonceLen+masterLen+gcmTagLen {
		return nil, errTicket
	}
	blob, nonce, sealed := rest[:blobLen], rest[blobLen:blobLen+gcmNonceLen], rest[blobLen+gcmNonceLen:]
	aead, err := t.cipherOf(blob)
	if err != nil {
		return nil, err
	}
	plain := secret.New(len(sealed) - gcmTagLen)
	defer plain.Close()
	if _, err := aead.Open(plain.Bytes()[:0], nonce, sealed, bound(ticketHeader(blob), name, pid)); err != nil {
		return nil, errTicket
	}
	return parseTicket(plain.Bytes())
}

// append writes what is encrypted in a ticket.
func (t *ticket) append(b []byte) []byte {
	b = append(b, t.master.Bytes()...)
	return append(t.terms.Append(b), t.serial...)
}

// parseTicket reads what a guard wrote: nobody else could have. A guard of another version may have written something else. b is long enough for a master key.
func parseTicket(b []byte) (*ticket, error) {
	terms, serial, err := seal.CutTerms(b[masterLen:])
	if err != nil || len(serial) > maxSerial {
		return nil, errTicket
	}
	return &ticket{secret.Copy(b[:masterLen]), terms, string(serial)}, nil
}

// cipherOf gives the cipher whose key is in the blob: the guard's own, one that is remembered, or one that the TPM unseals.
func (t *tickets) cipherOf(blob []byte) (cipher.AEAD, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.key != nil && bytes.Equal(blob, t.blob) {
		return ticketCipher(t.key)
	}
	name := sha256.Sum256(blob)
	for _, f := range t.foreign {
		if f.blob == name {
			return ticketCipher(f.key)
		}
	}
	key, err := t.sealer.Unseal(blob, nil, ticketContext)
	if err != nil {
		return nil, ck.Errorf(ck.CKR_DEVICE_ERROR, "the ticket cannot be unsealed: %w", err)
	}
	if key.Len() != ticketKeyLen {
		key.Close()
		return nil, errTicket
	}
	if len(t.foreign) == maxForeign {
		t.foreign[0].key.Close()
		t.foreign = slices.Delete(t.foreign, 0, 1)
	}
	t.foreign = append(t.foreign, foreignKey{name, key})
	return ticketCipher(key)
}

// close wipes the keys.
func (t *tickets) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.key.Close()
	t.key, t.never = nil, true
	for _, f := range t.foreign {
		f.key.Close()
	}
	t.foreign = nil
}

func ticketCipher(key *secret.Bytes) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key.Bytes())
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func ticketHeader(blob []byte) []byte {
	head := append(make([]byte, 0, maxTicket), ticketVersion)
	return append(binary.BigEndian.AppendUint16(head, uint16(len(blob))), blob...)
}

// bound is the additional data: a ticket is of use to the process that got it, and to no other.
func bound(head []byte, name seal.Principal, pid int32) []byte {
	b := append(slices.Clip(head), byte(name.Kind))
	b = binary.BigEndian.AppendUint32(b, name.ID)
	return binary.BigEndian.AppendUint32(b, uint32(pid))
}
