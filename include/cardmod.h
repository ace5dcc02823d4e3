/*
 * As much of cardmod.h, version 7, as secure key injection needs: a smart-card minidriver whose cards are tokens. A program that loads the module gets the
 * functions from C_GetInterface("Vendor Minidriver"), see the end of this file, or by CardAcquireContext in CARD_DATA; they are not among the library's symbols.
 *
 * pwszCardName of CARD_DATA is the token's label; NULL: the only token. What CARD_DATA has no function for becomes NULL. A context belongs to one process: in a
 * forked child it is SCARD_E_INVALID_HANDLE.
 *
 * Widths and places are those of Windows on 64-bit processors. Nothing of Microsoft's header is copied here.
 */
#ifndef NCRYPT11_CARDMOD_H
#define NCRYPT11_CARDMOD_H

#include "bcrypt.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CARD_DATA_CURRENT_VERSION 7
#define CARD_SECURE_KEY_INJECTION_NO_CARD_MODE 0x1

/* Properties of cards, of algorithms and of keys. */
#define CP_KEY_IMPORT_SUPPORT NCRYPT11_WIDE("Key Import Support")
#define CP_ENUM_ALGORITHMS NCRYPT11_WIDE("Algorithms")
#define CP_PADDING_SCHEMES NCRYPT11_WIDE("Padding Schemes")
#define CP_CHAINING_MODES NCRYPT11_WIDE("Chaining Modes")
#define CARD_CIPHER_OPERATION 0x1
#define CARD_ASYMMETRIC_OPERATION 0x2
#define CARD_KEY_IMPORT_PLAIN_TEXT 0x1
#define CARD_KEY_IMPORT_RSA_KEYEST 0x2
#define CARD_KEY_IMPORT_ECC_KEYEST 0x4
#define CARD_KEY_IMPORT_SHARED_SYMMETRIC 0x8
#define CARD_PADDING_NONE 0x1
#define CARD_PADDING_PKCS1 0x2
#define CARD_PADDING_PSS 0x4
#define CARD_PADDING_OAEP 0x8
#define CARD_BLOCK_PADDING 0x1
#define CARD_3DES_112_ALGORITHM NCRYPT11_WIDE("3DES_112")
#define CARD_3DES_ALGORITHM NCRYPT11_WIDE("3DES")
#define CARD_AES_ALGORITHM NCRYPT11_WIDE("AES")
#define CARD_CHAIN_MODE_CBC NCRYPT11_WIDE("ChainingModeCBC")
#define CP_KEY_INITIALIZATON_VECTOR NCRYPT11_WIDE("IV")
#define CP_KEY_CHAINING_MODE NCRYPT11_WIDE("ChainingMode")
#define CP_KEY_BLOCK_LENGTH NCRYPT11_WIDE("BlockLength")

/* What is done with what was encrypted. */
#define CARD_SECURE_FUNCTION_IMPORT_KEYPAIR NCRYPT11_WIDE("Import Key Pair")
#define CARD_SECURE_FUNCTION_CHANGE_AUTHENTICATOR NCRYPT11_WIDE("Change Authenticator")
#define CARD_SECURE_FUNCTION_AUTHENTICATE NCRYPT11_WIDE("Authenticate")

#define AT_KEYEXCHANGE 1
#define AT_SIGNATURE 2
#define AT_ECDSA_P256 3
#define AT_ECDSA_P384 4
#define AT_ECDSA_P521 5
#define AT_ECDHE_P256 6
#define AT_ECDHE_P384 7
#define AT_ECDHE_P521 8

#define CARD_CREATE_CONTAINER_KEY_GEN 1
#define CARD_CREATE_CONTAINER_KEY_IMPORT 2
#define CONTAINER_INFO_CURRENT_VERSION 1

typedef DWORD PIN_ID, *PPIN_ID;
typedef DWORD PIN_SET, *PPIN_SET;
#define ROLE_EVERYONE 0
#define ROLE_USER 1
#define ROLE_ADMIN 2
#define PIN_CHANGE_FLAG_UNBLOCK 0x1
#define PIN_CHANGE_FLAG_CHANGEPIN 0x2
#define CARD_AUTHENTICATE_GENERATE_SESSION_PIN 0x10000000
#define CARD_AUTHENTICATE_SESSION_PIN 0x20000000

typedef char CHAR, *LPSTR;
typedef size_t SIZE_T;
typedef ULONG_PTR SCARDCONTEXT, SCARDHANDLE;
typedef ULONG_PTR CARD_KEY_HANDLE, *PCARD_KEY_HANDLE;

