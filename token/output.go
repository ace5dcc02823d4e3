package token

import "github.com/ncrypt11/ncrypt11/token/ck"

// Output is where a function's bytes go, by the convention of section 5.2: a null Output asks for the length only.
type Output struct {
	Null bool
	Buf  []byte // the caller's memory; nothing is written unless all fits
}

// room is the caller's buffer to append to. What does not fit is put elsewhere by append, and put then says so.
func (o Output) room() []byte {
	if o.Null {
		return nil
	}
	return o.Buf[:0:len(o.Buf)]
}

// put gives a result that was appended to room: its length, and CKR_BUFFER_TOO_SMALL where it was not asked to be written or did not fit.
func (o Output) put(result []byte) (int, error) {
	switch {
	case o.Null:
		clear(result)
		return len(result), nil
	case len(result) > len(o.Buf):
		clear(result) // plaintext that the caller has no room for
		return len(result), ck.CKR_BUFFER_TOO_SMALL
	case len(result) > 0 && &result[0] != &o.Buf[0]: // appended in small steps, it may have moved although it fits
		copy(o.Buf, result)
		clear(result)
	}
	return len(result), nil
}

// ask answers a call that needs n bytes before anything is computed: done is true where the call ends here, with the length or CKR_BUFFER_TOO_SMALL.
func (o Output) ask(n int) (done bool, err error) {
	switch {
	case o.Null:
		return true, nil
	case len(o.Buf) < n:
		return true, ck.CKR_BUFFER_TOO_SMALL
	}
	return false, nil
}
