/*
 * AES-GCM by libcrypto, which the openssl command has not: the ciphertext and then a tag of 16 bytes.
 *
 *	gcm -e|-d -K KEY -iv IV -in FILE -out FILE
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdio.h>
#include <string.h>

enum { TAG = 16, MOST = 1 << 16 };

static unsigned char in[MOST], out[MOST + TAG];

static int crypt(int encrypt, const char *key_hex, const char *iv_hex, int size)
{
	long key_size, iv_size;
	unsigned char *key = OPENSSL_hexstr2buf(key_hex, &key_size), *iv = OPENSSL_hexstr2buf(iv_hex, &iv_size);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	const EVP_CIPHER *cipher = key_size == 16 ? EVP_aes_128_gcm() : key_size == 24 ? EVP_aes_192_gcm() : EVP_aes_256_gcm();
	int n = 0, rest = 0, text = encrypt ? size : size - TAG;

	if (key == NULL || iv == NULL || c == NULL || text < 0 || !EVP_CipherInit_ex(c, cipher, NULL, NULL, NULL, encrypt) ||
	    !EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_IVLEN, (int)iv_size, NULL) || !EVP_CipherInit_ex(c, NULL, NULL, key, iv, encrypt) ||
	    !EVP_CipherUpdate(c, out, &n, in, text) || (!encrypt && !EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, in + text)) ||
	    !EVP_CipherFinal_ex(c, out + n, &rest))
		return -1;
	n += rest;
	if (encrypt && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, out + n))
		n += TAG;
	return n;
}

int main(int argc, char **argv)
{
	FILE *from, *to;
	int n;

	if (argc != 10 || (from = fopen(argv[7], "rb")) == NULL)
		return 2;
	n = crypt(strcmp(argv[1], "-e") == 0, argv[3], argv[5], (int)fread(in, 1, sizeof in, from));
	if (n < 0) {
		fprintf(stderr, "it is not authentic\n");
		return 1;
	}
	return (to = fopen(argv[9], "wb")) == NULL || fwrite(out, 1, (size_t)n, to) != (size_t)n || fclose(to) != 0;
}
