package guard

import "github.com/ncrypt11/ncrypt11/token/secret"

// Revealed is the plaintext of a key that may be read.
type Revealed struct {
	Secret *secret.Bytes // backs the values of Parts
	Parts  []Part
}

// Reveal moves parts into one secret: their values are wiped.
func Reveal(parts []Part) *Revealed {
	total := 0
	for _, p := range parts {
		total += len(p.Value)
	}
	r := &Revealed{Secret: secret.New(total)}
	room := r.Secret.Bytes()
	for _, p := range parts {
		n := copy(room, p.Value)
		secret.Wipe(p.Value)
		r.Parts = append(r.Parts, Part{Type: p.Type, Value: room[:n:n]})
		room = room[n:]
	}
	return r
}

// Close wipes the plaintext.
func (r *Revealed) Close() { r.Secret.Close() }
