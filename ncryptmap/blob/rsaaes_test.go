package blob_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

var rsaAES = &blob.RSAAES{Key: []byte("what CKM_RSA_AES_KEY_WRAP gave"), Hash: "SHA256", Label: []byte("label")}

func TestRSAAES(t *testing.T) {
	written := rsaAES.Marshal()
	if !bytes.HasPrefix(written, []byte("RAPW")) {
		t.Errorf("it begins with %q", written[:4])
	}
	read, err := blob.ParseRSAAES(written)
	if err != nil || !reflect.DeepEqual(read, rsaAES) {
		t.Errorf("%+v, %v", read, err)
	}
	longer := append(bytes.Clone(written), 0)
	another := append([]byte("RAPX"), written[4:]...)
	huge := bytes.Clone(written)
	huge[7] = 0xff // of cbKey
	odd := bytes.Clone(written)
	odd[8]-- // of cbPaddingAlgId
	for what, test := range map[string]struct {
		data []byte
		want nte.Status
	}{
		"nothing": {nil, nte.NTE_BAD_DATA}, "half a header": {written[:7], nte.NTE_BAD_DATA}, "cut off": {written[:len(written)-1], nte.NTE_BAD_DATA},
		"a byte more": {longer, nte.NTE_BAD_DATA}, "another magic number": {another, nte.NTE_INVALID_PARAMETER}, "a length beyond its end": {huge, nte.NTE_BAD_DATA},
		"half a character": {odd, nte.NTE_BAD_DATA}, "a megabyte and more": {make([]byte, 1<<20+1), nte.NTE_BAD_DATA},
	} {
		if _, err := blob.ParseRSAAES(test.data); nte.Code(err) != test.want {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// FuzzRSAAES: what is read is written the same, but for the NUL that a name may lack.
func FuzzRSAAES(f *testing.F) {
	f.Add(rsaAES.Marshal())
	f.Add((&blob.RSAAES{Hash: "SHA1"}).Marshal())
	f.Add([]byte("RAPW\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := blob.ParseRSAAES(data)
		if !expected(t, err) {
			return
		}
		again, err := blob.ParseRSAAES(b.Marshal())
		if err != nil || !bytes.Equal(again.Key, b.Key) || again.Hash != b.Hash || !bytes.Equal(again.Label, b.Label) {
			t.Errorf("%+v is read again as %+v, %v", b, again, err)
		}
	})
}
