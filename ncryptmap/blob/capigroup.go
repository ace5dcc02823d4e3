package blob

import (
	"bytes"
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// CAPI's DSA and DH keys (wincrypt.h), behind the BLOBHEADER:
//
// version 2, DSA only: DSSPUBKEY, which is magic and bitlen; then p, q[20] and g, y of public and x[20] of private keys, DSSSEED.
//
// version 3: DSSPUBKEY_VER3 or DSSPRIVKEY_VER3, which is magic, bitlenP, bitlenQ, bitlenJ, bitlenX of private keys, DSSSEED; then p, q, g, j, y, and x of
// private keys. DH has the same, with other magic numbers.
//
// DSSSEED is counter and seed[20]. DH's version 2 says the public value or the private one without the other, and is not read.
const (
	algorithmDSA    = 0x2200 // CALG_DSS_SIGN
	algorithmDH     = 0xaa01 // CALG_DH_SF, whose keys are kept
	algorithmDHEphm = 0xaa02 // CALG_DH_EPHEM
	capiSeed        = dsaCount + dsaGroupV1
)

// capiGroup says how a kind of keys is written.
type capiGroup struct {
	name                        string // of the algorithm
	keyType                     ck.KeyType
	algorithms                  []uint32 // the first is written
	public2, private2           uint32   // magic numbers of version 2; 0: it is not read
	public3, private3           uint32
	writesVersion               uint32
	publicFormat, privateFormat string
}

var (
	capiDSA = &capiGroup{"DSA", ck.CKK_DSA, []uint32{algorithmDSA}, 0x31535344, 0x32535344, 0x33535344, 0x34535344, capiVersion3,
		"CAPIDSAPUBLICBLOB", "CAPIDSAPRIVATEBLOB"}
	capiDSA2 = &capiGroup{"DSA", ck.CKK_DSA, []uint32{algorithmDSA}, 0x31535344, 0x32535344, 0x33535344, 0x34535344, capiVersion2,
		"V2CAPIDSAPUBLICBLOB", "V2CAPIDSAPRIVATEBLOB"}
	capiDH = &capiGroup{"DH", ck.CKK_DH, []uint32{algorithmDH, algorithmDHEphm}, 0, 0, 0x33484400, 0x34484400, capiVersion3,
		"CAPIDHPUBLICBLOB", "CAPIDHPRIVATEBLOB"}
)

var capiGroupFormats = slices.Concat(capiDSA.formats(), capiDSA2.formats(), capiDH.formats())

func (g *capiGroup) formats() []format {
	return []format{
		{g.publicFormat, ck.CKO_PUBLIC_KEY, g.read(false), g.write(g.publicFormat, false)},
		{g.privateFormat, ck.CKO_PRIVATE_KEY, g.read(true), g.write(g.privateFormat, true)},
	}
}

func (g *capiGroup) magic(version uint32, private bool) uint32 {
	switch {
	case version == capiVersion3 && private:
		return g.private3
	case version == capiVersion3:
		return g.public3
	case private:
		return g.private2
	}
	return g.public2
}

// read takes either version, under either name: the blob says which it is.
func (g *capiGroup) read(private bool) func([]byte, *Options) (*Key, error) {
	return func(data []byte, _ *Options) (*Key, error) {
		r := &reader{data: data}
		version, err := r.capiStart(private, g.algorithms...)
		if err != nil {
			return nil, err
		}
		if version != capiVersion3 && (version != capiVersion2 || g.public2 == 0) {
			return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "version %d of %s keys is not supported", version, g.name)
		}
		if magic := r.ulong(); magic != g.magic(version, private) {
			return nil, r.wrongMagic(magic, g.magic(version, private))
		}
		k := newKey(g.name, g.keyType, private)
		if version == capiVersion2 {
			return r.group2(k, private)
		}
		return r.group3(k, private)
	}
}

// group2 reads what version 2 has behind its magic number.
func (r *reader) group2(k *Key, private bool) (*Key, error) {
	size := r.bytesOf()
	r.little(k, ck.CKA_PRIME, size, false)
	r.little(k, ck.CKA_SUBPRIME, dsaGroupV1, false)
	r.little(k, ck.CKA_BASE, size, false)
	if private {
		r.little(k, ck.CKA_VALUE, dsaGroupV1, true)
	} else {
		r.little(k, ck.CKA_VALUE, size, false)
	}
	k.Domain = r.seed()
	return k.checked(r)
}

