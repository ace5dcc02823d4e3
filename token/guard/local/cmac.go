package local

import (
	"crypto/cipher"
	"crypto/subtle"
)

// cmac is AES-CMAC (RFC 4493, NIST SP 800-38B) as a hash.Hash.
type cmac struct {
	block cipher.Block
	chain [blockLen]byte
	last  [blockLen]byte // the block that may be the last one, which is treated differently
	n     int            // bytes in last
}

func newCMAC(block cipher.Block) *cmac { return &cmac{block: block} }

func (c *cmac) Size() int { return blockLen }

func (c *cmac) BlockSize() int { return blockLen }

func (c *cmac) Reset() { c.chain, c.last, c.n = [blockLen]byte{}, [blockLen]byte{}, 0 }

func (c *cmac) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		if c.n == blockLen { // more follows, so it is not the last
			subtle.XORBytes(c.chain[:], c.chain[:], c.last[:])
			c.block.Encrypt(c.chain[:], c.chain[:])
			c.n = 0
		}
		copied := copy(c.last[c.n:], p)
		c.n += copied
		p = p[copied:]
	}
	return written, nil
}

func (c *cmac) Sum(dst []byte) []byte {
	var subkey [blockLen]byte
	c.block.Encrypt(subkey[:], subkey[:])
	double(&subkey) // K1
	last := c.last
	if c.n < blockLen {
		double(&subkey) // K2
		clear(last[c.n:])
		last[c.n] = 0x80
	}
	subtle.XORBytes(last[:], last[:], subkey[:])
	subtle.XORBytes(last[:], last[:], c.chain[:])
	c.block.Encrypt(last[:], last[:])
	return append(dst, last[:]...)
}

// double multiplies by x in GF(2^128), in constant time.
func double(b *[blockLen]byte) {
	carry := b[0] >> 7
	for i := range blockLen - 1 {
		b[i] = b[i]<<1 | b[i+1]>>7
	}
	b[blockLen-1] = b[blockLen-1]<<1 ^ 0x87&-carry
}
