#include "crypto.h"

#include <string.h>

#include "keys.h"

/* NIST SP 800-38A, F.2.5 CBC-AES256.Encrypt: four blocks, just the 64 bytes that are measured. */
static const CK_BYTE aes_key[32] = {
    0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe, 0x2b, 0x73, 0xae, 0xf0, 0x85, 0x7d, 0x77, 0x81,
    0x1f, 0x35, 0x2c, 0x07, 0x3b, 0x61, 0x08, 0xd7, 0x2d, 0x98, 0x10, 0xa3, 0x09, 0x14, 0xdf, 0xf4,
};
static CK_BYTE aes_plaintext[64] = {
    0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a,
    0xae, 0x2d, 0x8a, 0x57, 0x1e, 0x03, 0xac, 0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf, 0x8e, 0x51,
    0x30, 0xc8, 0x1c, 0x46, 0xa3, 0x5c, 0xe4, 0x11, 0xe5, 0xfb, 0xc1, 0x19, 0x1a, 0x0a, 0x52, 0xef,
    0xf6, 0x9f, 0x24, 0x45, 0xdf, 0x4f, 0x9b, 0x17, 0xad, 0x2b, 0x41, 0x7b, 0xe6, 0x6c, 0x37, 0x10,
};
static const CK_BYTE aes_ciphertext[64] = {
    0xf5, 0x8c, 0x4c, 0x04, 0xd6, 0xe5, 0xf1, 0xba, 0x77, 0x9e, 0xab, 0xfb, 0x5f, 0x7b, 0xfb, 0xd6,
    0x9c, 0xfc, 0x4e, 0x96, 0x7e, 0xdb, 0x80, 0x8d, 0x67, 0x9f, 0x77, 0x7b, 0xc6, 0x70, 0x2c, 0x7d,
    0x39, 0xf2, 0x33, 0x69, 0xa9, 0xd9, 0xba, 0xcf, 0xa5, 0x30, 0xe2, 0x63, 0x04, 0x23, 0x14, 0x61,
    0xb2, 0xeb, 0x05, 0xe2, 0xc3, 0x9b, 0xe9, 0xfc, 0xda, 0x6c, 0x19, 0x07, 0x8c, 0x6a, 0x9d, 0x1b,
};

/* SHA-256 of the bytes 0 to 31. */
static const CK_BYTE sequence_sha256[32] = {
    0x63, 0x0d, 0xcd, 0x29, 0x66, 0xc4, 0x33, 0x66, 0x91, 0x12, 0x54, 0x48, 0xbb, 0xb2, 0x5b, 0x4f,
    0xf4, 0x12, 0xa4, 0x9c, 0x73, 0x2d, 0xb2, 0xc8, 0xab, 0xc1, 0xb8, 0x58, 0x1b, 0xd7, 0x10, 0xdd,
};

/* The bytes 0 to 63: message of the digest, and in part a stand-in for a digest to be signed. */
static CK_BYTE sequence[64] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
    44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
};

/* DigestInfo of SHA-256 (RFC 8017, 9.2, note 1) around a digest. */
static CK_BYTE digest_info[51] = {
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
    0x02, 0x01, 0x05, 0x00, 0x04, 0x20, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
};

static bool digest(struct subject *s, CK_BYTE out[32])
{
    CK_FUNCTION_LIST *call = s->module->call;
    CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
    CK_ULONG length = 32;
    return module_ok(s->module, "C_DigestInit", call->C_DigestInit(s->session, &mechanism)) &&
           module_ok(s->module, "C_Digest", call->C_Digest(s->session, sequence, 32, out, &length));
}

bool digest_once(struct subject *s)
{
    CK_BYTE out[32];
    return digest(s, out);
}

static bool prepare_digest(struct subject *s)
{
    CK_BYTE out[32] = {0};
    if (!digest(s, out))
        return false;
    return memcmp(out, sequence_sha256, sizeof out) == 0 || module_fail(s->module, "wrong SHA-256 digest");
}

static bool encrypt(struct subject *s, CK_BYTE out[64])
{
    CK_FUNCTION_LIST *call = s->module->call;
    CK_BYTE iv[16];
    memcpy(iv, sequence, sizeof iv); /* the vector's IV is the bytes 0 to 15 */
    CK_MECHANISM mechanism = {CKM_AES_CBC, iv, sizeof iv};
    CK_ULONG length = 64;
    return module_ok(s->module, "C_EncryptInit", call->C_EncryptInit(s->session, &mechanism, s->key)) &&
           module_ok(s->module, "C_Encrypt", call->C_Encrypt(s->session, aes_plaintext, 64, out, &length));
}

static bool encrypt_once(struct subject *s)
{
    CK_BYTE out[64];
    return encrypt(s, out);
}

