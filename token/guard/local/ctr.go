package local

import (
	"crypto/cipher"
	"encoding/binary"
	"math"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// ctr is AES-CTR, one-shot and multi-part. The low bits of the counter block count, and must not wrap: that would use a key stream twice.
// PKCS #11 v3.2 lets them overflow after the last block only.
type ctr struct {
	xor  cipher.Stream
	left uint64 // bytes of key stream
}

func newCTR(k *secretKey, s *mech.Scheme) (*ctr, error) {
	if len(s.IV) != blockLen || s.CounterBits < 1 || s.CounterBits > 8*blockLen {
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "malformed counter")
	}
	left := min(counterValues(s.IV, s.CounterBits), math.MaxUint64/blockLen)
	return &ctr{cipher.NewCTR(k.block, s.IV), left * blockLen}, nil
}

// counterValues is how many values the low bits of the counter block have before they wrap, or the largest number where there are more.
func counterValues(block []byte, bits int) uint64 {
	high, low := binary.BigEndian.Uint64(block), binary.BigEndian.Uint64(block[8:])
	if bits < 64 {
		return 1<<bits - low&(1<<bits-1)
	}
	unused := ^uint64(0) << (bits - 64) // of the high half; a shift by 64 leaves none
	if high|unused != ^uint64(0) || low == 0 {
		return math.MaxUint64
	}
	return -low
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
	if uint64(len(part)) > c.left {
		return nil, ck.Errorf(ck.CKR_DATA_LEN_RANGE, "the counter would wrap around")
	}
	c.left -= uint64(len(part))
	out := append(dst, part...)
	c.xor.XORKeyStream(out[len(dst):], out[len(dst):])
	return out, nil
}

func (c *ctr) final(dst []byte) ([]byte, error) { return dst, nil }

func (c *ctr) shape() guard.StreamShape { return guard.StreamShape{Unit: 1} }

func (c *ctr) finalLen() int { return 0 }

func (c *ctr) wipe() { c.xor = nil }
