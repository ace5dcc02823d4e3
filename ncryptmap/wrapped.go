package ncryptmap

import (
	"encoding/binary"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Blobs that are under another key (hImportKey, hExportKey) are unwrapped where that key is: in the guard. The program never has what is in them.
const (
	blobAESWrap    = "Rfc3565KeyWrapBlob"   // BCRYPT_AES_WRAP_KEY_BLOB: what RFC 3394 gives, and nothing else
	blobRSAAESWrap = "PKCS11RsaAesWrapBlob" // BCRYPT_PKCS11_RSA_AES_WRAP_KEY_BLOB
)

// wrappedBlob is a blob that waits for its key to become final.
type wrappedBlob struct {
	wrapping  *key
	mechanism ck.Mechanism
	data      []byte
}

// readWrapped looks at a blob that is under another key, and unwraps it once to see that it can be.
func (k *key) readWrapped(ksp *KSP, importKey Handle, blobType string, params *Buffers, data []byte) error {
	wrapping, err := ksp.finished(importKey)
	if err != nil {
		return err
	}
	defer wrapping.mu.Unlock()
	const imports = plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG | plan.NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG
	if err := wrapping.permits(imports); err != nil {
		return err
	}
	if k.name != "" && wrapping.usage&plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG == 0 {
		return nte.Errorf(nte.NTE_PERM, "the key is for imports of keys without a name only")
	}
	w := &wrappedBlob{wrapping: wrapping}
	algorithm, err := params.text(NCRYPTBUFFER_PKCS_ALG_ID)
	if err != nil {
		return err
	}
	switch blobType {
	case blobAESWrap:
		w.mechanism, w.data = ck.Mechanism{Type: ck.CKM_AES_KEY_WRAP}, append([]byte{}, data...)
		if algorithm == "" {
			algorithm = "AES"
		}
	case blobRSAAESWrap:
		if w.mechanism, w.data, err = parseRSAAES(data); err != nil {
			return err
		}
	default:
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "there is no blob type %q that is under another key", blobType)
	}
	if k.algorithm = algorithmOf(algorithm); k.algorithm == nil {
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "there is no algorithm %q", algorithm)
	}
	k.class, k.curve = k.algorithm.class, k.algorithm.curve
	k.wrapped = w
	return k.tryUnwrap()
}

// tryUnwrap takes the key in for a moment, to learn its length, and whether it is one.
func (k *key) tryUnwrap() error {
	s, err := k.provider.session(k.machine, true)
	if err != nil {
		return status(err)
	}
	defer s.Close()
	object, err := k.wrapped.unwrapLocked(s, attr.Template{boolean(ck.CKA_TOKEN, false), boolean(ck.CKA_EXTRACTABLE, false), boolean(ck.CKA_SENSITIVE, true)}, k)
	if err != nil {
		return status(err)
	}
	set, err := attributes(s, object, stored...)
	if err != nil {
		return status(err)
	}
	found := &key{}
	if err := found.recognize(set); err != nil {
		return err
	}
	k.length, k.curve = found.length, found.curve
	if k.algorithm.keyType == ck.CKK_EC {
		if named := algorithmOn(k.algorithm.group, found.curve); named != nil {
			k.algorithm = named
		}
	}
	return nil
}

// unwrap makes the key's object.
func (w *wrappedBlob) unwrap(s *token.Session, t attr.Template) (ck.ObjectHandle, error) {
	w.wrapping.mu.Lock()
	defer w.wrapping.mu.Unlock()
	if w.wrapping.session == nil {
		return 0, nte.Errorf(nte.NTE_INVALID_HANDLE, "the key that the blob is under was freed")
	}
	return w.unwrapLocked(s, t, nil)
}

// unwrapLocked unwraps with the wrapping key in its own session's token, whose lock the caller holds.
func (w *wrappedBlob) unwrapLocked(s *token.Session, t attr.Template, k *key) (ck.ObjectHandle, error) {
	class, keyType := ck.CKO_SECRET_KEY, ck.CKK_AES
	if k != nil {
		class, keyType = k.class, k.algorithm.keyType
		t = append(t, attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(class))}, attr.Attribute{Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(keyType))})
	}
	if s.Info().SlotID != w.wrapping.session.Info().SlotID {
		return 0, nte.Errorf(nte.NTE_NOT_SUPPORTED, "the key and the one that it is under must be in the same token")
	}
	return s.UnwrapKey(w.mechanism, w.wrapping.object, w.data, t)
}

// BCRYPT_PKCS11_RSA_AES_WRAP_BLOB: dwMagic, cbKey, cbPaddingAlgId, cbPaddingLabel; then the wrapped key, the name of OAEP's hash, OAEP's label.
const (
	magicRSAAES  = 0x57504152
	rsaAESHeader = 16
)

