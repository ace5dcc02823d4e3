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

// saltKey gives a copy of the value of the key that is the salt, which must be one that may be derived from, and its policy; nil: the salt is no key.
func (g *Keys) saltKey(s *mech.Scheme) (*secret.Bytes, *guard.Policy, error) {
	if s.SaltKey == 0 {
		return nil, nil, nil
	}
	if !s.Extract || len(s.Salt) != 0 {
		return nil, nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "a key for a salt where another is given, or none is taken")
	}
	alone := *s
	alone.Ticket = 0 // it is for the base key
	k, err := g.use(guard.Ref(s.SaltKey), mech.OpDerive, &alone)
	if err != nil {
		return nil, nil, ck.Errorf(ck.Code(err), "the key that is the salt: %w", err)
	}
	defer k.release()
	salt, ok := k.material.(*secretKey)
	if !ok {
		return nil, nil, ck.Errorf(ck.CKR_KEY_TYPE_INCONSISTENT, "the key that is the salt is not a secret key")
	}
	return salt.value.Clone(), k.policy, nil
}

// hkdf is CKM_HKDF_DERIVE: extracting alone gives as much as the hash does, expanding as much as is asked for. A salt that is a key comes apart.
func (k *secretKey) hkdf(s *mech.Scheme, saltKey *secret.Bytes, spec *guard.KeySpec) (*secret.Bytes, error) {
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
	salt := s.Salt
	if saltKey != nil {
		salt = saltKey.Bytes()
	}
	var out []byte
	var err error
	switch {
	case !s.Extract:
		out, err = hkdf.Expand(s.Hash.New, k.value.Bytes(), string(s.Info), n)
	case !s.Expand:
		out, err = hkdf.Extract(s.Hash.New, k.value.Bytes(), salt)
	default:
		out, err = hkdf.Key(s.Hash.New, k.value.Bytes(), salt, string(s.Info), n)
	}
	if err != nil {
		return nil, ck.Errorf(ck.CKR_FUNCTION_FAILED, "HKDF: %w", err)
	}
	return secret.From(out), nil
}
