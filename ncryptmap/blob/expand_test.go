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
}

// Wycheproof has the same keys of ML-DSA as seeds and written out, in two files.
func TestB55SeedsOfMLDSAAreWrittenOut(t *testing.T) {
	for _, set := range []string{"44", "65", "87"} {
		var seeds, expanded struct {
			TestGroups []struct{ PrivateSeed, PrivateKey, PublicKey hexBytes }
		}
		for name, into := range map[string]any{"seed": &seeds, "noseed": &expanded} {
			text, err := fs.ReadFile(wycheproof.TestVectors, "mldsa_"+set+"_sign_"+name+"_test.json")
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, into); err != nil {
				t.Fatal(err)
			}
		}
		byPublic := map[string][]byte{}
		for _, g := range expanded.TestGroups {
			byPublic[string(g.PublicKey)] = g.PrivateKey
		}
		tried := 0
		for _, g := range seeds.TestGroups {
			value, ok := byPublic[string(g.PublicKey)]
			if !ok || len(g.PrivateSeed) != 32 || len(g.PublicKey) == 0 {
				continue
			}
			k, err := blob.Read("PQDSAPRIVATESEEDBLOB", slices.Concat(magic("DSSS"), ulongs(6, 32), utf16(set), g.PrivateSeed), nil)
			if err != nil {
				t.Fatal(err)
			}
			out, err := blob.Write("PQDSAPRIVATEBLOB", k, nil)
			if err != nil || !bytes.Equal(out.Bytes(), slices.Concat(magic("DSSK"), ulongs(6, uint32(len(value))), utf16(set), value)) {
				t.Errorf("%s, seed %x: %v, or another key", set, g.PrivateSeed, err)
			}
			out.Close()
			k.Close()
			tried++
		}
		if t.Logf("%s: %d keys", set, tried); tried == 0 {
			t.Errorf("%s: no keys", set)
		}
	}
}
