// Package leaf calls C functions on the goroutine's own stack: for those that compute, call nothing but each other, and need little stack.
//
// cgo's way leaves Go for the length of the call, so that the scheduler may give the processor to another goroutine. For a call of some hundred
// microseconds that has a price beyond its own: where all others are idle, as in a guard between two requests, each call wakes Go's monitor thread, which
// then looks every 20 µs whether there is somebody to give the processor to. On one core that is 4 % of an RSA-2048 signature in a program, and 7 % in a
// guard. Called like this, a C function holds up a garbage collection that wants to begin, until it returns; a long one has no business here.
package leaf

import "unsafe"

// Stack is how many bytes of stack a function may use, with all that it calls.
const Stack = 7 << 10

// Call calls the C function at f, which takes four pointers and returns nothing. It must not call back, nor block, nor keep what the
// pointers point to.
func Call(f unsafe.Pointer, a, b, c, d unsafe.Pointer) { call(uintptr(f), a, b, c, d) }

//go:noescape
func call(f uintptr, a, b, c, d unsafe.Pointer)
