package dnssec_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// newOpenDNSSEC puts what `ncrypt11 config` prints where SoftHSM is in Debian's files, and types the PIN where that is said.
func newOpenDNSSEC(t *testing.T, k *kit.Token) {
	t.Helper()
	sections := k.Config(t, "opendnssec", "")
	change(t, "/etc/opendnssec/conf.xml", `(?s)<Repository name="SoftHSM">.*?</Repository>`, sections[0].Text)
	change(t, "/etc/opendnssec/kasp.xml", `<Repository>SoftHSM</Repository>`, `<Repository>ncrypt11</Repository>`)
	if k.PIN == "" {
		return
	}
	if screen, err := kit.Type(t, kit.Command(t, "root", "sh", "-c", sections[1].Text), kit.Answer{Question: "PIN", Line: k.PIN}); err != nil {
		t.Fatalf("%v\n%s", err, screen)
	}
	t.Cleanup(func() { kit.Run(t, "root", "ods-hsmutil", "logout") })
}

// change replaces text in a file, until the test ends.
func change(t *testing.T, file, pattern, by string) {
	t.Helper()
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	after := regexp.MustCompile(pattern).ReplaceAllLiteralString(string(before), by)
	if after == string(before) {
		t.Fatalf("%s has no %s", file, pattern)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(file, before, 0o644); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(file, []byte(after), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestHSMUtil(t *testing.T) {
	kit.Tokens(t, kit.Spec{NoPIN: true}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "OpenDNSSEC", "opendnssec-common", "ods-hsmutil makes, lists, tests and removes keys; ods-hsmspeed")
		newOpenDNSSEC(t, k)
		for _, kind := range [][]string{{"rsa", "2048"}, {"ecdsa", "256"}} {
			out := kit.Run(t, "root", "ods-hsmutil", append([]string{"generate", "ncrypt11"}, kind...)...)
			_, id, _ := strings.Cut(strings.TrimSpace(out), "Key generation successful: ")
			kit.Contains(t, kit.Run(t, "root", "ods-hsmutil", "list", "ncrypt11"), id, strings.ToUpper(kind[0])+"/"+kind[1])
			kit.Run(t, "root", "ods-hsmutil", "remove", id)
			if out := kit.Run(t, "root", "ods-hsmutil", "list", "ncrypt11"); strings.Contains(out, id) {
				t.Errorf("%s is still there:\n%s", id, out)
			}
		}
		out, _ := kit.Try(t, "root", "ods-hsmutil", "test", "ncrypt11") // its status is the number of algorithms that the token does not have
		if signed := strings.Count(out, "with key... OK"); signed != 13 {
			t.Errorf("%d signatures, not 13:\n%s", signed, out)
		}
		t.Log(kit.Run(t, "root", "ods-hsmspeed", "-r", "ncrypt11", "-i", "100", "-s", "2048", "-t", "4"))
	})
}

func TestOpenDNSSEC(t *testing.T) {
	kit.Tokens(t, kit.Spec{}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "OpenDNSSEC", "opendnssec-signer", "asks for the PIN once, makes its keys in the token and signs a zone")
		newOpenDNSSEC(t, k)
		const unsigned, signed = "/var/lib/opendnssec/unsigned/example.org", "/var/lib/opendnssec/signed/example.org"
		kit.Write(t, "opendnssec", unsigned, zone)
		kit.Shell(t, "root", "cd /var/lib/opendnssec; rm -f enforcer/* signconf/* signed/* signer/* tmp/* /etc/opendnssec/prevent-startup\n"+
			"install -d -o opendnssec -g opendnssec /run/opendnssec; yes | ods-enforcer-db-setup")
		enforcer := kit.Start(t, kit.Command(t, "root", "ods-enforcerd", "-d"))
		signer := kit.Start(t, kit.Command(t, "root", "ods-signerd", "-d"))
		kit.Eventually(t, "the daemons answer", func() bool {
			_, errEnforcer := kit.Try(t, "root", "ods-enforcer", "running")
			_, errSigner := kit.Try(t, "root", "ods-signer", "running")
			return errEnforcer == nil && errSigner == nil && !enforcer.Ended() && !signer.Ended()
		})
		kit.Run(t, "root", "ods-enforcer", "policy", "import")
		kit.Run(t, "root", "ods-enforcer", "zone", "add", "--zone", "example.org", "--policy", "default", "--input", unsigned, "--output", signed)
		kit.Eventually(t, "the zone is signed", func() bool {
			_, err := os.Stat(signed)
			return err == nil
		})
		verify(t, signed)
		kit.Contains(t, kit.Run(t, "root", "ods-enforcer", "key", "list", "--verbose"), "KSK", "ZSK", "ncrypt11")
	})
}
