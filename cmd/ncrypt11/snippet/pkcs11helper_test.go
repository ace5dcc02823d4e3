package snippet

import "testing"

// As `openvpn --show-pkcs11-ids` prints them.
func TestPKCS11HelperID(t *testing.T) {
	d := Data{Token: Token{Label: "soft tok-1 é", Serial: "5a937f423647ca33"}, Key: Key{ID: "e06d16"}}
	if id := d.PKCS11HelperID(); id != `ncrypt11/ncrypt11/5a937f423647ca33/soft\x20tok\x2d1\x20\xc3\xa9/E06D16` {
		t.Error(id)
	}
}
