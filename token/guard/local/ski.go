package local

import (
	"crypto/subtle"
	"encoding/binary"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Secure key injection, as smart cards have it (cardmod.h): a server makes a session key, which comes in under a key pair of this guard's, and under the
// session key comes the private key. The client that carries both is not trusted. All that he could ask of the two keys in between is therefore fixed here,
// and not by his templates: they do this one thing, and their values never leave.

// injection is what one of the two steps asks of the key that opens, and of the key that comes in.
type injection struct {
	opens, made guard.Policy // Class, Usage, Confined and Allowed say what must be
	open        func(k *key, s *mech.Scheme, wrapped []byte, p *guard.Policy) (material, []guard.Part, error)
}

// onlyUnwraps is the policy of a key that serves one mechanism.
func onlyUnwraps(class ck.ObjectClass, m ck.MechanismType) guard.Policy {
	return guard.Policy{Class: class, Usage: guard.UseUnwrap, Allowed: []ck.MechanismType{m}}
}

var injections = map[mech.Primitive]injection{
	mech.SKISession: {
		opens: onlyUnwraps(ck.CKO_PRIVATE_KEY, ck.CKM_NCRYPT_SKI_SESSION),
		made:  onlyUnwraps(ck.CKO_SECRET_KEY, ck.CKM_NCRYPT_SKI_IMPORT_KEYPAIR),
		open:  openSession,
	},
	mech.SKIImportKeyPair: {
		opens: onlyUnwraps(ck.CKO_SECRET_KEY, ck.CKM_NCRYPT_SKI_IMPORT_KEYPAIR),
		made:  guard.Policy{Class: ck.CKO_PRIVATE_KEY},
		open:  openKeyPair,
	},
}

// inject is Unwrap for the mechanisms of secure key injection.
func (g *Keys) inject(v guard.Vault, k *key, s *mech.Scheme, wrapped []byte, p *guard.Policy) (*guard.Key, error) {
	i := injections[s.Row.Primitive]
	if err := i.permits(k.policy, p); err != nil {
		return nil, err
	}
	if g.reach(k.home) < g.client.Level {
		return nil, lowerMaster(g.client.Level)
	}
	m, parts, err := i.open(k, s, wrapped, p)
	if err != nil {
		return nil, unwrapError(err)
	}
	came := newKey(v, m, clonePolicy(p))
	came.begotten = true
	made, err := g.admitKey(came)
	if err != nil {
		return nil, err
	}
	made.Public = append(made.Public, parts...)
	return made, nil
}

// injects says whether a policy is of a key that does nothing but open injected keys.
func injects(p *guard.Policy) bool {
	if len(p.Allowed) != 1 {
		return false
	}
	row := mech.Lookup(p.Allowed[0])
	if row == nil {
		return false
	}
	_, ok := injections[row.Primitive]
	return ok
}

// permits refuses a key that could do more than open what comes in, since who has it could then read that; and a template that would let it out. What holds
// for good are the mechanisms: an owner may give a key more usages later (guard.Narrower), but the one mechanism serves nothing else.
func (i *injection) permits(opening, made *guard.Policy) error {
	switch {
	case opening.Class != i.opens.Class || opening.Usage != i.opens.Usage || !slices.Equal(opening.Allowed, i.opens.Allowed) ||
		!opening.Sensitive || opening.Extractable:
		return ck.Errorf(ck.CKR_KEY_FUNCTION_NOT_PERMITTED, "a key that opens injected keys can do nothing else: CKA_UNWRAP alone, CKA_ALLOWED_MECHANISMS = %v, "+
			"sensitive and not extractable", i.opens.Allowed[0])
	case opening.Class == ck.CKO_PRIVATE_KEY && !opening.Confined:
		return ck.Errorf(ck.CKR_KEY_FUNCTION_NOT_PERMITTED, "session keys are opened by key pairs that were generated here only")
	case made.Class != i.made.Class || !made.Sensitive || made.Extractable:
		return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "what is injected is a sensitive key that is not extractable, of the class that the mechanism brings in")
	case i.made.Usage != 0 && (made.Usage != i.made.Usage || !slices.Equal(made.Allowed, i.made.Allowed) || made.KeyType != ck.CKK_AES || made.Token):
		return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "a session key is an AES key that is not kept, with CKA_UNWRAP alone and CKA_ALLOWED_MECHANISMS = %v alone",
			i.made.Allowed[0])
	}
	return nil
}

