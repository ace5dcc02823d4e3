package main

import (
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) requestCommand() *cobra.Command {
	var flags sessionFlags
	var which selection
	var certify certifyFlags
	cmd := &cobra.Command{
		Use:   "request [URI]",
		Short: "Request a certificate for a key",
		Long: "Prints a request (PKCS #10, PEM) for a certificate of a private key in the token, which signs it. Send it to whoever certifies you, and import what\n" +
			"comes back: it gets the id of its key. With --self-signed the key certifies itself: that certificate is printed, for import.",
		Example: `  ncrypt11 request --label site --subject 'CN=www.example.org,O=Example' --dns www.example.org --dns example.org >site.csr
  ncrypt11 request --label site --self-signed >site.crt && ncrypt11 import --label site site.crt`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := which.parse(args, &flags); err != nil {
				return err
			}
			if err := certify.check(cmd, true); err != nil {
				return err
			}
			return a.withSession(cmd, &flags, access{login: true}, func(s *session) error { return a.request(s, &which, &certify) })
		},
	}
	flags.register(a, cmd)
	which.register(cmd)
	certify.register(cmd, "print a certificate that the key signs itself, in place of a request")
	return cmd
}

// request prints the request, or the certificate, for the private key that is chosen.
func (a *app) request(s *session, which *selection, f *certifyFlags) error {
	o, err := which.privateKey(s)
	if err != nil {
		return err
	}
	subject, err := f.name(o.Label)
	if err != nil {
		return err
	}
	key, err := s.signer(o.handle)
	if err != nil {
		return err
	}
	block := &pem.Block{Type: "CERTIFICATE REQUEST"}
	if f.selfSigned {
		made, err := f.certificate(key, subject)
		if err != nil {
			return fmt.Errorf("%s: %w", o.URI, err)
		}
		block = &pem.Block{Type: "CERTIFICATE", Bytes: made.Raw}
	} else if block.Bytes, err = f.request(key, subject); err != nil {
		return fmt.Errorf("%s: %w", o.URI, err)
	}
	text := string(pem.EncodeToMemory(block))
	if a.json {
		return a.printJSON(map[string]string{"token": s.token.info.Label, "serial": s.token.info.SerialNumber, "uri": o.URI, "pem": text})
	}
	_, err = fmt.Fprint(a.stdout, text)
	return err
}

// privateKey gives the private key that is chosen: by itself, or with what belongs to it. It must be one.
func (f *selection) privateKey(s *session) (*object, error) {
	found, err := f.find(s)
	if err != nil {
		return nil, err
	}
	var keys []*object
	for _, o := range found {
		if o.Type == "private" {
			keys = append(keys, o)
		}
	}
	switch len(keys) {
	case 0:
		return nil, errors.New("there is no such private key; see: ncrypt11 list --login")
	case 1:
		return keys[0], nil
	}
	names := make([]string, len(keys))
	for i, o := range keys {
		names[i] = o.URI
	}
	return nil, fmt.Errorf("there are %d such keys; choose one by its URI: %s", len(keys), strings.Join(names, ", "))
}
