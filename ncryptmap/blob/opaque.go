package blob

import (
	"encoding/binary"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// Transport is an OpaqueTransport blob, whose form is each provider's own. This one's: "N11O" and version 1; ULONGs for the export policy, the usage, and the
// lengths of algorithm, name and nonce; algorithm and name in UTF-16 with their NUL; the nonce; and to the end the key under AES-GCM, with its tag. The AES key is one
// that a token has for nothing else, so the blob goes back into that token and into no other. All before the key is authenticated: whoever changes the name,
// the usage or the export policy has a blob that does not open.
type Transport struct {
	Algorithm     string
	Name          string // empty: the key had none
	Export, Usage uint32
	Nonce         []byte
	Key           []byte
}

const (
	magicTransport   = 0x4f31314e // "N11O"
	versionTransport = 1
	maxTransportName = 2 * 513
)

// TransportNonce is how many bytes the nonce has.
const TransportNonce = 12

// Header is the part of the blob that is authenticated: everything before the key.
func (t *Transport) Header() []byte {
	algorithm, name := Wide(t.Algorithm), Wide(t.Name)
	var out []byte
	for _, v := range []uint32{
		magicTransport, versionTransport, t.Export, t.Usage, uint32(len(algorithm)), uint32(len(name)), uint32(len(t.Nonce)),
	} {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return append(append(append(out, algorithm...), name...), t.Nonce...)
}

// ParseTransport reads a blob. Errors: nte.NTE_BAD_DATA, also for a blob of another provider; nte.NTE_BAD_VER.
func ParseTransport(data []byte) (*Transport, error) {
	if len(data) > maxBlob {
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "the blob has %d bytes, more than %d", len(data), maxBlob)
	}
	r := &reader{data: data}
	if r.ulong() != magicTransport {
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "the blob is not of this provider")
	}
	if version := r.ulong(); version != versionTransport {
		return nil, nte.Errorf(nte.NTE_BAD_VER, "a blob of version %d is not known", version)
	}
	t := &Transport{Export: r.ulong(), Usage: r.ulong()}
	algorithm, name, nonce := r.ulong(), r.ulong(), r.ulong()
	if algorithm > maxAlgorithm || name > maxTransportName || nonce != TransportNonce {
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "the lengths in the blob's header are not those of this provider's blobs")
	}
	t.Algorithm, t.Name = r.text(algorithm), r.text(name)
	t.Nonce, t.Key = r.take(nonce), r.take(uint32(len(r.data)))
	if err := r.end(); err != nil {
		return nil, err
	}
	return t, nil
}
