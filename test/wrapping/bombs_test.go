package wrapping_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// bomb is what somebody wrapped who has the wrapping key, and means no good: it is no key, or none that anybody should use.
type bomb struct {
	name    string
	keyType ck.KeyType
	plain   []byte
}

// The most that one of them may take. They are for machines that are busy: all take milliseconds, and what they are made of.
const (
	mostTime   = 10 * time.Second
	mostMemory = 96 << 20
)

func TestBombs(t *testing.T) {
	us := ours(t, newFixtures(t))
	bombs := slices.Concat(shapes(t), rsaBombs(t), ecBombs(t), otherBombs(t))
	for _, m := range attacks() {
		seal, ok := sealers[m.name]
		if !ok {
			continue
		}
		unwrapping, err := us.unwrapping(m)
		must(t, err)
		before, memory := us.count(t), peak(t)
		for _, b := range bombs {
			wrapped := seal(t, us, unwrapping, b.plain)
			start := time.Now()
			p := &payload{keyType: b.keyType, private: b}
			if b.keyType == ck.CKK_AES {
				p.private = nil
			}
			_, err := us.unwrapUnder(m, unwrapping, p.described(), wrapped)
			if !slices.ContainsFunc(refusals, func(refusal error) bool { return errors.Is(err, refusal) }) {
				t.Errorf("%s, %s: %v", m.name, b.name, err)
			}
			if took := time.Since(start); took > mostTime {
				t.Errorf("%s, %s takes %v", m.name, b.name, took)
			}
		}
		if after := us.count(t); after != before {
			t.Errorf("%s: %d objects, before %d", m.name, after, before)
		}
		if grown := peak(t) - memory; grown > mostMemory {
			t.Errorf("%s: %d MiB of memory more", m.name, grown>>20)
		}
	}
}