func parseRSAAES(data []byte) (ck.Mechanism, []byte, error) {
	if len(data) < rsaAESHeader {
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_BAD_DATA, "the blob has no header")
	}
	if magic := binary.LittleEndian.Uint32(data); magic != magicRSAAES {
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "the blob begins with %#08x, not with %#08x", magic, magicRSAAES)
	}
	n, h, l := uint64(binary.LittleEndian.Uint32(data[4:])), uint64(binary.LittleEndian.Uint32(data[8:])), uint64(binary.LittleEndian.Uint32(data[12:]))
	if rsaAESHeader+n+h+l != uint64(len(data)) {
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_BAD_DATA, "the lengths in the blob's header do not fit its size")
	}
	body := data[rsaAESHeader:]
	name, ok := narrow(body[n : n+h])
	hash, known := hashes[name]
	if !ok || !known {
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "OAEP with hash %q is not supported", name)
	}
	oaep := ck.OAEPParams{Hash: hash.mechanism, MGF: hash.mgf, Source: ck.CKZ_DATA_SPECIFIED, Label: append([]byte{}, body[n+h:]...)}
	return ck.Mechanism{Type: ck.CKM_RSA_AES_KEY_WRAP, Params: ck.RSAAESParams{AESBits: 256, OAEP: oaep}}, append([]byte{}, body[:n]...), nil
}

// exportWrapped is ExportKey under another key.
func (k *key) exportWrapped(ksp *KSP, exportKey Handle, blobType string, params *Buffers) (*secret.Bytes, error) {
	const allowed = plan.NCRYPT_ALLOW_EXPORT_FLAG | plan.NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG
	if k.export&allowed == 0 && (blobType != blobRSAAESWrap || k.export&plan.NCRYPT_ALLOW_PKCS11_RSA_AES_EXPORT_FLAG == 0) {
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "the key's export policy %#x does not allow it", k.export)
	}
	wrapping, err := ksp.finished(exportKey)
	if err != nil {
		return nil, err
	}
	defer wrapping.mu.Unlock()
	switch blobType {
	case blobAESWrap:
		return k.wrap(wrapping, ck.Mechanism{Type: ck.CKM_AES_KEY_WRAP})
	case blobRSAAESWrap:
		return k.wrapRSAAES(wrapping, params)
	}
	return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "there is no blob type %q that is under another key", blobType)
}

// wrap has the guard put the key under another.
func (k *key) wrap(wrapping *key, mechanism ck.Mechanism) (*secret.Bytes, error) {
	object := wrapping.object
	if wrapping.class != ck.CKO_SECRET_KEY {
		var err error
		if object, err = wrapping.publicObject(); err != nil {
			return nil, err
		}
	}
	if k.session.Info().SlotID != wrapping.session.Info().SlotID {
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "the key and the one that it is to be under must be in the same token")
	}
	out, err := whole(func(out token.Output) (int, error) { return k.session.WrapKey(mechanism, object, k.object, out) })
	if err != nil {
		return nil, err
	}
	return secret.From(out), nil
}

// wrapRSAAES makes a blob of CKM_RSA_AES_KEY_WRAP's output.
func (k *key) wrapRSAAES(wrapping *key, params *Buffers) (*secret.Bytes, error) {
	name, err := params.text(NCRYPTBUFFER_PKCS_PADDING_ALGO)
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = "SHA256"
	}
	hash, known := hashes[name]
	if !known {
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "OAEP with hash %q is not supported", name)
	}
	bits := uint32(256)
	if value, ok := params.find(NCRYPTBUFFER_PKCS_AES_KEY_BITS); ok {
		if bits, err = parseDword(value); err != nil {
			return nil, err
		}
	}
	label, _ := params.find(NCRYPTBUFFER_PKCS_PADDING_LABEL)
	oaep := ck.OAEPParams{Hash: hash.mechanism, MGF: hash.mgf, Source: ck.CKZ_DATA_SPECIFIED, Label: label}
	wrapped, err := k.wrap(wrapping, ck.Mechanism{Type: ck.CKM_RSA_AES_KEY_WRAP, Params: ck.RSAAESParams{AESBits: uint(bits), OAEP: oaep}})
	if err != nil {
		return nil, err
	}
	defer wrapped.Close()
	out := dword(magicRSAAES, uint32(wrapped.Len()), uint32(len(wide(name))), uint32(len(label)))
	out = append(append(append(out, wrapped.Bytes()...), wide(name)...), label...)
	return secret.From(out), nil
}
