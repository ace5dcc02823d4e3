package main

import (
	"crypto/rand"
	"crypto/x509"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// defaultDays is how long a self-signed certificate is valid where nobody says.
const defaultDays = 365

// certifyFlags say what a certificate, or the request for one, says of its key.
type certifyFlags struct {
	selfSigned bool
	subject    string
	dns        []string
	days       int
}

func (f *certifyFlags) register(cmd *cobra.Command, selfSigned string) {
	flags := cmd.Flags()
	flags.BoolVar(&f.selfSigned, "self-signed", false, selfSigned)
	flags.StringVar(&f.subject, "subject", "", "whose certificate it is: a plain `NAME`, or one like CN=site,O=Example,C=DE (default: the key's label)")
	flags.StringArrayVar(&f.dns, "dns", nil, "a host's `NAME` or address that the certificate is for; may be given more than once")
	flags.IntVar(&f.days, "days", defaultDays, "how many `DAYS` a self-signed certificate is valid")
}

// check refuses what cannot be in a certificate. A request is made also where none is signed here.
func (f *certifyFlags) check(cmd *cobra.Command, request bool) error {
	for _, name := range []string{"subject", "dns", "days"} {
		if cmd.Flags().Changed(name) && !f.selfSigned && (name == "days" || !request) {
			return usagef("--%s is for --self-signed", name)
		}
	}
	if f.days < 1 || f.days > 100*366 {
		return usagef("--days is 1 or more and at most a hundred years, not %d", f.days)
	}
	for _, name := range f.dns {
		if name == "" || !isASCII(name) {
			return usagef("--dns: %q is not a name of the DNS; names in other letters begin with xn--", name)
		}
	}
	if cmd.Flags().Changed("subject") {
		_, err := parseSubject(f.subject)
		return err
	}
	return nil
}

func isASCII(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// name is the subject, for a key with that label.
func (f *certifyFlags) name(label string) ([]byte, error) {
	switch {
	case f.subject != "":
		return parseSubject(f.subject)
	case label == "":
		return nil, usagef("the key has no label: say whose certificate it is to be with --subject")
	}
	return commonName(label)
}

// hosts splits names from addresses.
func (f *certifyFlags) hosts() (names []string, addresses []net.IP) {
	for _, name := range f.dns {
		if address := net.ParseIP(name); address != nil {
			addresses = append(addresses, address)
		} else {
			names = append(names, name)
		}
	}
	return names, addresses
}

// certificate makes a certificate of a key that the key itself signs. It says what was asked for and nothing else: no use is excluded.
func (f *certifyFlags) certificate(key *signer, subject []byte) (*x509.Certificate, error) {
	now := time.Now()
	template := &x509.Certificate{RawSubject: subject, NotBefore: now, NotAfter: now.AddDate(0, 0, f.days)}
	template.DNSNames, template.IPAddresses = f.hosts()
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// request makes a PKCS #10 request.
func (f *certifyFlags) request(key *signer, subject []byte) ([]byte, error) {
	template := &x509.CertificateRequest{RawSubject: subject}
	template.DNSNames, template.IPAddresses = f.hosts()
	return x509.CreateCertificateRequest(rand.Reader, template, key)
}

// selfSign stores a certificate for a key pair that was just made, the private key first, and tells the pair of its subject.
func (s *session) selfSign(f *certifyFlags, pair []ck.ObjectHandle, subject []byte) (ck.ObjectHandle, error) {
	key, err := s.signer(pair[0])
	if err != nil {
		return 0, err
	}
	made, err := f.certificate(key, subject)
	if err != nil {
		return 0, err
	}
	for _, h := range pair {
		if err := s.SetAttributes(h, attr.Template{{Type: ck.CKA_SUBJECT, Value: subject}}); err != nil {
			return 0, err
		}
	}
	names, err := s.attributes(pair[0], ck.CKA_LABEL, ck.CKA_ID)
	if err != nil {
		return 0, err
	}
	label, _ := names.Get(ck.CKA_LABEL)
	id, _ := names.Get(ck.CKA_ID)
	return s.CreateObject(certificateTemplate(made, string(label), id))
}
