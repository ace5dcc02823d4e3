// Package softtpm is a TPM of software, for the tests of what believes TPMs: it says what a TPM says, and it opens credentials. Nothing in it is protected.
package softtpm

import (
	"crypto"
	"crypto/aes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"

	"github.com/google/go-tpm/tpm2"
	"golang.org/x/crypto/cryptobyte"

	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// TPM has the three keys of an attestation. It is a seal.Attester.
type TPM struct {
	ek, ak, key *ecdsa.PrivateKey
}

var _ seal.Attester = (*TPM)(nil)

// New makes a TPM.
func New() (*TPM, error) {
	var keys [3]*ecdsa.PrivateKey
	for i := range keys {
		var err error
		if keys[i], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, err
		}
	}
	return &TPM{keys[0], keys[1], keys[2]}, nil
}

// Load makes the TPM again that Keys is from.
func Load(keys []byte) (*TPM, error) {
	var t TPM
	for s, at := cryptobyte.String(keys), []**ecdsa.PrivateKey{&t.ek, &t.ak, &t.key}; len(at) > 0; at = at[1:] {
		var one cryptobyte.String
		if !s.ReadUint16LengthPrefixed(&one) {
			return nil, fmt.Errorf("the keys of a TPM end early")
		}
		var err error
		if *at[0], err = x509.ParseECPrivateKey(one); err != nil {
			return nil, err
		}
	}
	return &t, nil
}

// Keys are the TPM's private keys.
func (t *TPM) Keys() ([]byte, error) {
	var b cryptobyte.Builder
	for _, key := range []*ecdsa.PrivateKey{t.ek, t.ak, t.key} {
		der, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			return nil, err
		}
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(der) })
	}
	return b.Bytes()
}

// Trust believes this TPM.
func (t *TPM) Trust() attest.Trust {
	return attest.Trust{Fingerprints: [][32]byte{sha256.Sum256(nameOf(area(&attest.ECCEndorsementKey, t.ek)))}}
}

// Attest is TPM2_Certify and TPM2_Sign.
func (t *TPM) Attest(statement []byte) (*seal.Attestation, error) {
	ak, key := area(&attest.AttestationKey, t.ak), area(&attest.StatementKey, t.key)
	digest := sha256.Sum256(statement)
	certified := tpm2.Marshal(tpm2.TPMSAttest{
		Magic:           tpm2.TPMGeneratedValue,
		Type:            tpm2.TPMSTAttestCertify,
		QualifiedSigner: tpm2.TPM2BName{Buffer: qualified(nameOf(ak))},
		ExtraData:       tpm2.TPM2BData{Buffer: digest[:]},
		ClockInfo:       tpm2.TPMSClockInfo{Safe: true},
		Attested: tpm2.NewTPMUAttest(tpm2.TPMSTAttestCertify, &tpm2.TPMSCertifyInfo{
			Name: tpm2.TPM2BName{Buffer: nameOf(key)}, QualifiedName: tpm2.TPM2BName{Buffer: qualified(nameOf(key))},
		}),
	})
	certificate, err := sign(t.ak, certified)
	if err != nil {
		return nil, err
	}
	signature, err := sign(t.key, statement)
	if err != nil {
		return nil, err
	}
	return &seal.Attestation{
		EKPublic: tpm2.Marshal(area(&attest.ECCEndorsementKey, t.ek)), AKPublic: tpm2.Marshal(ak), KeyPublic: tpm2.Marshal(key),
		Certified: certified, Certificate: certificate, Signature: signature,
	}, nil
}

func area(template *attest.Template, private *ecdsa.PrivateKey) tpm2.TPMTPublic {
	public := template.Area()
	x, y := coordinates(&private.PublicKey)
	public.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgECC, &tpm2.TPMSECCPoint{X: tpm2.TPM2BECCParameter{Buffer: x}, Y: tpm2.TPM2BECCParameter{Buffer: y}})
	return public
}

func coordinates(public *ecdsa.PublicKey) (x, y []byte) {
	raw, err := public.Bytes()
	if err != nil {
		panic(err) // it is on P-256
	}
	return raw[1:33], raw[33:]
}

