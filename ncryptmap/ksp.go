// Package ncryptmap is an NCrypt key storage provider over tokens: the functions of ncrypt.h, with their names, flags, states and status codes. What it
// promises of keys, the tokens keep; it adds nothing to what a program that speaks PKCS #11 could have had.
//
// Errors carry the status (nte.Code). Data that is secret comes as secret.Bytes, which the caller closes.
package ncryptmap

import (
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
)

// KSP is the providers of a process. Its methods may be called from any goroutine.
type KSP struct {
	engine  *token.Provider
	handles handles
}

// New makes the providers over a token engine, which the caller closes after them.
func New(engine *token.Provider) *KSP {
	return &KSP{engine: engine, handles: newHandles()}
}

// FreeObject is NCryptFreeObject: the handle means nothing afterwards. A key that is not kept is gone. Error: NTE_INVALID_HANDLE.
func (k *KSP) FreeObject(object Handle) error {
	closing, err := take[interface{ close() }](&k.handles, object)
	if err != nil {
		return err
	}
	closing.close()
	return nil
}

// IsKeyHandle is NCryptIsKeyHandle: it says whether the handle is a key's.
func (k *KSP) IsKeyHandle(object Handle) bool {
	_, err := get[*key](&k.handles, object)
	return err == nil
}

// Explain gives what a person should know of an error: its status, what that means, and the reason.
func Explain(err error) (status nte.Status, meaning, reason string) {
	status = nte.Code(err)
	if err != nil {
		reason = err.Error()
	}
	return status, status.Meaning(), reason
}
