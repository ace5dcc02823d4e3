package inject

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// MaxPackage is the size in bytes of the largest package that is read.
const MaxPackage = 512 << 20

// Package is a package as it was read: whole, of sound form, and where it has a sender signed by him. Nothing else in it is authenticated before it is opened.
type Package struct {
	ID            [16]byte
	Made, Expires time.Time
	Sender        []byte     // SubjectPublicKeyInfo of who signed; nil: nobody did
	Targets       [][16]byte // whom it is for
	Keys          []*Meta    // of each key, in order

	header     *header
	transcript []byte     // hash of the header
	metas      [][]byte   // as they are written
	sealed     [][][]byte // of each key, what each target has
}

// ReadPackage reads a package to its end. It takes no more than a few times the memory of what is there to read. Errors: ErrMalformed, also for one that
// is cut off; ErrTampered where the keys' digest or the sender's signature does not fit; those of the reader.
func ReadPackage(r io.Reader) (*Package, error) {
	limited := &io.LimitedReader{R: r, N: MaxPackage + 1}
	p := &packageReader{r: bufio.NewReader(limited), digest: sha256.New()}
	err := p.read()
	switch {
	case limited.N == 0:
		return nil, fmt.Errorf("%w package: it has more than %d bytes", ErrMalformed, MaxPackage)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("%w package: it is cut off", ErrMalformed)
	case err != nil:
		return nil, err
	}
	return &p.Package, nil
}

type packageReader struct {
	Package
	r      *bufio.Reader
	digest hash.Hash
}

func (p *packageReader) read() error {
	if err := p.readHeader(); err != nil {
		return err
	}
	for range p.header.count {
		if err := p.readKey(); err != nil {
			return err
		}
	}
	return p.readTrailer()
}

func (p *packageReader) readHeader() error {
	magic, err := p.take(len(packageMagic))
	if err != nil {
		return err
	}
	if string(magic) != packageMagic {
		return fmt.Errorf("%w package: it does not begin like one of a version that is known here", ErrMalformed)
	}
	encoded, err := p.takeCounted(maxHeader)
	if err != nil {
		return err
	}
	h, err := decodeHeader(encoded)
	if err != nil {
		return err
	}
	p.header, p.transcript = h, hashOf(domainTranscript, encoded)
	p.ID, p.Made, p.Expires, p.Sender = h.id, h.made, h.expires, h.sender
	for _, one := range h.stanzas {
		p.Targets = append(p.Targets, one.target)
	}
	return nil
}

func (p *packageReader) readKey() error {
	record, err := p.takeCounted(p.header.maxRecord())
	if err != nil {
		return err
	}
	p.digest.Write(binary.BigEndian.AppendUint32(nil, uint32(len(record))))
	p.digest.Write(record)
	at := len(p.Keys) + 1
	s := cryptobyte.String(record)
	var written cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&written) {
		return fmt.Errorf("%w package: key %d ends early", ErrMalformed, at)
	}
	meta, err := decodeMeta(written)
	if err != nil {
		return fmt.Errorf("key %d: %w", at, err)
	}
	sealed := make([][]byte, len(p.header.stanzas))
	for i := range sealed {
		if !s.ReadUint16LengthPrefixed((*cryptobyte.String)(&sealed[i])) ||
			len(sealed[i]) <= tagLen || len(sealed[i]) > maxSealed || len(sealed[i]) != len(sealed[0]) {
			return fmt.Errorf("%w package: key %d has a length that cannot be", ErrMalformed, at)
		}
	}
	if !s.Empty() {
		return fmt.Errorf("%w package: key %d goes on after its end", ErrMalformed, at)
	}
	p.Keys, p.metas, p.sealed = append(p.Keys, meta), append(p.metas, written), append(p.sealed, sealed)
	return nil
}

func (p *packageReader) readTrailer() error {
	digest, err := p.take(sha256.Size)
	if err != nil {
		return err
	}
	length, err := p.take(2)
	if err != nil {
		return err
	}
	signature, err := p.take(int(binary.BigEndian.Uint16(length)))
	if err != nil {
		return err
	}
	if _, err := p.r.ReadByte(); err == nil {
		return fmt.Errorf("%w package: it goes on after its end", ErrMalformed)
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case !bytes.Equal(digest, p.digest.Sum(nil)):
		return fmt.Errorf("the package was %w: its keys' digest does not fit", ErrTampered)
	case len(p.Sender) > 0:
		return verifySender(p.Sender, signed(p.transcript, digest), signature)
	case len(signature) > 0:
		return fmt.Errorf("%w package: a signature of nobody", ErrMalformed)
	}
	return nil
}

// takeCounted reads a field that begins with its length.
func (p *packageReader) takeCounted(most int) ([]byte, error) {
	length, err := p.take(4)
	if err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length)
	if uint64(n) > uint64(most) {
		return nil, fmt.Errorf("%w package: a part of it has %d bytes, more than %d", ErrMalformed, n, most)
	}
	return p.take(int(n))
}

// step is how much memory is taken at a time for what a stranger says is there.
const step = 4 << 10

func (p *packageReader) take(n int) ([]byte, error) {
	var b []byte
	for len(b) < n {
		at := len(b)
		b = slices.Grow(b, min(step, n-at))[:min(at+step, n)]
		if _, err := io.ReadFull(p.r, b[at:]); err != nil {
			return nil, err
		}
	}
	return b, nil
}
