package abi_test

import (
	"debug/buildinfo"
	"debug/elf"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
)

// The command is the guard as well. Nothing is loaded into it: no interpreter, no library, so no variable of the environment can bring in other code. It
// lies at an address that cannot be known, and what was relocated is read-only.
func TestCommandStandsAlone(t *testing.T) {
	path := filepath.Join(filepath.Dir(modulePath(t)), "ncrypt11")
	if info, err := buildinfo.ReadFile(path); err != nil || !slices.Contains(info.Settings, debug.BuildSetting{Key: "CGO_ENABLED", Value: "1"}) {
		t.Errorf("built without the kernels for RSA: %v", err)
	}
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if file.Type != elf.ET_DYN {
		t.Errorf("%v: cannot be placed at any address", file.Type)
	}
	if libraries, err := file.ImportedLibraries(); err != nil || len(libraries) != 0 {
		t.Errorf("needs %v, %v", libraries, err)
	}
	segments := map[elf.ProgType]bool{}
	for _, segment := range file.Progs {
		segments[segment.Type] = true
		if segment.Flags&(elf.PF_X|elf.PF_W) == elf.PF_X|elf.PF_W {
			t.Errorf("%v is writable and executable", segment.Type)
		}
	}
	if segments[elf.PT_INTERP] {
		t.Error("asks for an interpreter")
	}
	if !segments[elf.PT_GNU_RELRO] || !segments[elf.PT_GNU_STACK] {
		t.Error("lacks GNU_RELRO or GNU_STACK")
	}
	if flags, err := file.DynValue(elf.DT_FLAGS_1); err != nil || !slices.Contains(flags, uint64(elf.DF_1_NOW|elf.DF_1_PIE)) {
		t.Errorf("flags %v, %v", flags, err)
	}
	for _, s := range []string{".debug_info", ".symtab"} {
		if file.Section(s) != nil {
			t.Errorf("has a section %s", s)
		}
	}
}
