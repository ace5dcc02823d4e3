package swtpm

import (
	"encoding/binary"
	"slices"
)

// Commands, by the numbers of TPM 2.0 Part 2. go-tpm has no words for some of them, and a harness should not lean on what it tests.
const (
	ccClear                = 0x126
	ccDALockReset          = 0x139
	ccDAParameters         = 0x13A
	ccShutdown             = 0x145
	ccCreatePrimary        = 0x131
	ccFlushContext         = 0x165
	ccUnseal               = 0x15E
	ccGetCapability        = 0x17A
	rhNull                 = 0x40000007
	rhLockout              = 0x4000000A
	rsPW                   = 0x40000009
	noSessions             = 0x8001
	sessions               = 0x8002
	capHandles             = 1
	capProperties          = 6
	rcRetry                = 0x922
	headerLen              = 10
	ptLockoutCounter       = 0x20E
	firstTransient         = 0x80000000
	firstLoadedHMACSession = 0x02000000
)

// command encodes a command.
func command(code uint32, handles []uint32, authorization []byte, parameters ...[]byte) []byte {
	tag := uint16(noSessions)
	if authorization != nil {
		tag = sessions
	}
	out := binary.BigEndian.AppendUint16(nil, tag)
	out = append(out, 0, 0, 0, 0)
	out = append(binary.BigEndian.AppendUint32(out, code), words(handles...)...)
	out = append(out, authorization...)
	out = append(out, slices.Concat(parameters...)...)
	binary.BigEndian.PutUint32(out[2:], uint32(len(out)))
	return out
}

// authorization is an authorization area with a password in it (TPM_RS_PW).
func authorization(password []byte) []byte {
	auth := binary.BigEndian.AppendUint32(nil, rsPW)
	auth = append(auth, 0, 0, 1) // no nonce; TPMA_SESSION_CONTINUESESSION
	auth = append(binary.BigEndian.AppendUint16(auth, uint16(len(password))), password...)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(auth))), auth...)
}

// noPassword is what a new TPM takes from its owner.
var noPassword = authorization(nil)

func words(values ...uint32) []byte {
	var out []byte
	for _, v := range values {
		out = binary.BigEndian.AppendUint32(out, v)
	}
	return out
}

// must sends a command that the TPM has to carry out, and gives what comes behind the answer's header.
func (s *TPM) must(what string, command []byte) []byte {
	s.t.Helper()
	answer := s.send(command)
	if rc := binary.BigEndian.Uint32(answer[6:]); rc != 0 {
		s.t.Fatalf("%s: the TPM answers 0x%x", what, rc)
	}
	return answer[headerLen:]
}

// shutdown prepares the TPM for the loss of power. Without it, the TPM takes each start for an attack that was under way (Part 1, dictionary
// attack protection): three of them lock it. A TPM that was not started has nothing to prepare.
func (s *TPM) shutdown() {
	s.t.Helper()
	s.send(command(ccShutdown, nil, nil, []byte{0, 0})) // TPM_SU_CLEAR
}

// Clear is what an owner does who gives the machine away: the owner hierarchy gets another seed.
func (s *TPM) Clear() {
	s.t.Helper()
	s.must("TPM2_Clear", command(ccClear, []uint32{rhLockout}, noPassword))
}

// ResetLockout makes the TPM forget wrong PINs.
func (s *TPM) ResetLockout() {
	s.t.Helper()
	s.must("TPM2_DictionaryAttackLockReset", command(ccDALockReset, []uint32{rhLockout}, noPassword))
}

// Tolerate sets how many wrong PINs the TPM takes before it locks itself, and how many seconds it takes to forget one.
func (s *TPM) Tolerate(tries, seconds uint32) {
	s.t.Helper()
	s.must("TPM2_DictionaryAttackParameters", command(ccDAParameters, []uint32{rhLockout}, noPassword, words(tries, seconds, seconds)))
}

// Failures is how many wrong PINs the TPM remembers.
func (s *TPM) Failures() uint32 {
	s.t.Helper()
	got := s.must("TPM2_GetCapability", command(ccGetCapability, nil, nil, words(capProperties, ptLockoutCounter, 1)))
	return binary.BigEndian.Uint32(got[len(got)-4:])
}

// Loaded lists the objects and sessions that are in the TPM's own memory, of which there is very little.
func (s *TPM) Loaded() []uint32 {
	s.t.Helper()
	var handles []uint32
	for _, first := range []uint32{firstTransient, firstLoadedHMACSession} {
		got := s.must("TPM2_GetCapability", command(ccGetCapability, nil, nil, words(capHandles, first, 64)))
		for list := got[9:]; len(list) >= 4; list = list[4:] { // moreData, capability and count stand before
			handles = append(handles, binary.BigEndian.Uint32(list))
		}
	}
	return handles
}

// Flush removes everything that is loaded.
func (s *TPM) Flush() {
	s.t.Helper()
	for _, h := range s.Loaded() {
		s.must("TPM2_FlushContext", command(ccFlushContext, nil, nil, words(h)))
	}
}

// Lockout spends n wrong tries, as another program on this machine might. The TPM is locked when that is more than Tolerate said, or libtpms' 3.
func (s *TPM) Lockout(n int) {
	s.t.Helper()
	// A data object under a password that counts: TPM_ALG_KEYEDHASH, TPM_ALG_SHA256, fixedTPM | fixedParent | userWithAuth, no policy,
	// TPM_ALG_NULL, no unique value.
	sensitive := []byte{0, 8, 0, 3, 'p', 'i', 'n', 0, 1, 'x'}
	public := []byte{0, 14, 0, 8, 0, 11, 0, 0, 0, 0x52, 0, 0, 0, 16, 0, 0}
	made := s.must("TPM2_CreatePrimary", command(ccCreatePrimary, []uint32{rhNull}, noPassword, sensitive, public, words(0), []byte{0, 0}))
	handle := binary.BigEndian.Uint32(made)
	defer s.must("TPM2_FlushContext", command(ccFlushContext, nil, nil, words(handle)))
	for range n {
		wrong := command(ccUnseal, []uint32{handle}, noPassword)
		if rc := binary.BigEndian.Uint32(s.send(wrong)[6:]); rc == 0 {
			s.t.Fatal("an object opened without its password")
		}
	}
}

// Do sends a command whose first handle is authorized with a password, and gives the first word of the answer, a handle where there is one,
// and all of it.
func (s *TPM) Do(code uint32, handles []uint32, secret []byte, parameters ...[]byte) (handle uint32, answer []byte) {
	s.t.Helper()
	answer = s.send(command(code, handles, authorization(secret), parameters...))
	if rc := binary.BigEndian.Uint32(answer[6:]); rc != 0 {
		s.t.Fatalf("command 0x%x: the TPM answers 0x%x", code, rc)
	}
	return binary.BigEndian.Uint32(answer[headerLen:]), answer
}
