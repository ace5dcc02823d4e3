package blob

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// BCRYPT_ECCKEY_BLOB (bcrypt.h): dwMagic, cbKey; then X and Y, and d of private keys, cbKey bytes each.
const (
	eccHeader    = 8
	uncompressed = 4 // what a point begins with: SEC 1, section 2.3.3
)

// eccMagic is a magic number of ECC keys: it says what they are for, and on which curve, unless that is said beside the blob.
type eccMagic struct {
	public, private uint32
	algorithm       string
	curve           *pubkey.Curve // nil: NCRYPTBUFFER_ECC_CURVE_NAME has its name
}

var eccMagics = []eccMagic{
	{0x314b4345, 0x324b4345, "ECDH_P256", pubkey.P256},
	{0x334b4345, 0x344b4345, "ECDH_P384", pubkey.P384},
	{0x354b4345, 0x364b4345, "ECDH_P521", pubkey.P521},
	{0x31534345, 0x32534345, "ECDSA_P256", pubkey.P256},
	{0x33534345, 0x34534345, "ECDSA_P384", pubkey.P384},
	{0x35534345, 0x36534345, "ECDSA_P521", pubkey.P521},
	{0x504b4345, 0x564b4345, "ECDH", nil},
	{0x50444345, 0x56444345, "ECDSA", nil},
}

func (m *eccMagic) magic(private bool) uint32 {
	if private {
		return m.private
	}
	return m.public
}

// findECC finds the row of the magic number that a blob begins with.
func findECC(r *reader, private bool) (*eccMagic, error) {
	found := r.ulong()
	i := slices.IndexFunc(eccMagics, func(m eccMagic) bool { return found == m.magic(private) })
	if i < 0 {
		return nil, r.wrongMagic(found, eccMagics[0].magic(private))
	}
	return &eccMagics[i], nil
}

var eccFormats = []format{
	{"ECCPUBLICBLOB", ck.CKO_PUBLIC_KEY, readECC(false), writeECC("ECCPUBLICBLOB", false)},
	{"ECCPRIVATEBLOB", ck.CKO_PRIVATE_KEY, readECC(true), writeECC("ECCPRIVATEBLOB", true)},
}

func readECC(private bool) func([]byte, *Options) (*Key, error) {
	return func(data []byte, o *Options) (*Key, error) {
		r := &reader{data: data}
		m, err := findECC(r, private)
		if err != nil {
			return nil, err
		}
		c := curveWhere(func(c *curve) bool { return m.curve != nil && c.known == m.curve })
		if m.curve == nil {
			c = curveNamed(o.Curve)
		}
		if c == nil {
			return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "there is no curve %q", o.Curve)
		}
		size := r.ulong()
		x, y := r.take(size), r.take(size)
		var d []byte
		if private {
			d = r.take(size)
		}
		if err := r.end(); err != nil {
			return nil, err
		}
		if int64(size) != int64(c.size) {
			return nil, nte.Errorf(nte.NTE_BAD_DATA, "numbers of %d bytes, where %s has %d", size, c.names[0], c.size)
		}
		return eccKey(m.algorithm, c, private, x, y, d)
	}
}

// eccKey makes a key of its numbers. Of a private key the public half may be zeros, as it is from programs that know d only: it is left out, and who takes
// the key in computes it.
func eccKey(algorithm string, c *curve, private bool, x, y, d []byte) (*Key, error) {
	k := newKey(algorithm, c.keyType(), private)
	k.Put(ck.CKA_EC_PARAMS, c.params)
	absent := len(number(x)) == 0 && len(number(y)) == 0
	switch {
	case absent && private:
	case !c.montgomery():
		k.Put(ck.CKA_EC_POINT, slices.Concat([]byte{uncompressed}, x, y))
	case len(number(y)) != 0:
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "a point of %s has no second coordinate: it must be zero", c.names[0])
	default:
		k.Put(ck.CKA_EC_POINT, x)
	}
	if !private {
		return k, nil
	}
	if !c.montgomery() {
		d = number(d)
	}
	if len(d) == 0 || len(d) > c.size {
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "the private number is zero, or longer than %s has it", c.names[0])
	}
	k.PutSecret(ck.CKA_VALUE, d)
	return k, nil
}

func writeECC(name string, private bool) func(*Key, *Options) (*secret.Bytes, error) {
	return func(k *Key, _ *Options) (*secret.Bytes, error) {
		if err := needs(name, k, ck.CKA_EC_PARAMS, ck.CKA_EC_POINT); err != nil {
			return nil, err
		}
		c, coordinates := pointOf(k)
		i := slices.IndexFunc(eccMagics, func(m eccMagic) bool {
			return m.algorithm == k.Algorithm && (m.curve == nil || c != nil && m.curve == c.known)
		})
		if c == nil || i < 0 {
			return nil, wrongKind(name, k)
		}
		size := eccHeader + 2*c.size
		if private {
			if err := needs(name, k, ck.CKA_VALUE); err != nil {
				return nil, err
			}
			size += c.size
		}
		w := newWriter(size)
		w.ulong(eccMagics[i].magic(private), uint32(c.size))
		w.bytes(coordinates)
		if private {
			w.fixed(k.Get(ck.CKA_VALUE), c.size)
		}
		return w.done()
	}
}
