package blob

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// maxPassword bounds the work on a password, bytes.
const maxPassword = 4096

// checkPassword refuses what is not UTF-16LE with one NUL, at its end: a password that was cut off in the middle of a character, or lacks its end, would
// encrypt to something that nobody opens.
func checkPassword(password []byte) error {
	n := len(password)
	if n < 2 || n%2 != 0 || n > maxPassword {
		return nte.Errorf(nte.NTE_INVALID_PARAMETER, "a password is UTF-16 with a NUL at its end, at most %d bytes", maxPassword)
	}
	for i := 0; i < n; i += 2 {
		if end := password[i] == 0 && password[i+1] == 0; end != (i == n-2) {
			return nte.Errorf(nte.NTE_INVALID_PARAMETER, "a password is UTF-16 with one NUL, at its end")
		}
	}
	return nil
}

// derivePBKDF2 derives from the password in UTF-8, without the NUL, as RFC 8018 (section 3) recommends and OpenSSL and .NET have it.
func derivePBKDF2(e *Encrypted, password []byte) (*secret.Bytes, error) {
	if err := checkPassword(password); err != nil {
		return nil, err
	}
	text := secret.New(2 * len(password)) // a unit of UTF-16 takes three bytes at most
	defer text.Close()
	out := text.Bytes()[:0]
	for i := 0; i < len(password)-2; i += 2 {
		r := rune(binary.LittleEndian.Uint16(password[i:]))
		if utf16.IsSurrogate(r) {
			if r = utf16.DecodeRune(r, rune(binary.LittleEndian.Uint16(password[i+2:]))); r == utf8.RuneError {
				return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "the password is not UTF-16")
			}
			i += 2
		}
		out = utf8.AppendRune(out, r)
	}
	// The standard library takes the password as a string: that copy is the garbage collector's.
	key, err := pbkdf2.Key(e.prf.hash, string(out), e.salt, e.rounds, e.scheme.keyLen)
	if err != nil {
		return nil, nte.Errorf(nte.NTE_FAIL, "%w", err)
	}
	return secret.From(key), nil
}

// The purposes of what is derived (RFC 7292, appendix B.3).
const (
	pkcs12Key = 1
	pkcs12IV  = 2
)

// derivePKCS12 derives the key, and the IV behind it, from the password as a BMPString with its NUL (RFC 7292, appendix B.1).
func derivePKCS12(e *Encrypted, password []byte) (*secret.Bytes, error) {
	if err := checkPassword(password); err != nil {
		return nil, err
	}
	big := secret.Copy(password)
	defer big.Close()
	for i, b := 0, big.Bytes(); i < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	out := secret.New(e.scheme.keyLen + e.scheme.blockLen)
	pkcs12KDF(out.Bytes()[:e.scheme.keyLen], pkcs12Key, big.Bytes(), e.salt, e.rounds)
	pkcs12KDF(out.Bytes()[e.scheme.keyLen:], pkcs12IV, big.Bytes(), e.salt, e.rounds)
	return out, nil
}

// pkcs12KDF fills out by the method of RFC 7292, appendix B.2, with SHA-1.
func pkcs12KDF(out []byte, id byte, password, salt []byte, rounds int) {
	const v = sha1.BlockSize
	whole := func(n int) int { return (n + v - 1) / v * v }
	input := secret.New(whole(len(salt)) + whole(len(password)))
	defer input.Close()
	i := input.Bytes()
	for j := range i {
		if s := whole(len(salt)); j < s {
			i[j] = salt[j%len(salt)]
		} else {
			i[j] = password[(j-s)%len(password)]
		}
	}
	diversifier := make([]byte, v)
	for j := range diversifier {
		diversifier[j] = id
	}
	block, sum := secret.New(v), secret.New(sha1.Size)
	defer block.Close()
	defer sum.Close()
	for len(out) > 0 {
		h := sha1.New()
		h.Write(diversifier)
		h.Write(i)
		h.Sum(sum.Bytes()[:0])
		for range rounds - 1 {
			h.Reset()
			h.Write(sum.Bytes())
			h.Sum(sum.Bytes()[:0])
		}
		out = out[copy(out, sum.Bytes()):]
		for j, b := 0, block.Bytes(); j < v; j++ {
			b[j] = sum.Bytes()[j%sha1.Size]
		}
		for j := 0; j < len(i); j += v {
			addOne(i[j:j+v], block.Bytes())
		}
	}
}

// addOne makes of the big-endian number a the sum a + b + 1, without what does not fit.
func addOne(a, b []byte) {
	carry := uint16(1)
	for i := len(a) - 1; i >= 0; i-- {
		carry += uint16(a[i]) + uint16(b[i])
		a[i] = byte(carry)
		carry >>= 8
	}
}
