package minidriver

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// KeyHandle is CARD_KEY_HANDLE: a session key in a context. 0 is none.
type KeyHandle uint64

// key is a session key: in this process in the clear where MDImportSessionKey was given it so, else in the card.
type key struct {
	value  *secret.Bytes   // nil for a key in the card
	object ck.ObjectHandle // of the card
	shared bool            // the card keeps the key
	iv     []byte          // nil: not set
}

// keyTable has the keys by their handles, which are not used twice.
type keyTable struct {
	live map[KeyHandle]*key
	next KeyHandle
}

func newKeyTable() keyTable {
	var b [4]byte
	rand.Read(b[:]) // so that no other context's handles are valid here
	return keyTable{map[KeyHandle]*key{}, KeyHandle(binary.NativeEndian.Uint32(b[:]))<<16 + 1}
}

func (t *keyTable) add(k *key) KeyHandle {
	h := t.next
	t.next++
	t.live[h] = k
	return h
}

func (t *keyTable) get(h KeyHandle) (*key, error) {
	if k := t.live[h]; k != nil {
		return k, nil
	}
	return nil, nte.Errorf(nte.SCARD_E_INVALID_HANDLE, "key handle %#x is not one of this context", uint64(h))
}

func (t *keyTable) all() []*key { return slices.Collect(maps.Values(t.live)) }

// drop ends a key. One that the card keeps stays there; one that a logout has ended is gone.
func (c *Context) drop(k *key) error {
	k.value.Close()
	if k.object == 0 || k.shared {
		return nil
	}
	if err := c.session.DestroyObject(k.object); ck.Code(err) != ck.CKR_OBJECT_HANDLE_INVALID {
		return err
	}
	return nil
}

// DestroyKey is CardDestroyKey: a session key is gone, its bytes are zeroed where they were.
func (c *Context) DestroyKey(h KeyHandle) error {
	if err := c.enter("CardDestroyKey"); err != nil {
		return err
	}
	defer c.mu.Unlock()
	k, err := c.keys.get(h)
	if err != nil {
		return err
	}
	delete(c.keys.live, h)
	return c.drop(k)
}

// GetKeyProperty is CardGetKeyProperty: IV, ChainingMode or BlockLength of a session key. Errors: SCARD_E_INVALID_PARAMETER for a name that there is not,
// flags, or an IV that is not set; ERROR_INSUFFICIENT_BUFFER.
func (c *Context) GetKeyProperty(h KeyHandle, name string, out []byte, flags uint32) (int, error) {
	if err := c.enterPlain("CardGetKeyProperty", flags); err != nil {
		return 0, err
	}
	defer c.mu.Unlock()
	k, err := c.keys.get(h)
	if err != nil {
		return 0, err
	}
	switch name {
	case CP_KEY_INITIALIZATON_VECTOR:
		if k.iv == nil {
			return 0, invalid("the key has no IV")
		}
		return deliver(out, k.iv)
	case CP_KEY_CHAINING_MODE:
		return deliver(out, text(CARD_CHAIN_MODE_CBC))
	case CP_KEY_BLOCK_LENGTH:
		return deliver(out, dword(blockLen))
	}
	return 0, invalid("there is no property %q of a key", name)
}

// SetKeyProperty is CardSetKeyProperty: what the key's next use is done with. The only ChainingMode is ChainingModeCBC, whose NUL may be missing; an IV has 16
// bytes; BlockLength cannot be set.
func (c *Context) SetKeyProperty(h KeyHandle, name string, value []byte, flags uint32) error {
	if err := c.enterPlain("CardSetKeyProperty", flags); err != nil {
		return err
	}
	defer c.mu.Unlock()
	k, err := c.keys.get(h)
	if err != nil {
		return err
	}
	switch name {
	case CP_KEY_INITIALIZATON_VECTOR:
		if len(value) != blockLen {
			return invalid("an IV has %d bytes, not %d", blockLen, len(value))
		}
		k.iv = bytes.Clone(value)
		return nil
	case CP_KEY_CHAINING_MODE:
		if whole := text(CARD_CHAIN_MODE_CBC); !bytes.Equal(value, whole) && !bytes.Equal(value, whole[:len(whole)-2]) {
			return unsupported("the only chaining mode is %s", CARD_CHAIN_MODE_CBC)
		}
		return nil
	case CP_KEY_BLOCK_LENGTH:
		return unsupported("the block length of AES is %d", blockLen)
	}
	return invalid("there is no property %q of a key", name)
}
