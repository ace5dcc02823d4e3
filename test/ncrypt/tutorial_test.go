package ncrypt_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/test/swtpm"
)

// tutorial compiles and links the program that introduced keys with virtualization-based security.
func tutorial(t *testing.T, language []string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "keyguard")
	args := append(append([]string{}, language[1:]...), "-Wall", "-Wextra", "-Werror", "-I", include(t), "-o", program, "testdata/keyguard.c", "-x", "none",
		"-L", filepath.Dir(modulePath(t)), "-lncrypt11")
	command(t, language[0], args...)
	return program
}

// TestTutorial: a program written for Windows compiles, as C and as C++, is linked, and makes a key that a guard keeps; programs that speak PKCS #11 see it.
func TestTutorial(t *testing.T) {
	for _, language := range [][]string{{"gcc", "-x", "c"}, {"g++", "-x", "c++"}} {
		t.Run(language[0], func(t *testing.T) {
			program := tutorial(t, language)
			home, env := guarded(t)
			out := succeeds(t, env, program)
			if strings.TrimSpace(out) != "Created a persisted Key Guard key!" {
				t.Errorf("the program says %q", out)
			}
			if out := succeeds(t, env, program); !strings.Contains(out, "failed with 8009000f") { // NTE_EXISTS
				t.Errorf("the program, once more, says %q", out)
			}
			out = succeeds(t, env, "pkcs11-tool", "--module", modulePath(t), "--token-label", "NCrypt", "--list-objects")
			for _, want := range []string{"Private Key Object; RSA", "Public Key Object; RSA 2048 bits", "MyKeyName"} {
				if !strings.Contains(out, want) {
					t.Errorf("pkcs11-tool does not list %q:\n%s", want, out)
				}
			}
			digest := filepath.Join(home, "digest")
			if err := os.WriteFile(digest, []byte("what is signed"), 0o600); err != nil {
				t.Fatal(err)
			}
			succeeds(t, env, "pkcs11-tool", "--module", modulePath(t), "--token-label", "NCrypt", "--sign", "--mechanism", "SHA256-RSA-PKCS", "--label", "MyKeyName",
				"--input-file", digest, "--output-file", digest+".sig")
			out = succeeds(t, env, filepath.Join(filepath.Dir(modulePath(t)), "ncrypt11"), "list", "--token", "NCrypt")
			if !strings.Contains(out, "MyKeyName") {
				t.Errorf("ncrypt11 does not list the key:\n%s", out)
			}
		})
	}
}

// TestTutorialWithoutTPM: where nothing isolates keys, the program is told so, and makes none.
func TestTutorialWithoutTPM(t *testing.T) {
	out, err := run(t, tutorial(t, []string{"gcc", "-x", "c"}))
	if err != nil || !strings.Contains(out, "NCryptCreatePersistedKey failed with 80090039") { // NTE_VBS_UNAVAILABLE
		t.Errorf("the program says %q, %v", out, err)
	}
}

// TestWideLiterals: L"" will do where wide characters have 16 bits.
func TestWideLiterals(t *testing.T) {
	const source = "#include <ncrypt.h>\n" +
		"int main(void)\n{\n\tNCRYPT_PROV_HANDLE h = 0;\n\treturn NCryptOpenStorageProvider(&h, L\"Microsoft Software Key Storage Provider\", 0) != ERROR_SUCCESS;\n}\n"
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "wide.c"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, language := range []string{"c", "c++"} {
		program := filepath.Join(dir, "wide")
		command(t, "gcc", "-fshort-wchar", "-x", language, "-Wall", "-Wextra", "-Werror", "-I", include(t), "-o", program, filepath.Join(dir, "wide.c"), "-x", "none",
			"-L", filepath.Dir(modulePath(t)), "-lncrypt11")
		if out, err := run(t, program); err != nil {
			t.Errorf("%s: %v\n%s", language, err, out)
		}
	}
}

// guarded is a home of its own with a TPM, where the first use of a key starts a guard, which ends with the test.
func guarded(t *testing.T) (home string, env []string) {
	t.Helper()
	tpm := swtpm.Start(t)
	home, err := os.MkdirTemp("/tmp", "n11ncrypt") // short: a guard's socket is in it
	if err != nil {
		t.Fatal(err)
	}
	build := filepath.Dir(modulePath(t))
	env = []string{"PATH=" + os.Getenv("PATH"), "NCRYPT11_HOME=" + home, "NCRYPT11_TPM=" + tpm.Address(), "LD_LIBRARY_PATH=" + build}
	t.Cleanup(func() {
		stopGuards(t, home)
		os.RemoveAll(home)
	})
	return home, env
}

func succeeds(t *testing.T, env []string, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// stopGuards ends the guards of a home, whose socket is in their command lines, and waits until they are gone.
func stopGuards(t *testing.T, home string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
		if err != nil {
			t.Fatal(err)
		}
		running := false
		for _, path := range lines {
			line, _ := os.ReadFile(path) // it may have ended meanwhile
			if !strings.Contains(string(line), "guard\x00") || !strings.Contains(string(line), home+"/") {
				continue
			}
			running = true
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				_ = syscall.Kill(pid, syscall.SIGTERM)
			}
		}
		if !running {
			return
		}
		if time.Now().After(end) {
			t.Fatal("a guard does not end")
		}
	}
}
