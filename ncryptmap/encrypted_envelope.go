package ncryptmap

import (
	"crypto/des"
	"crypto/rsa"
	"math/big"
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
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
	owner, err := k.recipient(s, ksp, importKey, o.Certificate, e)
	if err != nil {
		return err
	}
	err = nte.Errorf(nte.NTE_BAD_DATA, "the envelope is for somebody else")
	for i := range e.Recipients {
		if err = k.openEnvelope(s, owner, e, &e.Recipients[i], o); err == nil {
			return nil
		}
	}
	return status(err)
}

// recipient finds who opens an envelope, and leaves only those of its recipients that he could be.
func (k *key) recipient(s *token.Session, ksp *KSP, importKey Handle, certificate []byte, e *blob.Enveloped) (opener, error) {
	var public *rsa.PublicKey
	if certificate != nil {
		c, err := blob.ParseCertificate(certificate)
		if err != nil {
			return nil, err
		}
		if public, err = rsaOf(c); err != nil {
			return nil, err
		}
		e.Recipients = slices.DeleteFunc(e.Recipients, func(r blob.Recipient) bool { return !r.Names(c) })
	}
	switch {
	case importKey != 0:
		return k.importer(ksp, importKey)
	case public == nil:
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "say who opens the envelope: NCRYPTBUFFER_CERT_BLOB with his certificate, or hImportKey")
	}
	found, err := find(s,
		attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PRIVATE_KEY))}, attr.Attribute{Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_RSA))},
		attr.Attribute{Type: ck.CKA_MODULUS, Value: public.N.Bytes()})
	if err != nil {
		return nil, status(err)
	}
	if len(found) == 0 {
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "there is no key in this scope that belongs to the certificate")
	}
	set, err := attributes(s, found[0], stored...)
	if err != nil {
		return nil, status(err)
	}
	owner := &key{}
	if err := owner.recognize(set); err != nil {
		return nil, err
	}
	return byObject{found[0]}, k.mayComeThrough(owner.usage)
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

// transport is the mechanism by which a recipient's key opens the content's.
func transport(r *blob.Recipient) (ck.Mechanism, bool) {
	if r.Hash == "" {
		return ck.Mechanism{Type: ck.CKM_RSA_PKCS}, true
	}
	hash, mgf := hashes[r.Hash], hashes[r.MGF]
	params := ck.OAEPParams{Hash: hash.mechanism, MGF: mgf.mgf, Source: ck.CKZ_DATA_SPECIFIED, Label: r.Label}
	return ck.Mechanism{Type: ck.CKM_RSA_PKCS_OAEP, Params: params}, hash.hash != 0 && mgf.hash != 0
}

// openEnvelope opens an envelope with a recipient's key. The content's key comes by C_UnwrapKey, which gives some key for whatever it is that PKCS #1 v1.5 does
// not open: so nobody learns from an envelope of his making what is in another's.
func (k *key) openEnvelope(s *token.Session, owner opener, e *blob.Enveloped, r *blob.Recipient, o *blob.Options) error {
	c := &content{iv: e.IV, data: e.Data, failure: nte.NTE_BAD_DATA}
	mechanism, ok := transport(r)
	if !ok {
		return c.failed()
	}
	w := &wrappedBlob{under: owner, mechanism: mechanism, data: slices.Clone(r.Key), class: ck.CKO_SECRET_KEY, keyType: ck.CKK_AES}
	if e.Cipher.AES {
		c.under = byTransport{w, e.Cipher.KeyLen}
		if err := probe(s, c.under); err != nil {
			return err
		}
		return k.readContent(s, c, o)
	}
	return k.readTripleDES(s, w, c, o, e.Cipher.KeyLen)
}

// probe finds out whether a key can be opened at all, so that a key that may not do it is told from content that is not what it should be.
func probe(s *token.Session, under opener) error {
	_, done, err := under.open(s)
	if err == nil {
		done()
	}
	return status(err)
}

// readTripleDES opens content under a cipher that guards have not: its key, and the content, come to the program.
func (k *key) readTripleDES(s *token.Session, w *wrappedBlob, c *content, o *blob.Options, length int) error {
	w.keyType = ck.CKK_GENERIC_SECRET
	t := append(passing()[2:], boolean(ck.CKA_SENSITIVE, false), boolean(ck.CKA_EXTRACTABLE, true), attr.Attribute{Type: ck.CKA_VALUE_LEN, Value: attr.ULong(uint(length))})
	object, err := w.unwrap(s, t)
	if err != nil {
		return status(err)
	}
	value, err := takeValue(s, object)
	if err != nil {
		return status(err)
	}
	defer value.Close()
	block, err := des.NewTripleDESCipher(value.Bytes())
	if err != nil {
		return c.failed()
	}
	plain, ok := blob.OpenCBC(block, c.iv, c.data)
	if !ok {
		return c.failed()
	}
	defer plain.Close()
	return k.readPlain(plain.Bytes(), c, o)
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
	mechanism, _ := transport(r)
	if r.Key, err = wrapWith(s, mechanism, owner, contentKey); err != nil {
		return err
	}
	e.Data, err = wrapWith(s, ck.Mechanism{Type: ck.CKM_AES_CBC_PAD, Params: ck.RawParams(e.IV)}, contentKey, object)
	return err
}
