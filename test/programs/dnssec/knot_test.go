package dnssec_test

import (
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// knotAddress is where it serves: no port of root's.
const knotAddress = "127.0.0.1:5300"

// startKnot sets Knot up as `ncrypt11 config` says, with policies that have their keys in the token, and starts it as its unit does.
func startKnot(t *testing.T, k *kit.Token, policy string) {
	t.Helper()
	kit.Apply(t, "root", k.Config(t, "knot", "", k.PINOptions(t, "knot")...))
	storage := kit.Dir(t, "knot")
	kit.Write(t, "knot", storage+"/example.org.zone", zone)
	kit.Write(t, "knot", "/etc/knot/knot.conf", `server:
    rundir: "/run/knot"
    user: knot:knot
    listen: 127.0.0.1@5300
log:
  - target: stderr
    any: info
database:
    storage: "`+storage+`"
include: /etc/knot/ncrypt11.conf
policy:
  - id: token
    keystore: ncrypt11
`+policy+`
acl:
  - id: here
    address: 127.0.0.1
    action: transfer
zone:
  - domain: example.org
    storage: "`+storage+`"
    file: "%s.zone"
    acl: here
    dnssec-signing: on
    dnssec-policy: token
`)
	kit.Shell(t, "root", "install -d -o knot -g knot /run/knot; knotc conf-check")
	kit.Await(t, knotAddress, kit.Start(t, kit.Command(t, "knot", "knotd", "-m", "512")))
}

// knotServes waits until the zone is signed by so many keys, has the signatures verified.
func knotServes(t *testing.T, keys int) {
	t.Helper()
	var text string
	kit.Eventually(t, "the zone is signed", func() bool {
		out, err := kit.Try(t, "root", "dig", "@127.0.0.1", "-p", "5300", "+noall", "+answer", "example.org", "AXFR")
		text = out
		return err == nil && strings.Count(out, "\tDNSKEY\t") == keys && strings.Contains(out, "\tRRSIG\t")
	})
	file := kit.Dir(t, "root") + "/zone"
	records := strings.SplitAfterN(text, "\n", 2)
	end := strings.LastIndex(strings.TrimSpace(records[1]), "\n") // a transfer ends with the SOA once more
	kit.Write(t, "root", file, records[0]+records[1][:end+1])
	verify(t, file)
}

func TestKnot(t *testing.T) {
	for _, c := range []struct {
		algorithm string
		noPIN     bool
	}{{"rsasha256", false}, {"ecdsap256sha256", true}, {"ed25519", false}} {
		t.Run(c.algorithm, func(t *testing.T) {
			kit.Tokens(t, kit.Spec{Owner: "knot", NoPIN: c.noPIN}, func(t *testing.T, k *kit.Token) {
				kit.Row(t, k, "Knot DNS", "knot", "makes RSA, ECDSA or Ed25519 keys in the token, signs a zone, rolls a key; with a PIN from a file, and without")
				startKnot(t, k, "    algorithm: "+c.algorithm+"\n")
				knotServes(t, 2)
				for range kit.Count(1, 50) {
					kit.Run(t, "knot", "knotc", "--blocking", "zone-sign", "example.org")
				}
				kit.Run(t, "knot", "knotc", "zone-key-rollover", "example.org", "zsk")
				knotServes(t, 3)
				if made := k.NCrypt(t, "list", "--type", "private"); strings.Count(made, "private key") != 3 {
					t.Errorf("there should be three keys in the token:\n%s", made)
				}
			})
		})
	}
}
