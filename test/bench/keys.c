#include "keys.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;

/* DER object identifiers of the curves: the namedCurve choice of CKA_EC_PARAMS. */
static CK_BYTE p256_oid[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static CK_BYTE p384_oid[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
static CK_BYTE ed25519_oid[] = {0x06, 0x03, 0x2b, 0x65, 0x70};

static const struct {
    CK_MECHANISM_TYPE generation;
    CK_BYTE *oid;
    CK_ULONG oid_length;
} curves[] = {
    [P256] = {CKM_EC_KEY_PAIR_GEN, p256_oid, sizeof p256_oid},
    [P384] = {CKM_EC_KEY_PAIR_GEN, p384_oid, sizeof p384_oid},
    [ED25519] = {CKM_EC_EDWARDS_KEY_PAIR_GEN, ed25519_oid, sizeof ed25519_oid},
};

static bool generate_pair(struct subject *s, CK_MECHANISM_TYPE type, CK_ATTRIBUTE *parameters,
                          CK_ULONG parameter_count, const char *label)
{
    CK_ULONG label_length = label == NULL ? 0 : (CK_ULONG)strlen(label);
    CK_BBOOL on_token = label != NULL;
    CK_MECHANISM mechanism = {type, NULL, 0};
    CK_ATTRIBUTE public_template[8] = {
        {CKA_TOKEN, &on_token, sizeof on_token},
        {CKA_VERIFY, &yes, sizeof yes},
        {CKA_LABEL, (void *)label, label_length},
    };
    CK_ATTRIBUTE private_template[] = {
        {CKA_TOKEN, &on_token, sizeof on_token},
        {CKA_PRIVATE, &yes, sizeof yes},
        {CKA_SENSITIVE, &yes, sizeof yes},
        {CKA_SIGN, &yes, sizeof yes},
        {CKA_LABEL, (void *)label, label_length},
    };
    memcpy(public_template + 3, parameters, parameter_count * sizeof *parameters);
    return module_ok(s->module, "C_GenerateKeyPair",
                     s->module->call->C_GenerateKeyPair(s->session, &mechanism, public_template, 3 + parameter_count,
                                                        private_template, COUNT(private_template), &s->public_key,
                                                        &s->key));
}

bool generate_ec_pair(struct subject *s, enum curve curve, const char *label)
{
    CK_ATTRIBUTE parameters = {CKA_EC_PARAMS, curves[curve].oid, curves[curve].oid_length};
    return generate_pair(s, curves[curve].generation, &parameters, 1, label);
}

bool generate_rsa_2048_pair(struct subject *s, const char *label)
{
    CK_ULONG bits = 2048;
    CK_BYTE exponent[] = {0x01, 0x00, 0x01};
    CK_ATTRIBUTE parameters[] = {
        {CKA_MODULUS_BITS, &bits, sizeof bits},
        {CKA_PUBLIC_EXPONENT, exponent, sizeof exponent},
    };
    return generate_pair(s, CKM_RSA_PKCS_KEY_PAIR_GEN, parameters, COUNT(parameters), label);
}

bool create_aes_key(struct subject *s, const CK_BYTE *value, CK_ULONG length)
{
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class},       {CKA_KEY_TYPE, &type, sizeof type}, {CKA_TOKEN, &no, sizeof no},
        {CKA_ENCRYPT, &yes, sizeof yes},         {CKA_DECRYPT, &yes, sizeof yes},    {CKA_SENSITIVE, &yes, sizeof yes},
        {CKA_VALUE, (void *)value, length},
    };
    return module_ok(s->module, "C_CreateObject",
                     s->module->call->C_CreateObject(s->session, template, COUNT(template), &s->key));
}

/* Copies the attributes in parts, whose value buffers the caller provides, from one public key into a new one. */
static bool copy_public_key(struct subject *from, struct subject *to, CK_KEY_TYPE type, CK_ATTRIBUTE parts[2])
{
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    if (!module_ok(from->module, "C_GetAttributeValue",
                   from->module->call->C_GetAttributeValue(from->session, from->public_key, parts, 2)))
        return false;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type}, {CKA_TOKEN, &no, sizeof no},
        {CKA_VERIFY, &yes, sizeof yes},    parts[0],                           parts[1],
    };
    return module_ok(to->module, "C_CreateObject (public key)",
                     to->module->call->C_CreateObject(to->session, template, COUNT(template), &to->public_key));
}

static bool copy_point(struct subject *from, struct subject *to, CK_KEY_TYPE type)
{
    CK_BYTE parameters[32], point[128];
    CK_ATTRIBUTE parts[] = {{CKA_EC_PARAMS, parameters, sizeof parameters}, {CKA_EC_POINT, point, sizeof point}};
    return copy_public_key(from, to, type, parts);
}

bool copy_ec_public_key(struct subject *from, struct subject *to)
{
    return copy_point(from, to, CKK_EC);
}

bool copy_edwards_public_key(struct subject *from, struct subject *to)
{
    return copy_point(from, to, CKK_EC_EDWARDS);
}

bool copy_rsa_public_key(struct subject *from, struct subject *to)
{
    CK_BYTE modulus[256], exponent[8];
    CK_ATTRIBUTE parts[] = {{CKA_MODULUS, modulus, sizeof modulus}, {CKA_PUBLIC_EXPONENT, exponent, sizeof exponent}};
    return copy_public_key(from, to, CKK_RSA, parts);
}

bool find_one(struct subject *s, CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *object)
{
    CK_FUNCTION_LIST *call = s->module->call;
    CK_OBJECT_HANDLE found[2]; /* room for two, so that one too many would show */
    CK_ULONG found_count = 0;
    if (!module_ok(s->module, "C_FindObjectsInit", call->C_FindObjectsInit(s->session, template, count)))
        return false;
    bool ok = module_ok(s->module, "C_FindObjects", call->C_FindObjects(s->session, found, COUNT(found), &found_count));
    if (!module_ok(s->module, "C_FindObjectsFinal", call->C_FindObjectsFinal(s->session)) || !ok)
        return false;
    if (found_count != 1)
        return module_fail(s->module, "C_FindObjects found %lu objects where one was made", (unsigned long)found_count);
    *object = found[0];
    return true;
}
