// Command module is libncrypt11.so: it wires the engine to the C ABI, and is nothing but wiring.
package main

import (
	"github.com/ncrypt11/ncrypt11/cabi"
	"github.com/ncrypt11/ncrypt11/token/store"
	"github.com/ncrypt11/ncrypt11/wire"
)

func init() {
	cabi.Start = wire.Provider
	wire.InHost = &wire.Host{Spawn: cabi.Spawn, KeepFD: cabi.KeepFD, DropFD: cabi.DropFD, Library: cabi.LibraryPath}
	store.KeepFD, store.DropFD = cabi.KeepFD, cabi.DropFD
}

// main is never run: the library's calls come through cabi.
func main() {}
