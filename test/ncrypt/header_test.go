package ncrypt_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// languages are those that the headers compile in, without a warning.
var languages = [][]string{
	{"gcc", "-std=c99", "-x", "c"},
	{"gcc", "-std=c11", "-x", "c"},
	{"gcc", "-std=c11", "-fshort-wchar", "-x", "c"},
	{"g++", "-std=c++11", "-x", "c++"},
	{"g++", "-std=c++20", "-x", "c++"},
	{"g++", "-std=c++11", "-fshort-wchar", "-x", "c++"},
}

func include(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../include")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Each header compiles alone, twice, and beside p11.h.
func TestHeadersCompile(t *testing.T) {
	for _, language := range languages {
		for _, header := range []string{"windows.h", "bcrypt.h", "ncrypt_names.h", "ncrypt.h", "cardmod.h", "../p11.h"} {
			source := fmt.Sprintf("#include <%s>\n#include <%s>\n#include <ncrypt.h>\n", header, header)
			args := append(append([]string{}, language[1:]...), "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", "-I", include(t), "-")
			cmd := exec.Command(language[0], args...)
			cmd.Stdin = strings.NewReader(source)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s: %v\n%s", language, header, err, out)
			}
		}
	}
}

// layout is what Windows has on 64-bit processors, by the documentation and natural alignment.
var layout = map[string]uint64{
	"sizeof(WCHAR)": 2, "sizeof(DWORD)": 4, "sizeof(ULONG)": 4, "sizeof(LONG)": 4, "sizeof(BOOL)": 4, "sizeof(SECURITY_STATUS)": 4, "sizeof(NCRYPT_HANDLE)": 8,
	"sizeof(NCryptBuffer)": 16, "offsetof(NCryptBuffer, BufferType)": 4, "offsetof(NCryptBuffer, pvBuffer)": 8,
	"sizeof(NCryptBufferDesc)": 16, "offsetof(NCryptBufferDesc, cBuffers)": 4, "offsetof(NCryptBufferDesc, pBuffers)": 8,
	"sizeof(NCryptKeyName)": 24, "offsetof(NCryptKeyName, dwLegacyKeySpec)": 16, "offsetof(NCryptKeyName, dwFlags)": 20,
	"sizeof(NCryptAlgorithmName)": 24, "offsetof(NCryptAlgorithmName, dwFlags)": 16, "sizeof(NCryptProviderName)": 16,
	"sizeof(NCRYPT_SUPPORTED_LENGTHS)": 16, "sizeof(NCRYPT_UI_POLICY)": 32, "offsetof(NCRYPT_UI_POLICY, pszCreationTitle)": 8,
	"sizeof(NCRYPT_CIPHER_PADDING_INFO)": 40, "offsetof(NCRYPT_CIPHER_PADDING_INFO, pbIV)": 8, "offsetof(NCRYPT_CIPHER_PADDING_INFO, cbIV)": 16,
	"sizeof(CARD_DATA)": 504, "offsetof(CARD_DATA, pvVendorSpecific)": 112, "offsetof(CARD_DATA, pfnCardGetContainerInfo)": 152,
	"offsetof(CARD_DATA, pfnCardReadFile)": 248, "offsetof(CARD_DATA, pfnCardAuthenticateEx)": 360, "offsetof(CARD_DATA, pfnCardDeauthenticateEx)": 376,
	"offsetof(CARD_DATA, pfnCardGetProperty)": 400, "offsetof(CARD_DATA, pfnMDImportSessionKey)": 424, "offsetof(CARD_DATA, pfnCardCreateContainerEx)": 496,
	"sizeof(CARD_IMPORT_KEYPAIR)": 24, "offsetof(CARD_IMPORT_KEYPAIR, PinId)": 8, "offsetof(CARD_IMPORT_KEYPAIR, cbInput)": 20,
	"sizeof(CARD_CHANGE_AUTHENTICATOR)": 28, "offsetof(CARD_CHANGE_AUTHENTICATOR, cRetryCount)": 24, "sizeof(CARD_CHANGE_AUTHENTICATOR_RESPONSE)": 8,
	"sizeof(CARD_AUTHENTICATE)": 16, "sizeof(CARD_AUTHENTICATE_RESPONSE)": 12, "sizeof(CARD_ENCRYPTED_DATA)": 16, "sizeof(CARD_KEY_HANDLE)": 8,
	"sizeof(CONTAINER_MAP_RECORD)": 86, "sizeof(CONTAINER_INFO)": 40, "offsetof(CONTAINER_INFO, pbSigPublicKey)": 16,
	"SCARD_E_UNSUPPORTED_FEATURE": 0x80100022, "SCARD_W_CARD_NOT_AUTHENTICATED": 0x8010006f, "ERROR_REVISION_MISMATCH": 1306,
	"sizeof(BCRYPT_PKCS1_PADDING_INFO)": 8, "sizeof(BCRYPT_PSS_PADDING_INFO)": 16, "sizeof(BCRYPT_OAEP_PADDING_INFO)": 24,
	"sizeof(BCRYPT_RSAKEY_BLOB)": 24, "sizeof(BCRYPT_ECCKEY_BLOB)": 8, "sizeof(BCRYPT_KEY_DATA_BLOB_HEADER)": 12, "sizeof(NCRYPT_KEY_BLOB_HEADER)": 16,
	"sizeof(NCRYPT11_FUNCTION_LIST)":    8 * 26,
	"sizeof(BCRYPT_PQDSA_PADDING_INFO)": 24, "offsetof(BCRYPT_PQDSA_PADDING_INFO, pszPrehashAlgId)": 16, "sizeof(BCRYPT_PQDSA_KEY_BLOB)": 12,
	"NCRYPT_REQUIRE_VBS_FLAG": 0x20000, "NCRYPT_USE_VIRTUAL_ISOLATION_FLAG": 0x20000, "NCRYPT_PREFER_VBS_FLAG": 0x10000, "NCRYPT_USE_PER_BOOT_KEY_FLAG": 0x40000,
	"NCRYPT_OVERWRITE_KEY_FLAG": 0x80, "NCRYPT_MACHINE_KEY_FLAG": 0x20, "NCRYPT_SILENT_FLAG": 0x40, "NCRYPT_DO_NOT_FINALIZE_FLAG": 0x400,
	"NCRYPT_PERSIST_FLAG": 0x80000000, "NCRYPT_ALLOW_ALL_USAGES": 0xffffff, "NCRYPTBUFFER_PKCS_KEY_NAME": 45, "NCRYPTBUFFER_PKCS_SECRET": 46,
	"NTE_INVALID_HANDLE": 0x80090026, "NTE_VBS_UNAVAILABLE": 0x80090039, "NTE_VBS_CANNOT_DECRYPT_KEY": 0x8009003a, "NTE_EXISTS": 0x8009000f,
	"HRESULT_FROM_WIN32(RPC_X_NULL_REF_POINTER)": 0x800706f4, "ERROR_SUCCESS": 0,
}

// TestLayout has the compilers of both languages say what sizes, offsets and numbers are.
func TestLayout(t *testing.T) {
	var source strings.Builder
	source.WriteString("#include <ncrypt.h>\n#include <cardmod.h>\n#include <stddef.h>\n#ifdef __cplusplus\n#define CHECK(e) static_assert(e, #e)\n#else\n#define CHECK(e) _Static_assert(e, #e)\n#endif\n")
	for expression, want := range layout {
		cast := "uint32_t"
		if strings.HasPrefix(expression, "sizeof") || strings.HasPrefix(expression, "offsetof") {
			cast = "size_t"
		}
		fmt.Fprintf(&source, "CHECK((%s)(%s) == %#x);\n", cast, expression, want)
	}
	file := filepath.Join(t.TempDir(), "layout.c")
	if err := os.WriteFile(file, []byte(source.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, language := range languages[1:] {
		command(t, language[0], append(append([]string{}, language[1:]...), "-Werror", "-fsyntax-only", "-I", include(t), file)...)
	}
}
