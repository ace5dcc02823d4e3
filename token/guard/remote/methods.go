package remote

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Generate makes a key in the guard.
func (g *Keys) Generate(v guard.Vault, s *mech.Scheme, spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
	return g.made(protocol.MethodGenerate, v, func(_ *turn, at guard.Vault) (protocol.Message, error) {
		return &protocol.Generate{Vault: at, Scheme: s, Spec: spec, Policy: p}, nil
	})
}

// Import hands a key to the guard. The only copies here are the caller's own and the message, which is wiped as it is sent.
func (g *Keys) Import(v guard.Vault, m *guard.Material, p *guard.Policy) (*guard.Key, error) {
	return g.made(protocol.MethodImport, v, func(_ *turn, at guard.Vault) (protocol.Message, error) {
		return &protocol.Import{Vault: at, Material: *m, Policy: p}, nil
	})
}

// Unwrap has the guard decrypt a wrapped key and take it in.
func (g *Keys) Unwrap(v guard.Vault, unwrapping guard.Ref, s *mech.Scheme, wrapped []byte, spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
	return g.made(protocol.MethodUnwrap, v, func(t *turn, at guard.Vault) (protocol.Message, error) {
		by, err := g.refIn(t, unwrapping)
		return &protocol.Unwrap{Vault: at, By: by, Scheme: s, Wrapped: wrapped, Spec: spec, Policy: p}, err
	})
}

// Derive makes a secret key from base.
func (g *Keys) Derive(v guard.Vault, base guard.Ref, s *mech.Scheme, spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
	return g.made(protocol.MethodDerive, v, func(t *turn, at guard.Vault) (protocol.Message, error) {
		ref, err := g.refIn(t, base)
		if err != nil {
			return nil, err
		}
		scheme, err := g.withSalt(t, s)
		return &protocol.Derive{Vault: at, Base: ref, Scheme: scheme, Spec: spec, Policy: p}, err
	})
}

// withSalt is the scheme as the guard of this turn understands it: the key that is a salt goes by another reference there.
func (g *Keys) withSalt(t *turn, s *mech.Scheme) (*mech.Scheme, error) {
	if s.SaltKey == 0 {
		return s, nil
	}
	salt, err := g.refIn(t, guard.Ref(s.SaltKey))
	there := *s
	there.SaltKey = uint64(salt)
	return &there, err
}

// Encapsulate makes a secret key for the owner of a public key.
func (g *Keys) Encapsulate(v guard.Vault, public []guard.Part, s *mech.Scheme, spec *guard.KeySpec, p *guard.Policy) (*guard.Key, []byte, error) {
	var m protocol.Encapsulated
	var ciphertext []byte
	k, err := g.madeAs(protocol.MethodEncapsulate, v, func(_ *turn, at guard.Vault) (protocol.Message, error) {
		return &protocol.Encapsulate{Vault: at, By: public, Scheme: s, Spec: spec, Policy: p}, nil
	}, &m, &m.Made, func() { ciphertext = slices.Clone(m.Ciphertext) })
	return k, ciphertext, err
}

// Decapsulate makes the secret key that a ciphertext is for.
func (g *Keys) Decapsulate(v guard.Vault, private guard.Ref, s *mech.Scheme, ciphertext []byte, spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
	return g.made(protocol.MethodDecapsulate, v, func(t *turn, at guard.Vault) (protocol.Message, error) {
		by, err := g.refIn(t, private)
		return &protocol.Decapsulate{Vault: at, By: by, Scheme: s, Ciphertext: ciphertext, Spec: spec, Policy: p}, err
	})
}

// Reissue gives a copy of the key under another policy.
func (g *Keys) Reissue(v guard.Vault, ref guard.Ref, p *guard.Policy) (*guard.Key, error) {
	return g.made(protocol.MethodReissue, v, func(t *turn, at guard.Vault) (protocol.Message, error) {
		own, err := g.refIn(t, ref)
		return &protocol.Reissue{Vault: at, Ref: own, Policy: p}, err
	})
}

// Reveal gives the plaintext of a key that may be read.
func (g *Keys) Reveal(ref guard.Ref) (*guard.Revealed, error) {
	var m protocol.Revealed
	var revealed *guard.Revealed
	request := func(t *turn) (protocol.Message, error) {
		own, err := g.refIn(t, ref)
		return &protocol.OneRef{Ref: own}, err
	}
	err := g.exchange(protocol.MethodReveal, request, &m, func() { revealed = guard.Reveal(m.Parts) })
	return revealed, err
}