static bool prepare_aes(struct subject *s)
{
    CK_BYTE out[64] = {0};
    if (!create_aes_key(s, aes_key, sizeof aes_key) || !encrypt(s, out))
        return false;
    return memcmp(out, aes_ciphertext, sizeof out) == 0 || module_fail(s->module, "wrong AES-256-CBC ciphertext");
}

/* What C_Sign and C_Verify need to know of a signing operation. */
struct signing {
    CK_MECHANISM_TYPE mechanism;
    CK_BYTE *data;
    CK_ULONG data_length;
    CK_ULONG signature_length;
    bool (*copy_public_key)(struct subject *from, struct subject *to);
};

static const struct signing p256 = {CKM_ECDSA, sequence, 32, 64, copy_ec_public_key};
static const struct signing p384 = {CKM_ECDSA, sequence, 48, 96, copy_ec_public_key};
static const struct signing ed25519 = {CKM_EDDSA, sequence, 32, 64, copy_edwards_public_key};
static const struct signing rsa_2048 = {CKM_RSA_PKCS, digest_info, sizeof digest_info, 256, copy_rsa_public_key};

static bool sign(struct subject *s, CK_BYTE signature[256])
{
    const struct signing *how = s->signing;
    CK_FUNCTION_LIST *call = s->module->call;
    CK_MECHANISM mechanism = {how->mechanism, NULL, 0};
    CK_ULONG length = 256;
    if (!module_ok(s->module, "C_SignInit", call->C_SignInit(s->session, &mechanism, s->key)) ||
        !module_ok(s->module, "C_Sign", call->C_Sign(s->session, how->data, how->data_length, signature, &length)))
        return false;
    return length == how->signature_length || module_fail(s->module, "signature of %lu bytes", (unsigned long)length);
}

bool sign_once(struct subject *s)
{
    CK_BYTE signature[256];
    return sign(s, signature);
}

/* A fast signature that does not verify is worth nothing: the other module is the judge. */
bool verified_by(struct subject *s, struct subject *reference)
{
    const struct signing *how = s->signing;
    CK_FUNCTION_LIST *judge = reference->module->call;
    CK_MECHANISM mechanism = {how->mechanism, NULL, 0};
    CK_BYTE signature[256];
    if (!sign(s, signature) || !how->copy_public_key(s, reference))
        return false;
    CK_RV rv = judge->C_VerifyInit(reference->session, &mechanism, reference->public_key);
    if (!module_ok(reference->module, "C_VerifyInit", rv))
        return false;
    rv = judge->C_Verify(reference->session, how->data, how->data_length, signature, how->signature_length);
    return rv == CKR_OK || module_fail(s->module, "signature refused by %s: 0x%08lX", reference->module->name,
                                       (unsigned long)rv);
}

static bool prepare_signing(struct subject *s, const struct signing *how, bool generated)
{
    s->signing = how;
    return generated;
}

bool prepare_p256(struct subject *s)
{
    return prepare_signing(s, &p256, generate_ec_pair(s, P256, NULL));
}

static bool prepare_p384(struct subject *s)
{
    return prepare_signing(s, &p384, generate_ec_pair(s, P384, NULL));
}

static bool prepare_rsa_2048(struct subject *s)
{
    return prepare_signing(s, &rsa_2048, generate_rsa_2048_pair(s, NULL));
}

const struct crypto_operation crypto_operations[] = {
    {"sha256-32B", prepare_digest, digest_once, NULL},
    {"aes256-cbc-64B", prepare_aes, encrypt_once, NULL},
    {"p256-sign", prepare_p256, sign_once, verified_by},
    {"p384-sign", prepare_p384, sign_once, verified_by},
    {"rsa2048-sign", prepare_rsa_2048, sign_once, verified_by},
};
const int crypto_operation_count = sizeof crypto_operations / sizeof crypto_operations[0];

bool create_labelled_pair(struct subject *s, enum key_kind kind, const char *label)
{
    switch (kind) {
    case KEY_P256: return generate_ec_pair(s, P256, label);
    case KEY_ED25519: return generate_ec_pair(s, ED25519, label);
    case KEY_RSA_2048: return generate_rsa_2048_pair(s, label);
    default: return module_fail(s->module, "there are no keys of kind %d", kind);
    }
}

static bool find_labelled(struct subject *s, CK_OBJECT_CLASS class, const char *label, CK_OBJECT_HANDLE *object)
{
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, (void *)label, (CK_ULONG)strlen(label)}};
    return find_one(s, template, 2, object);
}

bool find_labelled_key(struct subject *s, enum key_kind kind, const char *label)
{
    static const struct signing *const how[KEY_KINDS] = {
        [KEY_P256] = &p256, [KEY_RSA_2048] = &rsa_2048, [KEY_ED25519] = &ed25519};
    s->signing = how[kind];
    return find_labelled(s, CKO_PRIVATE_KEY, label, &s->key);
}

bool find_labelled_public_key(struct subject *s, const char *label)
{
    return find_labelled(s, CKO_PUBLIC_KEY, label, &s->public_key);
}
