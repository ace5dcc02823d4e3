package ncryptmap_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"math/big"
	"sync"
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

func dwords(values ...uint32) []byte {
	var out []byte
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return out
}

// someRSA are keys that are made once.
var someRSA = map[int]func() *rsa.PrivateKey{1024: sync.OnceValue(newRSA(1024)), 2048: sync.OnceValue(newRSA(2048))}

func newRSA(bits int) func() *rsa.PrivateKey {
	return func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		return key
	}
}

// rsa1024 is a key of 1024 bits with a public exponent of 3 bytes, as a blob.
func rsa1024(t testing.TB, blobType string) []byte {
	t.Helper()
	return rsaBlob(someRSA[1024](), blobType)
}

// rsaBlob writes a key as bcrypt.h says, independent of package blob.
func rsaBlob(key *rsa.PrivateKey, blobType string) []byte {
	n, half := key.Size(), key.Size()/2
	field := func(x *big.Int, size int) []byte { return x.FillBytes(make([]byte, size)) }
	magic := map[string]uint32{"RSAPUBLICBLOB": 0x31415352, "RSAPRIVATEBLOB": 0x32415352, "RSAFULLPRIVATEBLOB": 0x33415352}[blobType]
	cbPrime := uint32(half)
	if blobType == "RSAPUBLICBLOB" {
		cbPrime = 0
	}
	out := dwords(magic, uint32(8*n), 3, uint32(n), cbPrime, cbPrime)
	out = append(append(out, field(big.NewInt(int64(key.E)), 3)...), field(key.N, n)...)
	if blobType != "RSAPUBLICBLOB" {
		out = append(append(out, field(key.Primes[0], half)...), field(key.Primes[1], half)...)
	}
	if blobType == "RSAFULLPRIVATEBLOB" {
		p := key.Precomputed
		out = append(append(append(append(out, field(p.Dp, half)...), field(p.Dq, half)...), field(p.Qinv, half)...), field(key.D, n)...)
	}
	return out
}

// found are the stored objects of a class.
func found(t testing.TB, s *token.Session, class ck.ObjectClass) []ck.ObjectHandle {
	t.Helper()
	err := s.FindObjectsInit(attr.Template{{Type: ck.CKA_CLASS, Value: attr.ULong(uint(class))}, {Type: ck.CKA_TOKEN, Value: attr.Bool(true)}})
	if err != nil {
		t.Fatal(err)
	}
	objects, err := s.FindObjects(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.FindObjectsFinal(); err != nil {
		t.Fatal(err)
	}
	return objects
}
