package guard

import "time"

// Statement is what a guard says of keys that it has, for others to believe: it is signed through the TPM (seal.Attester). What the guard says by itself
// comes first; what it repeats for who asked stands in Asked.
type Statement struct {
	Level Level       // how far the keys are out of reach of programs: what was achieved
	Made  time.Time   // by the clock of the machine, in whole seconds
	Keys  []StatedKey // in the order that was asked for, at least one
	Asked Asked
}

// StatedKey is what a guard knows of a key.
type StatedKey struct {
	Public []byte  // SubjectPublicKeyInfo, in DER
	Policy *Policy // Confined is in it: whether the key was made there, and never could leave
}

// Asked is what a guard puts into a statement unseen.
type Asked struct {
	Nonce   []byte    // of who is to believe it, at most 64 bytes; none: empty
	Expires time.Time // when it should not be believed any more, in whole seconds; at most MaxStated after it was made
	Context []byte    // the SHA-256 of whatever else the statement goes with; 32 bytes
}

// MaxStated is how long a statement may be believed at most.
const MaxStated = 366 * 24 * time.Hour
