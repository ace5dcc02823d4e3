package vpn_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// What near and far have inside of the tunnel.
const (
	nearInside = "10.7.0.1"
	farInside  = "10.8.0.1"
)

// charon is one side: strongSwan as Debian has it at near, and at far with files of its own.
type charon struct {
	host
	daemon      *kit.Daemon
	environment []string
	dir, uri    string // of swanctl.conf; of what swanctl talks to
}

// libipsec has packets encrypted by charon: kernels of test machines need not be able to.
const libipsec = `charon {
  plugins {
    kernel-libipsec {
      load = yes
    }
  }
  filelog {
    stderr {
      default = 1
      flush_line = yes
    }
  }
}
`

func newNear(t *testing.T) *charon {
	t.Helper()
	kit.Write(t, "root", "/etc/strongswan.d/libipsec.conf", libipsec)
	return &charon{host: near, dir: "/etc/swanctl", uri: "unix:///var/run/charon.vici"}
}

func newFar(t *testing.T) *charon {
	t.Helper()
	dir := kit.Dir(t, "root")
	c := &charon{host: far, dir: dir, uri: "unix://" + dir + "/vici", environment: []string{"STRONGSWAN_CONF=" + dir + "/strongswan.conf", "SWANCTL_DIR=" + dir}}
	kit.Write(t, "root", dir+"/strongswan.conf", libipsec+"charon {\n  load_modular = yes\n  plugins {\n    include /etc/strongswan.d/charon/*.conf\n    vici {\n      socket = "+
		c.uri+"\n    }\n    pkcs11 {\n      load = no\n    }\n    kernel-libipsec {\n      load = yes\n    }\n  }\n}\n")
	return c
}

func (c *charon) start(t *testing.T) {
	t.Helper()
	c.daemon = kit.Start(t, c.with(c.command(t, "charon-systemd")))
	kit.Eventually(t, "charon at "+c.name+" answers", func() bool {
		_, err := kit.Output(c.with(c.command(t, "swanctl", "--stats", "--uri", c.uri)))
		return err == nil
	})
}

func (c *charon) with(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(cmd.Env, c.environment...)
	return cmd
}

func (c *charon) swanctl(t *testing.T, args ...string) string {
	t.Helper()
	cmd := c.with(c.command(t, "swanctl", append(args, "--uri", c.uri)...))
	out, err := kit.Output(cmd)
	if err != nil {
		t.Fatalf("swanctl %s at %s: %v\n%s\n%s", strings.Join(args, " "), c.name, err, out, c.daemon.Printed())
	}
	return out
}

// connection is a file of swanctl's: this side is called so and authenticates so, and reaches the other one.
func (c *charon) connection(t *testing.T, local, inside string, other host, otherInside string) {
	t.Helper()
	kit.Write(t, "root", filepath.Join(c.dir, "conf.d", "tunnel.conf"), `connections {
  tunnel {
    version = 2
    local_addrs = `+c.address+`
    remote_addrs = `+other.address+`
    local {
      id = `+c.name+`.example.org
`+local+`
    }
    remote {
      id = `+other.name+`.example.org
    }
    children {
      net {
        local_ts = `+inside+`/32
        remote_ts = `+otherInside+`/32
      }
    }
  }
}
`)
	c.run(t, "ip", "address", "add", inside+"/32", "dev", "lo")
}

// sides has charon at near with the token's key, set up as `ncrypt11 config` says, and at far with a key file. Near has yet to load what it has.
func sides(t *testing.T, k *kit.Token, kind, key, auth string) (a, b *charon) {
	t.Helper()
	connect(t)
	far.greet(t)
	ca := kit.NewCA(t)
	keyFile, certificate := ca.Pair(t, kind, "near.example.org")
	k.Import(t, key, keyFile, certificate)
	sections := k.Config(t, "strongswan", key)
	kit.Apply(t, "root", sections)
	_, include, _ := strings.Cut(sections[2].Note, "in place of certs: ")
	a, b = newNear(t), newFar(t)
	a.connection(t, "      auth = "+auth+"\n      "+include, nearInside, far, farInside)
	keyFile, certificate = ca.Pair(t, "p256", "far.example.org")
	b.connection(t, "      certs = "+certificate, farInside, near, nearInside)
	kit.Write(t, "root", b.dir+"/swanctl.conf", "include conf.d/*.conf\n")
	kit.Shell(t, "root", "cd "+b.dir+"; mkdir x509ca private; cp "+ca.File+" x509ca; cp "+keyFile+" private; cp "+ca.File+" /etc/swanctl/x509ca")
	a.start(t)
	b.start(t)
	b.swanctl(t, "--load-all", "--noprompt")
	return a, b
}

