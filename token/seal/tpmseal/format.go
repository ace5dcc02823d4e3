package tpmseal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/pinhash"
)

// FORMAT.md, version 1.
const (
	magic = "N11TPM\x00\x01" // the last byte is the version

	kindOpen = 0
	kindPIN  = 1

	bootLen     = 16
	saltLen     = 32
	parentLen   = sha256.Size
	nonceLen    = 12
	tagLen      = 16
	checksumLen = 16
	maxMaster   = 1024
	maxBlob     = 4096
)

// blob is a sealed master key, taken apart.
type blob struct {
	terms  *seal.Terms
	boot   [bootLen]byte // zero but for per-boot terms
	cost   pinhash.Cost  // zero without a PIN
	salt   [saltLen]byte // zero without a PIN
	parent [parentLen]byte
	object object
	nonce  [nonceLen]byte

	head       []byte // everything before the ciphertext
	ciphertext []byte
}

// promises encodes what the object's policy binds: all that is known before the TPM is asked.
func (b *blob) promises() []byte {
	kind := byte(kindOpen)
	var cost [pinhash.CostLen]byte
	if b.object.pin {
		kind = kindPIN
		b.cost.Append(cost[:0])
	}
	dst := append([]byte(magic), kind)
	dst = b.terms.Append(dst)
	return slices.Concat(dst, b.boot[:], cost[:], b.salt[:])
}

// policyLabel keeps our policy apart from whatever else is hashed.
const policyLabel = "ncrypt11 master key: terms and context, version 1"

// policy is the hash that stands in the object's authPolicy. The TPM never compares it with anything; it is in the object's Name.
func (b *blob) policy(context []byte) (digest [sha256.Size]byte) {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(policyLabel), b.promises(), context} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write(part)
	}
	h.Sum(digest[:0])
	return digest
}

// appendHead encodes everything before the ciphertext.
func (b *blob) appendHead(dst []byte) []byte {
	dst = append(dst, b.promises()...)
	dst = append(dst, b.parent[:]...)
	dst = append(dst, b.object.policy[:]...)
	dst = append(dst, b.object.unique[:]...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(b.object.private)))
	dst = append(dst, b.object.private...)
	return append(dst, b.nonce[:]...)
}

// appendChecksum appends what tells a torn file from one that was sealed elsewhere. It is no protection against forgery: the TPM's Load and
// AES-GCM are.
func appendChecksum(sealed []byte) []byte {
	sum := sha256.Sum256(sealed)
	return append(sealed, sum[:checksumLen]...)
}

// parse takes sealed apart. It believes nothing before the checksum is right, and takes nothing that Seal would have written otherwise.
func parse(sealed []byte) (*blob, error) {
	if len(sealed) <= checksumLen || len(sealed) > maxBlob {
		return nil, seal.ErrDamaged
	}
	body := slices.Clip(sealed[:len(sealed)-checksumLen])
	if !bytes.Equal(appendChecksum(body), sealed) {
		return nil, seal.ErrDamaged
	}
	r := &reader{rest: body}
	b := &blob{}
	if string(r.take(len(magic))) != magic {
		return nil, seal.ErrDamaged
	}
	kind := r.byte()
	b.object.pin = kind == kindPIN
	b.terms = r.terms()
	r.copy(b.boot[:])
	b.cost = pinhash.Parse([pinhash.CostLen]byte(r.take(pinhash.CostLen)))
	r.copy(b.salt[:])
	r.copy(b.parent[:])
	r.copy(b.object.policy[:])
	r.copy(b.object.unique[:])
	b.object.private = bytes.Clone(r.take(int(binary.BigEndian.Uint16(r.take(2)))))
	r.copy(b.nonce[:])
	b.ciphertext = r.rest
	b.head = body[:len(body)-len(r.rest)]
	if r.bad || kind > kindPIN || !b.consistent() {
		return nil, seal.ErrDamaged
	}
	return b, nil
}

// consistent says whether the fields go together.
func (b *blob) consistent() bool {
	master, private := len(b.ciphertext)-tagLen, len(b.object.private)
	switch {
	case master < 1 || master > maxMaster || private < 1 || private > maxPrivate:
		return false
	case !b.terms.PerBoot && b.boot != [bootLen]byte{}:
		return false
	case b.object.pin:
		return b.cost.OK()
	}
	return b.cost == pinhash.Cost{} && b.salt == [saltLen]byte{}
}

// reader takes bytes from the front. Where there are too few, it gives zeros and remembers that.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.bad, r.rest = true, nil
		return make([]byte, n)
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) terms() *seal.Terms {
	t, rest, err := seal.CutTerms(r.rest)
	if err != nil {
		r.bad, r.rest = true, nil
		return &seal.Terms{}
	}
	r.rest = rest
	return t
}

func (r *reader) byte() byte { return r.take(1)[0] }

func (r *reader) copy(dst []byte) { copy(dst, r.take(len(dst))) }
