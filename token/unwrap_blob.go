package token

import (
	"slices"
	"strings"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// sealed is a key that comes in under another, on its way to the guard.
type sealed struct {
	scheme *mech.Scheme
	data   []byte
	t      attr.Template
	most   uint32 // what the key may do at most (NCRYPT_ALLOW_*)
}

// Blobs that PKCS #11 has no mechanism for have one of ncrypt11's own, which the guard opens; what their head says of the key, which is no secret, is put into the
// template here. CKM_NCRYPT_IMPORT_BLOB stands for whichever mechanism opens blobs of the type that it names, and a key that opens one must permit that.

// known puts what can be known of a key from outside into its template.
func (w *sealed) known() error {
	if w.scheme.Row.Primitive == mech.NCryptBlob {
		if err := w.dispatch(); err != nil {
			return err
		}
	}
	if w.scheme.Row.Primitive == mech.IsolatedEnvelope {
		if err := w.isolated(); err != nil {
			return err
		}
	}
	class, _ := plan.Given[ck.ObjectClass](w.t, ck.CKA_CLASS)
	keyType, _ := plan.Given[ck.KeyType](w.t, ck.CKA_KEY_TYPE)
	var err error
	w.t, err = agreeingUsage(w.t, class, keyType, &w.most)
	return err
}

// blobOpeners say for each type of blob what opens it. Whatever else is under a key is no blob of NCrypt's.
var blobOpeners = map[string]func(w *sealed) error{
	blob.AESWrap:     func(w *sealed) error { return w.by(ck.Mechanism{Type: ck.CKM_AES_KEY_WRAP}) },
	blob.RSAAESWrap:  (*sealed).rsaAES,
	blob.IsolatedKey: func(w *sealed) error { return w.by(ck.Mechanism{Type: ck.CKM_NCRYPT_ISOLATED_ENVELOPE}) },
	blob.PKCS7: func(w *sealed) error {
		return w.by(ck.Mechanism{Type: ck.CKM_NCRYPT_PKCS7_ENVELOPE, Params: ck.RawParams(w.scheme.Context)})
	},
	blob.Opaque: (*sealed).opaque,
}

// dispatch has the mechanism take over that opens blobs of the type.
func (w *sealed) dispatch() error {
	name := string(w.scheme.Label)
	open, ok := blobOpeners[name]
	if !ok {
		return ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "there is no blob type %q that is under another key", name)
	}
	if algorithm := w.scheme.Info; len(algorithm) != 0 {
		text, ok := blob.ParseWide(algorithm)
		if !ok {
			return ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "the name of the algorithm is not UTF-16")
		}
		if err := w.ofAlgorithm(text); err != nil {
			return err
		}
	}
	return open(w)
}

func (w *sealed) by(m ck.Mechanism) (err error) {
	w.scheme, err = mech.Parse(m, mech.OpUnwrap)
	return err
}

// oaepOf are OAEP's hash functions, by CNG's names.
var oaepOf = map[string]mech.Hash{"SHA1": mech.SHA1, "SHA256": mech.SHA256, "SHA384": mech.SHA384, "SHA512": mech.SHA512}

func (w *sealed) rsaAES() error {
	b, err := blob.ParseRSAAES(w.data)
	if err != nil {
		return invalidBlob(err)
	}
	hash := oaepOf[b.Hash]
	if !hash.Known() {
		return ck.Errorf(ck.CKR_WRAPPED_KEY_INVALID, "OAEP with hash %q is not supported", b.Hash)
	}
	const aesBits = 256 // what opens the blob takes whatever it finds
	oaep := ck.OAEPParams{Hash: hash.Mechanism(), MGF: hash.MGF(), Source: ck.CKZ_DATA_SPECIFIED, Label: b.Label}
	w.data = b.Key
	return w.by(ck.Mechanism{Type: ck.CKM_RSA_AES_KEY_WRAP, Params: ck.RSAAESParams{AESBits: aesBits, OAEP: oaep}})
}

// opaque reads a blob of this provider's, under the key that its token has for them.
func (w *sealed) opaque() error {
	t, err := blob.ParseTransport(w.data)
	if err != nil {
		return invalidBlob(err)
	}
	if err := w.ofAlgorithm(t.Algorithm); err != nil {
		return err
	}
	w.most &= t.Usage
	if w.t, err = agreeingPolicy(w.t, t.Export); err != nil {
		return err
	}
	if onToken, _ := w.t.Find(ck.CKA_TOKEN); t.Name != "" && slices.Equal(onToken, attr.Bool(true)) {
		if err := w.add(ck.CKA_NCRYPT_KEY_NAME, []byte(t.Name)); err != nil {
			return err
		}
	}
	const tagBits = 128
	w.data = t.Key
	return w.by(ck.Mechanism{Type: ck.CKM_AES_GCM, Params: ck.GCMParams{IV: t.Nonce, AAD: t.Header(), TagBits: tagBits}})
}