/* The file "cmapfile" in the directory "mscp" is an array of these. */
#define MAX_CONTAINER_NAME_LEN 39
#define CONTAINER_MAP_VALID_CONTAINER 1
#define CONTAINER_MAP_DEFAULT_CONTAINER 2
typedef struct _CONTAINER_MAP_RECORD {
	WCHAR wszGuid[MAX_CONTAINER_NAME_LEN + 1];
	BYTE bFlags;
	BYTE bReserved;
	WORD wSigKeySizeBits;
	WORD wKeyExchangeKeySizeBits;
} CONTAINER_MAP_RECORD, *PCONTAINER_MAP_RECORD;

typedef struct _CONTAINER_INFO {
	DWORD dwVersion;
	DWORD dwReserved;
	DWORD cbSigPublicKey;
	PBYTE pbSigPublicKey; /* PUBLICKEYBLOB or BCRYPT_ECCKEY_BLOB, from pfnCspAlloc */
	DWORD cbKeyExPublicKey;
	PBYTE pbKeyExPublicKey;
} CONTAINER_INFO, *PCONTAINER_INFO;

typedef struct _CARD_ENCRYPTED_DATA {
	PBYTE pbEncryptedData;
	DWORD cbEncryptedData;
} CARD_ENCRYPTED_DATA, *PCARD_ENCRYPTED_DATA;

/* What is encrypted. The data stands behind the structure: pbInput, pbData and so on begin where it ends. */
#define CARD_IMPORT_KEYPAIR_CURRENT_VERSION 7
typedef struct _CARD_IMPORT_KEYPAIR {
	DWORD dwVersion;
	BYTE bContainerIndex;
	PIN_ID PinId;
	DWORD dwKeySpec;
	DWORD dwKeySize;
	DWORD cbInput;
} CARD_IMPORT_KEYPAIR, *PCARD_IMPORT_KEYPAIR;

#define CARD_CHANGE_AUTHENTICATOR_CURRENT_VERSION 7
typedef struct _CARD_CHANGE_AUTHENTICATOR {
	DWORD dwVersion;
	DWORD dwFlags;
	PIN_ID dwAuthenticatingPinId;
	DWORD cbAuthenticatingPinData;
	PIN_ID dwTargetPinId;
	DWORD cbTargetData;
	DWORD cRetryCount;
} CARD_CHANGE_AUTHENTICATOR, *PCARD_CHANGE_AUTHENTICATOR;

typedef struct _CARD_CHANGE_AUTHENTICATOR_RESPONSE {
	DWORD dwVersion;
	DWORD cAttemptsRemaining;
} CARD_CHANGE_AUTHENTICATOR_RESPONSE, *PCARD_CHANGE_AUTHENTICATOR_RESPONSE;

#define CARD_AUTHENTICATE_CURRENT_VERSION 7
typedef struct _CARD_AUTHENTICATE {
	DWORD dwVersion;
	DWORD dwFlags;
	PIN_ID PinId;
	DWORD cbPinData;
} CARD_AUTHENTICATE, *PCARD_AUTHENTICATE;

typedef struct _CARD_AUTHENTICATE_RESPONSE {
	DWORD dwVersion;
	DWORD cbSessionPin;
	DWORD cAttemptsRemaining;
} CARD_AUTHENTICATE_RESPONSE, *PCARD_AUTHENTICATE_RESPONSE;

typedef LPVOID (WINAPI *PFN_CSP_ALLOC)(SIZE_T Size);
typedef LPVOID (WINAPI *PFN_CSP_REALLOC)(LPVOID Address, SIZE_T Size);
typedef VOID (WINAPI *PFN_CSP_FREE)(LPVOID Address);

