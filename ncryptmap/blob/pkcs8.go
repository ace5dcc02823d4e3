package blob

import (
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// PKCS8 is NCRYPT_PKCS8_PRIVATE_KEY_BLOB: PrivateKeyInfo in DER, or EncryptedPrivateKeyInfo (RFC 5208, RFC 5958).
const PKCS8 = "PKCS8_PRIVATEKEY"

var pkcs8Formats = []format{{PKCS8, ck.CKO_PRIVATE_KEY, readPKCS8, writePKCS8}}

// The algorithms of private keys, as DER OIDs.
var (
	oidRSA   = []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1} // rsaEncryption, RFC 8017
	oidEC    = []byte{6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1}          // id-ecPublicKey, RFC 5480
	oidECDH  = []byte{6, 5, 0x2b, 0x81, 4, 1, 12}                        // id-ecDH, RFC 5480: keys that do not sign
	asn1Null = []byte{5, 0}
)

var (
	tag0 = asn1.Tag(0).ContextSpecific().Constructed()
	tag1 = asn1.Tag(1).ContextSpecific().Constructed()
)

// Encrypts says whether a blob of that name is encrypted when it is written with these options. Who names a password or a cipher never gets plaintext.
func Encrypts(name string, o *Options) bool {
	switch name {
	case PKCS7, Opaque:
		return true
	case PKCS8:
		return o != nil && (o.Password != nil || o.Cipher != "")
	}
	return false
}

// badDER is what a structure is answered that is not what it should be.
func badDER(what string) error { return nte.Errorf(nte.NTE_BAD_DATA, "the blob is no %s in DER", what) }

// readPKCS8 tries EncryptedPrivateKeyInfo first, as CNG does. A password beside a blob that is not encrypted is not looked at.
func readPKCS8(data []byte, o *Options) (*Key, error) {
	e, err := ParseEncrypted(data)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return ReadPrivateKeyInfo(data, o)
	}
	plain, err := e.open(o.Password)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	k, err := ReadPrivateKeyInfo(plain.Bytes(), o)
	if nte.Code(err) == nte.NTE_BAD_DATA { // padding is right once in 256 times, a structure is not
		return nil, errNotOpened
	}
	return k, err
}

// privateKeyInfo is a PrivateKeyInfo in its parts.
type privateKeyInfo struct {
	oid        string // DER
	parameters cryptobyte.String
	key        cryptobyte.String
	attributes cryptobyte.String
}

func parsePrivateKeyInfo(der []byte) (*privateKeyInfo, error) {
	input := cryptobyte.String(der)
	var info, algorithm, oid cryptobyte.String
	var version int64
	var attributed bool
	p := &privateKeyInfo{}
	if !input.ReadASN1(&info, asn1.SEQUENCE) || !input.Empty() || !info.ReadASN1Integer(&version) || version < 0 || version > 1 ||
		!info.ReadASN1(&algorithm, asn1.SEQUENCE) || !algorithm.ReadASN1Element(&oid, asn1.OBJECT_IDENTIFIER) ||
		!info.ReadASN1(&p.key, asn1.OCTET_STRING) || !info.ReadOptionalASN1(&p.attributes, &attributed, tag0) {
		return nil, badDER("PrivateKeyInfo")
	}
	p.oid, p.parameters = string(oid), algorithm
	if !info.SkipOptionalASN1(asn1.Tag(1).ContextSpecific()) || !info.Empty() { // the public key of RFC 5958: it follows from the private one
		return nil, badDER("PrivateKeyInfo")
	}
	return p, nil
}

// ReadPrivateKeyInfo makes a key of a PrivateKeyInfo in DER. Errors: nte.NTE_BAD_DATA, nte.NTE_BAD_KEY where there is no key in it, nte.NTE_NOT_SUPPORTED
// for other algorithms.
func ReadPrivateKeyInfo(der []byte, o *Options) (*Key, error) {
	p, err := parsePrivateKeyInfo(der)
	if err != nil {
		return nil, err
	}
	if p.key.Empty() {
		return nil, nte.Errorf(nte.NTE_BAD_KEY, "there is no key in the PrivateKeyInfo")
	}
	usage, err := readUsage(p.attributes)
	if err != nil {
		return nil, err
	}
	var k *Key
	switch p.oid {
	case string(oidRSA):
		k, err = readRSAPrivateKey(p)
	case string(oidEC), string(oidECDH):
		k, err = readECPrivateKey(p, groupFor(p.oid, usage, o.Algorithm))
	case string(pubkey.X25519.Params):
		k, err = readX25519(p)
	default:
		if set := pqSetByOID(p.oid); set != nil {
			k, err = readPQPrivateKey(p, set)
			break
		}
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "CNG has no name for the algorithm of the key (OID % x)", p.oid)
	}
	if err != nil {
		return nil, err
	}
	k.Usage = usage
	return k, nil
}

// rsaPrivateParts are the numbers of an RSAPrivateKey in their order (RFC 8017, appendix A.1.2).
var rsaPrivateParts = []ck.AttributeType{
	ck.CKA_MODULUS, ck.CKA_PUBLIC_EXPONENT, ck.CKA_PRIVATE_EXPONENT, ck.CKA_PRIME_1, ck.CKA_PRIME_2, ck.CKA_EXPONENT_1, ck.CKA_EXPONENT_2, ck.CKA_COEFFICIENT,
}