// isolated puts into the template what an NCRYPT_ISOLATED_KEY_ENVELOPED_BLOB says of its key. The guard finds out whether that is authentic. Whoever made the
// envelope made it for a key that is isolated: it is so required, unless the template says that it is only preferred.
func (w *sealed) isolated() error {
	e, err := blob.ParseIsolated(w.data)
	if err != nil {
		return invalidBlob(err)
	}
	if err := w.ofAlgorithm(e.Algorithm); err != nil {
		return err
	}
	w.most &= e.Usage
	if w.t, err = agreeingPolicy(w.t, 0); err != nil {
		return err
	}
	if _, said := w.t.Find(ck.CKA_NCRYPT_PROTECTION); !said {
		w.t = append(w.t, attr.Attribute{Type: ck.CKA_NCRYPT_PROTECTION, Value: attr.ULong(uint(plan.Require))})
	}
	if e.PerBoot { // of a session key as well, which may be kept later, or have a copy that is
		return w.add(ck.CKA_NCRYPT_PER_BOOT, attr.Bool(true))
	}
	return nil
}

// algorithms are CNG's, with the keys that come in as blobs under others. Those of curves go on with the curve's name, or do not.
var algorithms = []struct {
	name    string
	class   ck.ObjectClass
	keyType ck.KeyType
	usage   uint32
}{
	{"RSA", ck.CKO_PRIVATE_KEY, ck.CKK_RSA, plan.NCRYPT_ALLOW_ALL_USAGES},
	{"ECDSA", ck.CKO_PRIVATE_KEY, ck.CKK_EC, plan.NCRYPT_ALLOW_SIGNING_FLAG}, // it agrees on nothing
	{"ECDH", ck.CKO_PRIVATE_KEY, ck.CKK_EC, plan.NCRYPT_ALLOW_ALL_USAGES},
	{"AES", ck.CKO_SECRET_KEY, ck.CKK_AES, plan.NCRYPT_ALLOW_ALL_USAGES},
	{"ML-DSA", ck.CKO_PRIVATE_KEY, ck.CKK_ML_DSA, plan.NCRYPT_ALLOW_ALL_USAGES},
	{"ML-KEM", ck.CKO_PRIVATE_KEY, ck.CKK_ML_KEM, plan.NCRYPT_ALLOW_ALL_USAGES},
}

// ofAlgorithm puts class and type of a key into the template, by CNG's name of its algorithm.
func (w *sealed) ofAlgorithm(name string) error {
	family, _, _ := strings.Cut(name, "_")
	for _, a := range algorithms {
		if a.name != family {
			continue
		}
		w.most &= a.usage
		if err := w.add(ck.CKA_CLASS, attr.ULong(uint(a.class))); err != nil {
			return err
		}
		return w.add(ck.CKA_KEY_TYPE, attr.ULong(uint(a.keyType)))
	}
	return ck.Errorf(ck.CKR_WRAPPED_KEY_INVALID, "keys of algorithm %q do not come in like this", name)
}

// add puts an attribute into the template, which may leave it out, but not say otherwise.
func (w *sealed) add(typ ck.AttributeType, value []byte) error {
	given, said := w.t.Find(typ)
	switch {
	case !said:
		w.t = append(w.t[:len(w.t):len(w.t)], attr.Attribute{Type: typ, Value: value})
	case !slices.Equal(given, value):
		return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "%v is another in the blob than in the template", typ)
	}
	return nil
}

// agreeingPolicy adds to a template how its key may leave at most.
func agreeingPolicy(t attr.Template, policy uint32) (attr.Template, error) {
	given, said := t.Find(ck.CKA_NCRYPT_EXPORT_POLICY)
	if !said {
		return append(t[:len(t):len(t)], attr.Attribute{Type: ck.CKA_NCRYPT_EXPORT_POLICY, Value: attr.ULong(uint(policy))}), nil
	}
	if number, err := attr.ParseULong(given); err != nil || number&^uint(policy) != 0 {
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "the key comes in with export policy %#x and no more, and CKA_NCRYPT_EXPORT_POLICY says otherwise", policy)
	}
	return t, nil
}

func invalidBlob(err error) error {
	return ck.Errorf(ck.CKR_WRAPPED_KEY_INVALID, "%v: %w", nte.Code(err), err)
}

// narrow gives a key that came in no more uses than it came in for, where the guard has found that out. The template may say less, but not otherwise.
func narrow(d *draft, t attr.Template, keys guard.Keys, vault guard.Vault, key *guard.Key) (*guard.Key, error) {
	i := slices.IndexFunc(key.Public, func(p guard.Part) bool { return p.Type == ck.CKA_NCRYPT_KEY_USAGE })
	if i < 0 {
		return key, nil
	}
	said, err := attr.ParseULong(key.Public[i].Value)
	usage := uint32(said)
	key.Public = slices.Delete(key.Public, i, i+1)
	if err == nil {
		err = d.narrow(t, usage)
	}
	if err != nil {
		keys.Forget(key.Ref)
		return nil, err
	}
	narrowed, err := keys.Reissue(vault, key.Ref, d.policy())
	keys.Forget(key.Ref)
	return narrowed, err
}

// narrow changes the attributes that the template leaves open.
func (d *draft) narrow(t attr.Template, usage uint32) error {
	class, keyType := classOf(d.set), keyTypeOf(d.set)
	limited, err := agreeingUsage(t, class, keyType, &usage)
	if err != nil {
		return err
	}
	for _, a := range limited[len(t):] {
		d.set.Put(a.Type, a.Value)
	}
	plan.Note(d.set)
	return nil
}
