package exits_test

import (
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// pythonBegin is what each program in Python begins with: it signs.
const pythonBegin = `
import os, sys, threading
import PyKCS11
from PyKCS11 import *

module, label, pin = sys.argv[1:]
lib = PyKCS11Lib()
lib.load(module)
slot = [s for s in lib.getSlotList(tokenPresent=True) if lib.getTokenInfo(s).label.strip() == label][0]
session = lib.openSession(slot)
session.login(pin)
key = session.findObjects([(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_LABEL, "signer")])[0]
public = session.findObjects([(CKA_CLASS, CKO_PUBLIC_KEY), (CKA_LABEL, "signer")])[0]
mechanism = Mechanism(CKM_ECDSA_SHA256, None)

def sign():
    assert session.verify(public, b"text", session.sign(key, b"text", mechanism), mechanism)

sign()
print("signed", flush=True)
`

// pythons is how programs in Python end.
var pythons = []struct {
	how, text string
	code      int
}{
	{"after logout and closing the session", "session.logout()\nsession.closeSession()\n", 0},
	{"without another word", "", 0},
	{"after del of everything", "del key, public, session, lib\n", 0},
	{"by sys.exit", "sys.exit(9)\n", 9},
	{"by os._exit", "os._exit(9)\n", 9},
	{"by an exception", "raise ValueError('as asked for')\n", 1},
	{"with a daemon thread inside C_Sign", `
def keep():
    own = lib.openSession(slot)
    while True:
        own.sign(key, b"text", mechanism)
threading.Thread(target=keep, daemon=True).start()
`, 0},
	{"after os.fork, whose child ends by sys.exit", `
pid = os.fork()
if pid == 0:
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
sign()
`, 0},
}

func TestPython(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		k.Generate(t, "p256", kit.SignerLabel)
		for _, p := range pythons {
			t.Run(p.how, func(t *testing.T) {
				t.Parallel()
				row(t, k, "PyKCS11", "python3-pykcs11", p.how)
				program := filepath.Join(kit.Dir(t, k.Owner), "program.py")
				kit.Write(t, k.Owner, program, pythonBegin+p.text)
				repeat(t, k, &client{args: []string{"python3", program, kit.Module, k.Label, k.PIN}, code: p.code, print: "signed"})
			})
		}
	})
}
