package ncryptmap

import (
	"encoding/binary"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// The functions whose names end in To put their result where the caller has room for it, as those of ncrypt.h do: they give its length, and
// NTE_BUFFER_TOO_SMALL beside it where it does not fit. A caller without a buffer asks for the length only; then nothing is signed, and nothing leaves.

// fill puts a result that is there into the caller's buffer.
func fill(out token.Output, result []byte) (int, error) {
	switch {
	case out.Null:
	case len(out.Buf) < len(result):
		return len(result), tooSmall(len(result))
	default:
		copy(out.Buf, result)
	}
	return len(result), nil
}

func tooSmall(n int) error { return nte.Errorf(nte.NTE_BUFFER_TOO_SMALL, "the result has %d bytes", n) }

// into puts an operation's result into the caller's buffer. An operation of PKCS #11 stays active where there is no room (section 5.2); NCrypt has no
// operations that last, so it is ended.
func into(key *key, operation ck.Flags, out token.Output, do func(token.Output) (int, error)) (int, error) {
	n, err := do(out)
	if out.Null || ck.Code(err) == ck.CKR_BUFFER_TOO_SMALL {
		_ = key.session.SessionCancel(operation) // it is over already where the session is
	}
	return n, status(err)
}

// SignHashTo is SignHash into a buffer.
func (k *KSP) SignHashTo(out token.Output, handle Handle, padding *Padding, hash []byte, flags uint32) (int, error) {
	key, data, err := k.beginSign(handle, padding, hash, flags)
	if err != nil {
		return 0, err
	}
	defer key.mu.Unlock()
	return into(key, ck.CKF_SIGN, out, func(out token.Output) (int, error) { return key.session.Sign(data, out) })
}

// EncryptTo is Encrypt into a buffer.
func (k *KSP) EncryptTo(out token.Output, handle Handle, padding *Padding, data []byte, flags uint32) (int, error) {
	key, err := k.beginEncrypt(handle, padding, data, flags, out.Null)
	if err != nil {
		return 0, err
	}
	defer key.mu.Unlock()
	return into(key, ck.CKF_ENCRYPT, out, func(out token.Output) (int, error) { return key.session.Encrypt(data, out) })
}

// DecryptTo is Decrypt into a buffer. The length that it gives without one may be more than the result's.
func (k *KSP) DecryptTo(out token.Output, handle Handle, padding *Padding, data []byte, flags uint32) (int, error) {
	key, err := k.beginDecrypt(handle, padding, data, flags)
	if err != nil {
		return 0, err
	}
	defer key.mu.Unlock()
	return into(key, ck.CKF_DECRYPT, out, func(out token.Output) (int, error) { return key.session.Decrypt(data, out) })
}

// ExportKeyTo is ExportKey into a buffer.
func (k *KSP) ExportKeyTo(out token.Output, handle, exportKey Handle, blobType string, params *Buffers, flags uint32) (int, error) {
	room := len(out.Buf)
	if out.Null {
		room = -1
	}
	blob, err := k.exportKey(handle, exportKey, blobType, params, flags, room)
	if err != nil {
		return 0, err
	}
	defer blob.Close()
	return fill(out, blob.Bytes())
}

// DeriveKeyTo is DeriveKey into a buffer, whose length is how many bytes are wanted.
func (k *KSP) DeriveKeyTo(out token.Output, sharedSecret Handle, kdf string, params *Buffers, flags uint32) (int, error) {
	derived, err := k.DeriveKey(sharedSecret, kdf, params, len(out.Buf), flags)
	if err != nil {
		return 0, err
	}
	defer derived.Close()
	return fill(out, derived.Bytes())
}

// GetPropertyTo is GetProperty into a buffer.
func (k *KSP) GetPropertyTo(out token.Output, object Handle, name string, flags uint32) (int, error) {
	value, err := k.GetProperty(object, name, flags)
	if err != nil {
		return 0, err
	}
	n, err := fill(out, value)
	if name == NCRYPT_PROVIDER_HANDLE_PROPERTY && (out.Null || err != nil) {
		_ = k.FreeObject(Handle(binary.LittleEndian.Uint64(value))) // nobody has got it
	}
	return n, err
}

// Kind is what a handle can stand for.
type Kind int

// The kinds of handles.
const (
	Object Kind = iota // anything
	Provider
	Key
	Secret
)

// Check says whether a handle stands for a thing of that kind, for callers that have more to check before they call. Error: NTE_INVALID_HANDLE.
func (k *KSP) Check(handle Handle, kind Kind) error {
	var err error
	switch kind {
	case Provider:
		_, err = get[*provider](&k.handles, handle)
	case Key:
		_, err = get[*key](&k.handles, handle)
	case Secret:
		_, err = get[*agreed](&k.handles, handle)
	default:
		_, err = get[interface{ close() }](&k.handles, handle)
	}
	return err
}
