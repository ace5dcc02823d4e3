package mech

import "github.com/ncrypt11/ncrypt11/token/ck"

// restrict takes from a row what Go refuses to compute where GODEBUG says fips140=only: a program's environment reaches the library's
// runtime, and a mechanism that is offered must work. A row that is left without a function to serve is not offered.
func restrict(r *Row) {
	if r.Hash == MD5 || r.Hash == SHA1 {
		r.Flags &^= servings
	}
	switch r.Primitive {
	case RSAPKCS1: // signatures stay, encryption goes
		r.Flags &^= crypts | wraps
	case AESGCM: // Go wants to choose the nonces itself
		r.Flags &^= servings
	case GenerateMontgomery:
		r.Flags &^= servings
	case MLDSA, GenerateMLDSA: // not of Go's cryptographic module
		r.Flags &^= servings
	case ECDH, ECDHAESKeyWrap:
		r.KeyTypes = types(ck.CKK_EC)
		r.Min, r.Max = fieldBits(r.KeyTypes)
	}
	if r.Takes(ck.CKK_RSA) {
		r.Min = 2048
	}
	if r.Primitive == HMAC {
		r.Min = 112 / 8
	}
}
