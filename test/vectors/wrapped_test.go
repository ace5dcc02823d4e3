package vectors_test

import (
	"bytes"
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
	for _, w := range rows {
		var pinner runtime.Pinner
		h := hashes[strings.ToUpper(w.What)]
		m := tok.with(number(t, w.Mechanism), rsaAESParams(&pinner, 256, h.mechanism, h.mgf, []byte("label")))
		key, err := tok.UnwrapKey(tok.h, m, rsaPrivate, w.Result, []*pkcs11.Attribute{
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
func rsaAESParams(pinner *runtime.Pinner, bits uint, hash ck.MechanismType, mgf uint, label []byte) []byte {
	oaep := longs(uint(hash), mgf, ck.CKZ_DATA_SPECIFIED, address(pinner, label), uint(len(label)))
	return longs(bits, address(pinner, oaep))
}
