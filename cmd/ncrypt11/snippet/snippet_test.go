package snippet

import (
	"strings"
	"testing"
)

var full = Data{
	Module: "/usr/lib/libncrypt11.so", Home: "", PINFile: "/etc/pin", CertificateFile: "/etc/site.crt",
	Token: Token{Label: "web", Serial: "0123456789abcdef", URI: "pkcs11:token=web", Slot: 7, Login: true},
	Key: Key{
		Name: "site", Label: "site", ID: "01", Kind: "RSA-2048", URI: "pkcs11:token=web;id=%01;object=site",
		Private: "pkcs11:token=web;id=%01;object=site;type=private", Certificate: "pkcs11:token=web;id=%01;object=site;type=cert", PublicKey: publicKey,
	},
}

// Every program's file can be read and filled in, and leaves nothing behind that is not for people.
func TestPrograms(t *testing.T) {
	if len(Programs()) == 0 {
		t.Fatal("there are no programs")
	}
	for _, p := range Programs() {
		for name, d := range map[string]*Data{"all": &full, "none": {Module: full.Module, CertificateFile: full.CertificateFile}} {
			if name == "none" && p.Key == Needed {
				continue // nobody is told of that program without a key
			}
			sections, err := p.Sections(d)
			if err != nil || len(sections) == 0 {
				t.Errorf("%s, %s: %d sections, %v", p.Name, name, len(sections), err)
			}
			for _, s := range sections {
				if strings.TrimSpace(s.Text) == "" || strings.Contains(s.Text, "{{") || strings.Contains(s.Text, "<no value>") {
					t.Errorf("%s, %s: the section for %s is %q", p.Name, name, s.Where, s.Text)
				}
				if s.Action == Run && s.Where != "root" && s.Where != "user" {
					t.Errorf("%s: %q cannot run anything", p.Name, s.Where)
				}
			}
		}
	}
}

func TestHeading(t *testing.T) {
	s, err := heading("add /etc/x.conf -- in the server block")
	if err != nil || s != (Section{Action: Add, Where: "/etc/x.conf", Note: "in the server block"}) {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []string{"", "file", "file ", "remove /etc/x"} {
		if s, err := heading(bad); err == nil {
			t.Errorf("%q is %+v", bad, s)
		}
	}
}

func TestWithPIN(t *testing.T) {
	d := Data{PINFile: "/etc/pin"}
	if uri := d.WithPIN("pkcs11:object=a"); uri != "pkcs11:object=a?pin-source=file:/etc/pin" {
		t.Error(uri)
	}
	if uri := (&Data{}).WithPIN("pkcs11:object=a"); uri != "pkcs11:object=a" {
		t.Error(uri)
	}
}
