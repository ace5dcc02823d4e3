package blob

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// BCRYPT_ECCKEY_BLOB: dwMagic, cbKey; then X and Y, and d of private keys, cbKey bytes each.
const eccHeader = 8

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

var eccFormats = []format{
	{"ECCPUBLICBLOB", ck.CKO_PUBLIC_KEY, readECCPublic, writeECC("ECCPUBLICBLOB", false)},
	{"ECCPRIVATEBLOB", ck.CKO_PRIVATE_KEY, readECCPrivate, writeECC("ECCPRIVATEBLOB", true)},
}

// curveNames are CNG's names of curves (BCRYPT_ECC_CURVE_*).
var curveNames = []struct {
	name  string
	curve *pubkey.Curve
}{
	{"nistP256", pubkey.P256}, {"secP256r1", pubkey.P256}, {"x962P256v1", pubkey.P256},
	{"nistP384", pubkey.P384}, {"secP384r1", pubkey.P384},
	{"nistP521", pubkey.P521}, {"secP521r1", pubkey.P521},
}

// CurveByName finds a curve by CNG's name, nil where it is not supported.
func CurveByName(name string) *pubkey.Curve {
	for _, c := range curveNames {
		if c.name == name {
			return c.curve
		}
	}
	return nil
}

// CurveName is CNG's name of a curve.
func CurveName(curve *pubkey.Curve) string {
	for _, c := range curveNames {
		if c.curve == curve {
			return c.name
		}
	}
	return ""
}

func readECCPublic(data []byte, o *Options) (*Key, error) { return readECC(data, o, false) }

func readECCPrivate(data []byte, o *Options) (*Key, error) { return readECC(data, o, true) }

func readECC(data []byte, o *Options, private bool) (*Key, error) {
	r := &reader{data: data}
	found := r.ulong()
	i := slices.IndexFunc(eccMagics, func(m eccMagic) bool { return found == m.magic(private) })
	if i < 0 {
		return nil, wrongMagic(found, eccMagics[0].magic(private))
	}
	curve := eccMagics[i].curve
	if curve == nil {
		if curve = CurveByName(o.Curve); curve == nil {
			return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "there is no curve %q", o.Curve)
		}
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
	if int(size) != curve.Size {
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "numbers of %d bytes, where %s has %d", size, curve.Name, curve.Size)
	}
	k := &Key{Algorithm: eccMagics[i].algorithm, Class: ck.CKO_PUBLIC_KEY, KeyType: ck.CKK_EC}
	k.Put(ck.CKA_EC_PARAMS, curve.Params)
	k.Put(ck.CKA_EC_POINT, slices.Concat([]byte{4}, x, y))
	if private {
		k.Class = ck.CKO_PRIVATE_KEY
		k.PutSecret(ck.CKA_VALUE, d)
	}
	return k, nil
}

func (m *eccMagic) magic(private bool) uint32 {
	if private {
		return m.private
	}
	return m.public
}

func writeECC(name string, private bool) func(*Key, *Options) (*secret.Bytes, error) {
	return func(k *Key, _ *Options) (*secret.Bytes, error) {
		curve, point, err := pointOf(k)
		i := slices.IndexFunc(eccMagics, func(m eccMagic) bool { return m.algorithm == k.Algorithm && (m.curve == nil || m.curve == curve) })
		if err != nil || i < 0 {
			return nil, wrongKind(name, k)
		}
		n := 2
		if private {
			n = 3
		}
		w := newWriter(eccHeader + n*curve.Size)
		w.ulong(eccMagics[i].magic(private), uint32(curve.Size))
		w.bytes(point[1:])
		if private {
			d := k.Get(ck.CKA_VALUE)
			if len(d) > curve.Size {
				w.out.Close()
				return nil, wrongKind(name, k)
			}
			w.fixed(d, curve.Size)
		}
		return w.out, nil
	}
}

// pointOf gives a key's curve and its uncompressed point.
func pointOf(k *Key) (*pubkey.Curve, []byte, error) {
	curve, err := pubkey.DecodeParams(k.Get(ck.CKA_EC_PARAMS), ck.CKK_EC)
	if err != nil {
		return nil, nil, err
	}
	point, err := pubkey.DecodePoint(curve, k.Get(ck.CKA_EC_POINT))
	return curve, point, err
}
