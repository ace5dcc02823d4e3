package ncryptmap

import (
	"crypto/rsa"
	"math/big"
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// envelopeBuffers are the parameters that an envelope comes with. Others are refused, unlike those of other blobs.
var envelopeBuffers = []uint32{NCRYPTBUFFER_CERT_BLOB, NCRYPTBUFFER_PKCS_KEY_NAME, NCRYPTBUFFER_PKCS_ALG_ID}

// readEnvelope reads a PKCS #7 EnvelopedData. It is opened with hImportKey, or with the key of the certificate that comes beside it.
func (k *key) readEnvelope(ksp *KSP, importKey Handle, params *Buffers, data []byte) error {
	if params != nil {
		for _, b := range params.List {
			if !slices.Contains(envelopeBuffers, b.Type) {
				return nte.Errorf(nte.NTE_INVALID_PARAMETER, "parameter %d does not belong to %s", b.Type, blob.PKCS7)
			}
		}
	}
	o, err := params.options()
	if err != nil {
		return err
	}
	e, err := blob.ParseEnveloped(data)
	if err != nil {
		return err
	}
	s, err := k.provider.session(k.machine, true)
	if err != nil {
		return status(err)
	}
	defer s.Close()
	owner, der, err := k.recipient(s, ksp, importKey, o.Certificate, e)
	if err != nil {
		return err
	}
	if len(e.Recipients) == 0 {
		return nte.Errorf(nte.NTE_BAD_DATA, "the envelope is for somebody else")
	}
	w := &wrappedBlob{under: owner, mechanism: ck.Mechanism{Type: ck.CKM_NCRYPT_PKCS7_ENVELOPE}, data: data}
	if der != nil {
		w.mechanism.Params = ck.RawParams(der)
	}
	return k.takeOut(s, w, o.Algorithm)
}

// contents are the algorithms that a key in an envelope can be of. Which it is, only the guard sees, and it says of all others no more than that they are wrong.
func contents() []*algorithm {
	return []*algorithm{algorithmOf("RSA"), algorithmOf("ECDH"), algorithmOn("ECDH", pubkey.X25519), algorithmOf("ML-DSA"), algorithmOf("ML-KEM")}
}

// takeOut has the guard take a key out of an envelope, whatever it is. What is in there may say what the key is for, which is then what it may do at most; a parameter
// may say for which group of algorithms a key on a curve is.
func (k *key) takeOut(s *token.Session, w *wrappedBlob, asked string) error {
	var said uint32
	var err error
	for _, a := range contents() {
		if said, err = k.awaitAs(s, w, a); nte.Code(err) != nte.NTE_BAD_DATA {
			break
		}
	}
	if err != nil {
		return err
	}
	if said != plan.NCRYPT_ALLOW_ALL_USAGES {
		k.usage, k.most = said, &limits{export: allExportPolicies, usage: said}
	}
	group := k.algorithm.group
	if group == "ECDH" && said&plan.NCRYPT_ALLOW_KEY_AGREEMENT_FLAG == 0 {
		group = "ECDSA"
	}
	if named := algorithmOn(groupAsked(group, asked), k.curve); named != nil && k.algorithm.keyType == ck.CKK_EC {
		k.algorithm = named
	}
	return nil
}

// recipient finds who opens an envelope, with the certificate that says so, and leaves only those of its recipients that he could be.
func (k *key) recipient(s *token.Session, ksp *KSP, importKey Handle, certificate []byte, e *blob.Enveloped) (owner opener, der []byte, err error) {
	var public *rsa.PublicKey
	if certificate != nil {
		c, err := blob.ParseCertificate(certificate)
		if err != nil {
			return nil, nil, err
		}
		if public, err = rsaOf(c); err != nil {
			return nil, nil, err
		}
		der = c.DER
		e.Recipients = slices.DeleteFunc(e.Recipients, func(r blob.Recipient) bool { return !r.Names(c) })
	}
	switch {
	case importKey != 0:
		owner, err = k.importer(ksp, importKey)
		return owner, der, err
	case public == nil:
		return nil, nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "say who opens the envelope: NCRYPTBUFFER_CERT_BLOB with his certificate, or hImportKey")
	}
	found, err := find(s,
		attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PRIVATE_KEY))}, attr.Attribute{Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_RSA))},
		attr.Attribute{Type: ck.CKA_MODULUS, Value: public.N.Bytes()})
	if err != nil {
		return nil, nil, status(err)
	}
	if len(found) == 0 {
		return nil, nil, nte.Errorf(nte.NTE_BAD_DATA, "there is no key in this scope that belongs to the certificate")
	}
	set, err := attributes(s, found[0], stored...)
	if err != nil {
		return nil, nil, status(err)
	}
	holder := &key{}
	if err := holder.recognize(set); err != nil {
		return nil, nil, err
	}
	return byObject{found[0]}, der, k.mayComeThrough(holder.usage)
}

