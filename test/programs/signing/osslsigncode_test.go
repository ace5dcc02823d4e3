package signing_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// aProgram makes a small program for Windows.
const aProgram = `echo 'void start(void) {}' >program.c
gcc -c -ffreestanding -fno-ident -fno-asynchronous-unwind-tables program.c
objcopy -O pe-x86-64 program.o program.obj
ld -m i386pep -e start -o program.exe program.obj`

func TestWindowsProgram(t *testing.T) {
	kit.EachLogin(t, mine, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "osslsigncode", "osslsigncode", "signs programs for Windows with RSA and ECDSA keys")
		pin := k.PINOptions(t, kit.User)
		ca := kit.NewCA(t)
		dir := kit.Dir(t, kit.User)
		run(t, in(t, dir, aProgram))
		signed := filepath.Join(dir, "signed.exe")
		for _, kind := range []string{"rsa2048", "p384"} {
			certified(t, k, ca, kind, kind)
			run(t, in(t, dir, section(t, k.Config(t, "osslsigncode", kind, pin...), "osslsigncode").Text))
			out := kit.Run(t, "root", "osslsigncode", "verify", "-CAfile", ca.File, "-in", signed)
			kit.Contains(t, out, "Signature verification: ok", "Subject: /CN="+kind)
			changed, err := os.ReadFile(signed)
			if err != nil {
				t.Fatal(err)
			}
			changed[0x40]++ // in the part that only DOS would run
			kit.Write(t, kit.User, signed, string(changed))
			if out, err := kit.Try(t, "root", "osslsigncode", "verify", "-CAfile", ca.File, "-in", signed); err == nil {
				t.Errorf("another program has that signature:\n%s", out)
			}
			if err := os.Remove(signed); err != nil {
				t.Error(err)
			}
		}
	})
}
