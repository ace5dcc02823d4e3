package blob_test

import (
	"bytes"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// sealedStatuses are what a parser of this family may answer.
var sealedStatuses = map[nte.Status]bool{
	nte.NTE_BAD_DATA: true, nte.NTE_NOT_SUPPORTED: true, nte.NTE_BAD_KEY: true, nte.NTE_BAD_VER: true, nte.NTE_INVALID_PARAMETER: true,
}

func expected(t *testing.T, err error) bool {
	t.Helper()
	if err != nil && !sealedStatuses[nte.Code(err)] {
		t.Errorf("%v", err)
	}
	return err == nil
}

// FuzzPrivateKeyInfo: what is read is written, and then read as the same key.
func FuzzPrivateKeyInfo(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := blob.ReadPrivateKeyInfo(data, &blob.Options{})
		if !expected(t, err) {
			return
		}
		defer k.Close()
		out, err := blob.Write(blob.PKCS8, k, nil)
		if err != nil {
			t.Fatalf("what was read is not written: %v", err)
		}
		defer out.Close()
		again, err := blob.ReadPrivateKeyInfo(out.Bytes(), &blob.Options{})
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		defer again.Close()
		for _, typ := range []ck.AttributeType{ck.CKA_MODULUS, ck.CKA_PRIME_1, ck.CKA_EC_PARAMS, ck.CKA_PARAMETER_SET, ck.CKA_SEED, ck.CKA_VALUE} {
			if !bytes.Equal(k.Get(typ), again.Get(typ)) {
				t.Errorf("%v is another", typ)
			}
		}
		if (k.Usage == nil) != (again.Usage == nil) && *k.Usage&0xffffff != 0xffffff {
			t.Error("what the key is for is lost")
		}
		if h, ok := blob.ReadHead(data[:min(len(data), blob.MaxHead)]); ok && h.KeyType != k.KeyType {
			t.Errorf("the head says %v, the key is %v", h.KeyType, k.KeyType)
		}
	})
}

// FuzzEncrypted: what is read is written with the same parameters, which are bounded.
func FuzzEncrypted(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := blob.ParseEncrypted(data)
		if !expected(t, err) || e == nil {
			return
		}
		out, err := e.Marshal(e.Data())
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		again, err := blob.ParseEncrypted(out.Bytes())
		if err != nil || again == nil || !bytes.Equal(again.Data(), e.Data()) || !bytes.Equal(again.IV(), e.IV()) || again.AES() != e.AES() {
			t.Errorf("what was written is not read as it was: %v", err)
		}
	})
}

// FuzzEnveloped: recipients that are named by issuer and serial number, by OAEP, are written as they were read.
func FuzzEnveloped(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := blob.ParseEnveloped(data)
		if !expected(t, err) {
			return
		}
		for _, r := range e.Recipients {
			if r.KeyID != nil || r.Hash == "" || r.Label != nil {
				return
			}
		}
		out, err := e.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := blob.ParseEnveloped(out)
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		if len(again.Recipients) != len(e.Recipients) || !bytes.Equal(again.Data, e.Data) || again.Cipher != e.Cipher || !bytes.Equal(again.IV, e.IV) {
			t.Error("what was written is read as another")
		}
	})
}

func FuzzCertificate(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := blob.ParseCertificate(data)
		if !expected(t, err) {
			return
		}
		if !(&blob.Recipient{Issuer: c.Issuer, Serial: c.Serial}).Names(c) {
			t.Error("a certificate is not the one that it is")
		}
	})
}

// FuzzIsolated: what is authenticated is the beginning of the envelope, and everything is somewhere.
func FuzzIsolated(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := blob.ParseIsolated(data)
		if !expected(t, err) {
			return
		}
		if whole := bytes.Join([][]byte{e.Authenticated, e.Tag, e.WrappingKey, e.Key}, nil); !bytes.Equal(whole, data) {
			t.Error("the parts are not the whole")
		}
	})
}

// FuzzTransport: only what this provider writes has the header that is authenticated.
func FuzzTransport(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, err := blob.ParseTransport(data)
		if !expected(t, err) {
			return
		}
		again, err := blob.ParseTransport(append(parsed.Header(), parsed.Key...))
		if err != nil || again.Name != parsed.Name || again.Algorithm != parsed.Algorithm || again.Export != parsed.Export || again.Usage != parsed.Usage {
			t.Errorf("what was written is read as another: %v", err)
		}
	})
}
