package ncryptmap

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// NotifyChangeKey is NCryptNotifyChangeKey. There is nothing like an event of Windows that could be given back: whoever wants to know looks again. Errors:
// NTE_INVALID_HANDLE; NTE_BAD_FLAGS; else always NTE_NOT_SUPPORTED.
func (k *KSP) NotifyChangeKey(prov Handle, flags uint32) error {
	if _, err := get[*provider](&k.handles, prov); err != nil {
		return err
	}
	if err := checkFlags(callNotify, flags); err != nil {
		return err
	}
	return nte.Errorf(nte.NTE_NOT_SUPPORTED, "changes are not told; enumerate the keys again")
}

// IsAlgSupported is NCryptIsAlgSupported: nil where keys can be of the algorithm. Errors: NTE_INVALID_HANDLE; NTE_BAD_FLAGS; NTE_NOT_SUPPORTED.
func (k *KSP) IsAlgSupported(prov Handle, name string, flags uint32) error {
	if _, err := get[*provider](&k.handles, prov); err != nil {
		return err
	}
	if err := checkFlags(callIsAlgorithm, flags); err != nil {
		return err
	}
	if algorithmOf(name) == nil {
		return unsupported(name)
	}
	return nil
}

// Algorithms gives the names of the algorithms that keys can be of (NCryptEnumAlgorithms).
func Algorithms() []string {
	var names []string
	for _, a := range algorithms {
		if !slices.Contains(names, a.name) {
			names = append(names, a.name)
		}
	}
	return names
}
