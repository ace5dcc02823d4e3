package local

import (
	"crypto/cipher"
	"math/big"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// ctr is AES-CTR, one-shot and multi-part. The low bits of the counter block count, and must not wrap: that would use a key stream twice.
// PKCS #11 v3.2 lets them overflow after the last block only.
type ctr struct {
	xor  cipher.Stream
	left *big.Int // bytes of key stream
}

func newCTR(k *secretKey, s *mech.Scheme) (*ctr, error) {
	if len(s.IV) != blockLen || s.CounterBits < 1 || s.CounterBits > 8*blockLen {
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "malformed counter")
	}
	size := new(big.Int).Lsh(one, uint(s.CounterBits))
	start := new(big.Int).SetBytes(s.IV)
	start.And(start, new(big.Int).Sub(size, one))
	left := size.Sub(size, start)
	return &ctr{cipher.NewCTR(k.block, s.IV), left.Mul(left, big.NewInt(blockLen))}, nil
}

func cryptCTR(k *secretKey, dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	c, err := newCTR(k, s)
	if err != nil {
		return nil, err
	}
	return c.update(dst, data)
}

func streamCTR(k *secretKey, s *mech.Scheme, _ mech.Op) (state, error) { return newCTR(k, s) }

func (c *ctr) update(dst, part []byte) ([]byte, error) {
	n := big.NewInt(int64(len(part)))
	if c.left.Cmp(n) < 0 {
		return nil, ck.Errorf(ck.CKR_DATA_LEN_RANGE, "the counter would wrap around")
	}
	c.left.Sub(c.left, n)
	out := append(dst, part...)
	c.xor.XORKeyStream(out[len(dst):], out[len(dst):])
	return out, nil
}

func (c *ctr) final(dst []byte) ([]byte, error) { return dst, nil }

func (c *ctr) updateLen(n int) int { return n }

func (c *ctr) finalLen() int { return 0 }

func (c *ctr) wipe() { c.xor = nil }
