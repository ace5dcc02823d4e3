/*
 * NCrypt over ncrypt11: the functions of a key storage provider, with the names, numbers and layouts that programs written for Windows know.
 *
 *	cc -I/usr/local/include/ncrypt11 program.c -lncrypt11
 *
 * A program that loads the module instead gets the same functions from C_GetInterface("Vendor NCrypt"), see the end of this file. Nothing needs to be
 * initialized: the first NCryptOpenStorageProvider does it. In a forked child the parent's handles are NTE_INVALID_HANDLE.
 *
 * Text or data that is needed and is NULL is HRESULT_FROM_WIN32(RPC_X_NULL_REF_POINTER); a NULL place for a result, NTE_INVALID_PARAMETER.
 */
#ifndef NCRYPT11_NCRYPT_H
#define NCRYPT11_NCRYPT_H

#include "bcrypt.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef ULONG_PTR NCRYPT_HANDLE;
typedef ULONG_PTR NCRYPT_PROV_HANDLE;
typedef ULONG_PTR NCRYPT_KEY_HANDLE;
typedef ULONG_PTR NCRYPT_SECRET_HANDLE;

typedef BCryptBuffer NCryptBuffer, *PNCryptBuffer;
typedef BCryptBufferDesc NCryptBufferDesc, *PNCryptBufferDesc;

typedef struct _NCryptKeyName {
	LPWSTR pszName;
	LPWSTR pszAlgid;
	DWORD dwLegacyKeySpec;
	DWORD dwFlags;
} NCryptKeyName;

typedef struct _NCryptAlgorithmName {
	LPWSTR pszName;
	DWORD dwClass;
	DWORD dwAlgOperations;
	DWORD dwFlags;
} NCryptAlgorithmName;

typedef struct _NCryptProviderName {
	LPWSTR pszName;
	LPWSTR pszComment;
} NCryptProviderName;

typedef struct __NCRYPT_SUPPORTED_LENGTHS {
	DWORD dwMinLength;
	DWORD dwMaxLength;
	DWORD dwIncrement;
	DWORD dwDefaultLength;
} NCRYPT_SUPPORTED_LENGTHS;

typedef struct __NCRYPT_UI_POLICY {
	DWORD dwVersion;
	DWORD dwFlags;
	LPCWSTR pszCreationTitle;
	LPCWSTR pszFriendlyName;
	LPCWSTR pszDescription;
} NCRYPT_UI_POLICY;

/* What NCRYPT_PAD_CIPHER_FLAG goes with. */
typedef struct __NCRYPT_CIPHER_PADDING_INFO {
	ULONG cbSize;
	DWORD dwFlags;
	PUCHAR pbIV;
	ULONG cbIV;
	PUCHAR pbOtherInfo;
	ULONG cbOtherInfo;
} NCRYPT_CIPHER_PADDING_INFO, *PNCRYPT_CIPHER_PADDING_INFO;

#define NCRYPT_CIPHER_NO_PADDING_FLAG 0x0
#define NCRYPT_CIPHER_BLOCK_PADDING_FLAG 0x1
#define NCRYPT_CIPHER_OTHER_PADDING_FLAG 0x2

/* Formats of keys that bcrypt.h has not. */
#define NCRYPT_PKCS7_ENVELOPE_BLOB NCRYPT11_WIDE("PKCS7_ENVELOPE")
#define NCRYPT_PKCS8_PRIVATE_KEY_BLOB NCRYPT11_WIDE("PKCS8_PRIVATEKEY")
#define NCRYPT_OPAQUETRANSPORT_BLOB NCRYPT11_WIDE("OpaqueTransport")
#define NCRYPT_ISOLATED_KEY_ENVELOPE_BLOB NCRYPT11_WIDE("ISOLATED_KEY_ENVELOPE")
#define NCRYPT_CIPHER_KEY_BLOB NCRYPT11_WIDE("CipherKeyBlob")

