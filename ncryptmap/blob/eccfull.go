package blob

import (
	"bytes"
	"math/big"
	"slices"
	"strings"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// BCRYPT_ECCFULLKEY_BLOB (bcrypt.h): dwMagic, dwVersion, dwCurveType, dwCurveGenerationAlgId, cbFieldLength, cbSubgroupOrder, cbCofactor, cbSeed; then P, A,
// B, Gx and Gy, SubgroupOrder, Cofactor, Seed, Qx and Qy, and of private keys d, which is as long as the order.
const (
	eccFullHeader    = 32
	versionECCFull   = 1 // BCRYPT_ECC_FULLKEY_BLOB_V1
	shortWeierstrass = 1 // BCRYPT_ECC_PRIME_SHORT_WEIERSTRASS_CURVE
	maxCurveType     = 3 // BCRYPT_ECC_PRIME_MONTGOMERY_CURVE
)

var eccFullFormats = []format{
	{"ECCFULLPUBLICBLOB", ck.CKO_PUBLIC_KEY, readECCFull(false), writeECCFull("ECCFULLPUBLICBLOB", false)},
	{"ECCFULLPRIVATEBLOB", ck.CKO_PRIVATE_KEY, readECCFull(true), writeECCFull("ECCFULLPRIVATEBLOB", true)},
}

// domain are the parameters of a curve that the token has, as a blob has them.
type domain struct{ field, order, cofactor []byte }

// domainOfCurve gives a curve's parameters; nil where the token has no such curve, or it is of another form.
func domainOfCurve(c *curve) *domain {
	if c.known == nil || c.known.Elliptic() == nil {
		return nil
	}
	p := c.known.Elliptic().Params()
	a := new(big.Int).Sub(p.P, big.NewInt(3)) // of all of NIST's curves: FIPS 186-4, appendix D.1.2
	field := make([]byte, 0, 5*c.size)
	for _, n := range []*big.Int{p.P, a, p.B, p.Gx, p.Gy} {
		field = append(field, n.FillBytes(make([]byte, c.size))...)
	}
	return &domain{field, p.N.FillBytes(make([]byte, c.size)), []byte{1}}
}

// sameNumber compares parameters, whose lengths may differ in zeros.
func sameNumber(a, b []byte) bool { return bytes.Equal(number(a), number(b)) }

// readECCFull accepts the parameters of curves that the token has, and no others: who may choose a generator can forge. The seed says nothing of the curve
// that its parameters do not say.
func readECCFull(private bool) func([]byte, *Options) (*Key, error) {
	return func(data []byte, _ *Options) (*Key, error) {
		r := &reader{data: data}
		m, err := findECC(r, private)
		if err != nil {
			return nil, err
		}
		version, form, _ := r.ulong(), r.ulong(), r.ulong()
		size, order, cofactor, seed := r.ulong(), r.ulong(), r.ulong(), r.ulong()
		field := make([][]byte, 5)
		for i := range field {
			field[i] = r.take(size)
		}
		n, h, _ := r.take(order), r.take(cofactor), r.take(seed)
		x, y := r.take(size), r.take(size)
		var d []byte
		if private {
			d = r.take(order)
		}
		if err := r.end(); err != nil {
			return nil, err
		}
		if version != versionECCFull || form == 0 || form > maxCurveType {
			return nil, nte.Errorf(nte.NTE_BAD_DATA, "version %d of the blob, or curves of type %d, are not known", version, form)
		}
		explicit := slices.Concat(field...)
		c := curveWhere(func(c *curve) bool {
			known := domainOfCurve(c)
			return form == shortWeierstrass && known != nil && bytes.Equal(known.field, explicit) && sameNumber(known.order, n) && sameNumber(known.cofactor, h)
		})
		if c == nil {
			return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "the parameters are those of no curve that there is")
		}
		return eccKey(groupOf(m.algorithm), c, private, x, y, d)
	}
}

// groupOf is the algorithm without its curve: what keys with explicit parameters are named.
func groupOf(algorithm string) string {
	group, _, _ := strings.Cut(algorithm, "_")
	return group
}

func writeECCFull(name string, private bool) func(*Key, *Options) (*secret.Bytes, error) {
	return func(k *Key, _ *Options) (*secret.Bytes, error) {
		if err := needs(name, k, ck.CKA_EC_PARAMS, ck.CKA_EC_POINT); err != nil {
			return nil, err
		}
		c, coordinates := pointOf(k)
		i := slices.IndexFunc(eccMagics, func(m eccMagic) bool { return m.algorithm == groupOf(k.Algorithm) })
		if c == nil || i < 0 {
			return nil, wrongKind(name, k)
		}
		d := domainOfCurve(c)
		if d == nil {
			return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "the parameters of %s are not known", c.names[0])
		}
		size := eccFullHeader + 7*c.size + len(d.order) + len(d.cofactor)
		if private {
			if err := needs(name, k, ck.CKA_VALUE); err != nil {
				return nil, err
			}
			size += len(d.order)
		}
		w := newWriter(size)
		w.ulong(eccMagics[i].magic(private), versionECCFull, shortWeierstrass, 0, uint32(c.size), uint32(len(d.order)), uint32(len(d.cofactor)), 0)
		w.bytes(d.field)
		w.bytes(d.order)
		w.bytes(d.cofactor)
		w.bytes(coordinates)
		if private {
			w.fixed(k.Get(ck.CKA_VALUE), len(d.order))
		}
		return w.done()
	}
}
