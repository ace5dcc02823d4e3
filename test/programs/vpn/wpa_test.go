package vpn_test

import (
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// network is a file of wpa_supplicant's with the one network, which the token's key opens: what `ncrypt11 config` prints is in its block.
func network(t *testing.T, k *kit.Token, ca *kit.CA, kind, name string) (file string) {
	t.Helper()
	keyFile, certificate := ca.Pair(t, kind, name)
	k.Import(t, name, keyFile, certificate)
	pin := k.PINOptions(t, "root")
	file = kit.Dir(t, "root") + "/wpa_supplicant.conf"
	kit.Write(t, "root", file, `ctrl_interface=/run/wpa_supplicant
ap_scan=0
network={
    key_mgmt=IEEE8021X
    eap=TLS
    identity="`+name+`"
    ca_cert="`+ca.File+`"
    domain_match="radius.example.org"
`+k.Config(t, "wpa-supplicant", name, pin...)[0].Text+`}
`)
	return file
}

// authenticator has hostapd ask for EAP-TLS at far, with lines of its own.
func authenticator(t *testing.T, ca *kit.CA, lines string) *kit.Daemon {
	t.Helper()
	dir := kit.Dir(t, "root")
	key, certificate := ca.Pair(t, "p256", "radius.example.org")
	kit.Write(t, "root", dir+"/users", "* TLS\n")
	kit.Write(t, "root", dir+"/clients", "0.0.0.0/0 secret\n")
	kit.Write(t, "root", dir+"/hostapd.conf", `interface=eth0
eap_server=1
eap_user_file=`+dir+`/users
ca_cert=`+ca.File+`
server_cert=`+certificate+`
private_key=`+key+`
logger_stdout=-1
logger_stdout_level=2
radius_server_clients=`+dir+`/clients
`+lines)
	d := kit.Start(t, far.command(t, "hostapd", "-d", dir+"/hostapd.conf"))
	kit.Eventually(t, "hostapd is up", func() bool { return strings.Contains(d.Printed(), "AP-ENABLED") })
	return d
}

// success is what hostapd says when it lets somebody in.
const success = "CTRL-EVENT-EAP-SUCCESS"

// A cable whose other end wants to know who is there, as the unit wpa_supplicant-wired@ has it.
func TestWPASupplicant(t *testing.T) {
	kit.Tokens(t, kit.Spec{}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "wpa_supplicant", "wpasupplicant", "802.1X on a wire, EAP-TLS with an RSA key and its certificate, PIN from a file")
		connect(t)
		ca := kit.NewCA(t)
		file := network(t, k, ca, "rsa2048", "wired")
		heard := authenticator(t, ca, "driver=wired\nieee8021x=1\nuse_pae_group_addr=1\n")
		kit.Start(t, near.command(t, "wpa_supplicant", "-i", "eth0", "-D", "wired", "-c", file))
		kit.Eventually(t, "hostapd lets it in", func() bool { return strings.Contains(heard.Printed(), success) })
		kit.Contains(t, heard.Printed(), "subject=/CN=wired")
		kit.Eventually(t, "it says so, too", func() bool {
			return strings.Contains(near.run(t, "wpa_cli", "-i", "eth0", "status"), "EAP state=SUCCESS")
		})
	})
}

// The same with RADIUS in place of a wire, many times.
func TestEAPOL(t *testing.T) {
	kit.Tokens(t, kit.Spec{NoPIN: true}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "wpa_supplicant", "eapoltest", "EAP-TLS against a RADIUS server (eapol_test) with an RSA or EC key")
		for _, kind := range []string{"rsa2048", "p256"} {
			t.Run(kind, func(t *testing.T) {
				connect(t)
				ca := kit.NewCA(t)
				file := network(t, k, ca, kind, "radius-"+kind)
				heard := authenticator(t, ca, "driver=none\nradius_server_auth_port=1812\n")
				n := kit.Count(2, 50)
				for range n {
					kit.Contains(t, near.run(t, "eapol_test", "-c", file, "-a", far.address, "-s", "secret", "-N", "30:s:"+kind), "SUCCESS")
				}
				if got := strings.Count(heard.Printed(), success); got < n {
					t.Errorf("the server let somebody in %d times, not %d", got, n)
				}
			})
		}
	})
}
