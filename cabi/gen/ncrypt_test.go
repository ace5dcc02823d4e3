package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestNCryptPrototypes(t *testing.T) {
	functions, err := ncryptInterface.parse("/* a word */\nSECURITY_STATUS WINAPI NCryptOne(NCRYPT_HANDLE h, VOID *p,\n\tDWORD **pp);\nBOOL WINAPI NCryptTwo(LPCWSTR s);\n")
	want := []vendorFunction{
		{"SECURITY_STATUS", function{"NCryptOne", []param{{"NCRYPT_HANDLE", "h"}, {"VOID *", "p"}, {"DWORD **", "pp"}}}},
		{"BOOL", function{"NCryptTwo", []param{{"LPCWSTR", "s"}}}},
	}
	if err != nil || !reflect.DeepEqual(functions, want) {
		t.Errorf("got %v, %v", functions, err)
	}
	for text, message := range map[string]string{
		"":                                 "0 of 0 prototypes understood",
		"HRESULT WINAPI NCryptOne(int a);": "0 of 1 prototypes understood",
		"BOOL WINAPI NCryptOne(int);":      "not understood",
		"BOOL WINAPI NCryptOne(int a[3]);": "not understood",
	} {
		if _, err := ncryptInterface.parse(text); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%q: %v, want %q", text, err, message)
		}
	}
}

// The stubs of functions that need a handle answer without Go where it does not run; those that give the first handle start it.
func TestNCryptStubs(t *testing.T) {
	functions, err := ncryptInterface.read("../..")
	if err != nil {
		t.Fatal(err)
	}
	text := string(ncryptInterface.stubs(functions))
	for want, n := range map[string]int{
		"ncrypt_start(&call)": 2, "ncrypt_enter(&call, NTE_INVALID_HANDLE)": 22, "ncrypt_enter(&call, NTE_INVALID_PARAMETER)": 1,
		"ncrypt_leave(&call)": 25, "return FALSE;": 1,
	} {
		if have := strings.Count(text, want); have != n {
			t.Errorf("%q is there %d times, want %d", want, have, n)
		}
	}
}
