package ck

// Mechanism is CK_MECHANISM with its parameter decoded. Params is nil, or one of the types of this file; which one a mechanism
// takes is said by its row in package mech. Slices are copies: they do not alias the caller's memory.
type Mechanism struct {
	Type   MechanismType
	Params any
}

// RawParams is the parameter of mechanisms that take plain bytes (an IV, for most).
type RawParams []byte

// ULongParams is the parameter of mechanisms that take one CK_ULONG (CK_MAC_GENERAL_PARAMS, CK_EXTRACT_PARAMS).
type ULongParams uint

// OAEPParams is CK_RSA_PKCS_OAEP_PARAMS.
type OAEPParams struct {
	Hash   MechanismType
	MGF    uint
	Source uint
	Label  []byte // pSourceData
}

// PSSParams is CK_RSA_PKCS_PSS_PARAMS.
type PSSParams struct {
	Hash    MechanismType
	MGF     uint
	SaltLen uint
}

// CTRParams is CK_AES_CTR_PARAMS.
type CTRParams struct {
	CounterBits uint
	Block       [16]byte
}

// GCMParams is CK_GCM_PARAMS, in its 48-byte and its legacy 40-byte form.
type GCMParams struct {
	IV      []byte
	AAD     []byte
	TagBits uint
}

// ECDH1Params is CK_ECDH1_DERIVE_PARAMS.
type ECDH1Params struct {
	KDF        uint
	SharedData []byte
	PublicData []byte
}

// EdDSAParams is CK_EDDSA_PARAMS.
type EdDSAParams struct {
	Prehash bool
	Context []byte
}

// ContextParams is CK_SIGN_ADDITIONAL_CONTEXT.
type ContextParams struct {
	Hedge   uint // CKH_*
	Context []byte
}

// ECDHAESParams is CK_ECDH_AES_KEY_WRAP_PARAMS.
type ECDHAESParams struct {
	AESBits    uint
	KDF        uint
	SharedData []byte
}

// HKDFParams is CK_HKDF_PARAMS, less the handle of a salt that is a key.
type HKDFParams struct {
	Extract, Expand bool
	Hash            MechanismType
	SaltType        uint
	Salt, Info      []byte
	SaltKey         ObjectHandle // for CKF_HKDF_SALT_KEY
}

// SKISessionParams is CK_NCRYPT_SKI_SESSION_PARAMS.
type SKISessionParams struct {
	Padding MechanismType // CKM_RSA_PKCS or CKM_RSA_PKCS_OAEP
	OAEP    OAEPParams    // of the latter
}

// RSAAESParams is CK_RSA_AES_KEY_WRAP_PARAMS.
type RSAAESParams struct {
	AESBits uint
	OAEP    OAEPParams
}
