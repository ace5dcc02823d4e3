package vectors_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/binary"
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// wrappedKey is a row of testdata/wrapped.json.
type wrappedKey struct {
	Mechanism, What string
	Message, Result hexBytes
}

// wrappedKeys unwraps what OpenSSL has wrapped under a key pair (testdata/wrapped.sh).
func wrappedKeys(t *testing.T, tok *token) {
	text, err := os.ReadFile("testdata/wrapped.json")
	must(t, err)
	var rows []wrappedKey
	must(t, json.Unmarshal(text, &rows))
	_, rsaPrivate := tok.importRSA(t, read(t, "rsa.pem").(*rsa.PrivateKey))
	agreeing := tok.agreeing(t)
	for _, w := range rows {
		var pinner runtime.Pinner
		private, agrees := agreeing[w.What]
		var parameter []byte
		if agrees { // CK_ECDH_AES_KEY_WRAP_PARAMS
			parameter = longs(256, ck.CKD_SHA256_KDF, uint(len(label)), address(&pinner, label))
		} else {
			h := hashes[strings.ToUpper(w.What)]
			private, parameter = rsaPrivate, rsaAESParams(&pinner, 256, h.mechanism, h.mgf)
		}
		key, err := tok.UnwrapKey(tok.h, tok.with(number(t, w.Mechanism), parameter), private, w.Result, []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET),
			pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true),
		})
		pinner.Unpin()
		if err != nil {
			t.Errorf("%s with %s: %v", w.Mechanism, w.What, err)
			continue
		}
		if value := tok.value(t, key, pkcs11.CKA_VALUE); !bytes.Equal(value, w.Message) {
			t.Errorf("%s with %s: %x", w.Mechanism, w.What, value)
		}
		tok.destroy(t, key)
	}
}

// label is OAEP's, and the data that the key derivation shares.
var label = []byte("label")

// agreeing are the private keys on curves.
func (tok *token) agreeing(t *testing.T) map[string]pkcs11.ObjectHandle {
	t.Helper()
	p256, x25519 := read(t, "ec.pem").(*ecdsa.PrivateKey), read(t, "x25519.pem").(*ecdh.PrivateKey)
	scalar, err := p256.Bytes()
	must(t, err)
	ec, err := tok.object(pkcs11.CKO_PRIVATE_KEY, pkcs11.CKK_EC, append(uses(pkcs11.CKA_UNWRAP), params(t, p256.Curve), pkcs11.NewAttribute(pkcs11.CKA_VALUE, scalar))...)
	must(t, err)
	montgomery, err := tok.object(pkcs11.CKO_PRIVATE_KEY, uint(ck.CKK_EC_MONTGOMERY), append(uses(pkcs11.CKA_UNWRAP),
		pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, []byte{6, 3, 0x2b, 0x65, 0x6e}), pkcs11.NewAttribute(pkcs11.CKA_VALUE, x25519.Bytes()))...)
	must(t, err)
	return map[string]pkcs11.ObjectHandle{"ec": ec, "x25519": montgomery}
}

// longs are the CK_ULONGs of a struct, which for pointers are addresses.
func longs(numbers ...uint) (b []byte) {
	for _, n := range numbers {
		b = binary.NativeEndian.AppendUint64(b, uint64(n))
	}
	return b
}

// address is where b lies, and stays until the pinner lets go.
func address(pinner *runtime.Pinner, b []byte) uint {
	pinner.Pin(&b[0])
	return uint(uintptr(unsafe.Pointer(&b[0])))
}

// rsaAESParams is CK_RSA_AES_KEY_WRAP_PARAMS.
func rsaAESParams(pinner *runtime.Pinner, bits uint, hash ck.MechanismType, mgf uint) []byte {
	oaep := longs(uint(hash), mgf, ck.CKZ_DATA_SPECIFIED, address(pinner, label), uint(len(label)))
	return longs(bits, address(pinner, oaep))
}
