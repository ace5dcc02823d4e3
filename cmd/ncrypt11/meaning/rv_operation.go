package meaning

import "github.com/ncrypt11/ncrypt11/token/ck"

// operationRows are about mechanisms, data, and operations under way.
var operationRows = []row{
	{ck.CKR_DATA_INVALID, "the data is not what the mechanism works with: of raw RSA, it is not below the modulus", "hash the data before, or take a mechanism that does"},
	{ck.CKR_DATA_LEN_RANGE, "the data has a length that the mechanism does not take: not whole blocks, a hash of the wrong length, or more than the key has room for",
		"take a mechanism with padding or hashing, or give shorter data"},
	{ck.CKR_ENCRYPTED_DATA_INVALID, "the ciphertext cannot be decrypted: it is damaged, or of another key, mechanism or initial value", "decrypt with what it was encrypted with"},
	{ck.CKR_ENCRYPTED_DATA_LEN_RANGE, "the ciphertext has a length that none of the mechanism has", "look whether it was cut, or is encoded (base64)"},
	{ck.CKR_AEAD_DECRYPT_FAILED, "the ciphertext or what is authenticated with it was changed, or is of another key or initial value",
		"decrypt with what it was encrypted with, the additional data included"},
	{ck.CKR_MECHANISM_INVALID, "the module does not have that mechanism, it does not serve this function, or the key's CKA_ALLOWED_MECHANISMS does not name it",
		askLast + "; `pkcs11-tool --list-mechanisms` shows those that there are"},
	{ck.CKR_MECHANISM_PARAM_INVALID, "the mechanism's parameter is missing, malformed, or has a value that is not supported", askLast},
	{ck.CKR_OPERATION_ACTIVE, "the session has an operation of that kind under way", "end it first, or use one session for each thread"},
	{ck.CKR_OPERATION_NOT_INITIALIZED, "the session has no such operation under way: it was never begun, has failed, or has ended", "look at the call before: C_SignInit or the like may have failed"},
	{ck.CKR_OPERATION_CANCEL_FAILED, "the operation could not be cancelled", notHere},
	{ck.CKR_OPERATION_NOT_VALIDATED, "the operation is not a validated one", notHere},
	{ck.CKR_SIGNATURE_INVALID, "the signature does not belong to this data and key", "look whether data, key, hash and padding are those that it was made with"},
	{ck.CKR_SIGNATURE_LEN_RANGE, "no signature of this key has that length", "look at the encoding: an ECDSA signature is r and s here, and not DER"},
	{ck.CKR_SAVED_STATE_INVALID, "the saved state is not one", notHere},
	{ck.CKR_STATE_UNSAVEABLE, "the operation's state cannot be saved", notHere},
	{ck.CKR_RANDOM_SEED_NOT_SUPPORTED, "randomness cannot be added", notHere},
	{ck.CKR_RANDOM_NO_RNG, "there is no source of randomness", notHere},
	{ck.CKR_SEED_RANDOM_REQUIRED, "the source of randomness has to be seeded first", notHere},
	{ck.CKR_EXCEEDED_MAX_ITERATIONS, "no value was found in as many tries as there may be", notHere},
	{ck.CKR_NEW_PIN_MODE, "the one-time password token wants a new PIN", notHere},
	{ck.CKR_NEXT_OTP, "the one-time password token wants the next password", notHere},
}
