package mech

// Op is a use of a key, or of none.
type Op byte

// The operations, each served by one family of functions.
const (
	OpEncrypt Op = iota + 1
	OpDecrypt
	OpDigest
	OpSign
	OpSignRecover
	OpVerify
	OpVerifyRecover
	OpGenerate
	OpGenerateKeyPair
	OpWrap
	OpUnwrap
	OpDerive
	OpEncapsulate
	OpDecapsulate
)

// Scheme is a mechanism with its parameter checked: how a key is used, as a plain value that can be sent to another process. Fields
// that the row's primitive does not use are zero.
type Scheme struct {
	Row *Row

	Hash    Hash   // OAEP, PSS: the hash of the parameter; else Row.Hash
	MGFHash Hash   // OAEP, PSS
	SaltLen int    // PSS, bytes
	Label   []byte // OAEP: the label; CKM_NCRYPT_IMPORT_BLOB: the blob's type

	IV          []byte // CBC: 16 bytes; CTR: the first counter block; GCM: any length; key wrap: the initial value or nil for the default
	AAD         []byte // GCM
	TagLen      int    // GCM, bytes
	CounterBits int    // CTR
	MACLen      int    // HMAC_GENERAL, CMAC_GENERAL: bytes to give out; 0: the whole
	AESLen      int    // wrapping under an AES key in between: its bytes

	Prehash       bool   // EdDSA: Ed25519ph
	Context       []byte // EdDSA, ML-DSA; an envelope: the recipient's certificate
	Deterministic bool   // ML-DSA: without fresh randomness

	KDF        uint   // ECDH: CKD_*
	SharedData []byte // ECDH
	Peer       []byte // ECDH: the other side's public point, raw or as a DER OCTET STRING

	Extract, Expand bool   // HKDF: which of its steps
	Salt, Info      []byte // HKDF; Info of CKM_NCRYPT_IMPORT_BLOB: CNG's name of the algorithm
	SaltKey         uint64 // HKDF: the key whose value is the salt. Parse gives its object handle, and who asks a guard puts the guard's reference there; 0: none

	// Ticket is the guard's permission for one use of a key with CKA_ALWAYS_AUTHENTICATE; 0: none.
	Ticket uint64
}
