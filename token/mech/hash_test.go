package mech_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// abc is the digest of "abc": RFC 1321, and the examples of FIPS 180-4 and FIPS 202.
var abc = map[mech.Hash]string{
	mech.MD5:        "900150983cd24fb0d6963f7d28e17f72",
	mech.SHA1:       "a9993e364706816aba3e25717850c26c9cd0d89d",
	mech.SHA224:     "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
	mech.SHA256:     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	mech.SHA384:     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
	mech.SHA512:     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	mech.SHA512_224: "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa",
	mech.SHA512_256: "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
	mech.SHA3_224:   "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
	mech.SHA3_256:   "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
	mech.SHA3_384:   "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
	mech.SHA3_512:   "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
}

func allHashes(t *testing.T) []mech.Hash {
	t.Helper()
	var all []mech.Hash
	for h := mech.Hash(1); h.Known(); h++ {
		if _, ok := abc[h]; !ok {
			t.Errorf("%v has no vector", h)
		}
		all = append(all, h)
	}
	if len(all) != len(abc) {
		t.Fatalf("%d hashes, %d vectors", len(all), len(abc))
	}
	return all
}

func TestHashes(t *testing.T) {
	data := []byte("abc")
	for _, h := range allHashes(t) {
		sum := h.Sum([]byte("before"), data)
		if got := hex.EncodeToString(sum[6:]); string(sum[:6]) != "before" || got != abc[h] {
			t.Errorf("%v.Sum = %s", h, got)
		}
		state := h.New()
		state.Write(data[:1])
		state.Write(data[1:])
		if got := hex.EncodeToString(state.Sum(nil)); got != abc[h] {
			t.Errorf("%v.New = %s", h, got)
		}
		if h.Size() != state.Size() || h.Size() != len(abc[h])/2 || h.Size() > mech.MaxDigest || h.BlockSize() != state.BlockSize() {
			t.Errorf("%v: Size %d, BlockSize %d", h, h.Size(), h.BlockSize())
		}
		if h.Crypto().Size() != h.Size() || !h.Crypto().Available() || h.String() != h.Crypto().String() {
			t.Errorf("%v is %v", h, h.Crypto())
		}
		if mech.HashOf(h.Mechanism()) != h {
			t.Errorf("HashOf(%v) = %v", h.Mechanism(), mech.HashOf(h.Mechanism()))
		}
		if mgf := h.MGF(); mgf != 0 && mech.HashOfMGF(mgf) != h {
			t.Errorf("HashOfMGF(%d) = %v", mgf, mech.HashOfMGF(mgf))
		}
	}
}

func TestNoHash(t *testing.T) {
	for _, h := range []mech.Hash{0, 200} {
		if h.Known() || h.Size() != 0 || h.MGF() != 0 || h.String() != "no hash" {
			t.Errorf("Hash(%d) is %v", byte(h), h)
		}
	}
	if h := mech.HashOf(ck.CKM_RSA_PKCS); h != 0 {
		t.Errorf("HashOf(CKM_RSA_PKCS) = %v", h)
	}
	if h := mech.HashOfMGF(0); h != 0 {
		t.Errorf("HashOfMGF(0) = %v", h)
	}
}

func TestSumDoesNotAllocate(t *testing.T) {
	data := make([]byte, 64)
	for _, h := range allHashes(t) {
		var room [mech.MaxDigest]byte
		if n := testing.AllocsPerRun(10, func() { h.Sum(room[:0], data) }); n != 0 {
			t.Errorf("%v.Sum allocates %v times", h, n)
		}
	}
}

// crypto/rsa makes its own DigestInfo, of a digest; and takes ours, with no hash. Both must be one signature.
func TestDigestInfoIsThatOfRSA(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range allHashes(t) {
		digest := h.Sum(nil, []byte("abc"))
		want, err := rsa.SignPKCS1v15(nil, key, h.Crypto(), digest)
		if err != nil {
			t.Fatalf("%v: %v", h, err)
		}
		got, err := rsa.SignPKCS1v15(nil, key, 0, append(h.DigestInfoPrefix(nil), digest...))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%v: prefix %x, %v", h, h.DigestInfoPrefix(nil), err)
		}
	}
}
