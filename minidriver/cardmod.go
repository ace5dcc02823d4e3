// Package minidriver is a smart-card minidriver over tokens, as cardmod.h describes them: what a Base CSP or a server asks of a card for secure key
// injection, with its names, numbers, layouts and statuses. A card is a token, a container a key pair in it. Between a session key's arrival and the injected
// key's storing nothing of either is outside of the token's guard.
//
// Without a card (CARD_SECURE_KEY_INJECTION_NO_CARD_MODE) it formats and encrypts, for a server that makes the keys, and touches no token and no TPM.
//
// The statuses are those of package nte. docs/MINIDRIVER.md goes through the whole flow, and says what it lacks.
package minidriver

import "github.com/ncrypt11/ncrypt11/minidriver/message"

// Version is the version of CARD_DATA that there is here: the first with secure key injection.
const Version = message.CurrentVersion

// Flags of CardAcquireContext.
const CARD_SECURE_KEY_INJECTION_NO_CARD_MODE uint32 = 0x00000001

// Names of card properties.
const (
	CP_KEY_IMPORT_SUPPORT = "Key Import Support"
	CP_ENUM_ALGORITHMS    = "Algorithms"
	CP_PADDING_SCHEMES    = "Padding Schemes"
	CP_CHAINING_MODES     = "Chaining Modes"
)

// What CP_KEY_IMPORT_SUPPORT is made of.
const (
	CARD_KEY_IMPORT_PLAIN_TEXT       uint32 = 0x00000001
	CARD_KEY_IMPORT_RSA_KEYEST       uint32 = 0x00000002
	CARD_KEY_IMPORT_ECC_KEYEST       uint32 = 0x00000004
	CARD_KEY_IMPORT_SHARED_SYMMETRIC uint32 = 0x00000008
)

// Which algorithms CP_ENUM_ALGORITHMS is asked for, by its flags.
const (
	CARD_CIPHER_OPERATION     uint32 = 0x00000001
	CARD_ASYMMETRIC_OPERATION uint32 = 0x00000002
)

// Paddings: of session keys under RSA, and of what is encrypted under session keys.
const (
	CARD_PADDING_NONE  uint32 = 0x00000001
	CARD_PADDING_PKCS1 uint32 = 0x00000002
	CARD_PADDING_PSS   uint32 = 0x00000004
	CARD_PADDING_OAEP  uint32 = 0x00000008
	CARD_BLOCK_PADDING uint32 = 0x00000001
)

// Names of session keys' algorithms, of their properties, and of what a key's blob is.
const (
	CARD_3DES_112_ALGORITHM     = "3DES_112"
	CARD_3DES_ALGORITHM         = "3DES"
	CARD_AES_ALGORITHM          = "AES"
	CARD_CHAIN_MODE_CBC         = "ChainingModeCBC"
	CP_KEY_INITIALIZATON_VECTOR = "IV" // so spelled in cardmod.h
	CP_KEY_CHAINING_MODE        = "ChainingMode"
	CP_KEY_BLOCK_LENGTH         = "BlockLength"
	KeyDataBlob                 = "KeyDataBlob" // BCRYPT_KEY_DATA_BLOB
)

// Secure functions: what is to be done with what was decrypted.
const (
	CARD_SECURE_FUNCTION_IMPORT_KEYPAIR       = "Import Key Pair"
	CARD_SECURE_FUNCTION_CHANGE_AUTHENTICATOR = "Change Authenticator"
	CARD_SECURE_FUNCTION_AUTHENTICATE         = "Authenticate"
)

// Flags of CardCreateContainer: where the key comes from.
const (
	CARD_CREATE_CONTAINER_KEY_GEN    uint32 = 1
	CARD_CREATE_CONTAINER_KEY_IMPORT uint32 = 2
)

// blockLen is the block of AES.
const blockLen = 16
