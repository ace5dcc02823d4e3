package protocol

import "time"

// Method is what a request asks for.
type Method uint8

// The methods. Their numbers are the protocol's.
const (
	MethodHello Method = iota + 1
	MethodStatus
	MethodNewMaster
	MethodUnlock
	MethodResume
	MethodReseal
	MethodLock
	MethodGenerate
	MethodImport
	MethodUnwrap
	MethodDerive
	MethodLoad
	MethodReissue
	MethodReveal
	MethodForget
	MethodAuthorize
	MethodSign
	MethodVerify
	MethodCrypt
	MethodWrap
	MethodWrapPublic
	MethodStream
	MethodStreamUpdate
	MethodStreamFinal
	MethodStreamVerify
	MethodStreamClose
	MethodEncapsulate
	MethodDecapsulate
	MethodAttest
	MethodActivate
)

// How long a client waits for an answer. The long ones are for what takes long by nature: the largest RSA keys, and TPMs.
const (
	soon    = 15 * time.Second
	sealing = 60 * time.Second
	making  = 5 * time.Minute
)

// row is what is fixed about a method.
type row struct {
	name     string
	request  func() Message
	deadline time.Duration
}

var rows = [...]row{
	MethodHello:        {"Hello", message[Hello], sealing},
	MethodStatus:       {"Status", message[Nothing], sealing},
	MethodNewMaster:    {"NewMaster", message[NewMaster], sealing},
	MethodUnlock:       {"Unlock", message[Unlock], sealing},
	MethodResume:       {"Resume", message[Resume], sealing},
	MethodReseal:       {"Reseal", message[Reseal], sealing},
	MethodLock:         {"Lock", message[Lock], soon},
	MethodGenerate:     {"Generate", message[Generate], making},
	MethodImport:       {"Import", message[Import], soon},
	MethodUnwrap:       {"Unwrap", message[Unwrap], soon},
	MethodDerive:       {"Derive", message[Derive], soon},
	MethodLoad:         {"Load", message[Load], soon},
	MethodReissue:      {"Reissue", message[Reissue], soon},
	MethodReveal:       {"Reveal", message[OneRef], soon},
	MethodForget:       {"Forget", message[OneRef], soon},
	MethodAuthorize:    {"Authorize", message[Authorize], sealing},
	MethodSign:         {"Sign", message[Use], soon},
	MethodVerify:       {"Verify", message[Verify], soon},
	MethodCrypt:        {"Crypt", message[Use], soon},
	MethodWrap:         {"Wrap", message[Wrap], soon},
	MethodWrapPublic:   {"WrapPublic", message[WrapPublic], soon},
	MethodStream:       {"Stream", message[Use], soon},
	MethodStreamUpdate: {"StreamUpdate", message[StreamPart], soon},
	MethodStreamFinal:  {"StreamFinal", message[OneStream], soon},
	MethodStreamVerify: {"StreamVerify", message[StreamPart], soon},
	MethodStreamClose:  {"StreamClose", message[OneStream], soon},
	MethodEncapsulate:  {"Encapsulate", message[Encapsulate], soon},
	MethodDecapsulate:  {"Decapsulate", message[Decapsulate], soon},
	MethodAttest:       {"Attest", message[Attest], sealing},
	MethodActivate:     {"Activate", message[Activate], sealing},
}

// message makes an empty message of a type.
func message[T any, P interface {
	*T
	Message
}]() Message {
	return P(new(T))
}

func (m Method) row() *row {
	if m == 0 || int(m) >= len(rows) {
		return nil
	}
	return &rows[m]
}

// String is the method's name.
func (m Method) String() string {
	if r := m.row(); r != nil {
		return r.name
	}
	return "unknown"
}

// Deadline is how long a client waits for the answer.
func (m Method) Deadline() time.Duration {
	if r := m.row(); r != nil {
		return r.deadline
	}
	return soon
}
