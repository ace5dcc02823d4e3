package pinseal

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
	magic = "N11PIN\x00\x01" // the last byte is the version

	kindOpen = 0
	kindPIN  = 1

	kekLen      = pinhash.Len
	nonceLen    = 12
	tagLen      = 16
	checksumLen = 16
	headerLen   = len(magic) + 1 + pinhash.CostLen + kekLen + nonceLen
	maxMaster   = 1024
)

// header is everything before the ciphertext.
type header struct {
	kind  byte
	cost  Cost // zero where kind is kindOpen
	salt  [kekLen]byte
	nonce [nonceLen]byte
}

func (h *header) append(dst []byte) []byte {
	dst = append(dst, magic...)
	dst = append(dst, h.kind)
	dst = h.cost.Append(dst)
	dst = append(dst, h.salt[:]...)
	return append(dst, h.nonce[:]...)
}

// parse takes sealed apart: the header as a value and as bytes, and the ciphertext. It believes nothing before the checksum is right, and
// no cost that is out of bounds.
func parse(sealed, context []byte) (h *header, head, ciphertext []byte, err error) {
	if len(sealed) <= headerLen+tagLen+checksumLen || len(sealed) > headerLen+maxMaster+tagLen+checksumLen {
		return nil, nil, nil, seal.ErrDamaged
	}
	body := sealed[:len(sealed)-checksumLen]
	if !bytes.HasPrefix(body, []byte(magic)) || !bytes.Equal(appendChecksum(slices.Clip(body), context), sealed) {
		return nil, nil, nil, seal.ErrDamaged
	}
	fields := body[len(magic):headerLen]
	h = &header{kind: fields[0], cost: pinhash.Parse([pinhash.CostLen]byte(fields[1:]))}
	copy(h.salt[:], fields[1+pinhash.CostLen:])
	copy(h.nonce[:], fields[1+pinhash.CostLen+kekLen:])
	switch {
	case h.kind == kindOpen && h.cost == Cost{}, h.kind == kindPIN && h.cost.OK():
		return h, body[:headerLen], body[headerLen:], nil
	}
	return nil, nil, nil, seal.ErrDamaged
}

// associated is the data that AES-GCM authenticates beside the master key.
func associated(head, context []byte) []byte {
	return append(slices.Clip(head), context...)
}

// appendChecksum appends what tells damage from a wrong PIN. It is no protection against forgery: AES-GCM is.
func appendChecksum(blob, context []byte) []byte {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(blob))))
	h.Write(blob)
	h.Write(context)
	return append(blob, h.Sum(nil)[:checksumLen]...)
}
