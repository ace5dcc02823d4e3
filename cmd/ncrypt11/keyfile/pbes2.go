package keyfile

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
	"strings"

	"golang.org/x/crypto/scrypt"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Limits on the work that a file may ask for: a file is not trusted to be small just because its passphrase is asked for.
const (
	maxIterations   = 10_000_000 // PBKDF2 and PKCS #12 key derivation: seconds
	maxScryptMemory = 1 << 28    // bytes
)

const (
	oidPBES2  = "1.2.840.113549.1.5.13"
	oidPBKDF2 = "1.2.840.113549.1.5.12"
	oidScrypt = "1.3.6.1.4.1.11591.4.11"
)

// pbes2Ciphers are the encryption schemes of RFC 8018, appendix B.2, that are still met.
var pbes2Ciphers = map[string]struct {
	keyLength int
	block     func(key []byte) (cipher.Block, error)
}{
	"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher},
	"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher},
	"2.16.840.1.101.3.4.1.42": {32, aes.NewCipher},
	"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher},
}

// pbkdf2PRFs are HMAC functions (RFC 8018, appendix B.1). Absent means HMAC-SHA-1.
var pbkdf2PRFs = map[string]func() hash.Hash{
	"":                    sha1.New,
	"1.2.840.113549.2.7":  sha1.New,
	"1.2.840.113549.2.8":  sha256.New224,
	"1.2.840.113549.2.9":  sha256.New,
	"1.2.840.113549.2.10": sha512.New384,
	"1.2.840.113549.2.11": sha512.New,
}

// The ASN.1 structures of RFC 5208 section 6, RFC 8018 appendix A and RFC 7914 section 7.
type (
	encryptedPrivateKeyInfo struct {
		Algorithm     pkix.AlgorithmIdentifier
		EncryptedData []byte
	}
	pbes2Params struct {
		KeyDerivation, Encryption pkix.AlgorithmIdentifier
	}
	pbkdf2Params struct {
		Salt           []byte
		IterationCount int
		KeyLength      int                      `asn1:"optional"`
		PRF            pkix.AlgorithmIdentifier `asn1:"optional"`
	}
	scryptParams struct {
		Salt                             []byte
		Cost, BlockSize, Parallelization int
		KeyLength                        int `asn1:"optional"`
	}
)

// readEncryptedPKCS8 decrypts PBES2 (RFC 8018, section 6.2). Everything about the file is checked before the passphrase is asked for.
func (p *parser) readEncryptedPKCS8(b block) error {
	var info encryptedPrivateKeyInfo
	if err := unmarshal(b.der, &info); err != nil {
		return b.fail(err)
	}
	scheme, err := newPBES2(info)
	if err != nil {
		return b.fail(err)
	}
	pass, err := p.passphrase(b)
	if err != nil {
		return err
	}
	defer pass.Close()
	der, err := scheme.decrypt(pass.Bytes())
	if err != nil {
		return b.fail(err)
	}
	defer secret.Wipe(der)
	// A wrong passphrase leaves valid padding once in 256 times, but not a structure.
	if shape, err := shapeOf(der); err != nil || !strings.HasPrefix(shape, shapePKCS8) {
		return b.fail(ErrPassphrase)
	}
	return p.readPKCS8(block{where: b.where, der: der})
}

// pbes2 is an encryption whose parameters have been checked.
type pbes2 struct {
	derive     func(passphrase []byte) ([]byte, error)
	block      func(key []byte) (cipher.Block, error)
	iv         []byte
	ciphertext []byte
}

func newPBES2(info encryptedPrivateKeyInfo) (*pbes2, error) {
	if oid := info.Algorithm.Algorithm.String(); oid != oidPBES2 {
		return nil, &Error{Err: fmt.Errorf("its encryption is not PBES2 (%s)", orOID("", oid)), Advice: adviceReapply}
	}
	var params pbes2Params
	if err := unmarshal(info.Algorithm.Parameters.FullBytes, &params); err != nil {
		return nil, err
	}
	oid := params.Encryption.Algorithm.String()
	scheme, ok := pbes2Ciphers[oid]
	if !ok {
		return nil, &Error{Err: fmt.Errorf("its cipher %s is not supported", orOID("", oid)), Advice: adviceReapply}
	}
	var iv []byte
	if err := unmarshal(params.Encryption.Parameters.FullBytes, &iv); err != nil {
		return nil, err
	}
	derive, err := newKDF(params.KeyDerivation, scheme.keyLength)
	if err != nil {
		return nil, err
	}
	return &pbes2{derive: derive, block: scheme.block, iv: iv, ciphertext: info.EncryptedData}, nil
}