func readRSAPrivateKey(p *privateKeyInfo) (*Key, error) {
	var numbers cryptobyte.String
	var version int64
	if !p.parameters.Empty() && string(p.parameters) != string(asn1Null) || !p.key.ReadASN1(&numbers, asn1.SEQUENCE) || !p.key.Empty() ||
		!numbers.ReadASN1Integer(&version) {
		return nil, badDER("RSAPrivateKey")
	}
	if version != 0 {
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "RSA keys of more than two primes are not supported")
	}
	k := newKey("RSA", ck.CKK_RSA, true)
	for i, typ := range rsaPrivateParts {
		var value []byte
		if !numbers.ReadASN1Integer(&value) || len(number(value)) == 0 || len(value) > maxRSABytes {
			k.Close()
			return nil, badDER("RSAPrivateKey")
		}
		const public = 2
		k.put(typ, number(value), i >= public)
	}
	if !numbers.Empty() {
		k.Close()
		return nil, badDER("RSAPrivateKey")
	}
	return k, nil
}

func readX25519(p *privateKeyInfo) (*Key, error) {
	var value cryptobyte.String
	if !p.parameters.Empty() || !p.key.ReadASN1(&value, asn1.OCTET_STRING) || !p.key.Empty() || len(value) != pubkey.X25519.Size {
		return nil, badDER("CurvePrivateKey")
	}
	k := newKey("ECDH", ck.CKK_EC_MONTGOMERY, true)
	k.Put(ck.CKA_EC_PARAMS, pubkey.X25519.Params)
	k.PutSecret(ck.CKA_VALUE, value)
	return k, nil
}

// writePKCS8 writes a PrivateKeyInfo, encrypted where the options want it.
func writePKCS8(k *Key, o *Options) (*secret.Bytes, error) {
	plain, err := writePrivateKeyInfo(k)
	if err != nil || !Encrypts(PKCS8, o) {
		return plain, err
	}
	defer plain.Close()
	e, err := NewEncrypted(o)
	if err != nil {
		return nil, err
	}
	return e.seal(plain.Bytes(), o.Password)
}

func writePrivateKeyInfo(k *Key) (*secret.Bytes, error) {
	var algorithm [][]byte
	var write cryptobyte.BuilderContinuation
	switch {
	case k.Class != ck.CKO_PRIVATE_KEY:
		return nil, wrongKind(PKCS8, k)
	case k.KeyType == ck.CKK_RSA:
		if err := needs(PKCS8, k, rsaPrivateParts...); err != nil {
			return nil, err
		}
		algorithm, write = [][]byte{oidRSA, asn1Null}, func(b *cryptobyte.Builder) { writeRSAPrivateKey(b, k) }
	case k.KeyType == ck.CKK_EC:
		c := curveByParams(k.Get(ck.CKA_EC_PARAMS))
		if c == nil {
			return nil, wrongKind(PKCS8, k)
		}
		if err := needs(PKCS8, k, ck.CKA_VALUE); err != nil {
			return nil, err
		}
		if len(number(k.Get(ck.CKA_VALUE))) > c.size {
			return nil, nte.Errorf(nte.NTE_BAD_DATA, "the private key is too long for %s", c.names[0])
		}
		algorithm, write = [][]byte{oidEC, c.params}, func(b *cryptobyte.Builder) { writeECPrivateKey(b, k, c) }
	case k.KeyType == ck.CKK_EC_MONTGOMERY && len(k.Get(ck.CKA_VALUE)) == pubkey.X25519.Size:
		algorithm = [][]byte{pubkey.X25519.Params}
		write = func(b *cryptobyte.Builder) { b.AddASN1OctetString(k.Get(ck.CKA_VALUE)) }
	case pqSetOf(k) != nil && pqSetOf(k).oid() != nil && len(k.Get(ck.CKA_SEED))+len(k.Get(ck.CKA_VALUE)) != 0:
		algorithm, write = [][]byte{pqSetOf(k).oid()}, func(b *cryptobyte.Builder) { writePQPrivateKey(b, k) }
	default:
		return nil, wrongKind(PKCS8, k)
	}
	return marshalPrivateKeyInfo(k, algorithm, write)
}

// marshalPrivateKeyInfo writes into one buffer that never grows, so that no copy is left behind.
func marshalPrivateKeyInfo(k *Key, algorithm [][]byte, key cryptobyte.BuilderContinuation) (*secret.Bytes, error) {
	const headers = 256
	size := headers
	for _, part := range k.parts {
		size += len(part.Value) + 8
	}
	buffer := secret.New(size)
	defer buffer.Close()
	b := cryptobyte.NewFixedBuilder(buffer.Bytes()[:0])
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(slices.Concat(algorithm...)) })
		b.AddASN1(asn1.OCTET_STRING, key)
		writeUsage(b, k.Usage)
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, nte.Errorf(nte.NTE_FAIL, "writing a PrivateKeyInfo: %w", err)
	}
	return secret.Copy(der), nil
}

func writeRSAPrivateKey(b *cryptobyte.Builder, k *Key) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		for _, typ := range rsaPrivateParts {
			addNumber(b, k.Get(typ))
		}
	})
}

// addNumber adds a positive INTEGER without a big.Int in between, which nobody would wipe.
func addNumber(b *cryptobyte.Builder, value []byte) {
	b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) {
		value = number(value)
		if len(value) == 0 || value[0] >= 0x80 {
			b.AddUint8(0)
		}
		b.AddBytes(value)
	})
}
