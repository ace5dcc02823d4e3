package protocol

import (
	"encoding/binary"
	"errors"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

// ErrMalformed is all that is said about bytes that are no message.
var ErrMalformed = errors.New("malformed message")

// coder writes a message or reads one. A message tells it its fields once, in code, and the two directions cannot drift apart. The first
// error sticks.
type coder struct {
	b       []byte // writing: what has been written; reading: what is left
	reading bool
	err     error
}

func (c *coder) fail() {
	c.err = ErrMalformed
	c.b = c.b[:0]
}

// room gives n more bytes to write. Messages hold PINs and keys, so what a growing buffer leaves behind is wiped.
func (c *coder) room(n int) []byte {
	end := len(c.b)
	if end+n > cap(c.b) {
		grown := make([]byte, end, max(2*cap(c.b), end+n, 512))
		copy(grown, c.b)
		secret.Wipe(c.b)
		c.b = grown
	}
	c.b = c.b[:end+n]
	return c.b[end:]
}

// take gives the next n bytes that were read, which alias the message; nil after an error.
func (c *coder) take(n int) []byte {
	if c.err != nil || n < 0 || n > len(c.b) {
		c.fail()
		return nil
	}
	taken := c.b[:n:n]
	c.b = c.b[n:]
	return taken
}

// number codes an unsigned number in size bytes, big-endian. More than its size can hold is an error of whoever writes it.
func number[T ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uint](c *coder, v *T, size int) {
	if c.reading {
		var n uint64
		for _, b := range c.take(size) {
			n = n<<8 | uint64(b)
		}
		*v = T(n)
		if uint64(*v) != n {
			c.fail()
		}
		return
	}
	n := uint64(*v)
	if size < 8 && n>>(8*size) != 0 {
		c.err = ErrMalformed
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	copy(c.room(size), b[8-size:])
}

// count codes a length or another small number that is kept as an int, at most most.
func (c *coder) count(v *int, most int) {
	n := uint32(*v)
	if !c.reading && (*v < 0 || *v > most) {
		c.err = ErrMalformed
	}
	number(c, &n, 4)
	if !c.reading {
		return // what is written may be shared, and is not touched
	}
	if *v = int(n); n > uint32(most) {
		*v = 0
		c.fail()
	}
}

func (c *coder) flag(v *bool) {
	var n uint8
	if *v {
		n = 1
	}
	number(c, &n, 1)
	if !c.reading {
		return
	}
	if *v = n == 1; n > 1 {
		c.fail()
	}
}

// bytes codes a byte string of at most most bytes. What is read aliases the message. Nil and empty are the same.
func (c *coder) bytes(v *[]byte, most int) {
	n := len(*v)
	c.count(&n, most)
	if c.reading {
		*v = c.take(n)
		return
	}
	copy(c.room(n), *v)
}

func (c *coder) fixed(v []byte) {
	if c.reading {
		copy(v, c.take(len(v)))
		return
	}
	copy(c.room(len(v)), v)
}

func (c *coder) text(v *string, most int) {
	b := []byte(*v)
	if !c.reading && len(b) > most {
		b = b[:most]
	}
	if c.bytes(&b, most); c.reading {
		*v = string(b)
	}
}

// pin codes a PIN that may be missing. What is read is a copy, which the reader closes.
func (c *coder) pin(v **secret.Bytes) {
	given := *v != nil
	c.flag(&given)
	if !given {
		*v = nil
		return
	}
	if !c.reading {
		b := (*v).Bytes()
		c.bytes(&b, maxPIN)
		return
	}
	var b []byte
	if c.bytes(&b, maxPIN); c.err == nil {
		*v = secret.Copy(b)
	}
}

// list codes a list of at most most items.
func list[T any](c *coder, v *[]T, most int, item func(*coder, *T)) {
	n := len(*v)
	c.count(&n, most)
	if c.reading {
		*v = nil
		for range n {
			var one T
			if item(c, &one); c.err != nil {
				return
			}
			*v = append(*v, one)
		}
		return
	}
	for i := range *v {
		item(c, &(*v)[i])
	}
}