// keyDataHeader is what BCRYPT_KEY_DATA_BLOB_HEADER has before the key: dwMagic, dwVersion, cbKeyData.
const (
	keyDataHeader  = 12
	magicKeyData   = 0x4d42444b
	versionKeyData = 1
)

// sessionLengths are those of blobs with an AES key.
var sessionLengths = []int{keyDataHeader + 16, keyDataHeader + 24, keyDataHeader + 32}

// openSession opens a KeyDataBlob under RSA. With v1.5, bad padding gives a plaintext of a length that would do, and is refused with all others whose
// header is not right: nobody learns of the padding alone. A ciphertext that he has changed passes with a chance of less than 2^-100.
func openSession(k *key, s *mech.Scheme, wrapped []byte, _ *guard.Policy) (material, []guard.Part, error) {
	r, ok := k.material.(*rsaKey)
	if !ok {
		return nil, nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	if len(wrapped) != r.raw.size() {
		return nil, nil, ck.CKR_WRAPPED_KEY_LEN_RANGE
	}
	open := func() ([]byte, error) { return r.decryptPKCS1(nil, wrapped, sessionLengths) }
	if s.Hash != 0 {
		open = func() ([]byte, error) { return r.decryptOAEP(nil, s, wrapped) }
	}
	plain, err := open()
	if err != nil {
		return nil, nil, err
	}
	defer secret.Wipe(plain)
	if !slices.Contains(sessionLengths, len(plain)) {
		return nil, nil, ck.CKR_WRAPPED_KEY_INVALID
	}
	var want []byte
	for _, number := range []uint32{magicKeyData, versionKeyData, uint32(len(plain) - keyDataHeader)} {
		want = binary.LittleEndian.AppendUint32(want, number)
	}
	if subtle.ConstantTimeCompare(plain[:keyDataHeader], want) != 1 {
		return nil, nil, ck.CKR_WRAPPED_KEY_INVALID
	}
	m, err := newSecretKey(ck.CKK_AES, secret.Copy(plain[keyDataHeader:]))
	return m, nil, err
}

// openKeyPair opens a CARD_IMPORT_KEYPAIR under AES-CBC.
func openKeyPair(k *key, s *mech.Scheme, wrapped []byte, p *guard.Policy) (material, []guard.Part, error) {
	session, ok := k.material.(*secretKey)
	if !ok {
		return nil, nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	if len(wrapped) == 0 || len(wrapped)%blockLen != 0 || len(wrapped) > maxKeyPair {
		return nil, nil, ck.CKR_WRAPPED_KEY_LEN_RANGE
	}
	crypt, err := session.blockMode(s, true)
	if err != nil {
		return nil, nil, err
	}
	plain := secret.Copy(wrapped)
	defer plain.Close()
	crypt.CryptBlocks(plain.Bytes(), plain.Bytes())
	body, padded := unpadKeyPair(plain.Bytes())
	if body == nil {
		return nil, nil, ck.CKR_WRAPPED_KEY_INVALID
	}
	m, parts, err := readKeyPair(body, p)
	if err != nil {
		return nil, nil, ck.CKR_WRAPPED_KEY_INVALID
	}
	if padded != 1 { // not before: the time that a key's numbers take to check would tell who alters blocks when their padding is right
		m.wipe()
		return nil, nil, ck.CKR_WRAPPED_KEY_INVALID
	}
	return m, parts, nil
}
