package mech

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// maxSaltLen is the longest salt that the largest modulus leaves room for.
const maxSaltLen = MaxRSABits / 8

// Parse checks m for op and gives its scheme. Errors: CKR_MECHANISM_INVALID where there is no such mechanism or it does not serve op,
// CKR_MECHANISM_PARAM_INVALID. What depends on the key too is checked where the key is used.
//
// The Scheme may be shared with other calls and alias m's parameter: set Ticket in a copy, change nothing else.
func Parse(m ck.Mechanism, op Op) (*Scheme, error) { return ParseInto(nil, m, op) }

// ParseInto is Parse for a caller that has room for a Scheme, which is used where none can be shared. s may be nil.
func ParseInto(s *Scheme, m ck.Mechanism, op Op) (*Scheme, error) {
	e := table.lookUp(m.Type)
	if e.row == nil {
		return nil, ck.Errorf(ck.CKR_MECHANISM_INVALID, "no such mechanism here: %v", m.Type)
	}
	if !e.row.Serves(op) {
		if m.Type == ck.CKM_EDDSA && op == OpGenerateKeyPair { // so GnuTLS 3.7 asks for Ed25519 keys
			return ParseInto(s, ck.Mechanism{Type: ck.CKM_EC_EDWARDS_KEY_PAIR_GEN, Params: m.Params}, op)
		}
		return nil, ck.Errorf(ck.CKR_MECHANISM_INVALID, "%v does not serve this function", m.Type)
	}
	if isAbsent(m.Params) {
		if !mayBeAbsent(e.row.Params) {
			return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "%v needs a parameter", m.Type)
		}
		return e.scheme, nil
	}
	if s == nil {
		s = new(Scheme)
	}
	*s = Scheme{Row: e.row, Hash: e.row.Hash}
	if reason := readers[e.row.Params](s, m.Params); reason != "" {
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "%v: %s", m.Type, reason)
	}
	return s, nil
}

// isAbsent takes a parameter of no bytes for none, whatever the pointer was.
func isAbsent(params any) bool {
	raw, ok := params.(ck.RawParams)
	return params == nil || ok && len(raw) == 0
}

func mayBeAbsent(kind ParamKind) bool {
	return kind == NoParams || kind == WrapIVParams || kind == CertificateParams || kind == EdDSAParams || kind == ContextParams
}

// readers put a parameter into a scheme, or say what is wrong with it.
var readers = [...]func(s *Scheme, params any) string{
	NoParams:      func(*Scheme, any) string { return "takes no parameter" },
	IVParams:      readIV,
	WrapIVParams:  readWrapIV,
	ULongParams:   readMACLen,
	OAEPParams:    readOAEP,
	PSSParams:     readPSS,
	CTRParams:     readCTR,
	GCMParams:     readGCM,
	ECDH1Params:   readECDH1,
	EdDSAParams:   readEdDSA,
	RSAAESParams:  readRSAAES,
	ECDHAESParams: readECDHAES,
	HKDFParams:    readHKDF,
	SKIParams:     readSKISession,

	BlobParams:        readBlob,
	CertificateParams: readCertificate,
	ContextParams:     readContext,
}

const wrongKind = "a parameter of another mechanism"

func readIV(s *Scheme, params any) string {
	iv, ok := params.(ck.RawParams)
	if !ok || len(iv) != 16 {
		return "the IV must have 16 bytes"
	}
	s.IV = iv
	return ""
}

func readWrapIV(s *Scheme, params any) string {
	iv, ok := params.(ck.RawParams)
	switch {
	case !ok:
		return wrongKind
	case s.Row.Primitive == AESKeyWrap && len(iv) != 8:
		return "the initial value must have 8 bytes (RFC 3394)"
	case s.Row.Primitive == AESKeyWrapPad && len(iv) != 4:
		return "the alternative initial value must have 4 bytes (RFC 5649)"
	}
	s.IV = iv
	return ""
}

func readMACLen(s *Scheme, params any) string {
	whole := 16 // CMAC
	if s.Row.Primitive == HMAC {
		whole = s.Hash.Size()
	}
	n, ok := params.(ck.ULongParams)
	if !ok || n == 0 || n > ck.ULongParams(whole) {
		return "the MAC length must be from 1 to the whole"
	}
	s.MACLen = int(n)
	return ""
}

func readOAEP(s *Scheme, params any) string {
	p, ok := params.(ck.OAEPParams)
	if !ok {
		return wrongKind
	}
	// Some callers leave the source 0 where there is no label.
	if p.Source != ck.CKZ_DATA_SPECIFIED && (p.Source != 0 || len(p.Label) != 0) {
		return "the source of the label is not CKZ_DATA_SPECIFIED"
	}
	s.Label = p.Label
	// OpenSSL's provider leaves 0 what its caller did not choose, and means what OpenSSL would take: SHA-1, and for the mask the same hash.
	if p.Hash == 0 && p.MGF == 0 {
		p.Hash = ck.CKM_SHA_1
	}
	if p.MGF == 0 {
		p.MGF = HashOf(p.Hash).MGF()
	}
	return readMasked(s, p.Hash, p.MGF)
}

func readRSAAES(s *Scheme, params any) string {
	p, ok := params.(ck.RSAAESParams)
	if !ok {
		return wrongKind
	}
	if reason := readAESBits(s, p.AESBits); reason != "" {
		return reason
	}
	return readOAEP(s, p.OAEP)
}

