/*
 * A program that has the key by OpenSSL's engine and libp11. libp11 opens a session, asks for the PIN, and logs in: the question is answered by a
 * program that is started there and then, as ssh-askpass is. Then COUNT children sign with the key that the parent has loaded, while the parent
 * signs: libp11 sees that it was forked, and begins anew with the PIN that it has kept.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "host.h"

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ui.h>

static int questions;

#define SSL_OK(condition)                                                                                   \
	do {                                                                                                \
		if (!(condition)) {                                                                         \
			ERR_print_errors_fp(stderr);                                                        \
			CHECK(!#condition);                                                                 \
		}                                                                                           \
	} while (0)

/* answer starts a program that prints the PIN. */
static int answer(UI *ui, UI_STRING *question)
{
	char pin[64] = "";
	int ends[2];
	pid_t pid;
	ssize_t length;

	if (UI_get_string_type(question) != UIT_PROMPT)
		return 1;
	questions++;
	CHECK(pipe(ends) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], 1);
		execlp("printf", "printf", "%s", host.pin, NULL);
		_exit(1);
	}
	close(ends[1]);
	CHECK(wait_child(pid) == 0);
	length = read(ends[0], pin, sizeof pin - 1);
	close(ends[0]);
	CHECK(length > 0);
	return UI_set_result(ui, question, pin) == 0;
}

static EVP_PKEY *load_key(ENGINE *engine)
{
	UI_METHOD *method = UI_create_method("askpass");
	EVP_PKEY *key;
	char uri[200];

	SSL_OK(method != NULL && UI_method_set_reader(method, answer) == 0);
	snprintf(uri, sizeof uri, "pkcs11:token=%s;object=signer;type=private", host.token);
	key = ENGINE_load_private_key(engine, uri, method, NULL);
	SSL_OK(key != NULL);
	CHECK(questions == 1);
	return key;
}

/* record_signature makes a signature as the others do: OpenSSL's is DER. */
static void record_signature(const char *role, EVP_PKEY *key)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char der[100], raw[64];
	const unsigned char *from = der;
	size_t length = sizeof der;
	char name[64];
	ECDSA_SIG *signature;

	name_one(name, sizeof name);
	SSL_OK(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1);
	SSL_OK(EVP_DigestSign(context, der, &length, (unsigned char *)name, strlen(name)) == 1);
	EVP_MD_CTX_free(context);
	signature = d2i_ECDSA_SIG(NULL, &from, (long)length);
	SSL_OK(signature != NULL);
	SSL_OK(BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, 32) == 32 && BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + 32, 32) == 32);
	ECDSA_SIG_free(signature);
	record(role, name, raw);
}

int main(int argc, char **argv)
{
	ENGINE *engine;
	EVP_PKEY *key;

	host_arguments(argc, argv);
	ENGINE_load_builtin_engines();
	engine = ENGINE_by_id("pkcs11");
	SSL_OK(engine != NULL);
	SSL_OK(ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", host.module, 0) == 1 && ENGINE_init(engine) == 1);
	key = load_key(engine);
	record_signature("parent", key);
	for (int round = 0; round < host.count; round++) {
		pid_t pid = fork();

		if (pid == 0) {
			record_signature("child", key);
			record_signature("child", key);
			exit(0);
		}
		CHECK(wait_child(pid) == 0);
		record_signature("parent", key);
	}
	EVP_PKEY_free(key);
	ENGINE_finish(engine);
	ENGINE_free(engine);
	return 0;
}
