package ncryptmap_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// Every function takes its own bits; each of the others is NTE_BAD_FLAGS, and so is what contradicts itself.
func TestFlags(t *testing.T) {
	s := open(t, t.TempDir())
	const silent = ncryptmap.NCRYPT_SILENT_FLAG
	key, begun := s.created("ECDH_P256", "key", 0), s.begun("RSA", "", 0)
	agreed, err := s.SecretAgreement(key, key, 0)
	s.must(err)
	for _, test := range []struct {
		name  string
		taken uint32
		call  func(flags uint32) error
	}{
		{"OpenStorageProvider", silent | 0x1000, func(f uint32) error { _, err := s.OpenStorageProvider("", f); return err }},
		{"OpenKey", machineKey | silent | 0x100 | 0x10000000, func(f uint32) error { _, err := s.OpenKey(s.provider, "key", 0, f); return err }},
		{"CreatePersistedKey", machineKey | silent | overwrite | requireVBS | preferVBS | perBoot, func(f uint32) error {
			_, err := s.CreatePersistedKey(s.provider, "RSA", "", 0, f)
			return err
		}},
		{"FinalizeKey", 8 | silent | legacyKey, func(f uint32) error { return s.FinalizeKey(begun, f) }},
		{"DeleteKey", silent, func(f uint32) error { return s.DeleteKey(key, f) }},
		{"ExportKey", silent | 0x800, func(f uint32) error { _, err := s.ExportKey(key, 0, "PUBLICBLOB", nil, f); return err }},
		{"SignHash", silent | 2 | 8, // 0x20 is for other keys than this
			func(f uint32) error { _, err := s.SignHash(key, nil, aHash, f); return err }},
		{"GetProperty", silent | onlyOwn, func(f uint32) error { _, err := s.GetProperty(key, "Length", f); return err }},
		{"SetProperty", silent | onlyOwn | 0x80000000, func(f uint32) error { return s.SetProperty(key, "Use Context", []byte{}, f) }},
		{"EnumKeys", machineKey | silent, func(f uint32) error { _, err := s.EnumKeys(s.provider, "", f); return err }},
		{"SecretAgreement", silent, func(f uint32) error { _, err := s.SecretAgreement(key, key, f); return err }},
		{"DeriveKey", silent | 1, func(f uint32) error { _, err := s.DeriveKey(agreed, "HASH", nil, 0, f); return err }},
		{"NotifyChangeKey", machineKey | 1 | 2, func(f uint32) error { return s.NotifyChangeKey(s.provider, f) }},
		{"IsAlgSupported", silent, func(f uint32) error { return s.IsAlgSupported(s.provider, "RSA", f) }},
	} {
		for bit := uint32(1); bit != 0; bit <<= 1 {
			if test.taken&bit == 0 {
				s.want(test.name, test.call(bit), nte.NTE_BAD_FLAGS)
			} else if bit != silent || test.name == "DeleteKey" || test.name == "FinalizeKey" {
				continue // what these do is tested elsewhere
			} else if err := test.call(bit); nte.Code(err) == nte.NTE_BAD_FLAGS {
				t.Errorf("%s: %v", test.name, err)
			}
		}
	}
	s.want("PERSIST and PERSIST_ONLY", s.SetProperty(key, "mine", []byte{}, onlyOwn|0x80000000), nte.NTE_BAD_FLAGS)
	s.want("REGISTER and UNREGISTER", s.NotifyChangeKey(s.provider, 3), nte.NTE_BAD_FLAGS)
	s.signs("after all that", key, nte.ERROR_SUCCESS)
}
