package local

import (
	"crypto/hkdf"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// maxBlocks is how often HKDF repeats its hash at most (RFC 5869, section 2.3).
const maxBlocks = 255

// hkdf is CKM_HKDF_DERIVE: extracting alone gives as much as the hash does, expanding as much as is asked for.
func (k *secretKey) hkdf(s *mech.Scheme, spec *guard.KeySpec) (*secret.Bytes, error) {
	n, size := spec.ValueLen, s.Hash.Size()
	switch {
	case !s.Hash.Known() || !s.Extract && !s.Expand:
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "no hash, or no step of HKDF")
	case len(s.Salt) > maxSharedData || len(s.Info) > maxSharedData: // the info is hashed for each block
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "%d bytes of salt, %d of info", len(s.Salt), len(s.Info))
	case s.Expand && n == 0:
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "expanding needs CKA_VALUE_LEN")
	case n < 0 || s.Expand && n > maxBlocks*size || !s.Expand && n != 0 && n != size:
		return nil, ck.Errorf(ck.CKR_KEY_SIZE_RANGE, "HKDF with %v gives no key of %d bytes so", s.Hash, n)
	}
	var out []byte
	var err error
	switch {
	case !s.Extract:
		out, err = hkdf.Expand(s.Hash.New, k.value.Bytes(), string(s.Info), n)
	case !s.Expand:
		out, err = hkdf.Extract(s.Hash.New, k.value.Bytes(), s.Salt)
	default:
		out, err = hkdf.Key(s.Hash.New, k.value.Bytes(), s.Salt, string(s.Info), n)
	}
	if err != nil {
		return nil, ck.Errorf(ck.CKR_FUNCTION_FAILED, "HKDF: %w", err)
	}
	return secret.From(out), nil
}
