package local

import (
	"crypto"
	"crypto/rsa"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// wrappable is the one place that decides whether a key may leave, encrypted by a mechanism.
func (k *key) wrappable(row *mech.Row, trusted bool) error {
	switch p := k.policy; {
	case p.Class != ck.CKO_SECRET_KEY && p.Class != ck.CKO_PRIVATE_KEY:
		return ck.CKR_KEY_NOT_WRAPPABLE
	case !p.Extractable:
		return ck.CKR_KEY_UNEXTRACTABLE
	case p.WrapWithTrusted && !trusted:
		return ck.Errorf(ck.CKR_KEY_NOT_WRAPPABLE, "the key has CKA_WRAP_WITH_TRUSTED and the wrapping key is not trusted")
	case p.WrapBy != 0 && p.WrapBy != row.Type:
		return ck.Errorf(ck.CKR_KEY_NOT_WRAPPABLE, "the key may be wrapped by %v only", p.WrapBy)
	}
	return nil
}

// Wrap encrypts a key under a secret key.
func (g *Keys) Wrap(dst []byte, wrapping guard.Ref, s *mech.Scheme, ref guard.Ref) ([]byte, error) {
	w, err := g.use(wrapping, mech.OpWrap, s)
	if err != nil {
		return nil, err
	}
	defer w.release()
	m, ok := w.material.(encrypter)
	if !ok {
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	plain, err := g.plainToWrap(ref, s.Row, w.policy.Trusted)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	input := plain
	if rest := plain.Len() % blockLen; s.Row.Primitive == mech.AESCBC && rest != 0 { // the section on AES-CBC has keys padded with zeros
		input = secret.New(plain.Len() + blockLen - rest)
		defer input.Close()
		copy(input.Bytes(), plain.Bytes())
	}
	wrapped, err := m.encrypt(dst, s, input.Bytes())
	if ck.Code(err) == ck.CKR_DATA_LEN_RANGE {
		return nil, ck.Errorf(ck.CKR_KEY_SIZE_RANGE, "the mechanism cannot wrap a key of %d bytes", plain.Len())
	}
	return wrapped, err
}

// plainToWrap is the plaintext of a key that may leave: PrivateKeyInfo, or a secret key's bytes.
func (g *Keys) plainToWrap(ref guard.Ref, row *mech.Row, trusted bool) (*secret.Bytes, error) {
	k, err := g.table.hold(ref)
	if err != nil {
		return nil, err
	}
	defer k.release()
	if err := k.wrappable(row, trusted); err != nil {
		return nil, err
	}
	return k.material.plain()
}

// WrapPublic encrypts a key under a public key, which nobody here vouches for.
func (g *Keys) WrapPublic(dst []byte, wrapping []guard.Part, s *mech.Scheme, ref guard.Ref) ([]byte, error) {
	if err := genuine(s); err != nil {
		return nil, err
	}
	if !s.Row.Serves(mech.OpWrap) {
		return nil, ck.CKR_MECHANISM_INVALID
	}
	way, ok := publicWraps[s.Row.Primitive]
	if !ok {
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	public, err := wrappingKey(s.Row, wrapping)
	if err != nil {
		return nil, err
	}
	k, err := g.table.hold(ref)
	if err != nil {
		return nil, err
	}
	defer k.release()
	if err := k.wrappable(s.Row, false); err != nil {
		return nil, err
	}
	if k.policy.Class != ck.CKO_SECRET_KEY && !hybrid(s.Row.Primitive) {
		return nil, ck.Errorf(ck.CKR_KEY_NOT_WRAPPABLE, "RSA by itself wraps secret keys only")
	}
	plain, err := k.material.plain()
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	return way(dst, public, s, plain.Bytes())
}

// publicWraps are the ways to wrap under a public key.
var publicWraps = map[mech.Primitive]func(dst []byte, public crypto.PublicKey, s *mech.Scheme, plain []byte) ([]byte, error){
	mech.RSAPKCS1:       wrapRSA,
	mech.RSAOAEP:        wrapRSA,
	mech.RSARaw:         wrapRSA,
	mech.RSAAESKeyWrap:  wrapRSAAES,
	mech.ECDHAESKeyWrap: wrapECDHAES,
}

// wrappingKey is the public key of the parts, which must be of a type that the mechanism takes.
func wrappingKey(row *mech.Row, wrapping []guard.Part) (public crypto.PublicKey, err error) {
	for _, keyType := range row.KeyTypes {
		if public, err = pubkey.Parse(keyType, parts(wrapping).get); err == nil {
			return public, nil
		}
	}
	return nil, ck.Errorf(ck.CKR_KEY_TYPE_INCONSISTENT, "no public key that %v wraps under: %w", row.Type, err)
}

func wrapRSA(dst []byte, public crypto.PublicKey, s *mech.Scheme, plain []byte) ([]byte, error) {
	return encryptRSA(dst, public.(*rsa.PublicKey), s, plain)
}
