// Package ncrypt_test looks at the NCrypt functions of the built library as C programs do: those that load it, and those that are linked with it.
package ncrypt_test