// group3 reads what version 3 has behind its magic number.
func (r *reader) group3(k *Key, private bool) (*Key, error) {
	p, q, j, x := r.bytesOf(), r.bytesOf(), r.bytesOf(), uint32(0)
	if private {
		x = r.bytesOf()
	}
	seed := r.seed()
	r.little(k, ck.CKA_PRIME, p, false)
	switch {
	case k.KeyType == ck.CKK_DSA:
		k.Domain = seed
	case q != 0:
		k.KeyType = ck.CKK_X9_42_DH // the key type that has q
	}
	if q != 0 || k.KeyType == ck.CKK_DSA {
		r.little(k, ck.CKA_SUBPRIME, q, false)
	}
	r.little(k, ck.CKA_BASE, p, false)
	r.take(j) // it is (p-1)/q
	if !private {
		r.little(k, ck.CKA_VALUE, p, false)
		return k.checked(r)
	}
	k.Public = bytes.TrimRight(slices.Clone(r.take(p)), "\x00")
	slices.Reverse(k.Public)
	r.little(k, ck.CKA_VALUE, x, true)
	return k.checked(r)
}

// bytesOf reads a length in bits, and gives it in bytes.
func (r *reader) bytesOf() uint32 {
	n := r.ulong()
	if n > maxCAPIBits {
		r.bad = true
		return 0
	}
	return capiLength(n, false)
}

// seed reads a DSSSEED: nil where it says that it is not known.
func (r *reader) seed() *Domain {
	d := &Domain{}
	copy(d.Count[:], r.take(dsaCount))
	d.Seed = slices.Clone(r.take(dsaGroupV1))
	slices.Reverse(d.Count[:])
	slices.Reverse(d.Seed)
	if d.Count == [4]byte{unknown, unknown, unknown, unknown} {
		return nil
	}
	return d
}

// capiSeed writes a DSSSEED.
func (w *writer) seed(d *Domain) {
	if d == nil || len(d.Seed) != dsaGroupV1 { // the field has room for no other seed
		w.bytes(bytes.Repeat([]byte{unknown}, capiSeed))
		return
	}
	w.little(d.Count[:], dsaCount)
	w.little(d.Seed, dsaGroupV1)
}

func (g *capiGroup) write(name string, private bool) func(*Key, *Options) (*secret.Bytes, error) {
	return func(k *Key, _ *Options) (*secret.Bytes, error) {
		types := []ck.AttributeType{}
		switch {
		case k.KeyType != g.keyType && (g.keyType != ck.CKK_DH || k.KeyType != ck.CKK_X9_42_DH):
			return nil, wrongKind(name, k)
		case g.keyType == ck.CKK_DSA:
			types = append(types, ck.CKA_SUBPRIME)
		}
		if g.writesVersion == capiVersion2 {
			return g.write2(name, k, private)
		}
		if err := needsGroup(name, k, types...); err != nil {
			return nil, err
		}
		p, q := k.Get(ck.CKA_PRIME), k.Get(ck.CKA_SUBPRIME)
		size := capiHeader + 16 + capiSeed + 3*len(p) + len(q)
		lengths := []uint32{g.magic(capiVersion3, private), uint32(8 * len(p)), uint32(8 * len(q)), 0}
		x := k.Get(ck.CKA_VALUE)
		if private {
			size += 4 + len(x)
			lengths = append(lengths, uint32(8*len(x)))
		}
		w := newWriter(size)
		w.capiStart(private, capiVersion3, g.algorithms[0])
		w.ulong(lengths...)
		w.seed(k.Domain)
		w.little(p, len(p))
		w.little(q, len(q))
		w.little(k.Get(ck.CKA_BASE), len(p))
		w.little(k.public(), len(p))
		if private {
			w.little(x, len(x))
		}
		return w.done()
	}
}

// write2 writes version 2: its q and x have 20 bytes, and a private key does without the public value.
func (g *capiGroup) write2(name string, k *Key, private bool) (*secret.Bytes, error) {
	if err := needs(name, k, ck.CKA_PRIME, ck.CKA_SUBPRIME, ck.CKA_BASE, ck.CKA_VALUE); err != nil {
		return nil, err
	}
	if len(k.Get(ck.CKA_SUBPRIME)) > dsaGroupV1 {
		return nil, nte.Errorf(nte.NTE_BAD_TYPE, "%s has groups of %d bytes only", name, dsaGroupV1)
	}
	p := k.Get(ck.CKA_PRIME)
	last, length := k.public(), len(p)
	if private {
		last, length = k.Get(ck.CKA_VALUE), dsaGroupV1
	}
	if len(last) == 0 {
		return nil, nte.Errorf(nte.NTE_BAD_TYPE, "%s needs the public value, which is not known of this key", name)
	}
	w := newWriter(capiHeader + 8 + 2*len(p) + dsaGroupV1 + length + capiSeed)
	w.capiStart(private, capiVersion2, g.algorithms[0])
	w.ulong(g.magic(capiVersion2, private), uint32(8*len(p)))
	w.little(p, len(p))
	w.little(k.Get(ck.CKA_SUBPRIME), dsaGroupV1)
	w.little(k.Get(ck.CKA_BASE), len(p))
	w.little(last, length)
	w.seed(k.Domain)
	return w.done()
}
