package token

import (
	"time"

	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// protections are what the token's policy lays down for each of its keys.
var protections = map[string]plan.Protection{
	store.PolicySoftware: plan.None, store.PolicyVBSPreferred: plan.Prefer, store.PolicyVBSRequired: plan.Require,
}

// planFloor is the least that the token gives its keys.
func planFloor(h *store.Header) plan.Policy {
	return plan.Policy{Protection: protections[h.Policy], PerBoot: PerBoot(h)}
}

// protect plans a key as NCrypt would (package plan), refuses a plan that cannot be kept, and writes down what is achieved.
// The token's lock is held.
func (t *Token) protect(d *draft, keys guard.Keys) error {
	if d.policy().Class == ck.CKO_DATA {
		return nil
	}
	h, err := t.header()
	if err != nil {
		return err
	}
	if err := d.name(h); err != nil {
		return err
	}
	set := d.set
	p, err := plan.For(set, planFloor(h))
	if err != nil {
		return err
	}
	if p.Protection == plan.Require && !keys.Level().Isolated() {
		return ck.Errorf(ck.CKR_FUNCTION_REJECTED, "the key must be isolated, and no isolating guard is available: see `ncrypt11 status`")
	}
	if err := mayEndWithBoot(&p, h, d, keys); err != nil {
		return err
	}
	set.PutBool(ck.CKA_NCRYPT_ISOLATED, keys.Level().Isolated())
	set.PutBool(ck.CKA_NCRYPT_PER_BOOT, p.Lifetime == plan.PerBoot || set.Bool(ck.CKA_NCRYPT_PER_BOOT)) // a session key has what copies of it will have
	set.PutBool(ck.CKA_NCRYPT_USABLE, true)
	t.noteNCrypt(set)
	return nil
}

// noteNCrypt writes down what a key is to NCrypt, when it is made and whenever its attributes change. Other objects are nothing to NCrypt.
func (t *Token) noteNCrypt(set *attr.Set) {
	if class := classOf(set); class != ck.CKO_PRIVATE_KEY && class != ck.CKO_SECRET_KEY {
		return
	}
	plan.Note(set)
	if !set.Bool(ck.CKA_TOKEN) {
		return
	}
	scope := uint(0)
	if t.scope == config.Machine {
		scope = plan.NCRYPT_MACHINE_KEY_FLAG
	}
	set.PutULong(ck.CKA_NCRYPT_SCOPE, scope)
	set.Put(ck.CKA_NCRYPT_MODIFIED, plan.FileTime(time.Now()))
}

// mayEndWithBoot refuses a key that is to die with this boot, in a token that is not, where that cannot be promised.
func mayEndWithBoot(p *plan.Plan, h *store.Header, d *draft, keys guard.Keys) error {
	switch {
	case p.Lifetime != plan.PerBoot || PerBoot(h):
		return nil
	case !keys.Level().Isolated():
		return ck.Errorf(ck.CKR_FUNCTION_REJECTED, "a key that dies with the boot needs an isolating guard and a TPM: see `ncrypt11 status`")
	case d.private() && h.Login == store.LoginPIN:
		return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "a private key that dies with the boot needs a token without a login, or one made with --lifetime per-boot")
	}
	return nil
}
