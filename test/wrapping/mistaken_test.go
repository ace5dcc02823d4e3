package wrapping_test

import (
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// A key of another type than the template's is none. Any bytes are a generic secret.
func TestOtherType(t *testing.T) {
	keys := payloads(t)
	each(t, func(a *attacked, wrapped []byte) {
		for _, other := range keys {
			if other.keyType == a.p.keyType || other.keyType == ck.CKK_GENERIC_SECRET || a.m.typ == ck.CKM_RSA_PKCS {
				continue
			}
			if other.keyType == ck.CKK_AES && len(a.p.secret) == 32 {
				continue // which an AES key may have, too
			}
			a.refused("as "+other.name, 0, other.described(), wrapped)
		}
	})
}

// A length that is not the key's is refused, or another key comes out.
func TestOtherLength(t *testing.T) {
	each(t, func(a *attacked, wrapped []byte) {
		if a.p.private != nil {
			return
		}
		for _, n := range []int{16, 24, 32} {
			if n != len(a.p.secret) {
				a.refused("CKA_VALUE_LEN", n, append(a.p.described(), pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, n)), wrapped)
			}
		}
	})
}

// Another label, hash or mask is another padding.
func TestOtherParameters(t *testing.T) {
	each(t, func(a *attacked, wrapped []byte) {
		right := *a.m
		if right.hash == 0 {
			return
		}
		for i, change := range []func(m *mechanism){
			func(m *mechanism) { m.label = []byte("lebal") }, func(m *mechanism) { m.label = []byte("label\x00") }, func(m *mechanism) { m.hash = ck.CKM_SHA_1 },
			func(m *mechanism) { m.mgf = ck.CKG_MGF1_SHA1 }, func(m *mechanism) { m.label = append(m.label[:len(m.label):len(m.label)], 0) },
		} {
			other := right
			change(&other)
			(&attacked{a.token, a.t, &other, a.p, a.unwrapping}).refused("other parameters", i, a.p.described(), wrapped)
		}
	})
}

// What was wrapped under another key is not to be had.
func TestOtherKey(t *testing.T) {
	strangers := newFixtures(t)
	each(t, func(a *attacked, wrapped []byte) {
		stranger := &token{Ctx: a.Ctx, fixtures: strangers, slot: a.slot, h: a.h}
		unwrapping, err := stranger.unwrapping(a.m)
		must(a.t, err)
		(&attacked{stranger, a.t, a.m, a.p, unwrapping}).refused("another key", 0, a.p.described(), wrapped)
		must(a.t, a.DestroyObject(a.h, unwrapping))
	})
}
