package local_test

import (
	"bytes"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// No byte of a record can be changed, cut off or added: not the key, and not what the key may do.
func TestRecordTampering(t *testing.T) {
	f := setup(t)
	record := f.generateEC(f.vault, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)).Record
	for i := range record {
		for bit := range 8 {
			bad := bytes.Clone(record)
			bad[i] ^= 1 << bit
			if ref, err := f.Load(f.vault, bad); ref != 0 || ck.Code(err) != ck.CKR_DEVICE_ERROR {
				t.Fatalf("bit %d of byte %d of %d: %v", bit, i, len(record), err)
			}
		}
		if ref, err := f.Load(f.vault, record[:i]); ref != 0 || ck.Code(err) != ck.CKR_DEVICE_ERROR {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	_, err := f.Load(f.vault, append(bytes.Clone(record), 0))
	want(t, "a byte more", err, ck.CKR_DEVICE_ERROR)
	_, err = f.Load(0, record)
	want(t, "in vault 0", err, ck.CKR_USER_NOT_LOGGED_IN)
}

func TestRecordsAreFresh(t *testing.T) {
	f := setup(t)
	p := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
	a := f.importKey(f.vault, p, part(ck.CKA_VALUE, someKey)).Record
	b := f.importKey(f.vault, p, part(ck.CKA_VALUE, someKey)).Record
	head := 5 + 8 + 2 + len(p.Encode())
	if !bytes.Equal(a[:head], b[:head]) || bytes.Equal(a[head:head+32], b[head:head+32]) || bytes.Equal(a[head+32:], b[head+32:]) {
		t.Fatal("the same key was sealed twice in the same way")
	}
	if bytes.Contains(a, someKey[:4]) {
		t.Fatal("the key stands in the clear")
	}
}

func TestRecordTooLong(t *testing.T) {
	f := setup(t)
	m := &guard.Material{Class: ck.CKO_DATA, Parts: []guard.Part{part(ck.CKA_VALUE, make([]byte, 16<<20))}}
	_, err := f.Import(f.vault, m, &guard.Policy{Class: ck.CKO_DATA})
	want(t, "16 MiB", err, ck.CKR_ATTRIBUTE_VALUE_INVALID)
}

// A sealed record whose content is not what its policy says is damage, not a crash.
func TestRecordWithUnsoundKey(t *testing.T) {
	f := setup(t)
	for name, p := range map[string]*guard.Policy{
		"private key": all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA), "AES": all(ck.CKO_SECRET_KEY, ck.CKK_AES),
		"certificate": all(ck.CKO_CERTIFICATE, 0), "no such type": all(ck.CKO_PRIVATE_KEY, ck.CKK_DSA),
	} {
		master := secret.New(32)
		vault := local.AddMaster(f.Keys, master)
		record, err := local.SealRecord(master, p, secret.New(17))
		want(t, name, err, ck.CKR_OK)
		_, err = f.Load(vault, record)
		want(t, name, err, ck.CKR_DEVICE_ERROR)
	}
}

func FuzzOpenRecord(f *testing.F) {
	master := secret.New(32)
	keys := local.New(nil)
	vault := local.AddMaster(keys, master)
	for _, p := range []*guard.Policy{all(ck.CKO_SECRET_KEY, ck.CKK_AES), {Class: ck.CKO_DATA}} {
		record, err := local.SealRecord(master, p, secret.New(16))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(record)
		f.Add(record[:len(record)-1])
		f.Add(record[:20])
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		ref, err := keys.Load(vault, record)
		if err != nil && (ref != 0 || ck.Code(err) != ck.CKR_DEVICE_ERROR) {
			t.Fatalf("%v", err)
		}
		keys.Forget(ref)
	})
}

// PrivateKeyInfo comes from outside when keys are unwrapped.
func FuzzPKCS8(f *testing.F) {
	keys := local.New(nil)
	for _, pair := range pairs {
		der, err := local.PlainOf(keys, pair.generate, pair.spec)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint(pair.spec.KeyType), der)
	}
	for _, kem := range pubkey.KEMs() {
		der, err := local.PlainOf(keys, ck.CKM_ML_KEM_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_ML_KEM, ParameterSet: kem.Set})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint(ck.CKK_ML_KEM), der)
	}
	der, err := local.PlainOf(keys, ck.CKM_ML_DSA_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_ML_DSA, ParameterSet: ck.CKP_ML_DSA_44})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint(ck.CKK_ML_DSA), der)
	f.Fuzz(func(t *testing.T, keyType uint, der []byte) {
		again, err := local.ReparsePKCS8(ck.KeyType(keyType), der)
		if err != nil && ck.Code(err) != ck.CKR_ATTRIBUTE_VALUE_INVALID {
			t.Fatal(err)
		}
		if err == nil {
			if third, err := local.ReparsePKCS8(ck.KeyType(keyType), again); err != nil || !bytes.Equal(again, third) {
				t.Fatalf("what was read as %x is then %x (%v)", again, third, err)
			}
		}
	})
}
