package message_test

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/ncrypt11/ncrypt11/minidriver/message"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// The structures as a C compiler lays them out, with each number in its place.
var layouts = []struct {
	name  string
	bytes []byte
	write func() []byte
	read  func([]byte) (any, error)
	want  any
}{
	{
		"CARD_IMPORT_KEYPAIR", concat(7, 5, 1, 2, 2048, 3, []byte("key")),
		func() []byte {
			return (&message.ImportKeyPair{ContainerIndex: 5, PinID: 1, KeySpec: 2, KeySize: 2048, Input: []byte("key")}).Bytes().Bytes()
		},
		func(b []byte) (any, error) { return message.ParseImportKeyPair(b) },
		&message.ImportKeyPair{ContainerIndex: 5, PinID: 1, KeySpec: 2, KeySize: 2048, Input: []byte("key")},
	},
	{
		"CARD_CHANGE_AUTHENTICATOR", concat(7, 2, 1, 4, 1, 6, 3, []byte("1234123456")),
		func() []byte {
			m := &message.ChangeAuthenticator{
				Flags: 2, AuthenticatingPinID: 1, AuthenticatingPin: []byte("1234"), TargetPinID: 1, Target: []byte("123456"), RetryCount: 3,
			}
			return m.Bytes().Bytes()
		},
		func(b []byte) (any, error) { return message.ParseChangeAuthenticator(b) },
		&message.ChangeAuthenticator{Flags: 2, AuthenticatingPinID: 1, AuthenticatingPin: []byte("1234"), TargetPinID: 1, Target: []byte("123456"), RetryCount: 3},
	},
	{
		"CARD_AUTHENTICATE", concat(7, 0x10000000, 1, 4, []byte("1234")),
		func() []byte {
			return (&message.Authenticate{Flags: message.CARD_AUTHENTICATE_GENERATE_SESSION_PIN, PinID: 1, Pin: []byte("1234")}).Bytes().Bytes()
		},
		func(b []byte) (any, error) { return message.ParseAuthenticate(b) },
		&message.Authenticate{Flags: message.CARD_AUTHENTICATE_GENERATE_SESSION_PIN, PinID: 1, Pin: []byte("1234")},
	},
}

// concat writes numbers as DWORDs, and bytes as they are.
func concat(parts ...any) (b []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = binary.LittleEndian.AppendUint32(b, uint32(p))
		case []byte:
			b = append(b, p...)
		}
	}
	return b
}

func TestLayouts(t *testing.T) {
	for _, l := range layouts {
		if got := l.write(); !bytes.Equal(got, l.bytes) {
			t.Errorf("%s is %x, want %x", l.name, got, l.bytes)
		}
		if got, err := l.read(l.bytes); err != nil || !reflect.DeepEqual(got, l.want) {
			t.Errorf("%s is read as %+v, %v", l.name, got, err)
		}
		for n := range l.bytes {
			if _, err := l.read(l.bytes[:n]); nte.Code(err) != nte.SCARD_E_INVALID_PARAMETER {
				t.Errorf("%s of %d bytes: %v", l.name, n, err)
			}
		}
		if _, err := l.read(append(bytes.Clone(l.bytes), 0)); nte.Code(err) != nte.SCARD_E_INVALID_PARAMETER {
			t.Errorf("%s with a byte more: %v", l.name, err)
		}
		if _, err := l.read(append([]byte{6}, l.bytes[1:]...)); nte.Code(err) != nte.ERROR_REVISION_MISMATCH {
			t.Errorf("%s of version 6: %v", l.name, err)
		}
	}
	if b := message.ChangeAuthenticatorResponse(9).Bytes(); !bytes.Equal(b, concat(7, 9)) {
		t.Errorf("CARD_CHANGE_AUTHENTICATOR_RESPONSE is %x", b)
	}
	if b := message.AuthenticateResponse(9).Bytes(); !bytes.Equal(b, concat(7, 0, 9)) {
		t.Errorf("CARD_AUTHENTICATE_RESPONSE is %x", b)
	}
}

func TestFlags(t *testing.T) {
	for _, flags := range []int{0, 3, 4} {
		if _, err := message.ParseChangeAuthenticator(concat(7, flags, 1, 0, 1, 0, 0)); nte.Code(err) != nte.SCARD_E_INVALID_PARAMETER {
			t.Errorf("CARD_CHANGE_AUTHENTICATOR with flags %d: %v", flags, err)
		}
	}
	if _, err := message.ParseAuthenticate(concat(7, 1, 1, 0)); nte.Code(err) != nte.SCARD_E_INVALID_PARAMETER {
		t.Errorf("CARD_AUTHENTICATE with flags: %v", err)
	}
}

