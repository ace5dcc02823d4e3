package blob_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"slices"
	"testing"

	"github.com/c2sp/wycheproof"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// A seed is written out as others write it: with Wycheproof's seeds and what they make.
func TestB55SeedsAreWrittenOut(t *testing.T) {
	for _, set := range []string{"768", "1024"} {
		text, err := fs.ReadFile(wycheproof.TestVectors, "mlkem_"+set+"_keygen_seed_test.json")
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			TestGroups []struct {
				Tests []struct {
					ID       int `json:"tcId"`
					Seed, DK hexBytes
				}
			}
		}
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		tried := 0
		for _, g := range file.TestGroups {
			for _, v := range g.Tests {
				in := slices.Concat(magic("MLKS"), ulongs(uint32(2*len(set)+2), 64), utf16(set), v.Seed)
				k, err := blob.Read("MLKEMPRIVATESEEDBLOB", in, nil)
				if err != nil {
					t.Fatalf("%s %d: %v", set, v.ID, err)
				}
				out, err := blob.Write("MLKEMPRIVATEBLOB", k, nil)
				want := slices.Concat(magic("MLKR"), ulongs(uint32(2*len(set)+2), uint32(len(v.DK))), utf16(set), v.DK)
				if err != nil || !bytes.Equal(out.Bytes(), want) {
					t.Errorf("%s %d: %v, or another key", set, v.ID, err)
				}
				out.Close()
				k.Close()
				tried++
			}
		}
		if tried < 10 {
			t.Errorf("%s: %d keys", set, tried)
		}
	}
	small, err := blob.Read("MLKEMPRIVATESEEDBLOB", slices.Concat(magic("MLKS"), ulongs(8, 64), utf16("512"), make([]byte, 64)), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = blob.Write("MLKEMPRIVATEBLOB", small, nil)
	want(t, "ML-KEM-512, which Go has not", err, nte.NTE_NOT_SUPPORTED)
}
