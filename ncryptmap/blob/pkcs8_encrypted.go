package blob

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Encrypted is an EncryptedPrivateKeyInfo (RFC 5208, section 6) whose encryption is known and asks for no more work than is sensible.
type Encrypted struct {
	scheme *scheme
	prf    *prf
	salt   []byte
	rounds int
	iv     []byte // of PBES2; other schemes derive it
	data   []byte
}

// Limits of what a blob may ask for.
const (
	maxRounds = 10_000_000 // seconds
	maxSalt   = 1024
)

// errNotOpened cannot say more: neither scheme tells a wrong password from damage.
var errNotOpened = nte.Errorf(nte.NTE_DECRYPTION_FAILURE, "wrong password, or the blob is damaged")

// ParseEncrypted reads an EncryptedPrivateKeyInfo; nil where the blob is another structure. Errors: nte.NTE_NOT_SUPPORTED for other encryptions,
// nte.NTE_BAD_DATA.
func ParseEncrypted(der []byte) (*Encrypted, error) {
	input := cryptobyte.String(der)
	var info, algorithm, oid, data cryptobyte.String
	if !input.ReadASN1(&info, asn1.SEQUENCE) || !input.Empty() || !info.PeekASN1Tag(asn1.SEQUENCE) {
		return nil, nil
	}
	if !info.ReadASN1(&algorithm, asn1.SEQUENCE) || !algorithm.ReadASN1Element(&oid, asn1.OBJECT_IDENTIFIER) ||
		!info.ReadASN1(&data, asn1.OCTET_STRING) || !info.Empty() {
		return nil, badDER("EncryptedPrivateKeyInfo")
	}
	e := &Encrypted{data: data}
	var err error
	if string(oid) == string(oidPBES2) {
		err = e.parsePBES2(algorithm)
	} else {
		err = e.parsePBE(oid, algorithm)
	}
	switch {
	case err != nil:
		return nil, err
	case e.rounds < 1 || e.rounds > maxRounds || len(e.salt) == 0 || len(e.salt) > maxSalt:
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "%d rounds of key derivation with a salt of %d bytes: 1 to %d and at most %d are sensible", e.rounds, len(e.salt), maxRounds, maxSalt)
	case len(data) == 0 || len(data)%e.scheme.blockLen != 0:
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "the encrypted data is not made of whole blocks")
	}
	return e, nil
}

// NewEncrypted is the encryption that the options name, PBES2 with AES-256 where they name none, with a fresh IV and, unless the options have it, a fresh salt.
// Errors: nte.NTE_NOT_SUPPORTED for another cipher, nte.NTE_INVALID_PARAMETER without a password, or with an absurd number of rounds.
func NewEncrypted(o *Options) (*Encrypted, error) {
	if o.Password == nil {
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "an encrypted blob needs a password: NCRYPTBUFFER_PKCS_SECRET")
	}
	s, err := schemeFor(o.Cipher)
	if err != nil {
		return nil, err
	}
	e := &Encrypted{scheme: s, prf: prfSHA256, salt: slices.Clone(o.Salt), rounds: o.Rounds}
	if len(e.salt) == 0 {
		e.salt = fresh(s.saltLen)
	}
	if e.rounds == 0 {
		e.rounds = s.rounds
	}
	if e.rounds < 1 || e.rounds > maxRounds || len(e.salt) > maxSalt {
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "%d rounds of key derivation with a salt of %d bytes: 1 to %d and at most %d are sensible", e.rounds, len(e.salt), maxRounds, maxSalt)
	}
	if !s.derivesIV() {
		e.iv = fresh(s.blockLen)
	}
	return e, nil
}

func fresh(n int) []byte {
	out := make([]byte, n)
	rand.Read(out)
	return out
}

// AES says whether the cipher is AES in CBC mode, which guards have: then they can open and seal, and IV and Data are what they need beside the key.
func (e *Encrypted) AES() bool { return !e.scheme.derivesIV() && e.scheme.blockLen == aesBlock }

// IV is that of PBES2.
func (e *Encrypted) IV() []byte { return e.iv }

// Data is the ciphertext.
func (e *Encrypted) Data() []byte { return e.data }

// Key derives the key, and for schemes that derive it the IV behind it. The caller closes it. Error: nte.NTE_INVALID_PARAMETER for what is no password.
func (e *Encrypted) Key(password *secret.Bytes) (*secret.Bytes, error) {
	if password == nil {
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "the blob is encrypted: give its password, NCRYPTBUFFER_PKCS_SECRET")
	}
	return e.scheme.derive(e, password.Bytes())
}

// mode is the cipher with a key, and an IV behind it where the scheme derives one.
func (e *Encrypted) mode(key []byte) (cipher.Block, []byte, error) {
	iv := e.iv
	if e.scheme.derivesIV() {
		key, iv = key[:e.scheme.keyLen], key[e.scheme.keyLen:]
	}
	block, err := e.scheme.cipher(key)
	if err != nil {
		return nil, nil, nte.Errorf(nte.NTE_FAIL, "%w", err)
	}
	return block, iv, nil
}

// open decrypts.
func (e *Encrypted) open(password *secret.Bytes) (*secret.Bytes, error) {
	key, err := e.Key(password)
	if err != nil {
		return nil, err
	}
	defer key.Close()
	block, iv, err := e.mode(key.Bytes())
	if err != nil {
		return nil, err
	}
	plain, ok := OpenCBC(block, iv, e.data)
	if !ok {
		return nil, errNotOpened
	}
	return plain, nil
}

// seal encrypts.
func (e *Encrypted) seal(plain []byte, password *secret.Bytes) (*secret.Bytes, error) {
	key, err := e.Key(password)
	if err != nil {
		return nil, err
	}
	defer key.Close()
	block, iv, err := e.mode(key.Bytes())
	if err != nil {
		return nil, err
	}
	size := e.scheme.blockLen
	padding := size - len(plain)%size // RFC 8018, section 6.1.1: n bytes of value n
	data := make([]byte, len(plain)+padding)
	copy(data, plain)
	for i := len(plain); i < len(data); i++ {
		data[i] = byte(padding)
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, data)
	return e.Marshal(data)
}

// OpenCBC decrypts what was padded and encrypted in CBC mode; false where the padding is wrong.
func OpenCBC(block cipher.Block, iv, data []byte) (*secret.Bytes, bool) {
	size := block.BlockSize()
	if len(iv) != size || len(data) == 0 || len(data)%size != 0 {
		return nil, false
	}
	padded := secret.New(len(data))
	defer padded.Close()
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(padded.Bytes(), data)
	last := int(padded.Bytes()[len(data)-1])
	ok := subtle.ConstantTimeLessOrEq(1, last) & subtle.ConstantTimeLessOrEq(last, size)
	for i := range size {
		b := padded.Bytes()[len(data)-1-i]
		inside := subtle.ConstantTimeLessOrEq(i+1, last)
		ok &= subtle.ConstantTimeSelect(inside, subtle.ConstantTimeByteEq(b, byte(last)), 1)
	}
	if ok != 1 {
		return nil, false
	}
	return secret.Copy(padded.Bytes()[:len(data)-last]), true
}

// Marshal writes the structure around a ciphertext.
func (e *Encrypted) Marshal(data []byte) (*secret.Bytes, error) {
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { e.scheme.write(e, b) })
		b.AddASN1OctetString(data)
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, nte.Errorf(nte.NTE_FAIL, "writing an EncryptedPrivateKeyInfo: %w", err)
	}
	return secret.From(der), nil
}
