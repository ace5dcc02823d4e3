package ncryptmap

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// gcmTagBits is the whole tag of GCM.
const gcmTagBits = 128

// readIsolated reads an envelope of an isolated key: an AES key under hImportKey, by OAEP with SHA-256, and the key under that, by AES-GCM, as PKCS #8 or, of
// secret keys, as it is. The guard opens both, and lets the key be no more than the envelope says. Whoever made the envelope made it for a key that is isolated: it is required here, unless the caller says that
// he only prefers it; it is not exportable, and it may do what the envelope says and no more.
func (k *key) readIsolated(ksp *KSP, importKey Handle, params *Buffers, data []byte) error {
	under, err := k.importer(ksp, importKey)
	if err != nil {
		return err
	}
	e, err := blob.ParseIsolated(data)
	if err != nil {
		return err
	}
	s, err := k.provider.session(k.machine, true)
	if err != nil {
		return status(err)
	}
	defer s.Close()
	k.most = &limits{export: 0, usage: e.Usage}
	w := &wrappedBlob{under: under, mechanism: ck.Mechanism{Type: ck.CKM_NCRYPT_ISOLATED_ENVELOPE}, data: data}
	if err := k.await(s, w, e.Algorithm); err != nil {
		return err
	}
	k.usage = e.Usage
	if k.flags&NCRYPT_PREFER_VBS_FLAG == 0 {
		k.flags |= NCRYPT_REQUIRE_VBS_FLAG
	}
	if e.PerBoot {
		k.flags |= NCRYPT_USE_PER_BOOT_KEY_FLAG
	}
	return nil
}

func gcm(nonce, authenticated []byte) ck.Mechanism {
	return ck.Mechanism{Type: ck.CKM_AES_GCM, Params: ck.GCMParams{IV: slices.Clone(nonce), AAD: slices.Clone(authenticated), TagBits: gcmTagBits}}
}
