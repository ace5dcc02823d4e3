#include "objects.h"

#include <stdio.h>

#include "keys.h"

enum { VALUE_SIZE = 1024 };

static CK_ULONG write_label(char label[32], unsigned long number)
{
    return (CK_ULONG)snprintf(label, 32, "object-%08lu", number);
}

/* Public data objects: a private one would cost the reference a decryption for each object it compares. */
bool create_once(struct subject *s)
{
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_BBOOL on_token = CK_TRUE, private = CK_FALSE;
    CK_BYTE value[VALUE_SIZE];
    char label[32];
    CK_ULONG label_length = write_label(label, s->turn);
    for (int i = 0; i < VALUE_SIZE; i++)
        value[i] = (CK_BYTE)(s->turn + (unsigned long)i);
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class},       {CKA_TOKEN, &on_token, sizeof on_token},
        {CKA_PRIVATE, &private, sizeof private}, {CKA_LABEL, label, label_length},
        {CKA_VALUE, value, sizeof value},
    };
    CK_OBJECT_HANDLE created;
    CK_RV rv = s->module->call->C_CreateObject(s->session, template, 5, &created);
    s->turn++;
    return module_ok(s->module, "C_CreateObject", rv);
}

bool fill_token(struct subject *s, unsigned long count)
{
    while (s->turn < count) {
        if (!create_once(s))
            return false;
    }
    s->objects = count;
    return true;
}

bool find_once(struct subject *s)
{
    char label[32];
    /* A stride that is coprime to the number of objects visits all of them, and no two neighbours in turn. */
    const unsigned long stride = 7919;
    CK_ATTRIBUTE by_label = {CKA_LABEL, label, 0};
    s->turn += stride;
    by_label.ulValueLen = write_label(label, s->turn % s->objects);
    return find_one(s, &by_label, 1, &s->key);
}
