/* C_DigestInit, C_Digest, and the board that they share with Go: digest.h. */
#include "digest.h"
#include "enter.h"
#include "front.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* As package token makes handles: an index plus one in the low bits, a generation
 * of 32 bits above. */
enum { INDEX_BITS = 15, SESSIONS = 1 << 14 };

#define NOTED ((uint64_t)1 << 63)
#define MECHANISM_SHIFT 59
#define HANDLE_MASK (((uint64_t)1 << MECHANISM_SHIFT) - 1)

/* Reverts to empty when Go is restarted in a forked child. */
static _Atomic uint64_t board[SESSIONS];

/* The hashes that are served here; those that FIPS mode could forbid are not. */
static const struct {
	CK_MECHANISM_TYPE mechanism;
	CK_ULONG size;
} hashes[] = {
	{CKM_SHA256, 32}, {CKM_SHA384, 48}, {CKM_SHA512, 64}, {CKM_SHA224, 28},
};

void *digest_board(void)
{
	return board;
}

static _Atomic uint64_t *word_of(CK_SESSION_HANDLE session)
{
	CK_ULONG index = (session & ((1 << INDEX_BITS) - 1)) - 1;

	return index < SESSIONS ? &board[index] : NULL;
}

/* note is the word's value where the session has a digest noted, else 0. */
static uint64_t note(_Atomic uint64_t *word, CK_SESSION_HANDLE session)
{
	uint64_t value = word == NULL ? 0 : atomic_load_explicit(word, memory_order_acquire);

	return (value & NOTED) && (value & HANDLE_MASK) == session ? value : 0;
}

static unsigned hash_of(uint64_t value)
{
	return (value & ~NOTED) >> MECHANISM_SHIFT;
}

extern CK_RV goC_DigestInit(CK_SESSION_HANDLE, CK_MECHANISM_PTR);
extern CK_RV goC_Digest(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR);
extern CK_RV goDigestAtOnce(CK_SESSION_HANDLE, CK_MECHANISM_TYPE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR);

static CK_RV init_in_go(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism)
{
	struct shim_call call;
	CK_RV rv = enter(&call);

	if (rv != CKR_OK)
		return rv;
	rv = goC_DigestInit(session, mechanism);
	shim_leave(&call);
	return rv;
}

void digest_settle(CK_SESSION_HANDLE session)
{
	_Atomic uint64_t *word = word_of(session);
	uint64_t value = note(word, session);

	if (value == 0 || !ncrypt11_enter_allowed() || !atomic_compare_exchange_strong(word, &value, 0))
		return;
	CK_MECHANISM mechanism = {hashes[hash_of(value)].mechanism, NULL, 0};
	(void)init_in_go(session, &mechanism); /* where it fails, the session is gone, and the call that follows says so */
}

CK_RV C_DigestInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism)
{
	const CK_FUNCTION_LIST_3_2 *copy = shim_forward();
	if (copy != NULL)
		return copy->C_DigestInit(hSession, pMechanism);
	if (!ncrypt11_enter_allowed())
		return CKR_CRYPTOKI_NOT_INITIALIZED;

	_Atomic uint64_t *word = word_of(hSession);
	if (word != NULL && pMechanism != NULL && pMechanism->pParameter == NULL && pMechanism->ulParameterLen == 0) {
		for (uint64_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
			uint64_t idle = hSession;
			if (pMechanism->mechanism != hashes[i].mechanism)
				continue;
			if (atomic_compare_exchange_strong(word, &idle, hSession | NOTED | i << MECHANISM_SHIFT))
				return CKR_OK;
		}
	}
	digest_settle(hSession);
	return init_in_go(hSession, pMechanism);
}

CK_RV C_Digest(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pDigest,
	CK_ULONG_PTR pulDigestLen)
{
	const CK_FUNCTION_LIST_3_2 *copy = shim_forward();
	if (copy != NULL)
		return copy->C_Digest(hSession, pData, ulDataLen, pDigest, pulDigestLen);
	if (!ncrypt11_enter_allowed())
		return CKR_CRYPTOKI_NOT_INITIALIZED;

	_Atomic uint64_t *word = word_of(hSession);
	uint64_t value = note(word, hSession);
	int at_once = value != 0 && pDigest != NULL && pulDigestLen != NULL && *pulDigestLen >= hashes[hash_of(value)].size
		&& atomic_compare_exchange_strong(word, &value, 0);
	if (!at_once)
		digest_settle(hSession);

	struct shim_call call;
	CK_RV rv = enter(&call);
	if (rv != CKR_OK)
		return rv;
	if (at_once)
		rv = goDigestAtOnce(hSession, hashes[hash_of(value)].mechanism, pData, ulDataLen, pDigest, pulDigestLen);
	else
		rv = goC_Digest(hSession, pData, ulDataLen, pDigest, pulDigestLen);
	shim_leave(&call);
	return rv;
}
