// Package guard is the seam between what knows PKCS #11 (above) and what holds keys (below). Above it stand sessions, handles,
// templates and mechanisms; below it plaintext keys, what each may be used for, and the master keys that seal them. Nothing above
// sees a plaintext key, but for the one that an import brings in.
//
// package local keeps keys in this process. A guard process serves the same interface over a socket.
package guard

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Ref names a key that a guard has loaded. It means something to that guard only. 0: none.
type Ref uint64

// Vault names an unlocked master key in a guard. Vault 0 has no master key: what is made in it lives in the guard's memory only and
// has no sealed record.
type Vault uint64

// Key is what making or importing a key gives back.
type Key struct {
	Ref    Ref
	Record []byte // the sealed record to store (RECORD.md); nil in vault 0
	// Public is the public half: CKA_MODULUS and CKA_PUBLIC_EXPONENT, CKA_EC_PARAMS and CKA_EC_POINT, or CKA_PARAMETER_SET; CKA_PUBLIC_KEY_INFO. For secret keys
	// CKA_VALUE_LEN and CKA_CHECK_VALUE.
	Public []Part
}

// Part is one component of a key, named by the attribute that PKCS #11 gives it. Numbers are big-endian without leading zeros, as
// attributes are.
type Part struct {
	Type  ck.AttributeType
	Value []byte
}

// Material is a plaintext key on its way in or out. Its values alias the caller's buffers, which the caller wipes.
type Material struct {
	Class   ck.ObjectClass // CKO_PRIVATE_KEY, CKO_SECRET_KEY, or CKO_DATA for the value of a private data object
	KeyType ck.KeyType
	Parts   []Part
}

// KeySpec says what to generate or derive.
type KeySpec struct {
	KeyType        ck.KeyType
	Bits           int    // RSA modulus
	PublicExponent []byte // RSA; nil: 65537
	ECParams       []byte // EC, Edwards, Montgomery: CKA_EC_PARAMS as given
	ValueLen       int    // secret keys, bytes; Derive: 0 means all there is
	ParameterSet   uint   // ML-KEM, ML-DSA: CKA_PARAMETER_SET
}

