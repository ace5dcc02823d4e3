package meaning

import "github.com/ncrypt11/ncrypt11/ncryptmap/nte"

// What is said of more than one status.
const (
	freeHandle   = "the program uses a handle after NCryptFreeObject or NCryptDeleteKey, in a forked child, or in place of another kind: provider, key, secret"
	lookAtReason = askLast + "; compare it with what the function takes"
	freeSpace    = "delete objects, or make another token"
)

// statusTodo is what to do about statuses that key storage providers and minidrivers return here.
var statusTodo = map[nte.Status]string{
	nte.NTE_BAD_KEY:                    "look at the blob: the key may be damaged, or of another algorithm than the call says",
	nte.NTE_BAD_DATA:                   "look at where the data came from: a blob may be cut, or of another type than the call says; ciphertext may be of another key",
	nte.NTE_BAD_VER:                    "take a newer ncrypt11: the blob is of one",
	nte.NTE_BAD_SIGNATURE:              "look whether data, key, hash and padding are those that the signature was made with",
	nte.NTE_BAD_FLAGS:                  "leave out flags that the function does not have; isolation flags cannot ask for less than the token's policy, and contradict NCRYPT_ALLOW_EXPORT_FLAG",
	nte.NTE_BAD_TYPE:                   "take the algorithm, the padding or the type of blob that belongs to the key",
	nte.NTE_BAD_KEY_STATE:              "set properties before NCryptFinalizeKey, and use the key after it",
	nte.NTE_EXISTS:                     "take another name, or NCRYPT_OVERWRITE_KEY_FLAG, which replaces the key",
	nte.NTE_PERM:                       "look at the key's NCRYPT_KEY_USAGE_PROPERTY, and at who may use the token: `ncrypt11 status`",
	nte.NTE_NOT_FOUND:                  "set the property first, or do without it",
	nte.NTE_BAD_PROVIDER:               "name a provider that there is: NCryptEnumStorageProviders lists them, and NULL is the default",
	nte.NTE_BAD_KEYSET:                 "look at the name, and at the scope: NCRYPT_MACHINE_KEY_FLAG finds the machine's keys only; `ncrypt11 list` shows keys",
	nte.NTE_FAIL:                       askLast,
	nte.NTE_SILENT_CONTEXT:             "set NCRYPT_PIN_PROPERTY before, or leave NCRYPT_SILENT_FLAG out",
	nte.NTE_TOKEN_KEYSET_STORAGE_FULL:  freeSpace,
	nte.NTE_NO_MEMORY:                  "look at the program's limits (ulimit -v, LimitAS=)",
	nte.NTE_INVALID_HANDLE:             freeHandle,
	nte.NTE_INVALID_PARAMETER:          lookAtReason,
	nte.NTE_BUFFER_TOO_SMALL:           "call again with a buffer of the size that was returned",
	nte.NTE_NOT_SUPPORTED:              "look at the key's NCRYPT_EXPORT_POLICY_PROPERTY if it was an export, and else at which algorithms, lengths and flags the provider has",
	nte.NTE_DECRYPTION_FAILURE:         "decrypt with the key, the padding and the label that it was encrypted with",
	nte.NTE_UI_REQUIRED:                "set NCRYPT_PIN_PROPERTY before",
	nte.NTE_DEVICE_NOT_READY:           "`ncrypt11 status` shows the tokens that there are",
	nte.NTE_DEVICE_NOT_FOUND:           askDoctor,
	nte.NTE_VALIDATION_FAILED:          "look at where the key came from: it is damaged, or its parts are not those of one key",
	nte.NTE_INCORRECT_PASSWORD:         "try the right one: too many wrong ones lock the PIN",
	nte.NTE_VBS_UNAVAILABLE:            askDoctor + "; or ask for isolation only where it is possible: NCRYPT_PREFER_VIRTUAL_ISOLATION_FLAG",
	nte.NTE_VBS_CANNOT_DECRYPT_KEY:     "import the key anew, or make another one",
	nte.RPC_X_NULL_REF_POINTER:         fixProgram,
	nte.SCARD_E_INVALID_HANDLE:         freeHandle,
	nte.SCARD_E_INVALID_PARAMETER:      lookAtReason,
	nte.SCARD_E_NO_MEMORY:              "look at the program's limits (ulimit -v, LimitAS=)",
	nte.SCARD_E_INSUFFICIENT_BUFFER:    "call again with a larger buffer",
	nte.SCARD_E_NO_SMARTCARD:           "make one: ncrypt11 init --profile smart-card",
	nte.SCARD_E_UNSUPPORTED_FEATURE:    "look at what the card's token can do: `ncrypt11 status`",
	nte.SCARD_E_WRITE_TOO_MANY:         freeSpace,
	nte.SCARD_E_NO_KEY_CONTAINER:       "`ncrypt11 list` shows the keys that there are",
	nte.SCARD_W_WRONG_CHV:              "try the right one: too many wrong ones lock the PIN",
	nte.SCARD_W_CHV_BLOCKED:            "the user's PIN is unlocked by the security officer: ncrypt11 pin --unlock",
	nte.SCARD_W_SECURITY_VIOLATION:     askLast,
	nte.SCARD_W_CARD_NOT_AUTHENTICATED: "log in first: CardAuthenticateEx, or C_Login",
}
