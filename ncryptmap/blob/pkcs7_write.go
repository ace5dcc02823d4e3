package blob

import (
	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// NewCipher is the content cipher that NCRYPTBUFFER_PKCS_ALG_OID names, AES-256 where it names none. Only AES is written. Error: nte.NTE_NOT_SUPPORTED.
func NewCipher(oid string) (Cipher, error) {
	if oid == "" {
		return cipherOf(&schemes[0]), nil
	}
	if s := schemeOf(oid); s != nil && s.written && !s.derivesIV() {
		return cipherOf(s), nil
	}
	return Cipher{}, nte.Errorf(nte.NTE_NOT_SUPPORTED, "the content cipher %q is not supported: take %s (AES-256-CBC)", oid, schemes[0].oid)
}

// Marshal writes an EnvelopedData with recipients that are named by issuer and serial number, whose key transport is OAEP.
func (e *Enveloped) Marshal() ([]byte, error) {
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(oidEnvelopedData)
		b.AddASN1(tag0, func(b *cryptobyte.Builder) {
			b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(0) // RFC 5652, section 6.1: no originator, and only recipients of version 0
				b.AddASN1(tag.SET, func(b *cryptobyte.Builder) {
					for i := range e.Recipients {
						e.Recipients[i].write(b)
					}
				})
				e.writeContent(b)
			})
		})
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, nte.Errorf(nte.NTE_FAIL, "writing an EnvelopedData: %w", err)
	}
	return der, nil
}

func (e *Enveloped) writeContent(b *cryptobyte.Builder) {
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(oidData)
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(mustOID(e.Cipher.OID))
			b.AddASN1OctetString(e.IV)
		})
		b.AddASN1(tag.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(e.Data) })
	})
}

func (r *Recipient) write(b *cryptobyte.Builder) {
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0) // RFC 5652, section 6.2.1: issuerAndSerialNumber
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(r.Issuer)
			b.AddBytes(r.Serial)
		})
		b.AddASN1(tag.SEQUENCE, r.writeOAEP)
		b.AddASN1OctetString(r.Key)
	})
}

func (r *Recipient) writeOAEP(b *cryptobyte.Builder) {
	hash := func(name string) cryptobyte.BuilderContinuation {
		return func(b *cryptobyte.Builder) {
			for _, h := range oaepHashes {
				if h.name == name {
					b.AddBytes(h.oid)
				}
			}
			b.AddBytes(asn1Null)
		}
	}
	b.AddBytes(oidRSAOAEP)
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tag0, func(b *cryptobyte.Builder) { b.AddASN1(tag.SEQUENCE, hash(r.Hash)) })
		b.AddASN1(tag1, func(b *cryptobyte.Builder) {
			b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes(oidMGF1)
				b.AddASN1(tag.SEQUENCE, hash(r.MGF))
			})
		})
	})
}