// Keys is a guard. Its methods may be called from any goroutine. Errors carry a CK_RV (ck.Code). Where append-style dst is taken,
// output is appended to it; the room behind dst does not overlap what is read.
type Keys interface {
	// Level is how far keys are out of reach of this process: what was achieved, not what was asked for.
	Level() Level
	// PINLimit is how many wrong PINs in a row the guard lets pass, by a count of its own that no client can change; 0: it does not count.
	PINLimit() int

	// NewMaster makes a fresh master key, unlocks it and seals it under auth (nil: no PIN) and terms (nil: none), whose owner is the caller.
	// Error: CKR_FUNCTION_REJECTED where the guard cannot keep the terms.
	NewMaster(auth *secret.Bytes, context []byte, terms *seal.Terms) (Vault, []byte, error)
	// Unlock opens a sealed master key. Errors: CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_ACTION_PROHIBITED for who is not on its access list,
	// seal.ErrDead for one whose boot is over, CKR_DEVICE_ERROR where the bytes are damaged or from elsewhere, CKR_DEVICE_REMOVED without a TPM.
	Unlock(sealed []byte, auth *secret.Bytes, context []byte) (Vault, error)
	// Reseal seals the vault's master key under another auth and the terms that it had. Errors: CKR_USER_NOT_LOGGED_IN where the login was in a guard that has
	// ended, CKR_FUNCTION_REJECTED for no auth where there was one.
	Reseal(v Vault, auth *secret.Bytes, context []byte) ([]byte, error)
	// Lock forgets the master key and every key that was loaded or made through it.
	Lock(v Vault)

	// Generate makes a key (pair) from the guard's own randomness.
	Generate(v Vault, s *mech.Scheme, spec *KeySpec, p *Policy) (*Key, error)
	// Import checks m (it must be complete enough to rebuild the key, and consistent) and takes it in. It keeps copies only.
	Import(v Vault, m *Material, p *Policy) (*Key, error)
	// Unwrap decrypts a wrapped key with unwrapping and takes it in. Errors: CKR_WRAPPED_KEY_INVALID and CKR_WRAPPED_KEY_LEN_RANGE for
	// bad bytes, whatever is wrong with them; CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT; CKR_KEY_FUNCTION_NOT_PERMITTED.
	Unwrap(v Vault, unwrapping Ref, s *mech.Scheme, wrapped []byte, spec *KeySpec, p *Policy) (*Key, error)
	// Derive makes a secret key from base.
	Derive(v Vault, base Ref, s *mech.Scheme, spec *KeySpec, p *Policy) (*Key, error)
	// Encapsulate makes a secret key for the owner of a public key, which is given by its parts, and the ciphertext that he finds it by.
	Encapsulate(v Vault, public []Part, s *mech.Scheme, spec *KeySpec, p *Policy) (*Key, []byte, error)
	// Decapsulate makes the secret key that a ciphertext is for. One that was altered gives another key, as FIPS 203 has it. Errors: CKR_WRAPPED_KEY_LEN_RANGE.
	Decapsulate(v Vault, private Ref, s *mech.Scheme, ciphertext []byte, spec *KeySpec, p *Policy) (*Key, error)
	// Load opens a sealed record of the vault.
	Load(v Vault, record []byte) (Ref, error)
	// Reissue gives a copy of the key under p, sealed in v. p may narrow what the key's own policy allows, never widen it, and a key that cannot be
	// revealed stays under the master key that it came under (CKR_ATTRIBUTE_READ_ONLY).
	Reissue(v Vault, ref Ref, p *Policy) (*Key, error)
	// Reveal gives the plaintext of a key that is extractable and not sensitive (CKR_ATTRIBUTE_SENSITIVE else). The caller closes Secret.
	Reveal(ref Ref) (*Revealed, error)
	// Forget drops a loaded key and wipes it.
	Forget(ref Ref)

	// Attest states what the guard knows of keys, and has the TPM vouch for that. Errors: CKR_FUNCTION_REJECTED where keys are not isolated, or there is no TPM;
	// CKR_ARGUMENTS_BAD for what cannot be stated; CKR_KEY_TYPE_INCONSISTENT for keys without a public half; those of seal.Attester.
	Attest(keys []Ref, asked *Asked) (statement []byte, by *seal.Attestation, err error)
	// Activate opens a credential of the TPM, and makes a secret key of what is in it, which cannot leave and is for deriving. Errors: those of seal.Attester;
	// CKR_TEMPLATE_INCONSISTENT for another policy.
	Activate(v Vault, blob, encrypted []byte, p *Policy) (*Key, error)

	// Authorize checks auth against a sealed master key of the key's own vault, and gives a ticket for one use (CKA_ALWAYS_AUTHENTICATE).
	Authorize(ref Ref, sealed []byte, auth *secret.Bytes, context []byte) (ticket uint64, err error)

	// Sign signs data, or its digest where the scheme's row has a Hash and the key is asymmetric: the caller hashes.
	Sign(dst []byte, ref Ref, s *mech.Scheme, data []byte) ([]byte, error)
	// SignRecover signs data so that the signature gives it back.
	SignRecover(dst []byte, ref Ref, s *mech.Scheme, data []byte) ([]byte, error)
	// Verify checks a MAC, in constant time. Signatures of public keys are checked above the seam.
	Verify(ref Ref, s *mech.Scheme, data, mac []byte) error
	// Encrypt encrypts with a secret key.
	Encrypt(dst []byte, ref Ref, s *mech.Scheme, data []byte) ([]byte, error)
	// Decrypt decrypts with a secret or private key.
	Decrypt(dst []byte, ref Ref, s *mech.Scheme, data []byte) ([]byte, error)
	// Wrap encrypts key under wrapping. Errors: CKR_KEY_UNEXTRACTABLE, CKR_KEY_NOT_WRAPPABLE.
	Wrap(dst []byte, wrapping Ref, s *mech.Scheme, key Ref) ([]byte, error)
	// WrapPublic encrypts key under a public key, which is given by its parts. A guard cannot know whether a public key is trusted, so keys
	// that must be wrapped with trusted keys only are refused: CKR_KEY_NOT_WRAPPABLE.
	WrapPublic(dst []byte, wrapping []Part, s *mech.Scheme, key Ref) ([]byte, error)
	// Stream starts a multi-part use (OpSign and OpVerify for MACs, OpEncrypt, OpDecrypt) of a secret key.
	Stream(ref Ref, s *mech.Scheme, op mech.Op) (Stream, error)

	// Close wipes everything.
	Close() error
}

// Stream is a multi-part operation under way in a guard. It is used by one goroutine at a time.
type Stream interface {
	// Update takes the next part and appends what output there is so far. AES-GCM decryption gives nothing before Final.
	Update(dst, part []byte) ([]byte, error)
	// Final appends the rest: the MAC, the padding block, the tag, or the checked plaintext. A stream for OpVerify gives nothing away.
	Final(dst []byte) ([]byte, error)
	// Verify ends a stream for OpVerify: it checks the MAC, in constant time. Errors: CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE.
	Verify(mac []byte) error
	// Shape tells exactly what an Update would append.
	Shape() StreamShape
	// FinalLen is what Final would append: exact, but for CBC_PAD decryption, where it is an upper bound.
	FinalLen() int
	// Close wipes the state. It may be called at any time, more than once.
	Close()
}
