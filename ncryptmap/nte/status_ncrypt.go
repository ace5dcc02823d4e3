package nte

// The status codes of NCrypt (winerror.h).
const (
	ERROR_SUCCESS                 Status = 0x00000000
	NTE_BAD_UID                   Status = 0x80090001
	NTE_BAD_HASH                  Status = 0x80090002
	NTE_BAD_KEY                   Status = 0x80090003
	NTE_BAD_LEN                   Status = 0x80090004
	NTE_BAD_DATA                  Status = 0x80090005
	NTE_BAD_SIGNATURE             Status = 0x80090006
	NTE_BAD_VER                   Status = 0x80090007
	NTE_BAD_ALGID                 Status = 0x80090008
	NTE_BAD_FLAGS                 Status = 0x80090009
	NTE_BAD_TYPE                  Status = 0x8009000A
	NTE_BAD_KEY_STATE             Status = 0x8009000B
	NTE_BAD_HASH_STATE            Status = 0x8009000C
	NTE_NO_KEY                    Status = 0x8009000D
	NTE_NO_MEMORY                 Status = 0x8009000E
	NTE_EXISTS                    Status = 0x8009000F
	NTE_PERM                      Status = 0x80090010
	NTE_NOT_FOUND                 Status = 0x80090011
	NTE_DOUBLE_ENCRYPT            Status = 0x80090012
	NTE_BAD_PROVIDER              Status = 0x80090013
	NTE_BAD_PROV_TYPE             Status = 0x80090014
	NTE_BAD_PUBLIC_KEY            Status = 0x80090015
	NTE_BAD_KEYSET                Status = 0x80090016
	NTE_PROV_TYPE_NOT_DEF         Status = 0x80090017
	NTE_PROV_TYPE_ENTRY_BAD       Status = 0x80090018
	NTE_KEYSET_NOT_DEF            Status = 0x80090019
	NTE_KEYSET_ENTRY_BAD          Status = 0x8009001A
	NTE_PROV_TYPE_NO_MATCH        Status = 0x8009001B
	NTE_SIGNATURE_FILE_BAD        Status = 0x8009001C
	NTE_PROVIDER_DLL_FAIL         Status = 0x8009001D
	NTE_PROV_DLL_NOT_FOUND        Status = 0x8009001E
	NTE_BAD_KEYSET_PARAM          Status = 0x8009001F
	NTE_FAIL                      Status = 0x80090020
	NTE_SYS_ERR                   Status = 0x80090021
	NTE_SILENT_CONTEXT            Status = 0x80090022
	NTE_TOKEN_KEYSET_STORAGE_FULL Status = 0x80090023
	NTE_TEMPORARY_PROFILE         Status = 0x80090024
	NTE_FIXEDPARAMETER            Status = 0x80090025
	NTE_INVALID_HANDLE            Status = 0x80090026
	NTE_INVALID_PARAMETER         Status = 0x80090027
	NTE_BUFFER_TOO_SMALL          Status = 0x80090028
	NTE_NOT_SUPPORTED             Status = 0x80090029
	NTE_NO_MORE_ITEMS             Status = 0x8009002A
	NTE_BUFFERS_OVERLAP           Status = 0x8009002B
	NTE_DECRYPTION_FAILURE        Status = 0x8009002C
	NTE_INTERNAL_ERROR            Status = 0x8009002D
	NTE_UI_REQUIRED               Status = 0x8009002E
	NTE_HMAC_NOT_SUPPORTED        Status = 0x8009002F
	NTE_DEVICE_NOT_READY          Status = 0x80090030
	NTE_AUTHENTICATION_IGNORED    Status = 0x80090031
	NTE_VALIDATION_FAILED         Status = 0x80090032
	NTE_INCORRECT_PASSWORD        Status = 0x80090033
	NTE_ENCRYPTION_FAILURE        Status = 0x80090034
	NTE_DEVICE_NOT_FOUND          Status = 0x80090035
	NTE_USER_CANCELLED            Status = 0x80090036
	NTE_PASSWORD_CHANGE_REQUIRED  Status = 0x80090037
	NTE_NOT_ACTIVE_CONSOLE        Status = 0x80090038
	NTE_VBS_UNAVAILABLE           Status = 0x80090039
	NTE_VBS_CANNOT_DECRYPT_KEY    Status = 0x8009003A
	RPC_X_NULL_REF_POINTER        Status = 0x800706F4
)