// The size that is read before a structure is whole never speaks of more than there is.
func TestImportKeyPairSize(t *testing.T) {
	for want, b := range map[int][]byte{
		24: concat(7, 5, 1, 2, 2048, 0), 27: append(layouts[0].bytes, 9, 9, 9), 0: concat(7, 5, 1, 2, 2048, 1), -1: concat(7, 5, 1, 2, 2048, 0x7fffffff), -2: {7},
	} {
		n, ok := message.ImportKeyPairSize(b)
		if ok != (want > 0) || ok && n != want {
			t.Errorf("%x: %d, %v", b, n, ok)
		}
	}
}

// fuzz: what is accepted is written as it was, but for the padding that C leaves.
func fuzz(f *testing.F, layout int, again func(any) []byte) {
	l := layouts[layout]
	f.Add(l.bytes)
	f.Add(l.bytes[:12])
	f.Add(append(bytes.Clone(l.bytes), 1, 2, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := l.read(b)
		if err != nil {
			if code := nte.Code(err); code != nte.SCARD_E_INVALID_PARAMETER && code != nte.ERROR_REVISION_MISMATCH {
				t.Errorf("%v", err)
			}
			return
		}
		if got := again(m); len(got) != len(b) {
			t.Errorf("%x is written as %x", b, got)
		} else if m2, err := l.read(got); err != nil || !reflect.DeepEqual(m, m2) {
			t.Errorf("%x is read as %+v and then as %+v (%v)", b, m, m2, err)
		}
	})
}

func FuzzImportKeyPair(f *testing.F) {
	fuzz(f, 0, func(m any) []byte { return m.(*message.ImportKeyPair).Bytes().Bytes() })
}

func FuzzChangeAuthenticator(f *testing.F) {
	fuzz(f, 1, func(m any) []byte { return m.(*message.ChangeAuthenticator).Bytes().Bytes() })
}

func FuzzAuthenticate(f *testing.F) {
	fuzz(f, 2, func(m any) []byte { return m.(*message.Authenticate).Bytes().Bytes() })
}

// The length of a key to which a pointer alone is given is that of its blob, and nothing is read behind the head before the head fits.
func TestKeyLen(t *testing.T) {
	rsa := concat([]byte{7, 2, 0, 0, 0, 0xa4, 0, 0}, []byte("RSA2"), 2048, 65537)
	for name, test := range map[string]struct {
		spec, size uint32
		head       []byte
		want       int
	}{
		"RSA":                  {message.AT_SIGNATURE, 2048, rsa, 20 + 2*256 + 5*128},
		"RSA of another size":  {message.AT_SIGNATURE, 4096, rsa, 0},
		"RSA without end":      {message.AT_KEYEXCHANGE, 1 << 31, concat([]byte{7, 2, 0, 0, 0, 0xa4, 0, 0}, []byte("RSA2"), 1<<31, 65537), 0},
		"the longest RSA":      {message.AT_SIGNATURE, 29080, concat(rsa[:12], 29080, 65537), 20 + 2*3635 + 5*1818},
		"a longer one":         {message.AT_SIGNATURE, 29112, concat(rsa[:12], 29112, 65537), 0},
		"P-256":                {message.AT_ECDSA_P256, 256, concat([]byte("ECS2"), 32), 8 + 3*32},
		"P-521":                {message.AT_ECDHE_P521, 521, concat([]byte("ECK6"), 66), 8 + 3*66},
		"P-256 of 33 bytes":    {message.AT_ECDSA_P256, 256, concat([]byte("ECS2"), 33), 0},
		"P-256 with 384 bits":  {message.AT_ECDSA_P256, 384, concat([]byte("ECS2"), 48), 0},
		"a key spec of none":   {0, 256, nil, 0},
		"a key spec too large": {9, 256, nil, 0},
	} {
		n, err := message.KeyLen(test.spec, test.size, func(n int) []byte { return test.head[:n:n] })
		if n != test.want || (err == nil) != (test.want > 0) {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		if err != nil && nte.Code(err) != nte.SCARD_E_INVALID_PARAMETER {
			t.Errorf("%s: %v", name, err)
		}
	}
}
