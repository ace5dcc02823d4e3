package local

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Unwrap decrypts a wrapped key and takes it in.
func (g *Keys) Unwrap(v guard.Vault, unwrapping guard.Ref, s *mech.Scheme, wrapped []byte, spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
	if err := complete(spec != nil, p != nil); err != nil {
		return nil, err
	}
	if p.KeyType != spec.KeyType || p.Class != ck.CKO_SECRET_KEY && p.Class != ck.CKO_PRIVATE_KEY {
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "policy and template disagree on class or type")
	}
	if spec.ValueLen < 0 {
		return nil, ck.Errorf(ck.CKR_KEY_SIZE_RANGE, "a key of %d bytes", spec.ValueLen)
	}
	k, err := g.use(unwrapping, mech.OpUnwrap, s)
	if err != nil {
		return nil, err
	}
	defer k.release()
	if k.policy.Confining && !carried(s) {
		return nil, ck.Errorf(ck.CKR_KEY_FUNCTION_NOT_PERMITTED, "a key with CKA_NCRYPT_CONFINING does not unwrap by %v", s.Row.Type)
	}
	if _, ok := injections[s.Row.Primitive]; ok {
		return g.inject(v, k, s, wrapped, p)
	}
	if _, ok := envelopes[s.Row.Primitive]; ok {
		return g.takeOut(v, k, s, wrapped, p)
	}
	plain, err := unwrapPlain(k, s, wrapped, spec, p.Class)
	if err != nil {
		return nil, unwrapError(err)
	}
	defer plain.Close()
	m, err := materialOf(p.Class, spec.KeyType, plain)
	if err != nil {
		return nil, ck.CKR_WRAPPED_KEY_INVALID
	}
	if r, ok := m.(*rsaKey); ok && !r.hasPrimes() {
		m.wipe()
		return nil, ck.CKR_WRAPPED_KEY_INVALID
	}
	return g.admitFrom(v, m, p, true, k.policy)
}

// carries are the ways to unwrap that a confining key is for. The others have in the plaintext what the key is to be, leave its length to the caller, or do not
// authenticate, so that keys could be made of ciphertexts by those who do not have the wrapping key.
var carries = map[mech.Primitive]bool{mech.AESGCM: true, mech.AESKeyWrap: true, mech.AESKeyWrapPad: true, mech.RSAOAEP: true, mech.RSAAESKeyWrap: true, mech.ECDHAESKeyWrap: true}

// carried says whether a scheme is one of these. A short tag can be guessed, and the public halves of keys that were altered tell what they were before.
func carried(s *mech.Scheme) bool {
	return carries[s.Row.Primitive] && (s.Row.Primitive != mech.AESGCM || s.TagLen == gcmTagLen)
}

// unwrapErrors turn what decryption finds into what C_UnwrapKey answers. Whatever is wrong with the content has one answer, which tells
// who alters wrapped keys nothing of the plaintext; the length of what he sent he knows.
var unwrapErrors = map[ck.RV]ck.RV{
	ck.CKR_ENCRYPTED_DATA_LEN_RANGE: ck.CKR_WRAPPED_KEY_LEN_RANGE,
	ck.CKR_ENCRYPTED_DATA_INVALID:   ck.CKR_WRAPPED_KEY_INVALID,
	ck.CKR_DATA_LEN_RANGE:           ck.CKR_WRAPPED_KEY_LEN_RANGE,
}

func unwrapError(err error) error {
	if rv, ok := unwrapErrors[ck.Code(err)]; ok {
		return rv
	}
	return err
}

// unwrapPlain decrypts and cuts the plaintext to the length that the template asks for.
func unwrapPlain(k *key, s *mech.Scheme, wrapped []byte, spec *guard.KeySpec, class ck.ObjectClass) (*secret.Bytes, error) {
	want := 0
	if class == ck.CKO_SECRET_KEY {
		want = spec.ValueLen
	}
	if _, ok := k.material.(*rsaKey); ok && class == ck.CKO_PRIVATE_KEY && !hybrid(s.Row.Primitive) {
		return nil, ck.Errorf(ck.CKR_WRAPPED_KEY_INVALID, "RSA by itself wraps secret keys only")
	}
	plain, err := decryptWrapped(k.material, s, wrapped, lengthsOf(spec))
	if err != nil {
		return nil, err
	}
	if class == ck.CKO_PRIVATE_KEY || want == 0 && s.Row.Primitive != mech.RSARaw || want == plain.Len() {
		return plain, nil
	}
	defer plain.Close()
	return cut(plain, s.Row.Primitive, want)
}

// lengthsOf are the lengths that a secret key may have by its template and its type; nil: any.
func lengthsOf(spec *guard.KeySpec) []int {
	switch {
	case spec.ValueLen > 0:
		return []int{spec.ValueLen}
	case spec.KeyType == ck.CKK_AES:
		return []int{16, 24, 32}
	}
	return nil
}

func decryptWrapped(m material, s *mech.Scheme, wrapped []byte, lengths []int) (*secret.Bytes, error) {
	if hybrid(s.Row.Primitive) {
		return unwrapHybrid(m, s, wrapped)
	}
	var plain []byte
	var err error
	if r, ok := m.(*rsaKey); ok && s.Row.Primitive == mech.RSAPKCS1 {
		// A plaintext that has one of the lengths that the key may have leaves an attacker no answer at all: some key always comes out.
		if len(wrapped) != r.raw.size() {
			return nil, ck.CKR_WRAPPED_KEY_LEN_RANGE
		}
		plain, err = r.decryptPKCS1(nil, wrapped, lengths)
	} else if d, ok := m.(decrypter); ok {
		plain, err = d.decrypt(nil, s, wrapped)
	} else {
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	if err != nil {
		return nil, err
	}
	return secret.From(plain), nil
}

// cut takes the key out of a plaintext of another length. Two mechanisms leave padding around it: CKM_RSA_X_509 zeros before, CKM_AES_CBC
// zeros behind. With the others the template contradicts the wrapped key, and where that key is authenticated one may say so.
func cut(plain *secret.Bytes, p mech.Primitive, want int) (*secret.Bytes, error) {
	n := plain.Len()
	var key, padding []byte
	switch {
	case p == mech.RSARaw && want == 0:
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "CKM_RSA_X_509 does not keep a key's length: CKA_VALUE_LEN is needed")
	case p == mech.RSARaw && want < n:
		padding, key = plain.Bytes()[:n-want], plain.Bytes()[n-want:]
	case p == mech.AESCBC && want < n && want > n-blockLen:
		key, padding = plain.Bytes()[:want], plain.Bytes()[want:]
	case p == mech.AESGCM, p == mech.AESKeyWrap, p == mech.AESKeyWrapPad, p == mech.RSAOAEP, hybrid(p):
		return nil, ck.Errorf(ck.CKR_WRAPPED_KEY_LEN_RANGE, "the wrapped key has %d bytes, CKA_VALUE_LEN says %d", n, want)
	default:
		return nil, ck.CKR_WRAPPED_KEY_INVALID
	}
	var nonzero byte
	for _, b := range padding {
		nonzero |= b
	}
	if nonzero != 0 {
		return nil, ck.CKR_WRAPPED_KEY_INVALID
	}
	return secret.Copy(key), nil
}
