package local

import (
	"crypto/cipher"
	"crypto/subtle"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// maxGCMStream bounds what a multi-part operation buffers: plaintext must not be given out before its tag is checked.
const maxGCMStream = 64 << 20

// usualNonce is the IV length whose cipher is kept with the key.
const usualNonce = 12

// newGCM is the cipher for the scheme's IV, with the whole tag: shorter ones are cut from it.
func newGCM(k *secretKey, s *mech.Scheme) (cipher.AEAD, error) {
	if len(s.IV) == 0 || s.TagLen < 4 || s.TagLen > gcmTagLen {
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "the IV of GCM has at least 1 byte, the tag 4 to 16")
	}
	if len(s.IV) == usualNonce {
		k.gcmOnce.Do(func() { k.gcm, k.gcmErr = cipher.NewGCM(k.block) })
		return k.gcm, k.gcmErr
	}
	aead, err := cipher.NewGCMWithNonceSize(k.block, len(s.IV))
	if err != nil {
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "GCM: %w", err)
	}
	return aead, nil
}

func sealGCM(k *secretKey, dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	aead, err := newGCM(k, s)
	if err != nil {
		return nil, err
	}
	out := aead.Seal(dst, s.IV, data, s.AAD)
	return out[:len(out)-gcmTagLen+s.TagLen], nil
}

func openGCM(k *secretKey, dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	aead, err := newGCM(k, s)
	if err != nil {
		return nil, err
	}
	if len(data) < s.TagLen {
		return nil, ck.CKR_ENCRYPTED_DATA_LEN_RANGE
	}
	if s.TagLen != gcmTagLen {
		return openShortTag(aead, dst, s, data)
	}
	out, err := aead.Open(dst, s.IV, data, s.AAD)
	if err != nil {
		return nil, ck.CKR_ENCRYPTED_DATA_INVALID
	}
	return out, nil
}

// openShortTag opens what has a tag that crypto/cipher does not know. GCM encrypts by a key stream, so sealing the ciphertext gives the
// plaintext (and a tag that means nothing), and sealing that gives the tag to compare with.
func openShortTag(aead cipher.AEAD, dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	n := len(data) - s.TagLen
	plain := aead.Seal(nil, s.IV, data[:n], s.AAD)[:n]
	defer secret.Wipe(plain)
	want := aead.Seal(nil, s.IV, plain, s.AAD)[n : n+s.TagLen]
	if subtle.ConstantTimeCompare(want, data[n:]) != 1 {
		return nil, ck.CKR_ENCRYPTED_DATA_INVALID
	}
	return append(dst, plain...), nil
}

// gcm is the multi-part form: it collects, and works at the end.
type gcm struct {
	key     *secretKey
	scheme  mech.Scheme
	data    []byte
	decrypt bool
}

func streamGCM(k *secretKey, s *mech.Scheme, op mech.Op) (state, error) {
	if _, err := newGCM(k, s); err != nil {
		return nil, err
	}
	// Nothing of the caller's is kept: it may be part of a message, which is gone by then. A clone of an empty part of it would keep all of its memory.
	own := mech.Scheme{Row: s.Row, TagLen: s.TagLen, IV: append([]byte(nil), s.IV...), AAD: append([]byte(nil), s.AAD...)}
	return &gcm{key: k, scheme: own, decrypt: op == mech.OpDecrypt}, nil
}

func (g *gcm) update(dst, part []byte) ([]byte, error) {
	if len(part) > maxGCMStream-len(g.data) {
		return nil, ck.Errorf(ck.CKR_DATA_LEN_RANGE, "AES-GCM in parts is limited to %d bytes", maxGCMStream)
	}
	if need := len(g.data) + len(part); need > cap(g.data) { // grow by hand, to wipe what is left behind
		grown := append(make([]byte, 0, 2*need), g.data...)
		secret.Wipe(g.data)
		g.data = grown
	}
	g.data = append(g.data, part...)
	return dst, nil
}

func (g *gcm) final(dst []byte) ([]byte, error) {
	if g.decrypt {
		return openGCM(g.key, dst, &g.scheme, g.data)
	}
	return sealGCM(g.key, dst, &g.scheme, g.data)
}

func (g *gcm) shape() guard.StreamShape { return guard.StreamShape{} }

func (g *gcm) finalLen() int {
	if g.decrypt {
		return max(0, len(g.data)-g.scheme.TagLen)
	}
	return len(g.data) + g.scheme.TagLen
}

func (g *gcm) wipe() { secret.Wipe(g.data) }
