package local

import (
	"crypto/hmac"
	"crypto/subtle"
	"hash"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// newMAC is the scheme's MAC under the key, and how many bytes of it are given out.
func (k *secretKey) newMAC(s *mech.Scheme) (hash.Hash, int, error) {
	var h hash.Hash
	switch s.Row.Primitive {
	case mech.HMAC:
		h = hmac.New(s.Row.Hash.New, k.value.Bytes())
	case mech.AESCMAC:
		if k.block == nil {
			return nil, 0, ck.CKR_KEY_TYPE_INCONSISTENT
		}
		h = newCMAC(k.block)
	default:
		return nil, 0, ck.CKR_MECHANISM_INVALID
	}
	n := s.MACLen
	if n == 0 {
		n = h.Size()
	}
	if n < 0 || n > h.Size() {
		return nil, 0, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "a MAC of %d bytes", n)
	}
	return h, n, nil
}

// sign computes a MAC.
func (k *secretKey) sign(dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	h, n, err := k.newMAC(s)
	if err != nil {
		return nil, err
	}
	h.Write(data)
	return h.Sum(dst)[:len(dst)+n], nil
}

// mac is the multi-part form.
type mac struct {
	hash hash.Hash
	n    int
}

func streamMAC(k *secretKey, s *mech.Scheme, op mech.Op) (state, error) {
	h, n, err := k.newMAC(s)
	if op == mech.OpVerify {
		return &macCheck{mac{h, n}}, err
	}
	return &mac{h, n}, err
}

// macCheck is a MAC that is compared and not given out: its key may be one that only verifies.
type macCheck struct{ mac }

func (m *macCheck) final([]byte) ([]byte, error) { return nil, ck.CKR_KEY_FUNCTION_NOT_PERMITTED }

func (m *macCheck) verify(given []byte) error {
	if len(given) != m.n {
		return ck.CKR_SIGNATURE_LEN_RANGE
	}
	whole := m.hash.Sum(nil)
	defer secret.Wipe(whole)
	if subtle.ConstantTimeCompare(whole[:m.n], given) != 1 {
		return ck.CKR_SIGNATURE_INVALID
	}
	return nil
}

func (m *mac) update(dst, part []byte) ([]byte, error) {
	m.hash.Write(part)
	return dst, nil
}

func (m *mac) final(dst []byte) ([]byte, error) {
	whole := m.hash.Sum(nil)
	defer secret.Wipe(whole)
	return append(dst, whole[:m.n]...), nil
}

func (m *mac) shape() guard.StreamShape { return guard.StreamShape{} }

func (m *mac) finalLen() int { return m.n }

func (m *mac) wipe() { m.hash.Reset() }
