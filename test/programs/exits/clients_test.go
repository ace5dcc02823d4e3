package exits_test

import (
	"crypto/tls"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
	"github.com/ncrypt11/ncrypt11/test/programs/openssl/commands"
)

// label is the one of an RSA key with a certificate, which every client can use.
const label = "site"

// clients are what is started, set up as `ncrypt11 config` says. Each uses the token of the user who starts it, and has logged in where it can.
func clients(t *testing.T, k *kit.Token, authority *kit.CA) []client {
	site := kit.NewSite(t, authority, "localhost", tls.VersionTLS13)
	o := commands.New(t, k, commands.Engine)
	message := o.File(t, "message", "a message\n")
	kit.Apply(t, k.Owner, k.Config(t, "curl", label, k.PINOptions(t, k.Owner)...))
	return []client{
		{name: "pkcs11-tool", pkg: "opensc", print: "Using signature algorithm", args: []string{
			"pkcs11-tool", "--module", kit.Module, "--login", "--pin", k.PIN, "--sign", "--mechanism", "SHA256-RSA-PKCS", "--label", label,
			"--input-file", message, "--output-file", o.Path("signature"),
		}},
		{name: "p11tool", pkg: "gnutls-bin", print: "Type: Private key", args: []string{
			"p11tool", "--batch", "--login", "--set-pin", k.PIN, "--list-all", k.URI(label, ""),
		}},
		{name: "p11-kit", pkg: "p11-kit", print: "token: " + k.Label, args: []string{"p11-kit", "list-modules"}},
		{name: "OpenSSH", pkg: "openssh-client", print: "ssh-rsa AAAA", args: []string{"ssh-keygen", "-D", kit.Module}},
		{name: "OpenSSL, engine pkcs11", pkg: "openssl", args: append(append([]string{"openssl", "dgst"}, o.Key("-sign", label)...),
			"-out", o.Path("signature.openssl"), message)},
		{name: "curl", pkg: "curl", print: kit.Welcome(label, tls.VersionTLS13), args: []string{
			"curl", "--silent", "--show-error", "--config", kit.Home + "/" + label + ".curlrc", "--cacert", authority.File, site.URL(),
		}},
		nss(t, k),
		java(t, k),
	}
}

// nss has certutil list the keys of the token.
func nss(t *testing.T, k *kit.Token) client {
	kit.Fresh(t, filepath.Join(kit.Home, ".local/share/pki"))
	kit.Apply(t, k.Owner, k.Config(t, "nss", ""))
	return client{name: "NSS certutil", pkg: "libnss3-tools", print: label, args: []string{
		"certutil", "-K", "-d", "sql:" + kit.Home + "/.local/share/pki/nssdb", "-h", k.Label, "-f", k.PINFile(t, k.Owner),
	}}
}

func java(t *testing.T, k *kit.Token) client {
	kit.Apply(t, k.Owner, k.Config(t, "java", ""))
	return client{name: "Java keytool", pkg: "openjdk-17-jdk-headless", print: "PrivateKeyEntry", args: []string{
		"keytool", "-list", "-keystore", "NONE", "-storetype", "PKCS11", "-storepass", k.PIN, "-addprovider", "SunPKCS11",
		"-providerArg", kit.Home + "/.config/ncrypt11/java.cfg",
	}}
}

func TestClients(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		authority := kit.NewCA(t)
		key, certificate := authority.Pair(t, "rsa2048", label)
		kit.Run(t, "root", "chown", k.Owner, key)
		k.Import(t, label, key, certificate)
		for _, c := range clients(t, k, authority) {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				row(t, k, c.name, c.pkg, "")
				repeat(t, k, &c)
			})
		}
	})
}

// TestKeymgr has Knot make a key of a zone each time, as the user who may read its configuration.
func TestKeymgr(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: "knot"}, func(t *testing.T, k *kit.Token) {
		row(t, k, "Knot DNS keymgr", "knot", "")
		kit.Apply(t, k.Owner, k.Config(t, "knot", "", k.PINOptions(t, k.Owner)...))
		dir := kit.Dir(t, k.Owner)
		config := filepath.Join(dir, "knot.conf")
		kit.Write(t, k.Owner, config, `database:
    storage: "`+dir+`"
include: /etc/knot/ncrypt11.conf
policy:
  - id: default
    keystore: ncrypt11
    algorithm: ecdsap256sha256
    manual: on
zone:
  - domain: example.org
    dnssec-signing: on
    dnssec-policy: default
`)
		repeat(t, k, &client{args: []string{"keymgr", "-c", config, "example.org.", "generate", "algorithm=ecdsap256sha256"}})
		if made := strings.Count(k.NCrypt(t, "list", "--type", "private"), "private key"); made != times() {
			t.Errorf("%d keys are in the token, not %d", made, times())
		}
	})
}
