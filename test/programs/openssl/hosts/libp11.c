/*
 * A program that uses libp11 itself, and not through OpenSSL's engine. It lists the
 * private keys and signs; in mode "fork", so do COUNT children, with what their
 * parent had opened before: libp11 begins anew in them and logs in again.
 */
#include "host.h"

#include <libp11.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>

/* Of libp11 and OpenSSL 0, or NULL, is failure; why is on OpenSSL's list. */
#define DONE(condition)                                     \
	do {                                                \
		if (!(condition)) {                         \
			ERR_print_errors_fp(stderr);        \
			CHECK(!"done: " #condition);        \
		}                                           \
	} while (0)

static PKCS11_SLOT *find_slot(PKCS11_CTX *context)
{
	PKCS11_SLOT *slots, *found;
	unsigned int count;

	DONE(PKCS11_enumerate_slots(context, &slots, &count) == 0);
	for (found = PKCS11_find_token(context, slots, count); found != NULL; found = PKCS11_find_next_token(context, slots, count, found))
		if (strcmp(found->token->label, host.token) == 0)
			return found;
	CHECK(!"the token is there");
	return NULL;
}

/* find lists the private keys and gives the one that signs. */
static PKCS11_KEY *find(PKCS11_SLOT *slot)
{
	PKCS11_KEY *keys, *found = NULL;
	unsigned int count;

	DONE(PKCS11_enumerate_keys(slot->token, &keys, &count) == 0);
	for (unsigned int i = 0; i < count; i++) {
		printf("%s\n", keys[i].label);
		if (strcmp(keys[i].label, "signer") == 0)
			found = &keys[i];
	}
	fflush(stdout);
	DONE(found != NULL);
	return found;
}

/* raw is the signature as CKM_ECDSA has it. */
static void raw(CK_BYTE to[64], const unsigned char *der, size_t length)
{
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)length);

	DONE(signature != NULL);
	CHECK(BN_bn2binpad(ECDSA_SIG_get0_r(signature), to, 32) == 32);
	CHECK(BN_bn2binpad(ECDSA_SIG_get0_s(signature), to + 32, 32) == 32);
	ECDSA_SIG_free(signature);
}

static void sign_and_record(const char *role, EVP_PKEY *key)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	unsigned char der[128];
	size_t size = sizeof der;
	char name[64], digits[129], line[256];
	CK_BYTE signature[64];
	int length;

	snprintf(name, sizeof name, "%d-%ld", (int)getpid(), atomic_fetch_add(&names, 1));
	DONE(EVP_DigestSignInit(digest, NULL, EVP_sha256(), NULL, key) == 1);
	DONE(EVP_DigestSign(digest, der, &size, (const unsigned char *)name, strlen(name)) == 1);
	EVP_MD_CTX_free(digest);
	raw(signature, der, size);
	hexadecimal(digits, signature, sizeof signature);
	length = snprintf(line, sizeof line, "%s %s %s\n", role, name, digits);
	CHECK(write(host.record, line, (size_t)length) == length);
}

static void fork_and_sign(EVP_PKEY *key)
{
	for (int i = 0; i < host.count; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			sign_and_record("child", key);
			_exit(0);
		}
		sign_and_record("parent", key);
		CHECK(wait_child(pid) == 0);
	}
}

int main(int argc, char **argv)
{
	PKCS11_CTX *context = PKCS11_CTX_new();
	PKCS11_SLOT *slot;
	EVP_PKEY *key;

	host_arguments(argc, argv);
	DONE(PKCS11_CTX_load(context, host.module) == 0);
	slot = find_slot(context);
	if (slot->token->loginRequired)
		DONE(PKCS11_login(slot, 0, host.pin) == 0);
	key = PKCS11_get_private_key(find(slot));
	DONE(key != NULL);
	if (mode_is("fork"))
		fork_and_sign(key);
	else
		for (int i = 0; i < host.count; i++)
			sign_and_record("parent", key);
	EVP_PKEY_free(key);
	PKCS11_CTX_unload(context);
	return 0;
}
