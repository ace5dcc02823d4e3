/* NCryptEnumKeys, the lists, and the memory that they give. */
#include "driver.h"

/* The names that an enumeration gives, one letter each, in any order; the state is left to the caller. */
static size_t walk(NCRYPT_PROV_HANDLE provider, PVOID *state)
{
	NCryptKeyName *name = NULL;
	SECURITY_STATUS status;
	size_t count = 0;
	unsigned seen = 0;

	while ((status = n->NCryptEnumKeys(provider, NULL, &name, state, 0)) == ERROR_SUCCESS && count < 100) {
		CHECK(length(name->pszName) == 4 && length(name->pszAlgid) == length(u"ECDSA_P256"));
		CHECK(memcmp(name->pszAlgid, u"ECDSA_P256", length(u"ECDSA_P256")) == 0 && name->dwFlags == 0);
		seen |= 1u << (name->pszName[0] - u'a');
		OK(n->NCryptFreeBuffer(name));
		IS(n->NCryptFreeBuffer(name), NTE_INVALID_PARAMETER);
		count++;
	}
	IS(status, NTE_NO_MORE_ITEMS);
	CHECK(name == NULL && seen == (1u << count) - 1);
	return count;
}

static void three(void)
{
	NCRYPT_PROV_HANDLE provider = open_provider();
	PVOID state = NULL;
	NCryptKeyName *name = NULL;

	CHECK(walk(provider, &state) == 0 && state == NULL);
	make_key(provider, NCRYPT_ECDSA_P256_ALGORITHM, u"a");
	make_key(provider, NCRYPT_ECDSA_P256_ALGORITHM, u"b");
	make_key(provider, NCRYPT_ECDSA_P256_ALGORITHM, u"c");
	make_key(provider, NCRYPT_ECDSA_P256_ALGORITHM, NULL);
	CHECK(walk(provider, &state) == 3 && state != NULL);
	IS(n->NCryptEnumKeys(provider, NULL, &name, &state, 0), NTE_NO_MORE_ITEMS);
	OK(n->NCryptFreeBuffer(state));
	IS(n->NCryptEnumKeys(provider, NULL, &name, &state, 0), NTE_INVALID_PARAMETER);
	state = NULL;
	IS(n->NCryptEnumKeys(provider, u"a scope", &name, &state, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptEnumKeys(provider, NULL, &name, &state, NCRYPT_OVERWRITE_KEY_FLAG), NTE_BAD_FLAGS);
}

static void foreign(void)
{
	NCRYPT_PROV_HANDLE provider = open_provider(), other = open_provider();
	NCryptKeyName *name = NULL;
	PVOID state = &name, first = NULL;

	make_key(provider, NCRYPT_ECDSA_P256_ALGORITHM, u"a");
	IS(n->NCryptEnumKeys(provider, NULL, &name, &state, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptFreeBuffer(state), NTE_INVALID_PARAMETER);
	state = (PVOID)8;
	IS(n->NCryptEnumKeys(provider, NULL, &name, &state, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptFreeBuffer(state), NTE_INVALID_PARAMETER);
	OK(n->NCryptEnumKeys(provider, NULL, &name, &first, 0));
	state = name; /* memory of NCrypt's, but no state */
	NCryptKeyName *kept = name;
	IS(n->NCryptEnumKeys(provider, NULL, &name, &state, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptEnumKeys(other, NULL, &name, &first, 0), NTE_INVALID_PARAMETER);
	OK(n->NCryptFreeBuffer(kept));
	OK(n->NCryptFreeBuffer(first));
}

static void lists(void)
{
	NCRYPT_PROV_HANDLE provider = open_provider();
	NCryptAlgorithmName *algorithms = NULL;
	NCryptProviderName *providers = NULL;
	DWORD count = 0;
	bool found = false;

	OK(n->NCryptEnumAlgorithms(provider, NCRYPT_SIGNATURE_OPERATION, &count, &algorithms, 0));
	for (DWORD i = 0; i < count; i++) {
		OK(n->NCryptIsAlgSupported(provider, algorithms[i].pszName, 0));
		CHECK(algorithms[i].dwAlgOperations & NCRYPT_SIGNATURE_OPERATION && algorithms[i].dwClass != 0 && algorithms[i].dwFlags == 0);
		found = found || memcmp(algorithms[i].pszName, NCRYPT_RSA_ALGORITHM, length(NCRYPT_RSA_ALGORITHM)) == 0;
	}
	CHECK(found);
	OK(n->NCryptFreeBuffer(algorithms));
	OK(n->NCryptEnumAlgorithms(provider, NCRYPT_HASH_OPERATION, &count, &algorithms, 0));
	CHECK(count == 0);
	OK(n->NCryptFreeBuffer(algorithms));
	IS(n->NCryptEnumAlgorithms(provider, 0, &count, &algorithms, 1), NTE_BAD_FLAGS);
	OK(n->NCryptEnumStorageProviders(&count, &providers, 0));
	CHECK(count >= 1 && memcmp(providers[0].pszName, MS_KEY_STORAGE_PROVIDER, length(MS_KEY_STORAGE_PROVIDER)) == 0);
	for (DWORD i = 0; i < count; i++)
		CHECK(providers[i].pszComment[0] != 0);
	OK(n->NCryptFreeBuffer(providers));
}

const struct test enumerate_tests[] = {
	{"B79-B80-three", "an empty scope ends at once; of three keys each call gives one", three},
	{"B81b-foreign", "a state, or memory, that NCrypt has not given is refused", foreign},
	{"lists", "algorithms and providers are listed by what they are for", lists},
	{NULL, NULL, NULL},
};
