// Package mech says what each mechanism is: one row per mechanism, as plain data, and the check that turns a caller's CK_MECHANISM
// into a Scheme. It stands below the seam, so that the guard knows what a mechanism means without trusting who asks.
package mech

import "github.com/ncrypt11/ncrypt11/token/ck"

// Row is everything that is fixed about a mechanism. C_GetMechanismList, C_GetMechanismInfo, the checks of every *Init function, the
// guard's usage policy and the choice of the code that runs all read it.
type Row struct {
	Type      ck.MechanismType
	Params    ParamKind    // which parameter the caller must pass
	KeyTypes  []ck.KeyType // key types that may be used; the first is what generation makes
	Min, Max  uint         // key sizes, in the unit that the mechanism's section names
	Flags     ck.Flags     // CKF_SIGN | CKF_VERIFY | ...: the functions that it serves
	Primitive Primitive    // what runs
	Hash      Hash         // the digest that is taken of the data first, or that HMAC is over; 0: none
	MultiPart bool         // whether Update and Final may be used
}

// ParamKind names the Go type of ck.Mechanism.Params (see ck/mechanism.go) that a mechanism takes.
type ParamKind byte

// The kinds of parameter.
const (
	NoParams          ParamKind = iota // NULL, or ignored where length is 0
	IVParams                           // ck.RawParams, 16 bytes
	WrapIVParams                       // ck.RawParams, absent, or 8 bytes (RFC 3394) / 4 bytes (RFC 5649)
	ULongParams                        // ck.ULongParams
	OAEPParams                         // ck.OAEPParams
	PSSParams                          // ck.PSSParams
	CTRParams                          // ck.CTRParams
	GCMParams                          // ck.GCMParams
	ECDH1Params                        // ck.ECDH1Params
	EdDSAParams                        // ck.EdDSAParams, or absent
	RSAAESParams                       // ck.RSAAESParams
	ECDHAESParams                      // ck.ECDHAESParams
	HKDFParams                         // ck.HKDFParams
	SKIParams                          // ck.SKISessionParams
	ContextParams                      // ck.ContextParams, or absent
	BlobParams                         // ck.NCryptBlobParams
	CertificateParams                  // ck.RawParams, a certificate in DER, or absent
)

// Primitive is the computation behind a mechanism.
type Primitive byte

// The primitives.
const (
	NoPrimitive Primitive = iota
	Digest
	RSAPKCS1 // v1.5 padding; with a Hash, DigestInfo is added when signing
	RSARaw   // CKM_RSA_X_509
	RSAPSS
	RSAOAEP
	ECDSA
	EdDSA
	ECDH
	AESECB
	AESCBC
	AESCBCPad
	AESCTR
	AESGCM
	AESCMAC
	AESKeyWrap     // RFC 3394
	AESKeyWrapPad  // RFC 5649
	RSAAESKeyWrap  // OAEP of a fresh AES key, and RFC 5649 under that
	MLKEM          // FIPS 203
	MLDSA          // FIPS 204, of the message itself
	HKDF           // RFC 5869
	ECDHAESKeyWrap // a fresh public key, and RFC 5649 under what is agreed on with it
	HMAC
	SKISession       // a KeyDataBlob under RSA
	SKIImportKeyPair // CARD_IMPORT_KEYPAIR under AES-CBC with padding
	NCryptBlob       // stands for the mechanism that opens blobs of its type
	IsolatedEnvelope // an AES key under OAEP, and the key under AES-GCM
	PKCS7Envelope    // EnvelopedData of RFC 5652
	GenerateRSA
	GenerateEC
	GenerateEdwards
	GenerateMontgomery
	GenerateMLKEM
	GenerateMLDSA
	GenerateAES
	GenerateSecret
)
