package local

import (
	"bytes"
	"crypto/rsa"
	"math/big"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local/rsakernel"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// SealRecord makes records that no method would make.
var SealRecord = sealRecord

// AddMaster unlocks a vault of a known master key.
func AddMaster(g *Keys, master *secret.Bytes) guard.Vault {
	v, err := g.Adopt(master.Clone(), nil)
	if err != nil {
		panic(err)
	}
	return v
}

// PlainOf is the PrivateKeyInfo of a fresh key.
func PlainOf(g *Keys, m ck.MechanismType, spec guard.KeySpec) ([]byte, error) {
	s, err := mech.Parse(ck.Mechanism{Type: m}, mech.OpGenerateKeyPair)
	if err != nil {
		return nil, err
	}
	k, err := g.Generate(0, s, &spec, &guard.Policy{Class: ck.CKO_PRIVATE_KEY, KeyType: spec.KeyType, Extractable: true})
	if err != nil {
		return nil, err
	}
	plain, err := g.plainToWrap(k.Ref, mech.Lookup(ck.CKM_AES_KEY_WRAP_KWP), false)
	return bytes.Clone(plain.Bytes()), err
}

// ReparsePKCS8 reads a PrivateKeyInfo and writes it again.
func ReparsePKCS8(keyType ck.KeyType, der []byte) ([]byte, error) {
	m, err := parsePKCS8(keyType, der)
	if err != nil {
		return nil, err
	}
	plain, err := m.plain()
	return plain.Bytes(), err
}

// Wiped tells whether the key's bytes are gone, though somebody still knows where they were.
func Wiped(g *Keys, ref guard.Ref) func() bool {
	k, _ := g.table.hold(ref)
	k.release()
	value := k.material.(*secretKey).value.Bytes()
	return func() bool { return bytes.Count(value, []byte{0}) == len(value) }
}

// Spoil makes RSA arithmetic go wrong in one of its halves, as a fault in the processor would.
func Spoil(g *Keys, ref guard.Ref) {
	k, _ := g.table.hold(ref)
	defer k.release()
	dP := k.material.(*rsaKey).raw.dP
	dP[len(dP)-1] ^= 4
}

// SpoilKernel makes the kernel's arithmetic go wrong in one of its halves. It tells whether there is a kernel.
func SpoilKernel(g *Keys, ref guard.Ref) bool {
	k, _ := g.table.hold(ref)
	defer k.release()
	r := k.material.(*rsaKey)
	if r.raw.kernel == nil {
		return false
	}
	wrong := new(big.Int).Xor(r.dQ, big.NewInt(4))
	var ok bool
	r.raw.kernel, ok = rsakernel.New(&rsakernel.Numbers{
		N: r.raw.n, E: r.raw.e, P: r.p.Bytes(), Q: r.q.Bytes(), DP: r.raw.dP, DQ: wrong.Bytes(), QInv: r.qInv.Bytes(),
	})
	return ok
}

// HugeRSA is a PrivateKeyInfo whose modulus is one, and whose other numbers have n bytes.
func HugeRSA(n int) []byte {
	huge := new(big.Int).SetBytes(bytes.Repeat([]byte{0xff}, n))
	modulus := new(big.Int).Add(new(big.Int).Lsh(one, 2047), one)
	k := rsaKey{rsaNumbers: rsaNumbers{n: modulus, e: big.NewInt(65537), d: huge, p: huge, q: new(big.Int).Rsh(huge, 3), dP: huge, dQ: huge, qInv: huge}}
	k.std = &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Lsh(one, uint(8*n+8*1024))}}
	plain, err := k.plain()
	if err != nil {
		panic(err)
	}
	return plain.Bytes()
}
