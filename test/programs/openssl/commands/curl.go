package commands

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// Curl has curl get something from servers that want to know who it is, with RSA and EC keys that have their certificates in the token.
func Curl(t *testing.T, k *kit.Token) {
	ca := kit.NewCA(t)
	for _, kind := range []string{"rsa2048", "p256"} {
		key, certificate := ca.Pair(t, kind, kind)
		k.Import(t, kind, key, certificate)
		kit.Apply(t, k.Owner, k.Config(t, "curl", kind, k.PINOptions(t, k.Owner)...))
		for option, version := range map[string]uint16{"--tls-max=1.2": Versions["-tls1_2"], "--tlsv1.3": Versions["-tls1_3"]} {
			address, served := Listen(t, ca, version)
			_, port, _ := net.SplitHostPort(address)
			out, err := kit.Try(t, k.Owner, "curl", append(strings.Split(option, "="), "--silent", "--show-error", "--config", kit.Home+"/"+kind+".curlrc",
				"--cacert", ca.File, "https://machine:"+port+"/")...)
			if err := errors.Join(err, <-served); err != nil || strings.TrimSpace(out) != kind {
				t.Errorf("%s, %s: %v\n%s", kind, option, err, out)
			}
		}
	}
}
