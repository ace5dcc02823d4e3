package local

import (
	"crypto/rsa"
	"crypto/sha256"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Sizes of RSA moduli in bits: crypto/rsa refuses smaller ones, and larger ones would keep a processor busy for seconds.
const (
	minRSABits = 1024
	maxRSABits = pubkey.MaxRSABits
)

// rsaNumbers are the components of an RSA private key, in the order of RFC 8017's RSAPrivateKey.
type rsaNumbers struct {
	n, e, d, p, q, dP, dQ, qInv *big.Int
}

func (r *rsaNumbers) all() [8]**big.Int {
	return [8]**big.Int{&r.n, &r.e, &r.d, &r.p, &r.q, &r.dP, &r.dQ, &r.qInv}
}

// rsaAttributes name the components, in the same order.
var rsaAttributes = [8]ck.AttributeType{
	ck.CKA_MODULUS, ck.CKA_PUBLIC_EXPONENT, ck.CKA_PRIVATE_EXPONENT, ck.CKA_PRIME_1, ck.CKA_PRIME_2,
	ck.CKA_EXPONENT_1, ck.CKA_EXPONENT_2, ck.CKA_COEFFICIENT,
}

// publicRSA is how many of the components are public.
const publicRSA = 2

func (r *rsaNumbers) wipe() {
	all := r.all()
	for _, n := range all[publicRSA:] {
		if *n != nil {
			clear((*n).Bits())
		}
	}
}

// bounded tells whether the modulus has a length that is served here and no other number is longer. It is asked before anything is computed: what
// takes milliseconds with such numbers takes hours with longer ones.
func (r *rsaNumbers) bounded() bool {
	bits := r.n.BitLen()
	for _, n := range r.all() {
		if *n != nil && (*n).BitLen() > bits {
			return false
		}
	}
	return bits >= minRSABits && bits <= maxRSABits
}

// rsaKey is an RSA private key. crypto/rsa pads and signs where it can; raw does what it has no door for.
type rsaKey struct {
	rsaNumbers
	std  *rsa.PrivateKey
	raw  *rawRSA
	seed [sha256.Size]byte // of implicit rejection, see rsa_decrypt.go
}

// newRSAKey checks the components against each other and takes them over. Error: CKR_ATTRIBUTE_VALUE_INVALID.
func newRSAKey(r *rsaNumbers) (material, error) {
	k, err := buildRSAKey(r)
	if err != nil {
		r.wipe()
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "not a sound RSA key")
	}
	return k, nil
}

// hasPrimes tells whether the factors are primes (Baillie-PSW, which no composite is known to pass). It takes twenty times as long as all
// other checks, so it is asked when a key comes in from elsewhere, and not when the guard loads a record of its own.
func (r *rsaNumbers) hasPrimes() bool { return r.p.ProbablyPrime(0) && r.q.ProbablyPrime(0) }

func buildRSAKey(r *rsaNumbers) (*rsaKey, error) {
	if !r.bounded() || !r.e.IsInt64() {
		return nil, ck.CKR_ATTRIBUTE_VALUE_INVALID
	}
	std := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: r.n, E: int(r.e.Int64())}, D: r.d, Primes: []*big.Int{r.p, r.q},
		Precomputed: rsa.PrecomputedValues{Dp: r.dP, Dq: r.dQ, Qinv: r.qInv},
	}
	std.Precompute()
	if err := std.Validate(); err != nil {
		return nil, err
	}
	raw, err := newRawRSA(r)
	if err != nil {
		return nil, err
	}
	k := &rsaKey{rsaNumbers: *r, std: std, raw: raw}
	exponent := r.d.FillBytes(make([]byte, std.Size()))
	k.seed = sha256.Sum256(exponent)
	secret.Wipe(exponent)
	return k, nil
}

func (k *rsaKey) plain() (*secret.Bytes, error) {
	return marshalPKCS8(6*k.std.Size(), [][]byte{oidRSA, null}, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(0)
			for _, n := range k.all() {
				addInteger(b, *n)
			}
		})
	})
}

// addInteger writes a positive INTEGER. AddASN1BigInt would leave a copy of it behind.
func addInteger(b *cryptobyte.Builder, n *big.Int) {
	octets := n.FillBytes(make([]byte, n.BitLen()/8+1)) // with a zero before a number that would look negative
	defer secret.Wipe(octets)
	b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(octets) })
}

func (k *rsaKey) public() ([]guard.Part, error) {
	info, err := pubkey.SPKI(&k.std.PublicKey)
	if err != nil {
		return nil, err
	}
	return append(k.components(0, publicRSA), guard.Part{Type: ck.CKA_PUBLIC_KEY_INFO, Value: info}), nil
}

func (k *rsaKey) private() []guard.Part { return k.components(publicRSA, len(rsaAttributes)) }

func (k *rsaKey) components(from, to int) (c []guard.Part) {
	all := k.all()
	for i := from; i < to; i++ {
		c = append(c, guard.Part{Type: rsaAttributes[i], Value: (*all[i]).Bytes()})
	}
	return c
}

func (k *rsaKey) wipe() {
	k.rsaNumbers.wipe()
	k.raw.wipe()
	secret.Wipe(k.seed[:])
}
