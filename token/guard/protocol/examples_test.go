package protocol_test

import (
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

const headLen = 4

var (
	policy = &guard.Policy{ID: [16]byte{1}, Class: ck.CKO_PRIVATE_KEY, KeyType: ck.CKK_EC, Usage: guard.UseSign, Allowed: []ck.MechanismType{ck.CKM_ECDSA}}
	spec   = &guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 2048, PublicExponent: []byte{1, 0, 1}, ECParams: []byte{6}, ValueLen: 32, ParameterSet: 3}
	plain  = &mech.Scheme{Row: mech.Lookup(ck.CKM_ECDSA)}
	full   = &mech.Scheme{
		Row: mech.Lookup(ck.CKM_RSA_PKCS_PSS), Hash: mech.SHA256, MGFHash: mech.SHA1, SaltLen: 32, Label: []byte("l"), IV: []byte("iv"), AAD: []byte("aad"),
		TagLen: 16, CounterBits: 128, MACLen: 8, AESLen: 32, Prehash: true, Extract: true, Expand: true, Deterministic: true, Salt: []byte("salt"), Info: []byte("info"), Context: []byte("c"), KDF: 1, SaltKey: 5, SharedData: []byte("s"), Peer: []byte("p"), Ticket: 7,
	}
	stranger = &mech.Scheme{Row: &mech.Row{Type: 0x80001234}} // a mechanism of a later version
	parts    = []guard.Part{{Type: ck.CKA_VALUE, Value: []byte("value")}, {Type: ck.CKA_ID}}
	terms    = &seal.Terms{PerBoot: true, Access: seal.Access{Machine: true, Allow: []seal.Principal{{Kind: seal.User, ID: 33}}}}
)

func pin() *secret.Bytes { return secret.Copy([]byte("1234")) }

// requests are examples, the first of each method with something in each field.
func requests() map[protocol.Method][]protocol.Message {
	return map[protocol.Method][]protocol.Message{
		protocol.MethodHello:        {&protocol.Hello{Version: protocol.Version, Join: protocol.SessionID{9}}},
		protocol.MethodStatus:       {&protocol.Nothing{}},
		protocol.MethodNewMaster:    {&protocol.NewMaster{Auth: pin(), Context: []byte("c"), Terms: terms}, &protocol.NewMaster{}},
		protocol.MethodUnlock:       {&protocol.Unlock{Sealed: []byte("s"), Auth: pin(), Context: []byte("c")}, &protocol.Unlock{Auth: secret.New(0)}},
		protocol.MethodResume:       {&protocol.Resume{Ticket: []byte("t")}},
		protocol.MethodReseal:       {&protocol.Reseal{Vault: 1, Auth: pin(), Context: []byte("c")}},
		protocol.MethodLock:         {&protocol.Lock{Vault: 1}},
		protocol.MethodGenerate:     {&protocol.Generate{Vault: 1, Scheme: plain, Spec: spec, Policy: policy}, &protocol.Generate{}},
		protocol.MethodImport:       {&protocol.Import{Vault: 1, Material: guard.Material{Class: 3, KeyType: 3, Parts: parts}, Policy: policy}},
		protocol.MethodUnwrap:       {&protocol.Unwrap{Vault: 1, By: 2, Scheme: full, Wrapped: []byte("w"), Spec: spec, Policy: policy}},
		protocol.MethodDerive:       {&protocol.Derive{Vault: 1, Base: 2, Scheme: stranger, Spec: spec, Policy: policy}},
		protocol.MethodLoad:         {&protocol.Load{Vault: 1, Record: []byte("r")}},
		protocol.MethodReissue:      {&protocol.Reissue{Vault: 1, Ref: 2, Policy: policy}},
		protocol.MethodReveal:       {&protocol.OneRef{Ref: 1}},
		protocol.MethodForget:       {&protocol.OneRef{Ref: 1}},
		protocol.MethodAuthorize:    {&protocol.Authorize{Ref: 1, Sealed: []byte("s"), Auth: pin(), Context: []byte("c")}},
		protocol.MethodSign:         {&protocol.Use{Ref: 1, Op: mech.OpSign, Scheme: plain, Data: []byte("d")}, &protocol.Use{Scheme: full}},
		protocol.MethodVerify:       {&protocol.Verify{Ref: 1, Scheme: plain, Data: []byte("d"), MAC: []byte("m")}},
		protocol.MethodCrypt:        {&protocol.Use{Ref: 1, Op: mech.OpDecrypt, Scheme: full, Data: []byte("d")}},
		protocol.MethodWrap:         {&protocol.Wrap{By: 1, Scheme: plain, Key: 2}},
		protocol.MethodWrapPublic:   {&protocol.WrapPublic{By: parts, Scheme: plain, Key: 2}},
		protocol.MethodStream:       {&protocol.Use{Ref: 1, Op: mech.OpEncrypt, Scheme: full}},
		protocol.MethodStreamUpdate: {&protocol.StreamPart{Stream: 1, Data: []byte("d")}},
		protocol.MethodStreamFinal:  {&protocol.OneStream{Stream: 1}},
		protocol.MethodStreamVerify: {&protocol.StreamPart{Stream: 1, Data: []byte("m")}},
		protocol.MethodStreamClose:  {&protocol.OneStream{Stream: 1}},
		protocol.MethodAttest: {&protocol.Attest{Refs: []guard.Ref{1, 2}, Asked: guard.Asked{Nonce: []byte("n"), Expires: time.Unix(3, 0).UTC(), Context: []byte("c")}},
			&protocol.Attest{Asked: guard.Asked{Expires: time.Unix(0, 0).UTC()}}},
		protocol.MethodActivate:    {&protocol.Activate{Vault: 1, Blob: []byte("b"), Encrypted: []byte("e"), Policy: policy}},
		protocol.MethodEncapsulate: {&protocol.Encapsulate{Vault: 1, By: parts, Scheme: plain, Spec: spec, Policy: policy}},
		protocol.MethodDecapsulate: {&protocol.Decapsulate{Vault: 1, By: 2, Scheme: plain, Ciphertext: []byte("c"), Spec: spec, Policy: policy}},
	}
}

// replies are what may be answered.
func replies() []protocol.Message {
	return []protocol.Message{
		&protocol.Nothing{},
		&protocol.Welcome{Session: protocol.SessionID{1}, Level: guard.Service, PINLimit: 5, Unavailable: "no TPM"},
		&protocol.Report{JSON: []byte("{}")},
		&protocol.Opened{Vault: 1, Sealed: []byte("s"), Ticket: []byte("t")},
		&protocol.Output{Data: []byte("d")},
		&protocol.Made{Key: guard.Key{Ref: 1, Record: []byte("r"), Public: parts}},
		&protocol.Encapsulated{Made: protocol.Made{Key: guard.Key{Ref: 1, Record: []byte("r"), Public: parts}}, Ciphertext: []byte("c")},
		&protocol.OneRef{Ref: 1},
		&protocol.Revealed{Parts: parts},
		&protocol.Ticket{Ticket: 1},
		&protocol.Streaming{Stream: 1, Data: []byte("d"), Shape: guard.StreamShape{Unit: 16, Keep: 1, Held: 3}, FinalLen: 16},
	}
}

// encoded is a request without the room for its head.
func encoded(t testing.TB, method protocol.Method, m protocol.Message) []byte {
	t.Helper()
	b, err := protocol.AppendRequest(nil, method, m)
	if err != nil {
		t.Fatalf("%v: %v", method, err)
	}
	return b[headLen:]
}
