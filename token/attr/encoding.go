package attr

import (
	"encoding/binary"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// The encoding of a set, all numbers big-endian:
//
//	1 byte   version (1)
//	4 bytes  number of attributes
//	then for each, strictly ascending by type: 8 bytes type, 4 bytes length, the value
//
// Values of CK_ULONG attributes are in the machine's order, as in memory. Each set has one encoding: what Decode accepts, Encode gives back.
const (
	encodingVersion = 1
	headerSize      = 1 + 4
	rowHeaderSize   = 8 + 4
)

// Limits on what is held for one object, which every template and every stored set must keep.
const (
	// MaxAttributes is the largest number of attributes.
	MaxAttributes = 4096
	// MaxValueSize is the largest size of one value in bytes.
	MaxValueSize = 16 << 20
	// MaxEncodedSize is the largest size of an encoded set in bytes.
	MaxEncodedSize = 32 << 20
)

// Encode gives the set's bytes, for Decode.
func (s *Set) Encode() []byte {
	out := append(make([]byte, 0, s.encodedSize()), encodingVersion)
	out = binary.BigEndian.AppendUint32(out, uint32(len(s.rows)))
	for i := range s.rows {
		out = binary.BigEndian.AppendUint64(out, uint64(s.rows[i].Type))
		out = binary.BigEndian.AppendUint32(out, uint32(len(s.rows[i].Value)))
		out = append(out, s.rows[i].Value...)
	}
	return out
}

func (s *Set) encodedSize() int {
	size := headerSize
	for i := range s.rows {
		size += rowHeaderSize + len(s.rows[i].Value)
	}
	return size
}

// Decode reads the bytes of Encode, of which the set keeps a copy.
func Decode(in []byte) (*Set, error) {
	if len(in) < headerSize || len(in) > MaxEncodedSize {
		return nil, malformed("size")
	}
	if in[0] != encodingVersion {
		return nil, malformed("version")
	}
	count := binary.BigEndian.Uint32(in[1:])
	rest := append([]byte{}, in[headerSize:]...)
	// The count is checked against the bytes that are there before anything of its size is allocated.
	if count > MaxAttributes || uint64(count)*rowHeaderSize > uint64(len(rest)) {
		return nil, malformed("count")
	}
	s := &Set{rows: make([]Attribute, 0, count)}
	for range count {
		if len(rest) < rowHeaderSize {
			return nil, malformed("attribute header")
		}
		typ := ck.AttributeType(binary.BigEndian.Uint64(rest))
		size := binary.BigEndian.Uint32(rest[8:])
		rest = rest[rowHeaderSize:]
		if size > MaxValueSize || uint64(size) > uint64(len(rest)) {
			return nil, malformed("value size")
		}
		if n := len(s.rows); n > 0 && s.rows[n-1].Type >= typ {
			return nil, malformed("order")
		}
		s.rows = append(s.rows, Attribute{Type: typ, Value: rest[:size:size]})
		rest = rest[size:]
	}
	if len(rest) != 0 {
		return nil, malformed("trailing bytes")
	}
	return s, nil
}

// malformed is the answer to bytes that Encode cannot have made: the store is damaged, which is no fault of a caller's.
func malformed(what string) error {
	return ck.Errorf(ck.CKR_GENERAL_ERROR, "attribute set is malformed: %s", what)
}