func rsaOf(c *blob.Certificate) (*rsa.PublicKey, error) {
	parsed, err := pubkey.ParseSPKI(c.Public)
	if err != nil {
		return nil, status(err)
	}
	public, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "the certificate has a key of another kind than RSA, which is what envelopes are for")
	}
	return public, nil
}

// writeEnvelope writes an EnvelopedData for the owner of a certificate. The guard makes the content's key, wraps the key under it, and it under the certificate's
// public key by OAEP: the program has neither.
func (k *key) writeEnvelope(s *token.Session, object ck.ObjectHandle, o *blob.Options) (*secret.Bytes, error) {
	if k.class != ck.CKO_PRIVATE_KEY {
		return nil, nte.Errorf(nte.NTE_BAD_TYPE, "%s needs a private key", blob.PKCS7)
	}
	if o.Certificate == nil {
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "say for whom the envelope is: NCRYPTBUFFER_CERT_BLOB with his certificate")
	}
	certificate, err := blob.ParseCertificate(o.Certificate)
	if err != nil {
		return nil, err
	}
	public, err := rsaOf(certificate)
	if err != nil {
		return nil, err
	}
	cipher, err := blob.NewCipher(o.Cipher)
	if err != nil {
		return nil, err
	}
	e := &blob.Enveloped{Cipher: cipher, IV: fresh(16)}
	r := blob.Recipient{Issuer: certificate.Issuer, Serial: certificate.Serial, Hash: "SHA256", MGF: "SHA256"}
	if err := sealEnvelope(s, object, public, e, &r); err != nil {
		return nil, err
	}
	e.Recipients = []blob.Recipient{r}
	der, err := e.Marshal()
	if err != nil {
		return nil, err
	}
	return secret.From(der), nil
}

func sealEnvelope(s *token.Session, object ck.ObjectHandle, public *rsa.PublicKey, e *blob.Enveloped, r *blob.Recipient) error {
	length := attr.Attribute{Type: ck.CKA_VALUE_LEN, Value: attr.ULong(uint(e.Cipher.KeyLen))}
	t := append(passing(ck.CKA_WRAP), boolean(ck.CKA_SENSITIVE, true), boolean(ck.CKA_EXTRACTABLE, true), length)
	contentKey, err := s.GenerateKey(ck.Mechanism{Type: ck.CKM_AES_KEY_GEN}, t)
	if err != nil {
		return err
	}
	defer func() { _ = s.DestroyObject(contentKey) }() // it goes with its session at the latest
	owner, err := s.CreateObject(attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PUBLIC_KEY))}, {Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_RSA))},
		boolean(ck.CKA_TOKEN, false), boolean(ck.CKA_WRAP, true), {Type: ck.CKA_MODULUS, Value: public.N.Bytes()},
		{Type: ck.CKA_PUBLIC_EXPONENT, Value: big.NewInt(int64(public.E)).Bytes()},
	})
	if err != nil {
		return err
	}
	defer func() { _ = s.DestroyObject(owner) }()
	oaep := ck.OAEPParams{Hash: hashes[r.Hash].mechanism, MGF: hashes[r.MGF].mgf, Source: ck.CKZ_DATA_SPECIFIED}
	mechanism := ck.Mechanism{Type: ck.CKM_RSA_PKCS_OAEP, Params: oaep}
	if r.Key, err = wrapWith(s, mechanism, owner, contentKey); err != nil {
		return err
	}
	e.Data, err = wrapWith(s, ck.Mechanism{Type: ck.CKM_AES_CBC_PAD, Params: ck.RawParams(e.IV)}, contentKey, object)
	return err
}
