package local

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// AES key wrap (RFC 3394) and with padding (RFC 5649); NIST SP 800-38F calls them KW and KWP.

const (
	semiblock     = 8
	maxKeyWrapLen = 1 << 20 // a key; the RFCs allow 4 GiB
)

var (
	defaultKW  = []byte{0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6}
	defaultKWP = []byte{0xa6, 0x59, 0x59, 0xa6}
)

// initial is the scheme's initial value, which must be as long as the default.
func initial(s *mech.Scheme, byDefault []byte) ([]byte, error) {
	switch len(s.IV) {
	case 0:
		return byDefault, nil
	case len(byDefault):
		return s.IV, nil
	}
	return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "the initial value has %d bytes", len(byDefault))
}

func wrapKW(k *secretKey, dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	iv, err := initial(s, defaultKW)
	if err != nil {
		return nil, err
	}
	if len(data)%semiblock != 0 || len(data) < 2*semiblock || len(data) > maxKeyWrapLen {
		return nil, ck.CKR_DATA_LEN_RANGE
	}
	out := append(append(slices.Grow(dst, semiblock+len(data)), iv...), data...)
	wrapRounds(k.block, out[len(dst):])
	return out, nil
}

func unwrapKW(k *secretKey, dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	iv, err := initial(s, defaultKW)
	if err != nil {
		return nil, err
	}
	if len(data)%semiblock != 0 || len(data) < 3*semiblock || len(data) > maxKeyWrapLen+semiblock {
		return nil, ck.CKR_ENCRYPTED_DATA_LEN_RANGE
	}
	work := append([]byte{}, data...)
	defer secret.Wipe(work)
	unwrapRounds(k.block, work)
	if subtle.ConstantTimeCompare(work[:semiblock], iv) != 1 {
		return nil, ck.CKR_ENCRYPTED_DATA_INVALID
	}
	return append(dst, work[semiblock:]...), nil
}

func wrapKWP(k *secretKey, dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	iv, err := initial(s, defaultKWP)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 || len(data) > maxKeyWrapLen {
		return nil, ck.CKR_DATA_LEN_RANGE
	}
	out := append(slices.Grow(dst, blockLen+len(data)), iv...) // at once, so that no copy of the data is left behind
	out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
	out = append(out, data...)
	for (len(out)-len(dst))%semiblock != 0 {
		out = append(out, 0)
	}
	if body := out[len(dst):]; len(body) == blockLen {
		k.block.Encrypt(body, body)
	} else {
		wrapRounds(k.block, body)
	}
	return out, nil
}

func unwrapKWP(k *secretKey, dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	iv, err := initial(s, defaultKWP)
	if err != nil {
		return nil, err
	}
	if len(data)%semiblock != 0 || len(data) < blockLen || len(data) > maxKeyWrapLen+semiblock {
		return nil, ck.CKR_ENCRYPTED_DATA_LEN_RANGE
	}
	work := append([]byte{}, data...)
	defer secret.Wipe(work)
	if len(work) == blockLen {
		k.block.Decrypt(work, work)
	} else {
		unwrapRounds(k.block, work)
	}
	padded := work[semiblock:]
	n := int(binary.BigEndian.Uint32(work[4:]))
	good := subtle.ConstantTimeCompare(work[:4], iv) &
		subtle.ConstantTimeLessOrEq(len(padded)-semiblock+1, n) & subtle.ConstantTimeLessOrEq(n, len(padded))
	for i := len(padded) - semiblock; i < len(padded); i++ {
		data := subtle.ConstantTimeLessOrEq(i+1, n)
		good &= data | subtle.ConstantTimeByteEq(padded[i], 0)
	}
	if good != 1 {
		return nil, ck.CKR_ENCRYPTED_DATA_INVALID
	}
	return append(dst, padded[:n]...), nil
}

// wrapRounds is the wrapping process of RFC 3394, section 2.2.1: b is A, the initial value, and R, the key, and becomes the wrapped key.
func wrapRounds(block cipher.Block, b []byte) {
	n := len(b)/semiblock - 1
	var x [blockLen]byte // A | R[i]
	copy(x[:], b[:semiblock])
	for t := uint64(1); t <= uint64(6*n); t++ {
		r := b[semiblock*(1+int(t-1)%n):][:semiblock]
		copy(x[semiblock:], r)
		block.Encrypt(x[:], x[:])
		binary.BigEndian.PutUint64(x[:], binary.BigEndian.Uint64(x[:])^t)
		copy(r, x[semiblock:])
	}
	copy(b, x[:semiblock])
}

// unwrapRounds undoes wrapRounds.
func unwrapRounds(block cipher.Block, b []byte) {
	n := len(b)/semiblock - 1
	var x [blockLen]byte
	copy(x[:], b[:semiblock])
	for t := uint64(6 * n); t >= 1; t-- {
		r := b[semiblock*(1+int(t-1)%n):][:semiblock]
		binary.BigEndian.PutUint64(x[:], binary.BigEndian.Uint64(x[:])^t)
		copy(x[semiblock:], r)
		block.Decrypt(x[:], x[:])
		copy(r, x[semiblock:])
	}
	copy(b, x[:semiblock])
	secret.Wipe(x[:])
}