func newKDF(algorithm pkix.AlgorithmIdentifier, length int) (func([]byte) ([]byte, error), error) {
	switch oid := algorithm.Algorithm.String(); oid {
	case oidPBKDF2:
		return newPBKDF2(algorithm.Parameters.FullBytes, length)
	case oidScrypt:
		return newScrypt(algorithm.Parameters.FullBytes, length)
	default:
		return nil, &Error{Err: fmt.Errorf("its key derivation %s is not supported", orOID("", oid)), Advice: adviceReapply}
	}
}

func newPBKDF2(der []byte, length int) (func([]byte) ([]byte, error), error) {
	var params pbkdf2Params
	if err := unmarshal(der, &params); err != nil {
		return nil, err
	}
	prf, ok := pbkdf2PRFs[params.PRF.Algorithm.String()]
	switch {
	case !ok:
		return nil, &Error{Err: fmt.Errorf("its key derivation uses the hash %s, which is not supported", orOID("", params.PRF.Algorithm.String())), Advice: adviceReapply}
	case params.IterationCount < 1:
		return nil, errDamaged
	case params.IterationCount > maxIterations:
		return nil, errTooMuchWork
	case params.KeyLength != 0 && params.KeyLength != length:
		return nil, errDamaged
	}
	return func(passphrase []byte) ([]byte, error) {
		// The standard library takes the passphrase as a string: that copy is the garbage collector's.
		return pbkdf2.Key(prf, string(passphrase), params.Salt, params.IterationCount, length)
	}, nil
}

func newScrypt(der []byte, length int) (func([]byte) ([]byte, error), error) {
	var params scryptParams
	if err := unmarshal(der, &params); err != nil {
		return nil, err
	}
	const perBlock = 128 // RFC 7914, section 6: V takes 128 * r * N octets
	switch n, r, parallel := params.Cost, params.BlockSize, params.Parallelization; {
	case n < 2 || n&(n-1) != 0 || r < 1 || parallel < 1 || params.KeyLength != 0 && params.KeyLength != length:
		return nil, errDamaged
	case n > maxScryptMemory || r > maxScryptMemory/perBlock/n || parallel > maxScryptMemory/perBlock/n/r:
		return nil, errTooMuchWork
	}
	return func(passphrase []byte) ([]byte, error) {
		return scrypt.Key(passphrase, params.Salt, params.Cost, params.BlockSize, params.Parallelization, length)
	}, nil
}

// decrypt returns the plaintext, to be wiped by the caller.
func (s *pbes2) decrypt(passphrase []byte) ([]byte, error) {
	key, err := s.derive(passphrase)
	if err != nil {
		return nil, err
	}
	defer secret.Wipe(key)
	block, err := s.block(key)
	if err != nil {
		return nil, err
	}
	size := block.BlockSize()
	if len(s.iv) != size || len(s.ciphertext) == 0 || len(s.ciphertext)%size != 0 {
		return nil, errDamaged
	}
	plaintext := make([]byte, len(s.ciphertext))
	cipher.NewCBCDecrypter(block, s.iv).CryptBlocks(plaintext, s.ciphertext)
	// RFC 8018, section 6.1.1: n octets of value n.
	n := int(plaintext[len(plaintext)-1])
	if n < 1 || n > size || bytes.Count(plaintext[len(plaintext)-n:], []byte{byte(n)}) != n {
		secret.Wipe(plaintext)
		return nil, ErrPassphrase
	}
	return plaintext[:len(plaintext)-n], nil
}

// unmarshal is asn1.Unmarshal of the whole of der.
func unmarshal(der []byte, into any) error {
	rest, err := asn1.Unmarshal(der, into)
	if err != nil || len(rest) != 0 {
		return errDamaged
	}
	return nil
}

var errTooMuchWork = errors.New("its key derivation asks for more work than is sensible")
