package attest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"github.com/google/go-tpm/tpm2"
	"golang.org/x/crypto/cryptobyte"
)

// Template is what a key of an attestation has to be: the public area that TPM2_CreatePrimary is given in the endorsement hierarchy. The key that comes of it has the same
// public area, but for the public key itself in place of the unique field. So a key's attributes are not judged one by one: any other key is another key.
type Template struct {
	what   string
	public tpm2.TPMTPublic
}

// The templates.
var (
	// ECCEndorsementKey and RSAEndorsementKey are the TCG's (EK Credential Profile, templates L-2 and L-1): decryption keys whose use takes TPM2_PolicySecret of the
	// endorsement hierarchy.
	ECCEndorsementKey = Template{"an endorsement key on P-256 by the TCG's template L-2", tpm2.ECCEKTemplate}
	RSAEndorsementKey = Template{"an endorsement key of RSA 2048 by the TCG's template L-1", tpm2.RSAEKTemplate}

	// AttestationKey is restricted: it signs what the TPM says, and nothing that begins as if the TPM said it.
	AttestationKey = Template{"a restricted signing key on P-256", signing(true, "ncrypt11 attestation key, version 1")}
	// StatementKey signs any digest.
	StatementKey = Template{"a signing key on P-256", signing(false, "ncrypt11 statement key, version 1")}
)

// signing is the template of a key that the TPM made, that stays in it, and that signs by ECDSA with SHA-256. The label is hashed into the unique field, so that
// no other software that asks for such a key gets this one.
func signing(restricted bool, label string) tpm2.TPMTPublic {
	x, y := sha256.Sum256([]byte(label)), make([]byte, sha256.Size)
	return tpm2.TPMTPublic{
		Type:    tpm2.TPMAlgECC,
		NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{
			FixedTPM:            true,
			FixedParent:         true,
			SensitiveDataOrigin: true,
			UserWithAuth:        true,
			NoDA:                true,
			Restricted:          restricted,
			SignEncrypt:         true,
		},
		Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC, &tpm2.TPMSECCParms{
			Symmetric: tpm2.TPMTSymDefObject{Algorithm: tpm2.TPMAlgNull},
			Scheme: tpm2.TPMTECCScheme{
				Scheme:  tpm2.TPMAlgECDSA,
				Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgECDSA, &tpm2.TPMSSigSchemeECDSA{HashAlg: tpm2.TPMAlgSHA256}),
			},
			CurveID: tpm2.TPMECCNistP256,
			KDF:     tpm2.TPMTKDFScheme{Scheme: tpm2.TPMAlgNull},
		}),
		Unique: point(x[:], y),
	}
}

func point(x, y []byte) tpm2.TPMUPublicID {
	return tpm2.NewTPMUPublicID(tpm2.TPMAlgECC, &tpm2.TPMSECCPoint{X: tpm2.TPM2BECCParameter{Buffer: x}, Y: tpm2.TPM2BECCParameter{Buffer: y}})
}

// Area is the public area to ask a TPM for.
func (t *Template) Area() tpm2.TPMTPublic { return t.public }

// Key is a key by a template.
type Key struct {
	Area   tpm2.TPMTPublic  // the public area
	Public crypto.PublicKey // *ecdsa.PublicKey or *rsa.PublicKey
	Name   []byte           // TPM 2.0 Part 1, 16: the hash algorithm, and the public area's hash
}

// Fingerprint is the SHA-256 of the key's Name.
func (k *Key) Fingerprint() [sha256.Size]byte { return sha256.Sum256(k.Name) }

// Read checks that public, a TPMT_PUBLIC, is that of a key by the template.
func (t *Template) Read(public []byte) (*Key, error) {
	k := &Key{Area: t.public}
	rest, ok := bytes.CutPrefix(public, t.head())
	if !ok {
		return nil, fmt.Errorf("it is not %s", t.what)
	}
	var err error
	if unique := cryptobyte.String(rest); t.public.Type == tpm2.TPMAlgRSA {
		err = k.readRSA(unique)
	} else {
		err = k.readECC(unique)
	}
	if err != nil {
		return nil, fmt.Errorf("it should be %s, but %w", t.what, err)
	}
	digest := sha256.Sum256(public)
	k.Name = append(nameAlg(), digest[:]...)
	return k, nil
}

// nameAlg stands before the digest in a Name: TPM_ALG_SHA256.
func nameAlg() []byte { return []byte{0x00, 0x0B} }

// head is what is before the unique field, which is the last one.
func (t *Template) head() []byte {
	bare, uniqueLen := t.public, 2+2
	if bare.Unique = point(nil, nil); bare.Type == tpm2.TPMAlgRSA {
		bare.Unique, uniqueLen = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{}), 2
	}
	all := tpm2.Marshal(bare)
	return all[:len(all)-uniqueLen]
}

const (
	p256Len = 32
	rsaBits = 2048
	// rsaExponent is what the templates' exponent 0 stands for (Part 2, TPMS_RSA_PARMS).
	rsaExponent = 1<<16 + 1
)

// readECC reads a TPMS_ECC_POINT. Some TPMs leave out zeros at the front of coordinates.
func (k *Key) readECC(unique cryptobyte.String) error {
	x, y, ok := readPair(unique, p256Len)
	if !ok {
		return errors.New("its public key is no point of P-256")
	}
	uncompressed := make([]byte, 1+2*p256Len)
	uncompressed[0] = 4 // SEC 1, 2.3.3
	new(big.Int).SetBytes(x).FillBytes(uncompressed[1 : 1+p256Len])
	new(big.Int).SetBytes(y).FillBytes(uncompressed[1+p256Len:])
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), uncompressed)
	if err != nil {
		return errors.New("its public key is no point of P-256")
	}
	k.Area.Unique, k.Public = point(x, y), public
	return nil
}

// readRSA reads a TPM2B_PUBLIC_KEY_RSA.
func (k *Key) readRSA(unique cryptobyte.String) error {
	var modulus cryptobyte.String
	if !unique.ReadUint16LengthPrefixed(&modulus) || !unique.Empty() || len(modulus) != rsaBits/8 {
		return errors.New("its modulus is not as long")
	}
	n := new(big.Int).SetBytes(modulus)
	if n.BitLen() != rsaBits || n.Bit(0) == 0 {
		return errors.New("its modulus is none")
	}
	k.Area.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: modulus})
	k.Public = &rsa.PublicKey{N: n, E: rsaExponent}
	return nil
}
