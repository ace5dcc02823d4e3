package abi_test

import (
	"debug/elf"
	"slices"
	"strings"
	"testing"
)

// ncryptNames are the functions of include/ncrypt.h, in its order.
var ncryptNames = []string{
	"NCryptOpenStorageProvider", "NCryptEnumStorageProviders", "NCryptEnumAlgorithms", "NCryptIsAlgSupported", "NCryptEnumKeys",
	"NCryptFreeBuffer", "NCryptOpenKey", "NCryptCreatePersistedKey", "NCryptGetProperty", "NCryptSetProperty", "NCryptFinalizeKey",
	"NCryptEncrypt", "NCryptDecrypt", "NCryptImportKey", "NCryptExportKey", "NCryptSignHash", "NCryptVerifySignature", "NCryptDeleteKey",
	"NCryptFreeObject", "NCryptIsKeyHandle", "NCryptNotifyChangeKey", "NCryptSecretAgreement", "NCryptDeriveKey", "NCryptEncapsulate", "NCryptDecapsulate",
}

// The library shows the functions of the specification and those of NCrypt, and nothing else: what else it showed could take the place of a symbol of the
// program it is loaded into, or be taken by one.
func TestExportedSymbols(t *testing.T) {
	file, err := elf.Open(modulePath(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	symbols, err := file.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	var exported []string
	for _, s := range symbols {
		if s.Section == elf.SHN_UNDEF {
			continue
		}
		if elf.ST_TYPE(s.Info) != elf.STT_FUNC {
			t.Errorf("%s is exported, but is no function", s.Name)
		}
		exported = append(exported, s.Name)
	}
	if len(functionNames) != 104 || len(ncryptNames) != 25 {
		t.Fatalf("%d and %d functions in the tables, not 104 and 25", len(functionNames), len(ncryptNames))
	}
	want := slices.Concat(functionNames, ncryptNames)
	slices.Sort(exported)
	slices.Sort(want)
	if !slices.Equal(exported, want) {
		t.Errorf("exported are\n%s\nwant\n%s", strings.Join(exported, " "), strings.Join(want, " "))
	}
}

// The library needs the C library alone, and was linked so that nothing of it can be rewritten at run time but its data.
func TestLinking(t *testing.T) {
	file, err := elf.Open(modulePath(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	libraries, err := file.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, library := range libraries {
		if library != "libc.so.6" && !strings.HasPrefix(library, "ld-linux") {
			t.Errorf("needs %s", library)
		}
	}
	relro := false
	for _, segment := range file.Progs {
		relro = relro || segment.Type == elf.PT_GNU_RELRO
		if segment.Type == elf.PT_GNU_STACK && segment.Flags&elf.PF_X != 0 {
			t.Error("asks for an executable stack")
		}
		if segment.Type == elf.PT_LOAD && segment.Flags&elf.PF_X != 0 && segment.Flags&elf.PF_W != 0 {
			t.Error("a segment is writable and executable")
		}
	}
	if !relro {
		t.Error("no segment is made read-only after relocation")
	}
	if flags, err := file.DynValue(elf.DT_FLAGS_1); err != nil || len(flags) != 1 || elf.DynFlag1(flags[0])&elf.DF_1_NOW == 0 {
		t.Errorf("symbols are bound when first called, not at load: flags %v, %v", flags, err)
	}
	for _, s := range []string{".debug_info", ".symtab"} {
		if file.Section(s) != nil {
			t.Errorf("has a section %s", s)
		}
	}
}
