// Package abi_test looks at the binary interface as a C program sees it.
package abi_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// wellKnown are constants typed in by hand from the specification, to catch what a generated table would repeat.
var wellKnown = map[string]uint64{
	"CK_UNAVAILABLE_INFORMATION": ^uint64(0), "CK_INVALID_HANDLE": 0, "CK_TRUE": 1, "CK_FALSE": 0,
	"CKA_CLASS": 0, "CKA_TOKEN": 1, "CKA_PRIVATE": 2, "CKA_LABEL": 3, "CKA_UNIQUE_ID": 4, "CKA_VALUE": 0x11, "CKA_KEY_TYPE": 0x100,
	"CKA_ID": 0x102, "CKA_SENSITIVE": 0x103, "CKA_SIGN": 0x108, "CKA_MODULUS": 0x120, "CKA_PRIVATE_EXPONENT": 0x123,
	"CKA_EXTRACTABLE": 0x162, "CKA_EC_PARAMS": 0x180, "CKA_ECDSA_PARAMS": 0x180, "CKA_EC_POINT": 0x181,
	"CKA_ALWAYS_AUTHENTICATE": 0x202, "CKA_WRAP_TEMPLATE": 0x40000211, "CKA_ALLOWED_MECHANISMS": 0x40000600,
	"CKA_PARAMETER_SET": 0x61D, "CKA_ENCAPSULATE_TEMPLATE": 0x62A,
	"CKF_RW_SESSION": 2, "CKF_SERIAL_SESSION": 4, "CKF_SIGN": 0x800, "CKF_TOKEN_INITIALIZED": 0x400,
	"CKK_RSA": 0, "CKK_EC": 3, "CKK_AES": 0x1F, "CKK_EC_EDWARDS": 0x40, "CKK_ML_DSA": 0x4A,
	"CKM_RSA_PKCS_KEY_PAIR_GEN": 0, "CKM_RSA_PKCS": 1, "CKM_RSA_PKCS_OAEP": 9, "CKM_RSA_PKCS_PSS": 0xD, "CKM_SHA256_RSA_PKCS": 0x40,
	"CKM_SHA256": 0x250, "CKM_EC_KEY_PAIR_GEN": 0x1040, "CKM_ECDSA": 0x1041, "CKM_ECDH1_DERIVE": 0x1050, "CKM_EDDSA": 0x1057,
	"CKM_AES_KEY_GEN": 0x1080, "CKM_AES_CBC_PAD": 0x1085, "CKM_AES_GCM": 0x1087, "CKM_AES_KEY_WRAP_KWP": 0x210B,
	"CKM_HKDF_DERIVE": 0x402A, "CKM_ML_KEM": 0x17, "CKM_ML_DSA": 0x1D, "CKM_SLH_DSA": 0x2E,
	"CKO_DATA": 0, "CKO_CERTIFICATE": 1, "CKO_PUBLIC_KEY": 2, "CKO_PRIVATE_KEY": 3, "CKO_SECRET_KEY": 4, "CKO_TRUST": 0xB,
	"CKR_OK": 0, "CKR_GENERAL_ERROR": 5, "CKR_ARGUMENTS_BAD": 7, "CKR_FUNCTION_NOT_SUPPORTED": 0x54, "CKR_PIN_INCORRECT": 0xA0,
	"CKR_USER_NOT_LOGGED_IN": 0x101, "CKR_BUFFER_TOO_SMALL": 0x150, "CKR_CRYPTOKI_NOT_INITIALIZED": 0x190,
	"CKR_CRYPTOKI_ALREADY_INITIALIZED": 0x191, "CKR_PARAMETER_SET_NOT_SUPPORTED": 0x209,
	"CKU_SO": 0, "CKU_USER": 1, "CKU_CONTEXT_SPECIFIC": 2, "CKG_MGF1_SHA256": 2, "CKD_NULL": 1, "CKZ_DATA_SPECIFIED": 1,
	"CKP_ML_KEM_768": 2, "CKC_X_509": 0, "CKH_CLOCK": 2, "CKS_RW_USER_FUNCTIONS": 3, "CKT_TRUSTED": 1,
	"CKA_NCRYPT_ISOLATED": 0x80434E01, "CKA_NCRYPT_KEY_NAME": 0x80434E13, "CKM_NCRYPT_CLAIM_IDENTITY": 0x80434E86,
	"CKR_NCRYPT_BAD_KEY_STATE": 0x80434E03,
}

// functionLists gives the number of functions in each list.
var functionLists = map[string]int{"CK_FUNCTION_LIST": 68, "CK_FUNCTION_LIST_3_0": 92, "CK_FUNCTION_LIST_3_2": 104}

func TestHeaderCompilesAlone(t *testing.T) {
	header := headerPath(t)
	for _, c := range []struct{ compiler, standard, language string }{
		{"gcc", "-std=c99", "c"},
		{"g++", "-std=c++11", "c++"},
	} {
		t.Run(c.language, func(t *testing.T) {
			source := fmt.Sprintf("#include %q\n#include %q\n", header, header)
			command(t, source, c.compiler, c.standard, "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", "-x", c.language, "-")
		})
	}
}

// TestHeaderLayout has a C program print the sizes, offsets and constants that the tables name, and compares.
func TestHeaderLayout(t *testing.T) {
	want := map[string]uint64{}
	for name, size := range structSizes {
		want["sizeof("+name+")"] = uint64(size)
	}
	for list, functions := range functionLists {
		want["sizeof("+list+")"] = uint64(8 * (functions + 1))
		for i, function := range functionNames[:functions] {
			want["offsetof("+list+", "+function+")"] = uint64(8 * (i + 1))
		}
	}
	for name, value := range wellKnown {
		want[name] = value
	}
	have := evaluate(t, want)
	for expression, value := range want {
		if have[expression] != fmt.Sprintf("%#x", value) {
			t.Errorf("%s is %s, want %#x", expression, have[expression], value)
		}
	}
}

// evaluate compiles and runs a C program that prints the value of each expression.
func evaluate(t *testing.T, expressions map[string]uint64) map[string]string {
	t.Helper()
	var source strings.Builder
	fmt.Fprintf(&source, "#include %q\n#include <stddef.h>\n#include <stdio.h>\n", headerPath(t))
	source.WriteString("#define SHOW(e) printf(\"%s\\t%#lx\\n\", #e, (unsigned long)(e))\nint main(void)\n{\n")
	var sorted []string
	for e := range expressions {
		sorted = append(sorted, e)
	}
	sort.Strings(sorted)
	for _, e := range sorted {
		fmt.Fprintf(&source, "\tSHOW((%s));\n", e)
	}
	source.WriteString("\treturn 0;\n}\n")

	program := filepath.Join(t.TempDir(), "layout")
	command(t, source.String(), "gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-x", "c", "-o", program, "-")
	values := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(command(t, "", program)), "\n") {
		name, value, _ := strings.Cut(line, "\t")
		if value == "0" {
			value = "0x0" // C's %#lx gives no prefix to zero
		}
		values[strings.TrimSuffix(strings.TrimPrefix(name, "("), ")")] = value
	}
	return values
}

func headerPath(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../p11.h")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func command(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, problems.String())
	}
	return string(out)
}
