package main

import (
	"path/filepath"
	"slices"
)

// openSSLProviders are where pkcs11-provider may be: in the directory that OpenSSL was built to load modules from.
var openSSLProviders = []string{"/usr/lib/*/ossl-modules/pkcs11.so", "/usr/lib64/ossl-modules/pkcs11.so"}

// openSSLProvider says whether OpenSSL has the provider pkcs11.
func (t tree) openSSLProvider() bool {
	return slices.ContainsFunc(openSSLProviders, func(pattern string) bool {
		found, err := filepath.Glob(t.path(pattern))
		return err == nil && len(found) > 0
	})
}
