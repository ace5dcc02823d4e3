package ncryptmap

import (
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// decision is what becomes of flags that ask for isolation, where there is a guard that isolates and where there is none.
type decision struct {
	flags         uint32 // NCRYPT_REQUIRE_VBS_FLAG, ...
	with, without plan.Protection
	unavailable   bool // without one the answer is NTE_VBS_UNAVAILABLE ...
	onlyWithAName bool // ... where the key would outlive its handle
}

// decisions: that a key dies with the boot is a promise that software cannot keep, so that it is not made; a key that dies with its handle anyway needs none.
// A key that is isolated because that was preferred is as isolated as one that had to be.
var decisions = []decision{
	{flags: 0, with: plan.None, without: plan.None},
	{flags: NCRYPT_REQUIRE_VBS_FLAG, with: plan.Require, unavailable: true},
	{flags: NCRYPT_REQUIRE_VBS_FLAG | NCRYPT_USE_PER_BOOT_KEY_FLAG, with: plan.Require, unavailable: true},
	{flags: NCRYPT_USE_PER_BOOT_KEY_FLAG, with: plan.Require, unavailable: true},
	{flags: NCRYPT_PREFER_VBS_FLAG, with: plan.Require, without: plan.Prefer},
	{flags: NCRYPT_PREFER_VBS_FLAG | NCRYPT_USE_PER_BOOT_KEY_FLAG, with: plan.Require, without: plan.Prefer, unavailable: true, onlyWithAName: true},
}

// isolate decides how much isolation the key is to have. It is decided once, when the key is begun. Error: NTE_VBS_UNAVAILABLE.
func (k *key) isolate() error {
	if k.flags&isolation == 0 {
		required, err := k.provider.requires(k.machine)
		if required {
			k.isolation = plan.Require
		}
		return status(err)
	}
	isolates, err := k.provider.isolates(k.machine)
	if err != nil && ck.Code(err) != ck.CKR_FUNCTION_REJECTED {
		return status(err)
	}
	for _, d := range decisions {
		switch {
		case d.flags != k.flags&isolation:
		case isolates:
			k.isolation = d.with
			return nil
		case d.unavailable && (!d.onlyWithAName || k.name != ""):
			return nte.Errorf(nte.NTE_VBS_UNAVAILABLE, "the key must be isolated, and no isolating guard is available: see `ncrypt11 status`")
		default:
			k.isolation = d.without
			return nil
		}
	}
	return nte.Errorf(nte.NTE_BAD_FLAGS, "flags %#x contradict each other", k.flags&isolation)
}

// isolated says whether the key must not leave at all.
func (k *key) isolated() bool { return k.isolation == plan.Require }

// isolates says whether keys of a scope would be isolated that ask for it.
func (p *provider) isolates(machine bool) (bool, error) {
	slot, there, err := p.slot(machine)
	if err != nil {
		return false, err
	}
	if there {
		return p.ksp.engine.Isolates(slot)
	}
	return p.ksp.engine.WouldIsolate()
}

// requires says whether all keys of a scope are isolated, by the policy of their token.
func (p *provider) requires(machine bool) (bool, error) {
	slot, there, err := p.slot(machine)
	if err != nil || !there {
		return false, err
	}
	d, err := p.ksp.engine.Describe(slot)
	return d.Policy == store.PolicyVBSRequired, err
}