// ikeKeys are the kinds of keys, each with how far is to be told that the signature was made. The first two are always tried.
var ikeKeys = []struct{ kind, scheme string }{
	{"rsa2048", "RSA_EMSA_PKCS1_SHA2_256"}, {"p256", "ECDSA_WITH_SHA256_DER"}, {"p384", "ECDSA_WITH_SHA384_DER"},
}

func TestStrongSwan(t *testing.T) {
	kit.Tokens(t, kit.Spec{NoPIN: true}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "strongSwan", "charon-systemd", "IKEv2 with an RSA or ECDSA key and its certificate, as initiator and as responder")
		for _, c := range ikeKeys[:kit.Count(2, len(ikeKeys))] {
			t.Run(c.scheme, func(t *testing.T) {
				a, b := sides(t, k, c.kind, c.scheme, "pubkey")
				a.swanctl(t, "--load-all", "--noprompt")
				for range kit.Count(1, 10) {
					for _, initiator := range []*charon{a, b} {
						initiator.swanctl(t, "--initiate", "--child", "net")
						established(t, a, b)
						near.reaches(t, farInside)
						initiator.swanctl(t, "--terminate", "--ike", "tunnel")
					}
				}
				signed := strings.Count(b.daemon.Printed(), "authentication of 'near.example.org' with "+c.scheme+" successful")
				if want := 2 * kit.Count(1, 10); signed != want {
					t.Errorf("far says of %d connections that near signed so, not %d:\n%s", signed, want, b.daemon.Printed())
				}
			})
		}
	})
}

// established fails unless both sides have the connection.
func established(t *testing.T, a, b *charon) {
	t.Helper()
	for _, c := range []*charon{a, b} {
		kit.Eventually(t, c.name+" has the connection", func() bool {
			sas := c.swanctl(t, "--list-sas")
			return strings.Contains(sas, "ESTABLISHED, IKEv2") && strings.Contains(sas, "INSTALLED, TUNNEL")
		})
	}
}

// A token with a PIN: swanctl asks for it.
func TestStrongSwanPIN(t *testing.T) {
	kit.Tokens(t, kit.Spec{}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "strongSwan", "charon-systemd", "IKEv2; swanctl --load-creds asks for the PIN")
		a, b := sides(t, k, "rsa2048", "site", "pubkey")
		screen, err := kit.Type(t, a.command(t, "swanctl", "--load-creds"), kit.Answer{Question: "PIN", Line: k.PIN})
		if err != nil {
			t.Fatalf("%v\n%s", err, screen)
		}
		kit.Contains(t, screen, "loaded key token-site")
		a.swanctl(t, "--load-conns")
		a.swanctl(t, "--initiate", "--child", "net")
		established(t, a, b)
		near.reaches(t, farInside)
	})
}

// Its plugin says so before it asks the module.
func TestStrongSwanPSS(t *testing.T) {
	kit.Tokens(t, kit.Spec{NoPIN: true}, func(t *testing.T, k *kit.Token) {
		a, _ := sides(t, k, "rsa2048", "site", "ike:rsa/pss-sha256")
		a.swanctl(t, "--load-all", "--noprompt")
		out, err := kit.Output(a.command(t, "swanctl", "--initiate", "--child", "net"))
		if err == nil {
			t.Fatal("it can now: a test of its own is due")
		}
		const missing = "signature scheme RSA_EMSA_PSS not supported"
		kit.Contains(t, out, missing)
		kit.NotRun(t, k, "strongSwan", "charon-systemd", "IKEv2 with RSA PSS", "its plugin signs with RSA keys in tokens by PKCS #1 only: "+missing)
	})
}