// Authorize has the guard check a PIN for one use of a key.
func (g *Keys) Authorize(ref guard.Ref, sealed []byte, auth *secret.Bytes, context []byte) (uint64, error) {
	var m protocol.Ticket
	request := func(t *turn) (protocol.Message, error) {
		own, err := g.refIn(t, ref)
		return &protocol.Authorize{Ref: own, Sealed: sealed, Auth: auth, Context: context}, err
	}
	err := g.exchange(protocol.MethodAuthorize, request, &m, func() {})
	return m.Ticket, err
}

// Sign signs data, or its digest.
func (g *Keys) Sign(dst []byte, ref guard.Ref, s *mech.Scheme, data []byte) ([]byte, error) {
	return g.use(dst, protocol.MethodSign, ref, mech.OpSign, s, data)
}

// SignRecover signs data so that the signature gives it back.
func (g *Keys) SignRecover(dst []byte, ref guard.Ref, s *mech.Scheme, data []byte) ([]byte, error) {
	return g.use(dst, protocol.MethodSign, ref, mech.OpSignRecover, s, data)
}

// Encrypt encrypts with a secret key.
func (g *Keys) Encrypt(dst []byte, ref guard.Ref, s *mech.Scheme, data []byte) ([]byte, error) {
	return g.use(dst, protocol.MethodCrypt, ref, mech.OpEncrypt, s, data)
}

// Decrypt decrypts with a secret or private key.
func (g *Keys) Decrypt(dst []byte, ref guard.Ref, s *mech.Scheme, data []byte) ([]byte, error) {
	return g.use(dst, protocol.MethodCrypt, ref, mech.OpDecrypt, s, data)
}

// use runs an operation of one part. What is too long for one message goes in parts, where the mechanism has them.
func (g *Keys) use(dst []byte, method protocol.Method, ref guard.Ref, op mech.Op, s *mech.Scheme, data []byte) ([]byte, error) {
	if len(data) > protocol.MaxData {
		return g.inParts(dst, ref, op, s, data)
	}
	return g.output(dst, method, func(t *turn) (protocol.Message, error) {
		own, err := g.refIn(t, ref)
		return &protocol.Use{Ref: own, Op: op, Scheme: s, Data: data}, err
	})
}

// output runs a request that is answered with bytes, and appends them to dst.
func (g *Keys) output(dst []byte, method protocol.Method, r request) ([]byte, error) {
	var m protocol.Output
	err := g.exchange(method, r, &m, func() { dst = append(dst, m.Data...) })
	if err != nil {
		return nil, err
	}
	return dst, nil
}

// inParts runs an operation over more data than a message holds.
func (g *Keys) inParts(dst []byte, ref guard.Ref, op mech.Op, s *mech.Scheme, data []byte) ([]byte, error) {
	if s.Row == nil || !s.Row.MultiPart {
		return nil, ck.Errorf(ck.CKR_DATA_LEN_RANGE, "the guard takes at most %d bytes at a time", protocol.MaxData)
	}
	st, err := g.Stream(ref, s, op)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	if dst, err = st.Update(dst, data); err != nil {
		return nil, err
	}
	return st.Final(dst)
}

// Verify checks a MAC.
func (g *Keys) Verify(ref guard.Ref, s *mech.Scheme, data, mac []byte) error {
	if len(data) > protocol.MaxData {
		return g.verifyInParts(ref, s, data, mac)
	}
	request := func(t *turn) (protocol.Message, error) {
		own, err := g.refIn(t, ref)
		return &protocol.Verify{Ref: own, Scheme: s, Data: data, MAC: mac}, err
	}
	return g.exchange(protocol.MethodVerify, request, &protocol.Nothing{}, func() {})
}

func (g *Keys) verifyInParts(ref guard.Ref, s *mech.Scheme, data, mac []byte) error {
	st, err := g.Stream(ref, s, mech.OpVerify)
	if err != nil {
		return err
	}
	defer st.Close()
	if _, err := st.Update(nil, data); err != nil {
		return err
	}
	return st.Verify(mac)
}

// Wrap encrypts a key under another.
func (g *Keys) Wrap(dst []byte, wrapping guard.Ref, s *mech.Scheme, ref guard.Ref) ([]byte, error) {
	return g.output(dst, protocol.MethodWrap, func(t *turn) (protocol.Message, error) {
		by, err := g.refIn(t, wrapping)
		if err != nil {
			return nil, err
		}
		own, err := g.refIn(t, ref)
		return &protocol.Wrap{By: by, Scheme: s, Key: own}, err
	})
}

// WrapPublic encrypts a key under a public key.
func (g *Keys) WrapPublic(dst []byte, wrapping []guard.Part, s *mech.Scheme, ref guard.Ref) ([]byte, error) {
	return g.output(dst, protocol.MethodWrapPublic, func(t *turn) (protocol.Message, error) {
		own, err := g.refIn(t, ref)
		return &protocol.WrapPublic{By: wrapping, Scheme: s, Key: own}, err
	})
}
