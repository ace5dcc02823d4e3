package p11kit_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// proxy offers all modules that p11-kit knows, as one.
const proxy = "/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so"

func TestListModules(t *testing.T) {
	tokens(t, "p11-kit", "p11-kit", "list-modules shows the module and its token once it is installed", func(t *testing.T, k *kit.Token) {
		out := kit.Apply(t, kit.User, k.Config(t, "p11-kit", ""))
		kit.Contains(t, out, "ncrypt11: "+kit.Module, "token: "+k.Label, "serial-number: "+k.Serial, "user-pin-initialized")
	})
}

// sign makes keys and has pkcs11-tool sign with a module that stands between it and the library, and openssl verify.
func sign(t *testing.T, k *kit.Token, script, module string) {
	t.Helper()
	dir := kit.Dir(t, kit.User)
	for id, kind := range map[string]string{"01": "rsa2048", "02": "p256"} {
		k.NCrypt(t, "generate", kind, "--label", id, "--id", id)
		p11tool(t, k, "--export-pubkey", "--outfile", filepath.Join(dir, id+".pem"), k.URI(id, "private"))
	}
	kit.Contains(t, must(t, login(t, "sh", "-euc", script+`
cd "$1"
tool() { pkcs11-tool --module "$2" --token-label "$3" --login --pin "$4" --sign --input-file "$5" --id "$6" --mechanism "$7" --output-file "$6.sig" $8; }
echo signed from afar > message
openssl dgst -sha256 -binary -out digest message
tool . "$2" "$3" "$4" message 01 SHA256-RSA-PKCS ""
tool . "$2" "$3" "$4" digest 02 ECDSA "--signature-format openssl"
for key in 01 02; do openssl dgst -sha256 -verify $key.pem -signature $key.sig message; done
if [ -n "${P11_KIT_SERVER_PID:-}" ]; then
	kill "$P11_KIT_SERVER_PID"
	while kill -0 "$P11_KIT_SERVER_PID" 2>/dev/null; do sleep 0.05; done
fi`, "sh", dir, module, k.Label, k.PIN)), "Verified OK\nVerified OK")
}

func TestProxy(t *testing.T) {
	tokens(t, "p11-kit", "p11-kit", "p11-kit-proxy.so: RSA and EC signatures, C_Initialize in a forked child", func(t *testing.T, k *kit.Token) {
		sign(t, k, "", proxy)
		out := kit.Run(t, kit.User, "pkcs11-tool", "--module", proxy, "--token-label", k.Label, "--login", "--pin", k.PIN, "--test-fork")
		if kit.Contains(t, out, "Calling C_Initialize in forked child process"); strings.Contains(out, "CKR_") {
			t.Error(out)
		}
	})
}

// The server has the library; whoever has its address has p11-kit-client.so, and needs nothing of ncrypt11's. ECDSA over a digest is what its
// protocol has: mechanisms that it does not know are not offered.
func TestServer(t *testing.T) {
	tokens(t, "p11-kit", "p11-kit", "server and p11-kit-client.so: RSA and EC signatures through a socket", func(t *testing.T, k *kit.Token) {
		sections := k.Config(t, "p11-kit-server", "")
		if len(sections) != 2 {
			t.Fatalf("config prints %+v", sections)
		}
		client := strings.TrimSpace(sections[1].Text)
		// The server says its address a moment before it listens there.
		sign(t, k, sections[0].Text+"until "+client+" | grep "+k.Label+"; do sleep 0.05; done\n", strings.Fields(client)[2])
	})
}