#define NCRYPT_CIPHER_KEY_BLOB_MAGIC 0x52485043 /* CPHR */

/* Then the algorithm's name and the key. */
typedef struct __NCRYPT_KEY_BLOB_HEADER {
	ULONG cbSize;
	ULONG dwMagic;
	ULONG cbAlgName;
	ULONG cbKeyData;
} NCRYPT_KEY_BLOB_HEADER, *PNCRYPT_KEY_BLOB_HEADER;

#include "ncrypt_names.h"

SECURITY_STATUS WINAPI NCryptOpenStorageProvider(NCRYPT_PROV_HANDLE *phProvider, LPCWSTR pszProviderName, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptEnumStorageProviders(DWORD *pdwProviderCount, NCryptProviderName **ppProviderList, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptEnumAlgorithms(NCRYPT_PROV_HANDLE hProvider, DWORD dwAlgOperations, DWORD *pdwAlgCount, NCryptAlgorithmName **ppAlgList,
	DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptIsAlgSupported(NCRYPT_PROV_HANDLE hProvider, LPCWSTR pszAlgId, DWORD dwFlags);

/* One key in each call, from *ppEnumState NULL on until NTE_NO_MORE_ITEMS. What it gives, and the state in the end, is for NCryptFreeBuffer. */
SECURITY_STATUS WINAPI NCryptEnumKeys(NCRYPT_PROV_HANDLE hProvider, LPCWSTR pszScope, NCryptKeyName **ppKeyName, PVOID *ppEnumState, DWORD dwFlags);

/* NTE_INVALID_PARAMETER for memory that is not of these functions, or was freed. */
SECURITY_STATUS WINAPI NCryptFreeBuffer(PVOID pvInput);

SECURITY_STATUS WINAPI NCryptOpenKey(NCRYPT_PROV_HANDLE hProvider, NCRYPT_KEY_HANDLE *phKey, LPCWSTR pszKeyName, DWORD dwLegacyKeySpec, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptCreatePersistedKey(NCRYPT_PROV_HANDLE hProvider, NCRYPT_KEY_HANDLE *phKey, LPCWSTR pszAlgId, LPCWSTR pszKeyName,
	DWORD dwLegacyKeySpec, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptGetProperty(NCRYPT_HANDLE hObject, LPCWSTR pszProperty, PBYTE pbOutput, DWORD cbOutput, DWORD *pcbResult, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptSetProperty(NCRYPT_HANDLE hObject, LPCWSTR pszProperty, PBYTE pbInput, DWORD cbInput, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptFinalizeKey(NCRYPT_KEY_HANDLE hKey, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptEncrypt(NCRYPT_KEY_HANDLE hKey, PBYTE pbInput, DWORD cbInput, VOID *pPaddingInfo, PBYTE pbOutput, DWORD cbOutput,
	DWORD *pcbResult, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptDecrypt(NCRYPT_KEY_HANDLE hKey, PBYTE pbInput, DWORD cbInput, VOID *pPaddingInfo, PBYTE pbOutput, DWORD cbOutput,
	DWORD *pcbResult, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptImportKey(NCRYPT_PROV_HANDLE hProvider, NCRYPT_KEY_HANDLE hImportKey, LPCWSTR pszBlobType, NCryptBufferDesc *pParameterList,
	NCRYPT_KEY_HANDLE *phKey, PBYTE pbData, DWORD cbData, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptExportKey(NCRYPT_KEY_HANDLE hKey, NCRYPT_KEY_HANDLE hExportKey, LPCWSTR pszBlobType, NCryptBufferDesc *pParameterList,
	PBYTE pbOutput, DWORD cbOutput, DWORD *pcbResult, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptSignHash(NCRYPT_KEY_HANDLE hKey, VOID *pPaddingInfo, PBYTE pbHashValue, DWORD cbHashValue, PBYTE pbSignature, DWORD cbSignature,
	DWORD *pcbResult, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptVerifySignature(NCRYPT_KEY_HANDLE hKey, VOID *pPaddingInfo, PBYTE pbHashValue, DWORD cbHashValue, PBYTE pbSignature,
	DWORD cbSignature, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptDeleteKey(NCRYPT_KEY_HANDLE hKey, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptFreeObject(NCRYPT_HANDLE hObject);

BOOL WINAPI NCryptIsKeyHandle(NCRYPT_KEY_HANDLE hKey);

/* Always an error, NTE_NOT_SUPPORTED at best: there is nothing like an event here. Enumerate again. */
SECURITY_STATUS WINAPI NCryptNotifyChangeKey(NCRYPT_PROV_HANDLE hProvider, HANDLE *phEvent, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptSecretAgreement(NCRYPT_KEY_HANDLE hPrivKey, NCRYPT_KEY_HANDLE hPubKey, NCRYPT_SECRET_HANDLE *phAgreedSecret, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptDeriveKey(NCRYPT_SECRET_HANDLE hSharedSecret, LPCWSTR pwszKDF, NCryptBufferDesc *pParameterList, PBYTE pbDerivedKey,
	DWORD cbDerivedKey, DWORD *pcbResult, ULONG dwFlags);

/* A NULL pbSecretKey or pbCipherText asks for both lengths, and makes nothing. */
SECURITY_STATUS WINAPI NCryptEncapsulate(NCRYPT_KEY_HANDLE hKey, PBYTE pbSecretKey, DWORD cbSecretKey, DWORD *pcbSecretKey, PBYTE pbCipherText,
	DWORD cbCipherText, DWORD *pcbCipherText, DWORD dwFlags);

SECURITY_STATUS WINAPI NCryptDecapsulate(NCRYPT_KEY_HANDLE hKey, PBYTE pbCipherText, DWORD cbCipherText, PBYTE pbSecretKey, DWORD cbSecretKey,
	DWORD *pcbSecretKey, DWORD dwFlags);

/* All of them, in the order of the table. */
#define NCRYPT11_EACH(X)                                                                                                               \
	X(NCryptOpenStorageProvider) X(NCryptEnumStorageProviders) X(NCryptEnumAlgorithms) X(NCryptIsAlgSupported) X(NCryptEnumKeys)   \
	X(NCryptFreeBuffer) X(NCryptOpenKey) X(NCryptCreatePersistedKey) X(NCryptGetProperty) X(NCryptSetProperty) X(NCryptFinalizeKey) \
	X(NCryptEncrypt) X(NCryptDecrypt) X(NCryptImportKey) X(NCryptExportKey) X(NCryptSignHash) X(NCryptVerifySignature)             \
	X(NCryptDeleteKey) X(NCryptFreeObject) X(NCryptIsKeyHandle) X(NCryptNotifyChangeKey) X(NCryptSecretAgreement) X(NCryptDeriveKey) \
	X(NCryptEncapsulate) X(NCryptDecapsulate)

/* Pointers to them: NCryptOpenStorageProviderFn and so on. */
#define NCRYPT11_POINTER(f) typedef __typeof__(f) *f##Fn;
NCRYPT11_EACH(NCRYPT11_POINTER)
#undef NCRYPT11_POINTER

/* What C_GetInterface(NCRYPT11_INTERFACE, NULL or 1.0, ...) gives (PKCS #11 v3.2, section 5.4): pFunctionList points to one. */
#define NCRYPT11_INTERFACE "Vendor NCrypt"

typedef struct NCRYPT11_FUNCTION_LIST {
	BYTE major, minor; /* CK_VERSION: 1.0 */
#define NCRYPT11_MEMBER(f) f##Fn f;
	NCRYPT11_EACH(NCRYPT11_MEMBER)
#undef NCRYPT11_MEMBER
} NCRYPT11_FUNCTION_LIST;

#ifdef __cplusplus
}
#endif

#endif
