package inject

import (
	"crypto"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

// SealOptions say how to seal.
type SealOptions struct {
	Made    time.Time     // zero: now
	Expires time.Time     // zero: a week from Made; never later than the first of the targets
	Sender  crypto.Signer // Ed25519, ECDSA on P-256, or RSA of 2048 bits or more; nil: not signed
}

// defaultLife is how long a package is good for if nobody says otherwise.
const defaultLife = 7 * 24 * time.Hour

// Seal writes a package: count keys, each for all of the targets, which must have passed Check. It closes each key's Plain. Where it fails, what was written
// is of no use. It gives the package's id.
func Seal(w io.Writer, targets []*Target, count int, keys iter.Seq2[*Key, error], o *SealOptions) (id [16]byte, err error) {
	h, err := newHeader(targets, count, o)
	if err != nil {
		return id, err
	}
	p := &sealer{w: &bounded{to: w}, header: h, sender: o.Sender, digest: sha256.New()}
	if err := p.writeHeader(targets); err != nil {
		return id, err
	}
	if err := p.writeKeys(keys); err != nil {
		return id, err
	}
	return h.id, p.writeTrailer()
}

// bounded writes no more than a reader takes.
type bounded struct {
	to      io.Writer
	written int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.written += len(p); b.written > MaxPackage {
		return 0, fmt.Errorf("the package would have more than %d MiB, which nobody reads: seal fewer keys at a time, or to fewer targets", MaxPackage>>20)
	}
	return b.to.Write(p)
}

// newHeader is the header as far as it can be made without a secret.
func newHeader(targets []*Target, count int, o *SealOptions) (*header, error) {
	switch {
	case len(targets) == 0 || len(targets) > MaxTargets:
		return nil, fmt.Errorf("a package is for 1 to %d targets, not %d", MaxTargets, len(targets))
	case count < 1 || count > MaxKeys:
		return nil, fmt.Errorf("a package has 1 to %d keys, not %d", MaxKeys, count)
	}
	h := &header{made: o.Made, expires: o.Expires, count: count}
	rand.Read(h.id[:])
	if h.made.IsZero() {
		h.made = time.Now()
	}
	if h.expires.IsZero() {
		h.expires = h.made.Add(defaultLife)
	}
	for _, t := range targets {
		if !t.checked {
			return nil, errors.New("a target that has not passed its check")
		}
		if end := t.Stated.Asked.Expires; end.Before(h.expires) {
			h.expires = end
		}
	}
	h.made, h.expires = h.made.UTC().Truncate(time.Second), h.expires.UTC().Truncate(time.Second)
	if !h.made.Before(h.expires) {
		return nil, fmt.Errorf("the package would have %w before it is made: it would be valid until %v", ErrExpired, stamp(h.expires))
	}
	if o.Sender != nil {
		var err error
		if h.sender, err = senderOf(o.Sender); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// sealer writes a package.
type sealer struct {
	w          io.Writer
	header     *header
	transcript []byte
	sender     crypto.Signer
	aeads      []cipher.AEAD // by the key of each target
	digest     hash.Hash     // of what comes after the header
}

// writeHeader agrees with each target on a key.
func (p *sealer) writeHeader(targets []*Target) error {
	secrets := make([][]*secret.Bytes, len(targets))
	defer func() {
		for _, some := range secrets {
			closeAll(some)
		}
	}()
	for i, t := range targets {
		one, shared, err := t.agree()
		if err != nil {
			return err
		}
		secrets[i] = shared
		p.header.stanzas = append(p.header.stanzas, one)
	}
	encoded, err := p.header.encode()
	if err != nil {
		return fmt.Errorf("the package's header cannot be written: %w", err)
	}
	if _, err := decodeHeader(encoded); err != nil { // no target is in it twice, nothing is too long
		return err
	}
	p.transcript = hashOf(domainTranscript, encoded)
	for i, t := range targets {
		key, err := combine(secrets[i], t.Suite, t.ID, p.transcript)
		if err != nil {
			return err
		}
		aead, err := aesGCM(key)
		key.Close()
		if err != nil {
			return err
		}
		p.aeads = append(p.aeads, aead)
	}
	out := append([]byte(packageMagic), binary.BigEndian.AppendUint32(nil, uint32(len(encoded)))...)
	_, err = p.w.Write(append(out, encoded...))
	return err
}

// writeKeys writes the keys, of which there must be as many as was said.
func (p *sealer) writeKeys(keys iter.Seq2[*Key, error]) error {
	n := 0
	for k, err := range keys {
		if err != nil {
			return err
		}
		err = p.writeKey(k, n)
		k.Plain.Close()
		if err != nil {
			return err
		}
		n++
	}
	if n != p.header.count {
		return fmt.Errorf("there were %d keys, and not %d", n, p.header.count)
	}
	return nil
}

func (p *sealer) writeKey(k *Key, index int) error {
	if index == p.header.count {
		return fmt.Errorf("there are more keys than the %d that were announced", index)
	}
	if err := k.valid(); err != nil {
		return err
	}
	if n := k.Plain.Len(); n == 0 || n > maxPlain {
		return fmt.Errorf("%w key %q: it has %d bytes, a package's have 1 to %d", ErrMalformed, k.Label, n, maxPlain)
	}
	meta := k.Meta.encode()
	var b cryptobyte.Builder
	b.AddUint32LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(meta) })
		aad := keyAAD(p.transcript, index, p.header.count, meta)
		for _, aead := range p.aeads {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(aead.Seal(nil, nonceOf(index), k.Plain.Bytes(), aad)) })
		}
	})
	record, err := b.Bytes()
	if err != nil {
		return fmt.Errorf("key %q cannot be written: %w", k.Label, err)
	}
	p.digest.Write(record)
	_, err = p.w.Write(record)
	return err
}

// writeTrailer writes the keys' digest, and the sender's signature.
func (p *sealer) writeTrailer() error {
	digest := p.digest.Sum(nil)
	var signature []byte
	if p.sender != nil {
		var err error
		if signature, err = sign(p.sender, signed(p.transcript, digest)); err != nil {
			return err
		}
	}
	out := binary.BigEndian.AppendUint16(digest, uint16(len(signature)))
	_, err := p.w.Write(append(out, signature...))
	return err
}

func closeAll(secrets []*secret.Bytes) {
	for _, s := range secrets {
		s.Close()
	}
}
