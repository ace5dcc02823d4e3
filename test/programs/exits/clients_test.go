package exits_test

import (
	"crypto/tls"
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// label is the one of an RSA key with a certificate, which every client can use.
const label = "site"

// clients are what is started. Each uses the token of the user who starts it, and has logged in where it can.
func clients(t *testing.T, k *kit.Token, dir, certificate string, authority *kit.CA) []client {
	site := kit.NewSite(t, authority, "localhost", tls.VersionTLS13)
	private := k.URI(label, "private") + "?pin-value=" + k.PIN
	message := filepath.Join(dir, "message")
	kit.Write(t, k.Owner, message, "a message\n")
	return []client{
		{name: "pkcs11-tool", pkg: "opensc", print: "Using signature algorithm", args: []string{
			"pkcs11-tool", "--module", kit.Module, "--login", "--pin", k.PIN, "--sign", "--mechanism", "SHA256-RSA-PKCS", "--label", label,
			"--input-file", message, "--output-file", filepath.Join(dir, "signature"),
		}},
		{name: "p11tool", pkg: "gnutls-bin", print: "Type: Private key", args: []string{
			"p11tool", "--batch", "--login", "--set-pin", k.PIN, "--list-all", k.URI(label, ""),
		}},
		{name: "p11-kit", pkg: "p11-kit", print: "token: " + k.Label, args: []string{"p11-kit", "list-modules"}},
		{name: "OpenSSH", pkg: "openssh-client", print: "ssh-rsa AAAA", args: []string{"ssh-keygen", "-D", kit.Module}},
		{name: "OpenSSL, engine pkcs11", pkg: "openssl", args: []string{
			"openssl", "dgst", "-engine", "pkcs11", "-keyform", "engine", "-sign", private, "-out", filepath.Join(dir, "signature.openssl"), message,
		}},
		{name: "curl", pkg: "curl", print: kit.Welcome(label, tls.VersionTLS13), args: []string{
			"curl", "--silent", "--show-error", "--engine", "pkcs11", "--key-type", "ENG", "--key", private, "--cert", certificate,
			"--cacert", authority.File, site.URL(),
		}},
		nss(t, k, dir),
		java(t, k, dir),
		keymgr(t, k, dir),
	}
}

// nss has certutil list the keys of the token, once modutil has added the module to a database.
func nss(t *testing.T, k *kit.Token, dir string) client {
	database, pin := "sql:"+filepath.Join(dir, "nss"), filepath.Join(dir, "pin")
	kit.Write(t, k.Owner, filepath.Join(dir, "nss", "here"), "")
	kit.Write(t, k.Owner, pin, k.PIN+"\n")
	kit.Run(t, k.Owner, "certutil", "-N", "-d", database, "--empty-password")
	kit.Run(t, k.Owner, "modutil", "-force", "-dbdir", database, "-add", "ncrypt11", "-libfile", kit.Module)
	return client{name: "NSS certutil", pkg: "libnss3-tools", print: label, args: []string{"certutil", "-K", "-d", database, "-h", k.Label, "-f", pin}}
}

func java(t *testing.T, k *kit.Token, dir string) client {
	config := filepath.Join(dir, "java.cfg")
	kit.Write(t, k.Owner, config, "name = ncrypt11\nlibrary = "+kit.Module+"\nslotListIndex = 0\n")
	return client{name: "Java keytool", pkg: "openjdk-17-jdk-headless", print: "PrivateKeyEntry", args: []string{
		"keytool", "-list", "-keystore", "NONE", "-storetype", "PKCS11", "-storepass", k.PIN, "-addprovider", "SunPKCS11", "-providerArg", config,
	}}
}

// keymgr makes a key of a zone each time.
func keymgr(t *testing.T, k *kit.Token, dir string) client {
	config := filepath.Join(dir, "knot.conf")
	kit.Write(t, k.Owner, filepath.Join(dir, "kasp", "here"), "")
	kit.Write(t, k.Owner, config, `database:
  kasp-db: "`+filepath.Join(dir, "kasp")+`"
keystore:
  - id: token
    backend: pkcs11
    config: "pkcs11:token=`+k.Label+`;pin-value=`+k.PIN+` `+kit.Module+`"
policy:
  - id: default
    keystore: token
    algorithm: ecdsap256sha256
    manual: on
zone:
  - domain: example.org
    dnssec-signing: on
    dnssec-policy: default
`)
	return client{name: "Knot DNS keymgr", pkg: "knot", args: []string{"keymgr", "-c", config, "example.org.", "generate", "algorithm=ecdsap256sha256"}}
}

func TestClients(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		dir := kit.Dir(t, k.Owner)
		authority := kit.NewCA(t)
		key, certificate := authority.Pair(t, "rsa2048", label)
		kit.Run(t, "root", "chown", k.Owner, key)
		k.Import(t, label, key, certificate)
		for _, c := range clients(t, k, dir, certificate, authority) {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				row(t, k, c.name, c.pkg, "")
				repeat(t, k, &c)
			})
		}
	})
}
