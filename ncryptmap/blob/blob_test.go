package blob_test

import (
	"bytes"
	"runtime"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

func want(t *testing.T, what string, err error, status nte.Status) {
	t.Helper()
	if nte.Code(err) != status {
		t.Errorf("%s: %v, want %v", what, err, status)
	}
}

func read(t testing.TB, s *sample) *blob.Key {
	t.Helper()
	k, err := blob.Read(s.format, s.data, s.options())
	if err != nil {
		t.Fatalf("%s %s: %v", s.format, s.what, err)
	}
	t.Cleanup(k.Close)
	return k
}

// checkNumbers fails where a key has other numbers, or more.
func checkNumbers(t *testing.T, s *sample, k *blob.Key) {
	t.Helper()
	if k.Algorithm != s.algorithm || k.KeyType != s.keyType || k.Class != s.class() {
		t.Errorf("%s %s: %s %v %v", s.format, s.what, k.Algorithm, k.KeyType, k.Class)
	}
	if len(k.Parts()) != len(s.numbers) {
		t.Errorf("%s %s: %d numbers, want %d", s.format, s.what, len(k.Parts()), len(s.numbers))
	}
	for typ, value := range s.numbers {
		if !bytes.Equal(k.Get(typ), value) {
			t.Errorf("%s %s: %v is %x, want %x", s.format, s.what, typ, k.Get(typ), value)
		}
	}
}

// Blobs of other encoders are read, number by number, and written as they were.
func TestRoundTrip(t *testing.T) {
	for _, s := range samples(t) {
		if s.size != 0 && len(s.data) != s.size {
			t.Errorf("%s %s: the test made %d bytes, not %d", s.format, s.what, len(s.data), s.size)
		}
		k := read(t, &s)
		checkNumbers(t, &s, k)
		out, err := blob.Write(s.format, k, s.options())
		if err != nil {
			t.Errorf("%s %s: %v", s.format, s.what, err)
			continue
		}
		if !s.oneWay && !out.Equal(s.data) {
			t.Errorf("%s %s: written as %x, read as %x", s.format, s.what, out.Bytes(), s.data)
		}
		out.Close()
	}
}

// A format that has no sample is not tested.
func TestSamplesAreWhole(t *testing.T) {
	have := map[string]bool{"ProtectedKeyBlob": true, "PUBLICBLOB": true, "PRIVATEBLOB": true} // these have tests of their own
	for _, s := range samples(t) {
		have[s.format] = true
	}
	for _, name := range blob.PlainFormats() {
		if !have[name] {
			t.Errorf("%s has no sample", name)
		}
	}
	names := blob.PlainFormats()
	slices.Sort(names)
	if len(slices.Compact(names)) != len(blob.PlainFormats()) {
		t.Error("two formats have one name")
	}
}

// The generic names give what the specific ones do.
func TestB21Generic(t *testing.T) {
	for _, s := range samples(t) {
		private := bytes.HasSuffix([]byte(s.format), []byte("PRIVATEBLOB")) || bytes.HasSuffix([]byte(s.format), []byte("PRIVATESEEDBLOB"))
		if bytes.Contains([]byte(s.format), []byte("CAPI")) || !private && s.private {
			continue // CAPI's blobs, secret keys and wrappers have no generic name
		}
		generic := s
		generic.format = map[bool]string{false: "PUBLICBLOB", true: "PRIVATEBLOB"}[s.private]
		checkNumbers(t, &s, read(t, &generic))
	}
}

// PUBLICBLOB is written in the format that its keys usually have.
func TestWriteGeneric(t *testing.T) {
	for _, s := range samples(t) {
		k := read(t, &s)
		for name, usual := range map[string]map[string]string{
			"PUBLICBLOB": {
				"RSAPUBLICBLOB": "RSAPUBLICBLOB", "ECCPUBLICBLOB": "ECCPUBLICBLOB", "DHPUBLICBLOB": "DHPUBLICBLOB", "DSAPUBLICBLOB": "DSAPUBLICBLOB",
				"PQDSAPUBLICBLOB": "PQDSAPUBLICBLOB", "MLKEMPUBLICBLOB": "MLKEMPUBLICBLOB",
			},
			"PRIVATEBLOB": {"RSAPRIVATEBLOB": "RSAPRIVATEBLOB", "RSAFULLPRIVATEBLOB": "RSAPRIVATEBLOB", "MLKEMPRIVATEBLOB": "MLKEMPRIVATEBLOB"},
		} {
			specific, ok := usual[s.format]
			if !ok {
				continue
			}
			a, err := blob.Write(name, k, s.options())
			if err != nil {
				t.Fatal(err)
			}
			b, err := blob.Write(specific, k, s.options())
			if err != nil {
				t.Fatal(err)
			}
			if !a.Equal(b.Bytes()) {
				t.Errorf("%s of %s is not %s", name, s.format, specific)
			}
		}
	}
	aes := read(t, &secretSamples()[0])
	_, err := blob.Write("PUBLICBLOB", aes, nil)
	want(t, "public half of a secret key", err, nte.NTE_BAD_TYPE)
	for group, name := range map[string]string{"RSA": "RSAPUBLICBLOB", "ECDH": "ECCPUBLICBLOB", "DSA": "DSAPUBLICBLOB", "MLDSA": "PQDSAPUBLICBLOB", "AES": "PUBLICBLOB"} {
		if got := blob.Specific("PUBLICBLOB", group); got != name {
			t.Errorf("PUBLICBLOB of %s is %s", group, got)
		}
	}
	if got := blob.Specific("OpaqueTransport", "RSA"); got != "OpaqueTransport" {
		t.Errorf("OpaqueTransport is %s", got)
	}
}

// A magic number of nothing: an invalid parameter in a public blob, not supported in others.
func TestB23Magic(t *testing.T) {
	for _, s := range samples(t) {
		at := 0
		if _, isHeaded := map[string]bool{"CipherKeyBlob": true, "KDFKeyBlob": true}[s.format]; isHeaded {
			at = 4
		}
		status := nte.NTE_NOT_SUPPORTED
		if !s.private {
			status = nte.NTE_INVALID_PARAMETER
		}
		data := bytes.Clone(s.data)
		data[at] ^= 0x80
		_, err := blob.Read(s.format, data, s.options())
		want(t, s.format+" "+s.what+" with another magic number", err, status)
		_, err = blob.Read(map[bool]string{false: "PUBLICBLOB", true: "PRIVATEBLOB"}[s.private], data, s.options())
		want(t, "generic "+s.what+" with another magic number", err, status)
	}
}

// BitLength is ignored.
func TestB24BitLength(t *testing.T) {
	s := rsaSamples(t)[0]
	copy(s.data[4:], ulongs(0x300))
	checkNumbers(t, &s, read(t, &s))
}

// Lengths in headers that do not fit: every field of a header, shorter and longer.
func TestB25Lengths(t *testing.T) {
	rsa := rsaSamples(t)[2]
	for field := 8; field < 24; field += 4 { // cbPublicExp to cbPrime2
		for _, change := range []uint32{0, 1, 0x80, 0xffffffff} {
			data := bytes.Clone(rsa.data)
			if bytes.Equal(data[field:field+4], ulongs(change)) {
				continue
			}
			copy(data[field:], ulongs(change))
			_, err := blob.Read(rsa.format, data, nil)
			want(t, "length", err, nte.NTE_BAD_DATA)
		}
	}
}

// Every blob that is cut off anywhere behind its magic number, and every one that is a byte too long, has bad data.
func TestB26Truncated(t *testing.T) {
	for _, s := range samples(t) {
		for n := 1; n < len(s.data); n += 1 + len(s.data)/200 {
			_, err := blob.Read(s.format, s.data[:n], s.options())
			want(t, s.format+" "+s.what+" that is cut off", err, nte.NTE_BAD_DATA)
		}
		_, err := blob.Read(s.format, s.data[:len(s.data)-1], s.options())
		want(t, s.format+" "+s.what+" that is a byte short", err, nte.NTE_BAD_DATA)
		_, err = blob.Read(s.format, append(bytes.Clone(s.data), 0), s.options())
		want(t, s.format+" "+s.what+" that is a byte long", err, nte.NTE_BAD_DATA)
		_, err = blob.Read(s.format, nil, s.options())
		want(t, "empty "+s.format, err, nte.NTE_INVALID_PARAMETER)
	}
	_, err := blob.Read("RSAPUBLICBLOB", make([]byte, blob.MaxBlob+1), nil)
	want(t, "huge", err, nte.NTE_BAD_DATA)
}

// A private format with a public magic number, and the other way round.
func TestB38WrongClass(t *testing.T) {
	public, private := eccNamed(t, "ECS1", "ECCPUBLICBLOB"), eccNamed(t, "ECS2", "ECCPRIVATEBLOB")
	_, err := blob.Read("ECCPRIVATEBLOB", public.data, nil)
	want(t, "public key as private", err, nte.NTE_NOT_SUPPORTED)
	_, err = blob.Read("ECCPUBLICBLOB", private.data, nil)
	want(t, "private key as public", err, nte.NTE_INVALID_PARAMETER)
	_, err = blob.Read("PRIVATEBLOB", public.data, nil)
	want(t, "public key as PRIVATEBLOB", err, nte.NTE_NOT_SUPPORTED)
	_, err = blob.Read("RSAPRIVATEBLOB", rsaSamples(t)[2].data, nil)
	want(t, "full key as a private one", err, nte.NTE_NOT_SUPPORTED)
}

// Names that are not known, and formats that do not carry a key.
func TestB56Unknown(t *testing.T) {
	public := rsaSamples(t)[0]
	k := read(t, &public)
	_, err := blob.Read("NOBLOB", public.data, nil)
	want(t, "read", err, nte.NTE_NOT_SUPPORTED)
	_, err = blob.Write("NOBLOB", k, nil)
	want(t, "write", err, nte.NTE_INVALID_PARAMETER)
	_, err = blob.Read("rsapublicblob", public.data, nil)
	want(t, "another case", err, nte.NTE_NOT_SUPPORTED)
	if blob.Known("NOBLOB") || blob.Private("NOBLOB") || !blob.Known("PUBLICBLOB") || blob.Private("PUBLICBLOB") || !blob.Private("PRIVATEBLOB") || !blob.Private("KDFKeyBlob") {
		t.Error("what is known of names is wrong")
	}
	for _, s := range samples(t) {
		key := read(t, &s)
		for _, name := range blob.PlainFormats() {
			out, err := blob.Write(name, key, s.options())
			switch status := nte.Code(err); {
			case err == nil:
				out.Close()
			case status != nte.NTE_BAD_TYPE && status != nte.NTE_NOT_SUPPORTED:
				t.Errorf("%s as %s: %v", s.format, name, err)
			}
			if err == nil && !s.private && blob.Private(name) {
				t.Errorf("%s became %s", s.format, name)
			}
		}
	}
}

// What a header claims is not allocated.
func TestAllocation(t *testing.T) {
	for _, s := range samples(t) {
		data := bytes.Clone(s.data)
		for at := 4; at+4 <= min(len(data), 40); at += 4 {
			copy(data[at:], ulongs(0xfffffff0))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		k, err := blob.Read(s.format, data, s.options())
		runtime.ReadMemStats(&after)
		if err == nil {
			k.Close()
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > uint64(8*len(data)+64<<10) {
			t.Errorf("%s: a blob of %d bytes took %d", s.format, len(data), grown)
		}
	}
}
