package p11kit_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// The program finds its keys, signs, and has children forked that each sign for themselves while it goes on: with fork, as multiprocessing does it on
// Linux, a child has its parent's memory and starts the library anew.
const python = `
import multiprocessing, sys
import PyKCS11
from PyKCS11 import CKA_CLASS, CKA_LABEL, CKM_SHA256_RSA_PKCS, CKM_ECDSA_SHA256, CKO_PRIVATE_KEY

module, token, pin, directory, children, signatures = sys.argv[1:5] + [int(n) for n in sys.argv[5:]]
library = PyKCS11.PyKCS11Lib()
library.load(module)
keys = {"rsa": CKM_SHA256_RSA_PKCS, "ec": CKM_ECDSA_SHA256}

def login():
    for slot in library.getSlotList(tokenPresent=True):
        if library.getTokenInfo(slot).label.strip() == token:
            session = library.openSession(slot)
            session.login(pin)
            return session
    raise SystemExit("there is no token " + token)

def sign(session, name):
    for label, mechanism in keys.items():
        [key] = session.findObjects([(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_LABEL, label)])
        signature = bytes(session.sign(key, b"signed in Python", PyKCS11.Mechanism(mechanism, None)))
        with open("%s/%s.%s" % (directory, name, label), "wb") as file:
            file.write(signature)

def child(number):
    library.lib.C_Initialize()
    session = login()
    for _ in range(signatures):
        sign(session, "child%d" % number)
    session.logout()
    session.closeSession()

session = login()
sign(session, "parent")
context = multiprocessing.get_context("fork")
processes = [context.Process(target=child, args=(n,)) for n in range(children)]
for process in processes:
    process.start()
for _ in range(signatures):
    sign(session, "parent")
for process in processes:
    process.join()
    if process.exitcode != 0:
        raise SystemExit("a child ended with %s" % process.exitcode)
sign(session, "last")
session.logout()
session.closeSession()
`

func TestPython(t *testing.T) {
	for did, module := range map[string]string{
		"PyKCS11: finds keys and signs, also in forked children (multiprocessing)": kit.Module,
		"PyKCS11 through p11-kit-proxy.so, with forked children":                   proxy,
	} {
		tokens(t, "Python", "python3-pykcs11", did, func(t *testing.T, k *kit.Token) {
			dir := kit.Dir(t, kit.User)
			script := filepath.Join(dir, "sign.py")
			kit.Write(t, kit.User, script, python)
			for label, kind := range map[string]string{"rsa": "rsa2048", "ec": "p256"} {
				k.Generate(t, kind, label)
				p11tool(t, k, "--export-pubkey", "--outfile", filepath.Join(dir, label+".pem"), k.URI(label, "private"))
			}
			const children = 4
			kit.Run(t, kit.User, "python3", script, module, k.Label, k.PIN, dir, strconv.Itoa(children), strconv.Itoa(kit.Count(5, 250)))
			checkPython(t, dir, children)
		})
	}
}

// checkPython has openssl verify what every process signed. PyKCS11 gives ECDSA signatures as PKCS #11 has them: r and s.
func checkPython(t *testing.T, dir string, children int) {
	t.Helper()
	names := []string{"parent", "last"}
	for n := range children {
		names = append(names, "child"+strconv.Itoa(n))
	}
	message := filepath.Join(dir, "message")
	kit.Write(t, kit.User, message, "signed in Python")
	for _, name := range names {
		kit.Contains(t, kit.Run(t, kit.User, "openssl", "dgst", "-sha256", "-verify", filepath.Join(dir, "rsa.pem"), "-signature", filepath.Join(dir, name+".rsa"),
			message), "Verified OK")
		if signature, err := os.ReadFile(filepath.Join(dir, name+".ec")); err != nil || !isECDSA(t, filepath.Join(dir, "ec.pem"), "signed in Python", signature) {
			t.Errorf("%s: the ECDSA signature is not good: %v", name, err)
		}
	}
}

// isECDSA verifies r and s.
func isECDSA(t *testing.T, file, message string, signature []byte) bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	digest, half := sha256.Sum256([]byte(message)), len(signature)/2
	return ecdsa.Verify(public.(*ecdsa.PublicKey), digest[:], new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
}