// peak is the most memory that this process has had.
func peak(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	must(t, err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int
	_, err = fmt.Sscan(rest, &kib)
	must(t, err)
	return kib << 10
}

// shapes are no DER, or no PrivateKeyInfo, whatever the key.
func shapes(t *testing.T) (bombs []bomb) {
	whole := payloads(t)
	deep := []byte{5, 0}
	for range 10_000 {
		deep = sequence(deep)
	}
	for _, p := range whole {
		if p.private == nil {
			continue
		}
		der := p.pkcs8
		for name, plain := range map[string][]byte{
			"nothing but a tag": {0x30}, "an empty sequence": {0x30, 0}, "no DER": random(100), "a text": []byte("-----BEGIN PRIVATE KEY-----"),
			"nested deeply": deep, "nested deeply in a key": info(rsaAlgorithm, deep), "nested deeply as algorithm": info(deep, nil),
			"a length of 4 GiB":      append([]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, der...),
			"a length of 2^63":       append([]byte{0x30, 0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, der...),
			"a length of 127 bytes":  append([]byte{0x30, 0xff}, bytes.Repeat([]byte{0xff}, 127)...),
			"an indefinite length":   slices.Concat([]byte{0x30, 0x80}, der[4:], []byte{0, 0}),
			"a long form of a short": slices.Concat([]byte{0x30, 0x83, 0}, lengthOf(der), der[4:]),
			"less than it says":      der[:len(der)-1], "half": der[:len(der)/2],
			"more behind": append(bytes.Clone(der), 1), "zeros behind": append(bytes.Clone(der), make([]byte, 64)...),
			"another version": altered(der, bytes.Index(der, []byte{2, 1, 0})+2, 9), "twice": append(bytes.Clone(der), der...),
			"an encrypted one": sequence(sequence(oid(1, 2, 840, 113549, 1, 5, 13)), octets(der)),
		} {
			bombs = append(bombs, bomb{p.name + ": " + name, p.keyType, plain})
		}
	}
	return bombs
}

// lengthOf are the last two bytes of a length.
func lengthOf(der []byte) []byte { return []byte{byte((len(der) - 4) >> 8), byte(len(der) - 4)} }

func altered(der []byte, at int, value byte) []byte {
	out := bytes.Clone(der)
	out[at] = value
	return out
}

// rsaBombs are numbers that are no key, too large to compute with, or no secret.
func rsaBombs(t *testing.T) (bombs []bomb) {
	key := newRSA(t, 2048)
	p, q, pre := key.Primes[0], key.Primes[1], key.Precomputed
	e, one := big.NewInt(int64(key.E)), big.NewInt(1)
	even, composite := big.NewInt(65536), new(big.Int).Sub(p, one)
	add := func(name string, numbers ...*big.Int) {
		bombs = append(bombs, bomb{"RSA: " + name, ck.CKK_RSA, rsaInfo(numbers...)})
	}
	of := func(name string, p, q, e *big.Int) { // what follows from two primes
		n, phi := new(big.Int).Mul(p, q), new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(e, phi)
		if d == nil {
			d = key.D
		}
		inverse := new(big.Int).ModInverse(q, p)
		if inverse == nil {
			inverse = one
		}
		add(name, n, e, d, p, q, new(big.Int).Mod(d, new(big.Int).Sub(p, one)), new(big.Int).Mod(d, new(big.Int).Sub(q, one)), inverse)
	}
	of("e is 1", p, q, one)
	of("e is 2", p, q, big.NewInt(2))
	of("e is even", p, q, even)
	of("p is q", p, p, e)
	of("p is even", composite, q, e)
	of("p is a product", product(t), q, e)
	add("p is a product, and the key works", hidden(t, q, e)...)
	add("p is 1", key.N, e, key.D, one, key.N, one, key.D, one)
	of("short", big.NewInt(65537), big.NewInt(65539), big.NewInt(3))
	add("another n", new(big.Int).Add(key.N, big.NewInt(2)), e, key.D, p, q, pre.Dp, pre.Dq, pre.Qinv)
	add("another d", key.N, e, new(big.Int).Add(key.D, big.NewInt(2)), p, q, new(big.Int).Add(pre.Dp, big.NewInt(2)), pre.Dq, pre.Qinv)
	add("zeros", big.NewInt(0), big.NewInt(0), big.NewInt(0), big.NewInt(0), big.NewInt(0), big.NewInt(0), big.NewInt(0), big.NewInt(0))
	add("ones", one, one, one, one, one, one, one, one)
	add("negative", new(big.Int).Neg(key.N), e, key.D, p, q, pre.Dp, pre.Dq, pre.Qinv)
	add("too few numbers", key.N, e, key.D, p, q)
	add("three primes", key.N, e, key.D, p, q, pre.Dp, pre.Dq, pre.Qinv, p)
	for _, bits := range []uint{16384, 65536, 1 << 20} {
		giant := new(big.Int).Sub(new(big.Int).Lsh(one, bits), one)
		half := new(big.Int).Sub(new(big.Int).Lsh(one, bits/2), one)
		add(fmt.Sprint("of ", bits, " bits"), giant, e, giant, half, half, half, half, half)
		add(fmt.Sprint("e of ", bits, " bits"), key.N, giant, key.D, p, q, pre.Dp, pre.Dq, pre.Qinv)
	}
	return append(bombs, bomb{"RSA: a public key", ck.CKK_RSA, info(rsaAlgorithm, sequence(integer(key.N), integer(e)))},
		bomb{"RSA: another algorithm", ck.CKK_RSA, info(sequence(oid(1, 2, 840, 113549, 1, 1, 10)), octets(nil))})
}

// factors are two primes of 512 bits, whose product has 1024.
func factors(t *testing.T) (a, b *big.Int) {
	t.Helper()
	small := newRSA(t, 1024)
	return small.Primes[0], small.Primes[1]
}

func product(t *testing.T) *big.Int {
	t.Helper()
	a, b := factors(t)
	return new(big.Int).Mul(a, b)
}

// hidden is a key of three primes that is written as one of two: its exponents are right, and yet one of its primes is none.
func hidden(t *testing.T, q, e *big.Int) []*big.Int {
	t.Helper()
	a, b := factors(t)
	one := big.NewInt(1)
	less := func(n *big.Int) *big.Int { return new(big.Int).Sub(n, one) }
	p, orderP := new(big.Int).Mul(a, b), new(big.Int).Mul(less(a), less(b))
	d := new(big.Int).ModInverse(e, new(big.Int).Mul(orderP, less(q)))
	return []*big.Int{new(big.Int).Mul(p, q), e, d, p, q, new(big.Int).Mod(d, orderP), new(big.Int).Mod(d, less(q)), new(big.Int).ModInverse(q, p)}
}

// ecBombs are scalars that are none, curves that are others, and points that are not on them.
func ecBombs(t *testing.T) (bombs []bomb) {
	p256, p384 := oid(1, 2, 840, 10045, 3, 1, 7), oid(1, 3, 132, 0, 34)
	key := newEC(t, elliptic.P256())
	scalar, err := key.Bytes()
	must(t, err)
	point, err := key.PublicKey.Bytes()
	must(t, err)
	n := elliptic.P256().Params().N.Bytes()
	off := altered(point, 64, point[64]^1)
	other := mustPoint(t, newEC(t, elliptic.P256()))
	for name, plain := range map[string][]byte{
		"no curve": ecInfo(nil, scalar, point), "a curve that there is not": ecInfo(oid(1, 3, 132, 0, 99), scalar, nil),
		"secp256k1": ecInfo(oid(1, 3, 132, 0, 10), scalar, nil), "a curve of another length": ecInfo(p384, scalar, point),
		"an explicit curve": ecInfo(sequence(small(1), sequence(), sequence(), octets(nil), integer(elliptic.P256().Params().N)), scalar, nil),
		"the scalar 0":      ecInfo(p256, make([]byte, 32), nil), "the scalar n": ecInfo(p256, n, nil), "a scalar above n": ecInfo(p256, bytes.Repeat([]byte{0xff}, 32), nil),
		"a long scalar": ecInfo(p256, append([]byte{1}, scalar...), nil), "a giant scalar": ecInfo(p256, random(1<<16), nil), "no scalar": ecInfo(p256, nil, nil),
		"a point that is not on the curve": ecInfo(p256, scalar, off), "another key's point": ecInfo(p256, scalar, other),
		"the point at infinity": ecInfo(p256, scalar, []byte{0}), "half a point": ecInfo(p256, scalar, point[:33]), "no point": ecInfo(p256, scalar, []byte{}),
	} {
		bombs = append(bombs, bomb{"EC: " + name, ck.CKK_EC, plain})
	}
	return bombs
}

func mustPoint(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	point, err := key.PublicKey.Bytes()
	must(t, err)
	return point
}

// otherBombs are keys of a fixed length that have another.
func otherBombs(*testing.T) (bombs []bomb) {
	for _, n := range []int{0, 1, 31, 33, 57, 64, 1 << 16} {
		seed := octets(bytes.Repeat([]byte{1}, n))
		bombs = append(bombs, bomb{fmt.Sprint("Ed25519 of ", n), ck.CKK_EC_EDWARDS, info(sequence(oid(1, 3, 101, 112)), seed)},
			bomb{fmt.Sprint("X25519 of ", n), ck.CKK_EC_MONTGOMERY, info(sequence(oid(1, 3, 101, 110)), seed)},
			bomb{fmt.Sprint("ML-KEM-768 of ", n), ck.CKK_ML_KEM, info(sequence(oid(2, 16, 840, 1, 101, 3, 4, 4, 2)), tlv(0x80, bytes.Repeat([]byte{1}, max(n, 1)+64)))})
	}
	for _, n := range []int{1, 15, 17, 31, 33, 64, 1 << 16} {
		bombs = append(bombs, bomb{fmt.Sprint("AES of ", n), ck.CKK_AES, bytes.Repeat([]byte{1}, n)})
	}
	return append(bombs, bomb{"Ed25519: X25519", ck.CKK_EC_EDWARDS, info(sequence(oid(1, 3, 101, 110)), octets(random(32)))},
		bomb{"X25519: Ed25519", ck.CKK_EC_MONTGOMERY, info(sequence(oid(1, 3, 101, 112)), octets(random(32)))},
		bomb{"Ed448", ck.CKK_EC_EDWARDS, info(sequence(oid(1, 3, 101, 113)), octets(random(57)))})
}
