package ncryptmap

import (
	"sync"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// key is what a key's handle stands for. Its states are those of a key that is made in steps: first nothing but what it is to be, then final.
type key struct {
	mu       sync.Mutex
	asked    *provider // that the program opened
	provider *provider // that has the key: the same, but for what is asked of cards
	final    bool
	gone     bool // freed or deleted, while another call waited for it

	name      string // empty: the key lives as long as the handle
	machine   bool
	flags     uint32 // that it was made with
	isolation plan.Protection
	algorithm *algorithm
	curve     *pubkey.Curve
	set       *parameterSet // of ML-DSA and ML-KEM; nil: the property ParameterSetName is to say it
	length    uint32        // bits
	export    uint32        // NCRYPT_EXPORT_POLICY_PROPERTY
	usage     uint32        // NCRYPT_KEY_USAGE_PROPERTY
	material  *blob.Key     // what becomes the key; nil: it is generated
	wrapped   *wrappedBlob  // the same, under another key
	most      *limits       // what the blob lets the key do; nil: everything
	custom    map[string][]byte
	transient map[string][]byte // properties of the handle: UI Policy, HWND Handle, Use Context

	// Of a key that is final.
	session  *token.Session
	object   ck.ObjectHandle // the private, secret or, of a public key, public key object
	public   ck.ObjectHandle // an object for what is done with the public half; 0: not made yet
	class    ck.ObjectClass
	loggedIn *token.Session // before the key is final: keeps the login
	archive  *archive       // what may be archived once through this handle; nil: nothing

	legacyKeySpec uint32 // what a card's key is for
}

// persistent says whether the key is kept.
func (k *key) persistent() bool { return k.name != "" && k.class != ck.CKO_PUBLIC_KEY }

func (k *key) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop()
}

// drop lets go of everything but the handle. The key's lock is held.
func (k *key) drop() {
	k.material.Close()
	k.wrapped.close()
	k.material, k.wrapped = nil, nil
	k.archive.close()
	k.archive = nil
	k.gone = true
	for _, s := range []**token.Session{&k.session, &k.loggedIn} {
		if *s != nil {
			_ = (*s).Close() // with it go the objects that are not kept
			*s = nil
		}
	}
}

// held gives a key in whatever state, locked. Error: NTE_INVALID_HANDLE.
func (k *KSP) held(h Handle) (*key, error) {
	key, err := get[*key](&k.handles, h)
	if err != nil {
		return nil, err
	}
	key.mu.Lock()
	if key.gone {
		key.mu.Unlock()
		return nil, nte.Errorf(nte.NTE_INVALID_HANDLE, "the key was freed or deleted")
	}
	return key, nil
}

// begun gives a key that is not final yet, locked. Error: NTE_INVALID_HANDLE, as for a key that is final there is nothing left to do.
func (k *KSP) begun(h Handle) (*key, error) {
	key, err := k.held(h)
	if err != nil {
		return nil, err
	}
	if key.final {
		key.mu.Unlock()
		return nil, nte.Errorf(nte.NTE_INVALID_HANDLE, "the key is final")
	}
	return key, nil
}

// finished gives a key that can be used, locked. Errors: NTE_INVALID_HANDLE, NTE_BAD_KEY_STATE.
func (k *KSP) finished(h Handle) (*key, error) {
	key, err := k.held(h)
	if err != nil {
		return nil, err
	}
	if !key.final {
		key.mu.Unlock()
		return nil, nte.Errorf(nte.NTE_BAD_KEY_STATE, "the key is not final: call NCryptFinalizeKey first")
	}
	return key, nil
}

// newKey is a key that is to be made, with CNG's defaults: not exportable, and for everything that its algorithm can do.
func newKey(p *provider, name string, flags uint32) *key {
	return &key{
		asked: p, provider: p, name: name, machine: flags&NCRYPT_MACHINE_KEY_FLAG != 0, flags: flags, usage: plan.NCRYPT_ALLOW_ALL_USAGES,
		custom: map[string][]byte{}, transient: map[string][]byte{},
	}
}

// permits says whether the key's usage has a bit.
func (k *key) permits(bit uint32) error {
	if k.usage&bit == 0 {
		return nte.Errorf(nte.NTE_PERM, "the key's usage %#x does not allow it", k.usage)
	}
	return nil
}