/* The functions. */
typedef struct _CARD_DATA CARD_DATA, *PCARD_DATA;
typedef DWORD WINAPI CardAcquireContextFn(PCARD_DATA pCardData, DWORD dwFlags);
typedef DWORD WINAPI CardDeleteContextFn(PCARD_DATA pCardData);
typedef DWORD WINAPI CardDeleteContainerFn(PCARD_DATA pCardData, BYTE bContainerIndex, DWORD dwReserved);
typedef DWORD WINAPI CardCreateContainerFn(PCARD_DATA pCardData, BYTE bContainerIndex, DWORD dwFlags, DWORD dwKeySpec, DWORD dwKeySize, PBYTE pbKeyData);
typedef DWORD WINAPI CardGetContainerInfoFn(PCARD_DATA pCardData, BYTE bContainerIndex, DWORD dwFlags, PCONTAINER_INFO pContainerInfo);
typedef DWORD WINAPI CardReadFileFn(PCARD_DATA pCardData, LPSTR pszDirectoryName, LPSTR pszFileName, DWORD dwFlags, PBYTE *ppbData, PDWORD pcbData);
typedef DWORD WINAPI CardAuthenticateExFn(PCARD_DATA pCardData, PIN_ID PinId, DWORD dwFlags, PBYTE pbPinData, DWORD cbPinData, PBYTE *ppbSessionPin,
	PDWORD pcbSessionPin, PDWORD pcAttemptsRemaining);
typedef DWORD WINAPI CardDeauthenticateExFn(PCARD_DATA pCardData, PIN_SET PinId, DWORD dwFlags);
typedef DWORD WINAPI CardGetPropertyFn(PCARD_DATA pCardData, LPCWSTR wszProperty, PBYTE pbData, DWORD cbData, PDWORD pdwDataLen, DWORD dwFlags);
typedef DWORD WINAPI CardSetPropertyFn(PCARD_DATA pCardData, LPCWSTR wszProperty, PBYTE pbData, DWORD cbDataLen, DWORD dwFlags);
typedef DWORD WINAPI MDImportSessionKeyFn(PCARD_DATA pCardData, LPCWSTR pwszBlobType, LPCWSTR pwszAlgId, PCARD_KEY_HANDLE phKey, PBYTE pbInput, DWORD cbInput);
typedef DWORD WINAPI MDEncryptDataFn(PCARD_DATA pCardData, CARD_KEY_HANDLE hKey, LPCWSTR pwszSecureFunction, PBYTE pbInput, DWORD cbInput, DWORD dwFlags,
	PCARD_ENCRYPTED_DATA *ppEncryptedData, PDWORD pcEncryptedData);
typedef DWORD WINAPI CardImportSessionKeyFn(PCARD_DATA pCardData, BYTE bContainerIndex, LPVOID pPaddingInfo, LPCWSTR pwszBlobType, LPCWSTR pwszAlgId,
	PCARD_KEY_HANDLE phKey, PBYTE pbInput, DWORD cbInput, DWORD dwFlags);
typedef DWORD WINAPI CardGetSharedKeyHandleFn(PCARD_DATA pCardData, PBYTE pbInput, DWORD cbInput, PBYTE *ppbOutput, PDWORD pcbOutput, PCARD_KEY_HANDLE phKey);
typedef DWORD WINAPI CardGetAlgorithmPropertyFn(PCARD_DATA pCardData, LPCWSTR pwszAlgId, LPCWSTR pwszProperty, PBYTE pbData, DWORD cbData,
	PDWORD pdwDataLen, DWORD dwFlags);
typedef DWORD WINAPI CardGetKeyPropertyFn(PCARD_DATA pCardData, CARD_KEY_HANDLE hKey, LPCWSTR pwszProperty, PBYTE pbData, DWORD cbData, PDWORD pdwDataLen,
	DWORD dwFlags);
typedef DWORD WINAPI CardSetKeyPropertyFn(PCARD_DATA pCardData, CARD_KEY_HANDLE hKey, LPCWSTR pwszProperty, PBYTE pbInput, DWORD cbInput, DWORD dwFlags);
typedef DWORD WINAPI CardDestroyKeyFn(PCARD_DATA pCardData, CARD_KEY_HANDLE hKey);
typedef DWORD WINAPI CardProcessEncryptedDataFn(PCARD_DATA pCardData, CARD_KEY_HANDLE hKey, LPCWSTR pwszSecureFunction, PCARD_ENCRYPTED_DATA pEncryptedData,
	DWORD cEncryptedData, PBYTE pbOutput, DWORD cbOutput, PDWORD pdwOutputLen, DWORD dwFlags);
typedef DWORD WINAPI CardCreateContainerExFn(PCARD_DATA pCardData, BYTE bContainerIndex, DWORD dwFlags, DWORD dwKeySpec, DWORD dwKeySize, PBYTE pbKeyData,
	PIN_ID PinId);

