package ncryptmap

import (
	"crypto/rand"
	"strings"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// A key under AES in CBC mode, which is what PBES2 and EnvelopedData have in them, is opened and made by the guard: what C_WrapKey with CKM_AES_CBC_PAD gives
// is exactly the ciphertext of a PrivateKeyInfo. Of the plaintext the program looks at the head, where no secret is. If that shows another form than the guard
// takes (attributes that say what the key is for, a curve that is described), the guard decrypts, and the program has the plaintext, to wipe it. Envelopes the guard
// opens whole (encrypted_envelope.go).

// readEncrypted reads an EncryptedPrivateKeyInfo that a guard can open; false: there is nothing in it for guards.
func (k *key) readEncrypted(params *Buffers, data []byte) (bool, error) {
	o, err := params.options()
	if err != nil {
		return false, err
	}
	defer o.Password.Close()
	e, err := blob.ParseEncrypted(data)
	if err != nil || e == nil || !e.AES() || o.Password == nil {
		return false, err
	}
	value, err := e.Key(o.Password)
	if err != nil {
		return false, err
	}
	s, err := k.provider.session(k.machine, true)
	if err != nil {
		value.Close()
		return false, status(err)
	}
	defer s.Close()
	c := &content{under: byValue{value}, iv: e.IV(), data: e.Data()}
	err = k.readContent(s, c, o)
	return true, err
}

// content is a private key in CBC mode under a key that the guard has.
type content struct {
	under    opener
	iv, data []byte
}

// errNotOpened is all that is said of what can be wrong once it is decrypted.
func errNotOpened() error {
	return nte.Errorf(nte.NTE_DECRYPTION_FAILURE, "it cannot be decrypted, or there is no private key in it: the password or the key may be another")
}

// readContent has the guard take the key in, if it is of a form that a guard takes; else the program does. It closes what the content is under, or keeps it.
func (k *key) readContent(s *token.Session, c *content, o *blob.Options) (err error) {
	defer func() {
		if k.wrapped == nil {
			c.under.close()
		}
	}()
	if head, ok := c.head(s); ok && head.Bare {
		w := &wrappedBlob{under: c.under, mechanism: ck.Mechanism{Type: ck.CKM_AES_CBC_PAD, Params: ck.RawParams(c.iv)}, data: c.data}
		err := k.await(s, w, groupAsked(head.Algorithm, o.Algorithm))
		if nte.Code(err) != nte.NTE_BAD_DATA {
			return err
		}
	}
	plain, err := decryptUnder(s, c.under, ck.Mechanism{Type: ck.CKM_AES_CBC_PAD, Params: ck.RawParams(c.iv)}, c.data)
	if err != nil {
		return errNotOpened()
	}
	defer plain.Close()
	return k.readPlain(plain.Bytes(), o)
}

// readPlain takes the key in from plaintext.
func (k *key) readPlain(plain []byte, o *blob.Options) error {
	material, err := blob.ReadPrivateKeyInfo(plain, o)
	switch {
	case nte.Code(err) == nte.NTE_BAD_DATA:
		return errNotOpened()
	case err != nil:
		return err
	}
	if err := k.describe(material); err != nil {
		material.Close()
		return err
	}
	k.material = material
	return nil
}

// groupAsked is the algorithm that a key of a kind is to be of: the one that a parameter names if it is of that kind.
func groupAsked(found, asked string) string {
	if a := algorithmOf(asked); a != nil && strings.HasPrefix(a.group, "EC") && strings.HasPrefix(found, "EC") {
		return a.group
	}
	return found
}

// head decrypts what is not secret of the content: see blob.MaxHead.
func (c *content) head(s *token.Session) (blob.Head, bool) {
	if len(c.data) <= blob.MaxHead {
		return blob.Head{}, false
	}
	first, err := decryptUnder(s, c.under, ck.Mechanism{Type: ck.CKM_AES_CBC, Params: ck.RawParams(c.iv)}, c.data[:blob.MaxHead])
	if err != nil {
		return blob.Head{}, false
	}
	defer first.Close()
	return blob.ReadHead(first.Bytes())
}

// decryptUnder has the guard decrypt.
func decryptUnder(s *token.Session, under opener, mechanism ck.Mechanism, data []byte) (*secret.Bytes, error) {
	object, done, err := under.open(s)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := s.DecryptInit(&mechanism, object); err != nil {
		return nil, err
	}
	out := secret.New(len(data))
	n, err := s.Decrypt(data, token.Output{Buf: out.Bytes()})
	defer out.Close()
	if err != nil {
		return nil, err
	}
	return secret.Copy(out.Bytes()[:n]), nil
}

// sealedWriter gives what makes a blob without showing the key to the program; nil: the program makes it. Where it may have the key in plaintext it makes
// PKCS #8 itself, as it does with encryptions that the guard has not: for keys that live with their handle only.
func (k *key) sealedWriter(s *token.Session, object ck.ObjectHandle, name string, o *blob.Options) func(*key, *token.Session, ck.ObjectHandle, *blob.Options) (*secret.Bytes, error) {
	switch {
	case name == blob.PKCS7:
		return (*key).writeEnvelope
	case name == blob.Opaque:
		return (*key).writeOpaque
	case blob.Encrypts(name, o) && k.export&plan.NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG == 0 && !k.readable() && (k.archive == nil || object != k.archive.object):
		return (*key).writeEncrypted
	}
	return nil
}

// writeEncrypted writes an EncryptedPrivateKeyInfo of a key that the engine does not show. The guard has no attributes to say what the key is for.
func (k *key) writeEncrypted(s *token.Session, object ck.ObjectHandle, o *blob.Options) (*secret.Bytes, error) {
	if k.class != ck.CKO_PRIVATE_KEY {
		return nil, nte.Errorf(nte.NTE_BAD_TYPE, "%s needs a private key", blob.PKCS8)
	}
	e, err := blob.NewEncrypted(o)
	if err != nil {
		return nil, err
	}
	if !e.AES() {
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "the guard does not encrypt with %s: take AES-256, NCRYPTBUFFER_PKCS_ALG_OID 2.16.840.1.101.3.4.1.42", o.Cipher)
	}
	value, err := e.Key(o.Password)
	if err != nil {
		return nil, err
	}
	under := byValue{value}
	defer under.close()
	wrapping, done, err := under.open(s)
	if err != nil {
		return nil, err
	}
	defer done()
	data, err := wrapWith(s, ck.Mechanism{Type: ck.CKM_AES_CBC_PAD, Params: ck.RawParams(e.IV())}, wrapping, object)
	if err != nil {
		return nil, err
	}
	return e.Marshal(data)
}

func fresh(n int) []byte {
	out := make([]byte, n)
	rand.Read(out)
	return out
}
