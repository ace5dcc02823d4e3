package blob

import (
	"bytes"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Head is what the first bytes of a PrivateKeyInfo tell, before its secret begins.
type Head struct {
	Algorithm string // CNG's: RSA or ECDH
	KeyType   ck.KeyType
	Bare      bool // nothing follows the key: no attributes that say what it is for
}

// MaxHead is how many bytes the longest head has, and so how many of a decrypted key are to be looked at. No form that ReadHead knows has a secret as early:
// an RSAPrivateKey begins with its modulus, and the scalar of an ECPrivateKey stands 32 bytes or more from the beginning.
const MaxHead = 32

// ReadHead reads the head of a PrivateKeyInfo; false where it is not of a form that a guard takes, or these bytes do not show that it is.
func ReadHead(first []byte) (Head, bool) {
	c := cursor{data: first}
	outer := c.header(0x30)
	end := c.at + outer
	version := c.take(3)
	c.header(0x30)
	oid := c.element()
	params := c.element()
	key := c.header(0x04)
	if c.bad || !bytes.Equal(version, []byte{2, 1, 0}) || c.at > MaxHead {
		return Head{}, false
	}
	h := Head{Bare: c.at+key == end}
	switch {
	case bytes.Equal(oid, oidRSA) && bytes.Equal(params, asn1Null):
		h.Algorithm, h.KeyType = "RSA", ck.CKK_RSA
	case bytes.Equal(oid, oidEC) && curveByParams(params) != nil && curveByParams(params).known != nil:
		h.Algorithm, h.KeyType = "ECDH", ck.CKK_EC
	default:
		return Head{}, false
	}
	return h, true
}

// cursor reads DER of which only the beginning is there.
type cursor struct {
	data []byte
	at   int
	bad  bool
}

func (c *cursor) take(n int) []byte {
	if c.bad || n > len(c.data)-c.at {
		c.bad = true
		return nil
	}
	c.at += n
	return c.data[c.at-n : c.at]
}

// header takes a tag and a length, which it gives.
func (c *cursor) header(tag byte) int {
	first := c.take(2)
	switch {
	case c.bad || first[0] != tag:
		c.bad = true
		return 0
	case first[1] < 0x80:
		return int(first[1])
	}
	n := 0
	octets := c.take(int(first[1] & 0x7f))
	if len(octets) == 0 || len(octets) > 3 {
		c.bad = true
		return 0
	}
	for _, b := range octets {
		n = n<<8 | int(b)
	}
	return n
}

// element takes an element that is short.
func (c *cursor) element() []byte {
	from := c.at
	head := c.take(2)
	if c.bad || head[1] >= 0x80 {
		c.bad = true
		return nil
	}
	c.take(int(head[1]))
	if c.bad {
		return nil
	}
	return c.data[from:c.at]
}
