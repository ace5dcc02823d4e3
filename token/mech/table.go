package mech

import (
	"cmp"
	"crypto/fips140"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// entry is a row, and the Scheme that every use of it shares where no parameter can differ.
type entry struct {
	row    *Row
	scheme *Scheme
}

// The table is made once: the rows of all families that the Go runtime was not told to refuse.
var (
	rows  = sorted(fips140.Enforced(), rsaRows(), ecRows(), kemRows(), mldsaRows(), aesRows(), secretRows(), hashRows(), ncryptRows())
	table = index(rows)
)

// lookUp finds the entry of a mechanism, an empty one where there is none. Two steps of an array beat a map here, in calls that take as long as one.
func (t *indexed) lookUp(typ ck.MechanismType) entry {
	return t.entries[t.places[placeOf(typ)]]
}

// placeOf is where a mechanism's place stands: those of the specification by their numbers, behind them ncrypt11's own, and at last one for all others,
// which stays 0.
func placeOf(typ ck.MechanismType) uint {
	if typ <= highest {
		return uint(typ)
	}
	if own := typ - firstOwn; own < owns {
		return highest + 1 + uint(own)
	}
	return highest + 1 + owns
}

// indexed is the table by number. Place 0 is empty.
type indexed struct {
	places  [highest + 1 + owns + 1]uint8
	entries []entry
}

// highest bounds the numbers of the specification's mechanisms here. ncrypt11's own are from firstOwn on (p11.h).
const (
	highest  = 0x4fff
	firstOwn = ck.CKM_NCRYPT_IMPORT_BLOB
	owns     = 16
)

// All gives the rows of all mechanisms, in the order of their numbers. The caller must not change them.
func All() []*Row { return rows }

// Lookup gives the row of a mechanism, nil where there is none.
func Lookup(typ ck.MechanismType) *Row { return table.lookUp(typ).row }

func sorted(enforced bool, families ...[]Row) []*Row {
	var all []*Row
	for _, family := range families {
		for i := range family {
			if enforced {
				restrict(&family[i])
			}
			if family[i].Flags&servings != 0 {
				all = append(all, &family[i])
			}
		}
	}
	slices.SortFunc(all, func(a, b *Row) int { return cmp.Compare(a.Type, b.Type) })
	return all
}

func index(rows []*Row) *indexed {
	t := &indexed{entries: []entry{{}}}
	for _, row := range rows {
		place := placeOf(row.Type)
		if t.places[place] != 0 || place == highest+1+owns {
			panic("mech: two rows for " + row.Type.String() + ", or a number that has no place")
		}
		t.places[place] = uint8(len(t.entries))
		t.entries = append(t.entries, entry{row, &Scheme{Row: row, Hash: row.Hash}})
	}
	return t
}

// Shorthand for the tables of the families.
const (
	crypts       = ck.CKF_ENCRYPT | ck.CKF_DECRYPT
	signs        = ck.CKF_SIGN | ck.CKF_VERIFY
	wraps        = ck.CKF_WRAP | ck.CKF_UNWRAP
	encapsulates = ck.CKF_ENCAPSULATE | ck.CKF_DECAPSULATE
	// recovers gives the data back from the signature.
	recovers = ck.CKF_SIGN_RECOVER | ck.CKF_VERIFY_RECOVER
	// servings are the flags that say which functions a mechanism serves.
	servings = crypts | signs | wraps | recovers | encapsulates | ck.CKF_DIGEST | ck.CKF_DERIVE | ck.CKF_GENERATE | ck.CKF_GENERATE_KEY_PAIR
)

func types(t ...ck.KeyType) []ck.KeyType { return t }
