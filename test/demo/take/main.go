// Command take asks a token for the secret part of a key, as a thief with the PIN would. It fails if the token gives it.
//
//	take MODULE TOKEN KEY     the PIN comes in PIN
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/miekg/pkcs11"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: PIN=... take MODULE TOKEN KEY")
		os.Exit(2)
	}
	if err := take(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "take:", err)
		os.Exit(1)
	}
}

func take(module, token, key string) error {
	p := pkcs11.New(module)
	if p == nil {
		return fmt.Errorf("%s cannot be loaded", module)
	}
	if err := p.Initialize(); err != nil {
		return err
	}
	session, err := login(p, token)
	if err != nil {
		return err
	}
	if err := p.FindObjectsInit(session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), pkcs11.NewAttribute(pkcs11.CKA_LABEL, key),
	}); err != nil {
		return err
	}
	found, _, err := p.FindObjects(session, 2)
	if err != nil || len(found) != 1 {
		return fmt.Errorf("%d keys %q, %v", len(found), key, err)
	}
	for name, secret := range map[string]uint{"private exponent": pkcs11.CKA_PRIVATE_EXPONENT, "first prime": pkcs11.CKA_PRIME_1} {
		_, err := p.GetAttributeValue(session, found[0], []*pkcs11.Attribute{pkcs11.NewAttribute(secret, nil)})
		if !errors.Is(err, pkcs11.Error(pkcs11.CKR_ATTRIBUTE_SENSITIVE)) {
			return fmt.Errorf("the %s was not refused: %v", name, err)
		}
		fmt.Printf("%s: %v\n", name, err)
	}
	return nil
}

func login(p *pkcs11.Ctx, token string) (pkcs11.SessionHandle, error) {
	slots, err := p.GetSlotList(true)
	if err != nil {
		return 0, err
	}
	for _, slot := range slots {
		info, err := p.GetTokenInfo(slot)
		if err != nil || info.Label != token {
			continue
		}
		session, err := p.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
		if err != nil {
			return 0, err
		}
		return session, p.Login(session, pkcs11.CKU_USER, os.Getenv("PIN"))
	}
	return 0, fmt.Errorf("there is no token %q", token)
}
