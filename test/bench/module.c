#include "module.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool module_fail(struct module *m, const char *format, ...)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* two threads may fail at once */
    pthread_mutex_lock(&lock);
    if (m->failure.text[0] == '\0') { /* the first failure is the cause, later ones are its echo */
        int used = snprintf(m->failure.text, sizeof m->failure.text, "%s: ", m->name);
        va_list args;
        va_start(args, format);
        vsnprintf(m->failure.text + used, sizeof m->failure.text - (size_t)used, format, args);
        va_end(args);
    }
    pthread_mutex_unlock(&lock);
    return false;
}

bool module_ok(struct module *m, const char *function, CK_RV rv)
{
    return rv == CKR_OK || module_fail(m, "%s returned 0x%08lX", function, (unsigned long)rv);
}

bool module_open(struct module *m)
{
    void *library = dlopen(m->path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return module_fail(m, "%s", dlerror());
    CK_C_GetFunctionList get_list;
    void *symbol = dlsym(library, "C_GetFunctionList");
    if (symbol == NULL)
        return module_fail(m, "%s has no C_GetFunctionList", m->path);
    memcpy(&get_list, &symbol, sizeof get_list); /* ISO C has no cast from data to function pointers */
    if (!module_ok(m, "C_GetFunctionList", get_list(&m->call)))
        return false;

    CK_C_INITIALIZE_ARGS args;
    memset(&args, 0, sizeof args);
    args.flags = CKF_OS_LOCKING_OK;
    CK_RV rv = m->call->C_Initialize(&args);
    /* The noise measurement loads one library under both names. */
    if (rv != CKR_CRYPTOKI_ALREADY_INITIALIZED && !module_ok(m, "C_Initialize", rv))
        return false;
    return module_ok(m, "C_GetInfo", m->call->C_GetInfo(&m->info));
}

void module_close(struct module *m)
{
    if (m->call != NULL)
        m->call->C_Finalize(NULL);
    m->call = NULL;
}

/* Token labels are blank padded and not terminated. */
static bool label_is(const CK_TOKEN_INFO *info, const char *label)
{
    char padded[sizeof info->label + 1];
    snprintf(padded, sizeof padded, "%-*s", (int)sizeof info->label, label);
    return memcmp(padded, info->label, sizeof info->label) == 0;
}

static bool find_slot(struct module *m, const char *label, CK_SLOT_ID *slot, CK_TOKEN_INFO *info)
{
    CK_SLOT_ID slots[64];
    CK_ULONG count = sizeof slots / sizeof slots[0];
    if (!module_ok(m, "C_GetSlotList", m->call->C_GetSlotList(CK_TRUE, slots, &count)))
        return false;
    for (CK_ULONG i = 0; i < count; i++) {
        if (m->call->C_GetTokenInfo(slots[i], info) == CKR_OK && label_is(info, label)) {
            *slot = slots[i];
            return true;
        }
    }
    return module_fail(m, "no token is labelled %s", label);
}

bool module_session(struct module *m, const char *token, CK_SESSION_HANDLE *session)
{
    char label[33];
    snprintf(label, sizeof label, "%s%s", m->token_prefix, token);
    CK_SLOT_ID slot = 0;
    CK_TOKEN_INFO info;
    if (!find_slot(m, label, &slot, &info))
        return false;
    CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
    if (!module_ok(m, "C_OpenSession", m->call->C_OpenSession(slot, flags, NULL, NULL, session)))
        return false;
    if (!(info.flags & CKF_LOGIN_REQUIRED))
        return true;
    CK_RV rv = m->call->C_Login(*session, CKU_USER, (CK_UTF8CHAR *)m->pin, (CK_ULONG)strlen(m->pin));
    return rv == CKR_USER_ALREADY_LOGGED_IN || module_ok(m, "C_Login", rv);
}