struct _CARD_DATA {
	DWORD dwVersion; /* the caller's: 7 */
	PBYTE pbAtr;
	DWORD cbAtr;
	LPWSTR pwszCardName;
	PFN_CSP_ALLOC pfnCspAlloc; /* the caller's, with the next two: memory that is given out is his */
	PFN_CSP_REALLOC pfnCspReAlloc;
	PFN_CSP_FREE pfnCspFree;
	PVOID pfnCspCacheAddFile, pfnCspCacheLookupFile, pfnCspCacheDeleteFile, pvCacheContext, pfnCspPadData;
	SCARDCONTEXT hSCardCtx;
	SCARDHANDLE hScard;
	PVOID pvVendorSpecific; /* the context; it is no pointer */
	CardDeleteContextFn *pfnCardDeleteContext;
	PVOID pfnCardQueryCapabilities;
	CardDeleteContainerFn *pfnCardDeleteContainer;
	CardCreateContainerFn *pfnCardCreateContainer;
	CardGetContainerInfoFn *pfnCardGetContainerInfo;
	PVOID pfnCardAuthenticatePin, pfnCardGetChallenge, pfnCardAuthenticateChallenge, pfnCardUnblockPin, pfnCardChangeAuthenticator, pfnCardDeauthenticate;
	PVOID pfnCardCreateDirectory, pfnCardDeleteDirectory, pvUnused3, pvUnused4, pfnCardCreateFile;
	CardReadFileFn *pfnCardReadFile;
	PVOID pfnCardWriteFile, pfnCardDeleteFile, pfnCardEnumFiles, pfnCardGetFileInfo, pfnCardQueryFreeSpace, pfnCardQueryKeySizes, pfnCardSignData;
	PVOID pfnCardRSADecrypt, pfnCardConstructDHAgreement, pfnCardDeriveKey, pfnCardDestroyDHAgreement, pfnCspGetDHAgreement, pfnCardGetChallengeEx;
	CardAuthenticateExFn *pfnCardAuthenticateEx;
	PVOID pfnCardChangeAuthenticatorEx;
	CardDeauthenticateExFn *pfnCardDeauthenticateEx;
	PVOID pfnCardGetContainerProperty, pfnCardSetContainerProperty;
	CardGetPropertyFn *pfnCardGetProperty;
	CardSetPropertyFn *pfnCardSetProperty;
	PVOID pfnCspUnpadData;
	MDImportSessionKeyFn *pfnMDImportSessionKey;
	MDEncryptDataFn *pfnMDEncryptData;
	CardImportSessionKeyFn *pfnCardImportSessionKey;
	CardGetSharedKeyHandleFn *pfnCardGetSharedKeyHandle;
	CardGetAlgorithmPropertyFn *pfnCardGetAlgorithmProperty;
	CardGetKeyPropertyFn *pfnCardGetKeyProperty;
	CardSetKeyPropertyFn *pfnCardSetKeyProperty;
	CardDestroyKeyFn *pfnCardDestroyKey;
	CardProcessEncryptedDataFn *pfnCardProcessEncryptedData;
	CardCreateContainerExFn *pfnCardCreateContainerEx;
};

/* All of them, in the order of the table. */
#define NCRYPT11_EACH_CARD(X)                                                                                                          \
	X(CardAcquireContext) X(CardDeleteContext) X(CardDeleteContainer) X(CardCreateContainer) X(CardGetContainerInfo) X(CardReadFile) \
	X(CardAuthenticateEx) X(CardDeauthenticateEx) X(CardGetProperty) X(CardSetProperty) X(MDImportSessionKey) X(MDEncryptData)     \
	X(CardImportSessionKey) X(CardGetSharedKeyHandle) X(CardGetAlgorithmProperty) X(CardGetKeyProperty) X(CardSetKeyProperty)      \
	X(CardDestroyKey) X(CardProcessEncryptedData) X(CardCreateContainerEx)

/* What C_GetInterface(NCRYPT11_MINIDRIVER_INTERFACE, NULL or 1.0, ...) gives: pFunctionList points to one. */
#define NCRYPT11_MINIDRIVER_INTERFACE "Vendor Minidriver"

typedef struct NCRYPT11_MINIDRIVER_LIST {
	BYTE major, minor; /* CK_VERSION: 1.0 */
#define NCRYPT11_CARD_MEMBER(f) f##Fn *f;
	NCRYPT11_EACH_CARD(NCRYPT11_CARD_MEMBER)
#undef NCRYPT11_CARD_MEMBER
} NCRYPT11_MINIDRIVER_LIST;

#ifdef __cplusplus
}
#endif

#endif
