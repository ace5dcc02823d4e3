/*
 * AES by libcrypto. The openssl command has no GCM, and wraps no more than 4096 bytes at a time.
 *
 *	aes -e|-d CIPHER -K KEY -iv IV -in FILE -out FILE
 *
 * With GCM a tag of 16 bytes stands behind the ciphertext.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdio.h>
#include <string.h>

enum { TAG = 16, MOST = 1 << 16 };

static unsigned char in[MOST], out[MOST + 2 * TAG];

static int crypt(int encrypt, const char *name, const char *key_hex, const char *iv_hex, int size)
{
	long key_size, iv_size;
	unsigned char *key = OPENSSL_hexstr2buf(key_hex, &key_size), *iv = OPENSSL_hexstr2buf(iv_hex, &iv_size);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	int n = 0, rest = 0;

	if (key == NULL || iv == NULL || c == NULL || cipher == NULL || key_size != EVP_CIPHER_get_key_length(cipher))
		return -1;
	int gcm = EVP_CIPHER_get_mode(cipher) == EVP_CIPH_GCM_MODE, text = gcm && !encrypt ? size - TAG : size;
	EVP_CIPHER_CTX_set_flags(c, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	if (text < 0 || iv_size != EVP_CIPHER_get_iv_length(cipher) || !EVP_CipherInit_ex2(c, cipher, key, iv, encrypt, NULL) ||
	    !EVP_CipherUpdate(c, out, &n, in, text) || (gcm && !encrypt && !EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, in + text)) ||
	    !EVP_CipherFinal_ex(c, out + n, &rest))
		return -1;
	n += rest;
	if (gcm && encrypt && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, out + n))
		n += TAG;
	return n;
}

int main(int argc, char **argv)
{
	FILE *from, *to;
	int n;

	if (argc != 11 || (from = fopen(argv[8], "rb")) == NULL)
		return 2;
	n = crypt(strcmp(argv[1], "-e") == 0, argv[2], argv[4], argv[6], (int)fread(in, 1, sizeof in, from));
	if (n < 0) {
		fprintf(stderr, "it cannot be done, or is not authentic\n");
		return 1;
	}
	return (to = fopen(argv[10], "wb")) == NULL || fwrite(out, 1, (size_t)n, to) != (size_t)n || fclose(to) != 0;
}
