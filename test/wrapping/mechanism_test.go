package wrapping_test

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// under is what a key is wrapped under.
type under int

const (
	underRSA under = iota
	underAES
	underEC
)

// mechanism is a row of the table.
type mechanism struct {
	name        string
	typ         ck.MechanismType
	under       under
	secretsOnly bool // RSA by itself has room for secret keys
	blocks      int  // the plaintext is a multiple of so many bytes, by RFC 3394
	hash        ck.MechanismType
	mgf         uint
	label       []byte
	bits        uint // of the AES key: that there is, or that the mechanism makes
}

// hashes are those of OAEP, by their names and mechanisms.
var hashes = []struct {
	name string
	typ  ck.MechanismType
	mgf  uint
}{
	{"SHA-1", ck.CKM_SHA_1, ck.CKG_MGF1_SHA1}, {"SHA-224", ck.CKM_SHA224, ck.CKG_MGF1_SHA224}, {"SHA-256", ck.CKM_SHA256, ck.CKG_MGF1_SHA256},
	{"SHA-384", ck.CKM_SHA384, ck.CKG_MGF1_SHA384}, {"SHA-512", ck.CKM_SHA512, ck.CKG_MGF1_SHA512},
}

var someLabel = []byte("label")

// mechanisms are the rows of the table.
func mechanisms() []*mechanism {
	all := []*mechanism{{name: "RSA PKCS #1 v1.5", typ: ck.CKM_RSA_PKCS, secretsOnly: true}}
	for _, h := range hashes {
		all = append(all, &mechanism{name: "RSA-OAEP " + h.name, typ: ck.CKM_RSA_PKCS_OAEP, secretsOnly: true, hash: h.typ, mgf: h.mgf})
	}
	oaep := hashes[2]
	all = append(all,
		&mechanism{name: "RSA-OAEP SHA-256, MGF1 SHA-1", typ: ck.CKM_RSA_PKCS_OAEP, secretsOnly: true, hash: oaep.typ, mgf: ck.CKG_MGF1_SHA1},
		&mechanism{name: "RSA-OAEP SHA-1, label", typ: ck.CKM_RSA_PKCS_OAEP, secretsOnly: true, hash: ck.CKM_SHA_1, mgf: ck.CKG_MGF1_SHA1, label: someLabel},
		&mechanism{name: "RSA-OAEP SHA-256, label", typ: ck.CKM_RSA_PKCS_OAEP, secretsOnly: true, hash: oaep.typ, mgf: oaep.mgf, label: someLabel},
	)
	for _, wrap := range []mechanism{
		{name: "AES-KW", typ: ck.CKM_AES_KEY_WRAP, blocks: 8}, {name: "AES-KWP", typ: ck.CKM_AES_KEY_WRAP_KWP}, {name: "AES-KW-PAD", typ: ck.CKM_AES_KEY_WRAP_PAD},
		{name: "AES-CBC-PAD", typ: ck.CKM_AES_CBC_PAD}, {name: "AES-GCM", typ: ck.CKM_AES_GCM},
	} {
		for _, bits := range []uint{128, 192, 256} {
			m := wrap
			m.name, m.under, m.bits = fmt.Sprint(wrap.name, " ", bits), underAES, bits
			all = append(all, &m)
		}
	}
	return append(all,
		&mechanism{name: "RSA-AES SHA-1", typ: ck.CKM_RSA_AES_KEY_WRAP, hash: ck.CKM_SHA_1, mgf: ck.CKG_MGF1_SHA1, bits: 256},
		&mechanism{name: "RSA-AES SHA-256", typ: ck.CKM_RSA_AES_KEY_WRAP, hash: oaep.typ, mgf: oaep.mgf, bits: 256},
		&mechanism{name: "ECDH-AES SHA-256", typ: ck.CKM_ECDH_AES_KEY_WRAP, under: underEC, bits: 256},
	)
}

// takes says whether the mechanism can wrap a key at all.
func (m *mechanism) takes(p *payload) bool {
	switch {
	case m.blocks != 0 && p.keyType == ck.CKK_RSA:
		return false // it depends on the numbers
	case m.secretsOnly:
		return p.private == nil
	}
	return m.blocks == 0 || len(p.plain())%m.blocks == 0
}

// iv is what AES-CBC and AES-GCM begin with.
var iv = []byte("0123456789abcdef")

const gcmIV = 12

// on gives the mechanism as a call wants it; it lasts until the pinner lets go.
func (m *mechanism) on(pinner *runtime.Pinner) []*pkcs11.Mechanism {
	var parameter any
	switch m.typ {
	case ck.CKM_RSA_PKCS_OAEP:
		parameter = m.oaep(pinner)
	case ck.CKM_AES_CBC_PAD:
		parameter = iv
	case ck.CKM_AES_GCM:
		parameter = longs(address(pinner, iv[:gcmIV]), gcmIV, 8*gcmIV, 0, 0, 128)
	case ck.CKM_RSA_AES_KEY_WRAP:
		parameter = longs(m.bits, address(pinner, m.oaep(pinner)))
	case ck.CKM_ECDH_AES_KEY_WRAP:
		parameter = longs(m.bits, ck.CKD_SHA256_KDF, uint(len(someLabel)), address(pinner, someLabel))
	}
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(uint(m.typ), parameter)}
}

// oaep is CK_RSA_PKCS_OAEP_PARAMS.
func (m *mechanism) oaep(pinner *runtime.Pinner) []byte {
	if len(m.label) == 0 {
		return longs(uint(m.hash), m.mgf, ck.CKZ_DATA_SPECIFIED, 0, 0)
	}
	return longs(uint(m.hash), m.mgf, ck.CKZ_DATA_SPECIFIED, address(pinner, m.label), uint(len(m.label)))
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
