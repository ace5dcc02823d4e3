package blob

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// reader takes a blob apart: a header of little-endian ULONGs, then numbers of the lengths that the header gives. After the last one, end says whether
// everything fitted; until then what does not fit reads as nothing.
type reader struct {
	data []byte
	bad  bool
}

// ulong reads a field of the header.
func (r *reader) ulong() uint32 {
	field := r.take(4)
	if field == nil {
		return 0
	}
	return binary.LittleEndian.Uint32(field)
}

// take gives the next n bytes, of which there may be fewer than a header claims.
func (r *reader) take(n uint32) []byte {
	if r.bad || uint64(n) > uint64(len(r.data)) {
		r.bad = true
		return nil
	}
	taken := r.data[:n:n]
	r.data = r.data[n:]
	return taken
}

// end fails where the blob was too short or is too long.
func (r *reader) end() error {
	if r.bad || len(r.data) != 0 {
		return nte.Errorf(nte.NTE_BAD_DATA, "the lengths in the blob's header do not fit its size")
	}
	return nil
}

// number is a big-endian number as PKCS #11 has it: without leading zeros.
func number(value []byte) []byte { return bytes.TrimLeft(value, "\x00") }

// writer puts a blob together, in memory that is wiped.
type writer struct {
	out *secret.Bytes
	at  int
}

func newWriter(size int) *writer { return &writer{out: secret.New(size)} }

func (w *writer) ulong(values ...uint32) {
	for _, v := range values {
		binary.LittleEndian.PutUint32(w.out.Bytes()[w.at:], v)
		w.at += 4
	}
}

// fixed writes a big-endian number into n bytes, which must be enough for it.
func (w *writer) fixed(value []byte, n int) {
	copy(w.out.Bytes()[w.at+n-len(value):], value)
	w.at += n
}

func (w *writer) bytes(value []byte) { w.fixed(value, len(value)) }

// text reads UTF-16LE with its NUL, or without.
func text(value []byte) (string, bool) {
	if len(value)%2 != 0 {
		return "", false
	}
	units := make([]uint16, len(value)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(value[2*i:])
	}
	if n := len(units); n > 0 && units[n-1] == 0 {
		units = units[:n-1]
	}
	for i, u := range units {
		if u == 0 || utf16.IsSurrogate(rune(u)) && !paired(units, i) {
			return "", false
		}
	}
	return string(utf16.Decode(units)), true
}

// paired says whether the surrogate at i has its other half.
func paired(units []uint16, i int) bool {
	const replacement = '\uFFFD'
	before := i > 0 && utf16.DecodeRune(rune(units[i-1]), rune(units[i])) != replacement
	after := i+1 < len(units) && utf16.DecodeRune(rune(units[i]), rune(units[i+1])) != replacement
	return before || after
}

// wide writes UTF-16LE with its NUL.
func wide(s string) []byte {
	out := make([]byte, 0, 2*len(s)+2)
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return append(out, 0, 0)
}