var ncryptRows = []row{
	{ERROR_SUCCESS, "ERROR_SUCCESS", "it worked"},
	{NTE_BAD_UID, "NTE_BAD_UID", "the user is not known"},
	{NTE_BAD_HASH, "NTE_BAD_HASH", "the hash is not known"},
	{NTE_BAD_KEY, "NTE_BAD_KEY", "the key is damaged, or not of the kind that is needed"},
	{NTE_BAD_LEN, "NTE_BAD_LEN", "a length is wrong"},
	{NTE_BAD_DATA, "NTE_BAD_DATA", "the data is malformed or has been changed"},
	{NTE_BAD_SIGNATURE, "NTE_BAD_SIGNATURE", "the signature does not belong to this data and key"},
	{NTE_BAD_VER, "NTE_BAD_VER", "the version is not known"},
	{NTE_BAD_ALGID, "NTE_BAD_ALGID", "the algorithm is not known"},
	{NTE_BAD_FLAGS, "NTE_BAD_FLAGS", "a flag does not belong to this call, or contradicts another one or the token's policy"},
	{NTE_BAD_TYPE, "NTE_BAD_TYPE", "the type does not fit the key"},
	{NTE_BAD_KEY_STATE, "NTE_BAD_KEY_STATE", "the key is not in a state for that: it must be finalized first, or has been already"},
	{NTE_BAD_HASH_STATE, "NTE_BAD_HASH_STATE", "the hash is not in a state for that"},
	{NTE_NO_KEY, "NTE_NO_KEY", "there is no such key"},
	{NTE_NO_MEMORY, "NTE_NO_MEMORY", "there is not enough memory"},
	{NTE_EXISTS, "NTE_EXISTS", "there is a key of that name already; NCRYPT_OVERWRITE_KEY_FLAG replaces it"},
	{NTE_PERM, "NTE_PERM", "the key's usage or the caller's rights do not allow it"},
	{NTE_NOT_FOUND, "NTE_NOT_FOUND", "it is not set"},
	{NTE_DOUBLE_ENCRYPT, "NTE_DOUBLE_ENCRYPT", "the data is encrypted already"},
	{NTE_BAD_PROVIDER, "NTE_BAD_PROVIDER", "there is no such provider"},
	{NTE_BAD_PROV_TYPE, "NTE_BAD_PROV_TYPE", "the provider is of another type"},
	{NTE_BAD_PUBLIC_KEY, "NTE_BAD_PUBLIC_KEY", "the public key is not valid"},
	{NTE_BAD_KEYSET, "NTE_BAD_KEYSET", "there is no key of that name in this scope"},
	{NTE_PROV_TYPE_NOT_DEF, "NTE_PROV_TYPE_NOT_DEF", "the type of provider is not defined"},
	{NTE_PROV_TYPE_ENTRY_BAD, "NTE_PROV_TYPE_ENTRY_BAD", "the type of provider is badly defined"},
	{NTE_KEYSET_NOT_DEF, "NTE_KEYSET_NOT_DEF", "the keys are not defined"},
	{NTE_KEYSET_ENTRY_BAD, "NTE_KEYSET_ENTRY_BAD", "the keys are badly defined"},
	{NTE_PROV_TYPE_NO_MATCH, "NTE_PROV_TYPE_NO_MATCH", "the type does not match the provider's"},
	{NTE_SIGNATURE_FILE_BAD, "NTE_SIGNATURE_FILE_BAD", "the provider's signature is damaged"},
	{NTE_PROVIDER_DLL_FAIL, "NTE_PROVIDER_DLL_FAIL", "the provider could not be loaded"},
	{NTE_PROV_DLL_NOT_FOUND, "NTE_PROV_DLL_NOT_FOUND", "the provider was not found"},
	{NTE_BAD_KEYSET_PARAM, "NTE_BAD_KEYSET_PARAM", "a parameter of the keys is not valid"},
	{NTE_FAIL, "NTE_FAIL", "it failed, for a reason that has no other code"},
	{NTE_SYS_ERR, "NTE_SYS_ERR", "the system failed"},
	{NTE_SILENT_CONTEXT, "NTE_SILENT_CONTEXT", "somebody has to be asked, and NCRYPT_SILENT_FLAG forbids it"},
	{NTE_TOKEN_KEYSET_STORAGE_FULL, "NTE_TOKEN_KEYSET_STORAGE_FULL", "the token is full"},
	{NTE_TEMPORARY_PROFILE, "NTE_TEMPORARY_PROFILE", "the user's profile is a temporary one"},
	{NTE_FIXEDPARAMETER, "NTE_FIXEDPARAMETER", "the parameter cannot be changed"},
	{NTE_INVALID_HANDLE, "NTE_INVALID_HANDLE", "the handle is not valid, has been freed, or is of another kind; or the key is final already"},
	{NTE_INVALID_PARAMETER, "NTE_INVALID_PARAMETER", "a parameter is not valid"},
	{NTE_BUFFER_TOO_SMALL, "NTE_BUFFER_TOO_SMALL", "the buffer is too small; the size that it needs was returned"},
	{NTE_NOT_SUPPORTED, "NTE_NOT_SUPPORTED", "this is not supported, or the key's policy does not allow it"},
	{NTE_NO_MORE_ITEMS, "NTE_NO_MORE_ITEMS", "there are no more"},
	{NTE_BUFFERS_OVERLAP, "NTE_BUFFERS_OVERLAP", "the buffers overlap"},
	{NTE_DECRYPTION_FAILURE, "NTE_DECRYPTION_FAILURE", "the data could not be decrypted"},
	{NTE_INTERNAL_ERROR, "NTE_INTERNAL_ERROR", "an internal error"},
	{NTE_UI_REQUIRED, "NTE_UI_REQUIRED", "somebody has to be asked"},
	{NTE_HMAC_NOT_SUPPORTED, "NTE_HMAC_NOT_SUPPORTED", "HMAC is not supported"},
	{NTE_DEVICE_NOT_READY, "NTE_DEVICE_NOT_READY", "the device is not ready"},
	{NTE_AUTHENTICATION_IGNORED, "NTE_AUTHENTICATION_IGNORED", "the authentication was ignored"},
	{NTE_VALIDATION_FAILED, "NTE_VALIDATION_FAILED", "the key did not pass validation"},
	{NTE_INCORRECT_PASSWORD, "NTE_INCORRECT_PASSWORD", "the password or PIN is wrong"},
	{NTE_ENCRYPTION_FAILURE, "NTE_ENCRYPTION_FAILURE", "the data could not be encrypted"},
	{NTE_DEVICE_NOT_FOUND, "NTE_DEVICE_NOT_FOUND", "the device is not there"},
	{NTE_USER_CANCELLED, "NTE_USER_CANCELLED", "the user cancelled it"},
	{NTE_PASSWORD_CHANGE_REQUIRED, "NTE_PASSWORD_CHANGE_REQUIRED", "the password must be changed"},
	{NTE_NOT_ACTIVE_CONSOLE, "NTE_NOT_ACTIVE_CONSOLE", "this is not the active console"},
	{NTE_VBS_UNAVAILABLE, "NTE_VBS_UNAVAILABLE", "isolated keys were required, and nothing isolates them here: `ncrypt11 doctor` says what is missing"},
	{NTE_VBS_CANNOT_DECRYPT_KEY, "NTE_VBS_CANNOT_DECRYPT_KEY", "the isolated key cannot be opened: it is from another machine or another boot, or the TPM was cleared"},
	{RPC_X_NULL_REF_POINTER, "RPC_X_NULL_REF_POINTER", "a pointer that must not be NULL is"},
}
