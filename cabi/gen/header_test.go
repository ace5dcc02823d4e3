package main

import (
	"strings"
	"testing"
)

const smallHeader = `/* A comment
 * #define CKA_IN_A_COMMENT 0x09UL
 */
#ifndef NCRYPT11_P11_H
#define NCRYPT11_P11_H
#define CK_UNAVAILABLE_INFORMATION (~0UL)
#define CKF_DECIMAL 12UL /* after the value */
#define CKK_EC 0x00000003UL
#define CKK_ECDSA CKK_EC
#define NCRYPT11_VENDOR_BASE 0x80434E00UL
#define CKA_NCRYPT_ISOLATED (NCRYPT11_VENDOR_BASE + 0x01UL)
typedef struct CK_VERSION {
	CK_BYTE major;
	CK_BYTE minor;
} CK_VERSION;
extern CK_RV C_Initialize(CK_VOID_PTR pInitArgs);
extern CK_RV C_Login(CK_SESSION_HANDLE hSession, CK_USER_TYPE userType,
	CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen);
typedef CK_RV (*CK_C_Login)(CK_SESSION_HANDLE hSession, CK_USER_TYPE userType,
	CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen);
struct CK_FUNCTION_LIST {
	CK_VERSION version;
	CK_C_Initialize C_Initialize;
	CK_C_Login C_Login;
};
#endif
`

func TestParseHeader(t *testing.T) {
	h, err := parseHeader(strings.NewReader(smallHeader))
	if err != nil {
		t.Fatal(err)
	}
	want := []constant{
		{"CK_UNAVAILABLE_INFORMATION", ^uint64(0), ""},
		{"CKF_DECIMAL", 12, ""},
		{"CKK_EC", 3, ""},
		{"CKK_ECDSA", 3, "CKK_EC"},
		{"NCRYPT11_VENDOR_BASE", 0x80434E00, ""},
		{"CKA_NCRYPT_ISOLATED", 0x80434E01, ""},
	}
	if len(h.constants) != len(want) {
		t.Fatalf("constants: %v", h.constants)
	}
	for i, c := range h.constants {
		if c != want[i] {
			t.Errorf("constant %d: %v, want %v", i, c, want[i])
		}
	}
	if got := strings.Join(h.lists["CK_FUNCTION_LIST"], " "); got != "C_Initialize C_Login" {
		t.Errorf("function list: %s", got)
	}
	if len(h.functions) != 2 {
		t.Fatalf("functions: %v", h.functions)
	}
	login := "CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen"
	if got := declared(h.functions[1]); got != login {
		t.Errorf("C_Login: %s", got)
	}
}

func TestParseHeaderErrors(t *testing.T) {
	tests := []struct{ name, header, message string }{
		{"no value", "#define CKA_X", `line 1: not a constant: "#define CKA_X"`},
		{"value is an expression", "#define CKA_X (1 << 3)", "line 1: CKA_X: neither a number nor a name defined above"},
		{"no suffix, which is accepted", "#define CKA_X 0x10", ""},
		{"octal", "#define CKA_X 010UL", "line 1: CKA_X: neither a number nor a name"},
		{"too large", "#define CKA_X 0x10000000000000000UL", "value out of range"},
		{"alias of a later name", "#define CKA_X CKA_Y\n#define CKA_Y 1UL", "line 1: CKA_X: neither"},
		{"sum with an unknown name", "#define CKA_X (BASE + 0x01UL)", "line 1: CKA_X: neither"},
		{"defined twice", "#define CKA_X 1UL\n#define CKA_X 1UL", "line 2: CKA_X is defined twice"},
		{"function-like macro", "#define CK_F(x) 1UL", "line 1: not a constant"},
		{"unknown directive", "#pragma pack(1)", `line 1: not understood: "#pragma pack(1)"`},
		{"other C", "int x;", "line 1: not understood"},
		{"parameter without a name", "extern CK_RV C_X(CK_ULONG);", "line 1: C_X: not a parameter with type and name"},
		{"parameter with a star", "extern CK_RV C_X(CK_BYTE *p);", "line 1: C_X: not a parameter"},
		{"not a function of the interface", "extern CK_RV X(CK_ULONG a);", "line 1: not a prototype"},
		{"prototype without an end", "extern CK_RV C_X(CK_ULONG a,", "line 1: the header ends inside"},
		{"prototype runs into a directive", "extern CK_RV C_X(CK_ULONG a,\n#define CKA_X 1UL\n);", "line 3: C_X: not a parameter"},
		{"comment without an end", "/* text\ntext", "line 2: the header ends inside"},
		{"struct without an end", "struct CK_X {\n\tCK_ULONG a;", "line 2: the header ends inside"},
		{"member of another function's type", "struct CK_FUNCTION_LIST {\nCK_C_X C_Y;\n};", "line 2: CK_FUNCTION_LIST: not a member"},
		{"more members than prototypes", "struct CK_FUNCTION_LIST {\nCK_C_X C_X;\n};", "CK_FUNCTION_LIST has 1 functions"},
		{"list in another order", "extern CK_RV C_X(CK_ULONG a);\nextern CK_RV C_Y(CK_ULONG a);\n" +
			"struct CK_FUNCTION_LIST {\nCK_C_Y C_Y;\nCK_C_X C_X;\n};", "function 1 is C_Y, the prototypes have C_X there"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseHeader(strings.NewReader(test.header))
			switch {
			case test.message == "" && err != nil:
				t.Errorf("unexpected: %v", err)
			case test.message != "" && (err == nil || !strings.Contains(err.Error(), test.message)):
				t.Errorf("got %v, want an error with %q", err, test.message)
			}
		})
	}
}