// nameOf is a Name (TPM 2.0 Part 1, 16).
func nameOf(public tpm2.TPMTPublic) []byte { return hashed(tpm2.Marshal(public)) }

// qualified is the Qualified Name of a primary key of the endorsement hierarchy.
func qualified(name []byte) []byte { return hashed([]byte{0x40, 0, 0, 0x0B}, name) }

func hashed(parts ...[]byte) []byte {
	digest := sha256.Sum256(slices.Concat(parts...))
	return append([]byte{0, 0x0B}, digest[:]...) // TPM_ALG_SHA256
}

// sign is a TPMT_SIGNATURE.
func sign(by *ecdsa.PrivateKey, message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, by, digest[:])
	if err != nil {
		return nil, err
	}
	fixed := func(x *big.Int) tpm2.TPM2BECCParameter {
		return tpm2.TPM2BECCParameter{Buffer: x.FillBytes(make([]byte, 32))}
	}
	return tpm2.Marshal(tpm2.TPMTSignature{
		SigAlg: tpm2.TPMAlgECDSA,
		Signature: tpm2.NewTPMUSignature(tpm2.TPMAlgECDSA, &tpm2.TPMSSignatureECC{
			Hash: tpm2.TPMAlgSHA256, SignatureR: fixed(r), SignatureS: fixed(s),
		}),
	}), nil
}

// Activate is TPM2_ActivateCredential (Part 1, 24).
func (t *TPM) Activate(blob, encrypted []byte) (*secret.Bytes, error) {
	object, err := tpm2.Unmarshal[tpm2.TPM2BIDObject](blob)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", seal.ErrDamaged, err)
	}
	seed, err := t.seed(encrypted)
	if err != nil {
		return nil, err
	}
	name := nameOf(area(&attest.AttestationKey, t.ak))
	s := cryptobyte.String(object.Buffer)
	var integrity cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&integrity) {
		return nil, seal.ErrDamaged
	}
	mac := hmac.New(sha256.New, tpm2.KDFa(crypto.SHA256, seed, "INTEGRITY", nil, nil, 256))
	mac.Write(s)
	mac.Write(name)
	if !hmac.Equal(mac.Sum(nil), integrity) {
		return nil, seal.ErrForeign
	}
	plain, err := decryptCFB(tpm2.KDFa(crypto.SHA256, seed, "STORAGE", name, nil, 128), s)
	if err != nil {
		return nil, err
	}
	value := cryptobyte.String(plain)
	var credential cryptobyte.String
	if !value.ReadUint16LengthPrefixed(&credential) || !value.Empty() {
		return nil, seal.ErrDamaged
	}
	return secret.From(credential), nil
}

// seed is what was agreed on with the endorsement key (Part 1, C.6.4).
func (t *TPM) seed(encrypted []byte) ([]byte, error) {
	s := cryptobyte.String(encrypted)
	var whole, x, y cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&whole) || !s.Empty() || !whole.ReadUint16LengthPrefixed(&x) || !whole.ReadUint16LengthPrefixed(&y) || !whole.Empty() {
		return nil, seal.ErrDamaged
	}
	peer, err := ecdh.P256().NewPublicKey(slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", seal.ErrDamaged, err)
	}
	own, err := t.ek.ECDH()
	if err != nil {
		return nil, err
	}
	z, err := own.ECDH(peer)
	if err != nil {
		return nil, err
	}
	ownX, _ := coordinates(&t.ek.PublicKey)
	return tpm2.KDFe(crypto.SHA256, z, "IDENTITY", x, ownX, 256), nil
}

// decryptCFB is AES in CFB mode from an IV of zeros.
func decryptCFB(key, in []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(in))
	feedback := make([]byte, aes.BlockSize)
	for at := 0; at < len(in); at += aes.BlockSize {
		mask := make([]byte, aes.BlockSize)
		block.Encrypt(mask, feedback)
		for i, b := range in[at:min(at+aes.BlockSize, len(in))] {
			out[at+i] = b ^ mask[i]
		}
		copy(feedback, in[at:])
	}
	return out, nil
}
