package clients_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// NSS is what Firefox and Chromium use: the module is added as their settings do, and keys and certificates are made through it.
func TestNSS(t *testing.T) {
	newTokenWithKeys(t)
	db := "sql:" + t.TempDir()
	pinFile, noise := file(t, "pin", pin+"\n"), file(t, "noise", strings.Repeat("not random, and need not be: ", 20))
	run(t, "certutil", "-N", "-d", db, "--empty-password")
	run(t, "modutil", "-dbdir", db, "-add", "ncrypt11", "-libfile", module(t), "-force")
	contains(t, run(t, "modutil", "-dbdir", db, "-list", "ncrypt11"), "Token Name: "+label, "Status: Enabled", "Type: Software")
	contains(t, run(t, "certutil", "-K", "-d", db, "-h", label, "-f", pinFile), "rsa      01", "ec       02")

	for name, kind := range map[string][]string{"nss-rsa": {"-k", "rsa", "-g", "2048"}, "nss-ec": {"-k", "ec", "-q", "nistp256"}} {
		args := []string{"-S", "-d", db, "-h", label, "-n", name, "-s", "CN=" + name, "-x", "-t", ",,", "-z", noise, "-f", pinFile}
		run(t, "certutil", append(args, kind...)...)
		certificate := filepath.Join(t.TempDir(), "cert.pem")
		run(t, "certutil", "-L", "-d", db, "-h", label, "-f", pinFile, "-n", label+":"+name, "-a", "-o", certificate)
		contains(t, run(t, "openssl", "verify", "-CAfile", certificate, "-check_ss_sig", certificate), "OK")
	}
	// u: the private key of the certificate is there.
	contains(t, run(t, "certutil", "-L", "-d", db, "-h", label, "-f", pinFile), "clients:nss-rsa", "u,u,u")
	// The password is set through a read-only session that stays open.
	run(t, "modutil", "-dbdir", db, "-changepw", label, "-pwfile", pinFile, "-newpwfile", file(t, "new", "abcd1234\n"), "-force")
	run(t, "modutil", "-dbdir", db, "-delete", "ncrypt11", "-force")
	pkcs11Tool(t, "--token-label", label, "--login", "--pin", "abcd1234", "-O")
}