func readAESBits(s *Scheme, bits uint) string {
	if bits != 128 && bits != 192 && bits != 256 {
		return "the AES key in between must have 128, 192 or 256 bits"
	}
	s.AESLen = int(bits / 8)
	return ""
}

func readPSS(s *Scheme, params any) string {
	p, ok := params.(ck.PSSParams)
	switch {
	case !ok:
		return wrongKind
	case s.Row.Hash != 0 && p.Hash != s.Row.Hash.Mechanism():
		return "the parameter's hash is not the mechanism's"
	case p.SaltLen > maxSaltLen:
		return "the salt is too long"
	}
	s.SaltLen = int(p.SaltLen)
	return readMasked(s, p.Hash, p.MGF)
}

// readMasked reads what OAEP and PSS share. The two hashes may differ. Those that PKCS #11 has no MGF for are no hashes for these
// schemes: no other implementation could read what was made with them.
func readMasked(s *Scheme, hash ck.MechanismType, mgf uint) string {
	s.Hash, s.MGFHash = HashOf(hash), HashOfMGF(mgf)
	if s.Hash.MGF() == 0 || !offered(s.Hash) || !offered(s.MGFHash) {
		return "unknown hash or mask generation function"
	}
	return ""
}

// offered reports whether the digest itself may be used.
func offered(h Hash) bool { return h.Known() && Lookup(h.Mechanism()) != nil }

func readCTR(s *Scheme, params any) string {
	p, ok := params.(ck.CTRParams)
	if !ok {
		return wrongKind
	}
	if p.CounterBits < 1 || p.CounterBits > 128 {
		return "the counter must have 1 to 128 bits"
	}
	s.CounterBits, s.IV = int(p.CounterBits), p.Block[:]
	return ""
}

func readGCM(s *Scheme, params any) string {
	p, ok := params.(ck.GCMParams)
	switch {
	case !ok:
		return wrongKind
	case len(p.IV) == 0:
		return "the IV is missing"
	case p.TagBits < 32 || p.TagBits > 128 || p.TagBits%8 != 0:
		return "the tag must have 32 to 128 bits, in whole bytes"
	}
	s.IV, s.AAD, s.TagLen = p.IV, p.AAD, int(p.TagBits/8)
	return ""
}

func readECDH1(s *Scheme, params any) string {
	p, ok := params.(ck.ECDH1Params)
	switch {
	case !ok:
		return wrongKind
	case len(p.PublicData) == 0:
		return "the other side's public key is missing"
	}
	s.Peer = p.PublicData
	return readKDF(s, p.KDF, p.SharedData)
}

func readKDF(s *Scheme, kdf uint, sharedData []byte) string {
	switch {
	case kdf == ck.CKD_NULL && len(sharedData) != 0:
		return "CKD_NULL takes no shared data"
	case kdf != ck.CKD_NULL && !offered(KDFHash(kdf)):
		return "unknown key derivation function"
	}
	s.KDF, s.SharedData = kdf, sharedData
	return ""
}

func readECDHAES(s *Scheme, params any) string {
	p, ok := params.(ck.ECDHAESParams)
	if !ok {
		return wrongKind
	}
	if reason := readAESBits(s, p.AESBits); reason != "" {
		return reason
	}
	return readKDF(s, p.KDF, p.SharedData)
}

// readHKDF takes the salt as it comes, or none: RFC 5869 means zeros then.
func readHKDF(s *Scheme, params any) string {
	p, ok := params.(ck.HKDFParams)
	if !ok {
		return wrongKind
	}
	s.Hash = HashOf(p.Hash)
	switch {
	case !p.Extract && !p.Expand:
		return "neither step of HKDF is asked for"
	case !offered(s.Hash):
		return "unknown hash"
	case p.Extract && p.SaltType == uint(ck.CKF_HKDF_SALT_DATA):
		s.Salt = p.Salt
	case p.Extract && p.SaltType == uint(ck.CKF_HKDF_SALT_KEY):
		if s.SaltKey = uint64(p.SaltKey); s.SaltKey == 0 {
			return "the salt is to be a key, and none is given"
		}
	case p.Extract && p.SaltType != uint(ck.CKF_HKDF_SALT_NULL):
		return "the salt must be data, a key, or none"
	}
	s.Extract, s.Expand = p.Extract, p.Expand
	if p.Expand {
		s.Info = p.Info
	}
	return ""
}

// readEdDSA takes an empty context for none: RFC 8032, section 8.6, advises against Ed25519ctx without a context, and callers that
// pass a zeroed structure mean plain Ed25519.
func readEdDSA(s *Scheme, params any) string {
	p, ok := params.(ck.EdDSAParams)
	if !ok {
		return wrongKind
	}
	if len(p.Context) > 255 {
		return "the context is longer than 255 bytes"
	}
	s.Prehash, s.Context = p.Prehash, p.Context
	return ""
}

// readContext: signatures are hedged unless the caller wants them deterministic (FIPS 204, section 3.4).
func readContext(s *Scheme, params any) string {
	p, ok := params.(ck.ContextParams)
	switch {
	case !ok:
		return wrongKind
	case len(p.Context) > pubkey.MaxMLDSAContext:
		return "the context is longer than 255 bytes"
	case p.Hedge > ck.CKH_DETERMINISTIC_REQUIRED:
		return "unknown hedge variant"
	}
	s.Context, s.Deterministic = p.Context, p.Hedge == ck.CKH_DETERMINISTIC_REQUIRED
	return ""
}
