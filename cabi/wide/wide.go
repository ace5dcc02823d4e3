// Package wide runs calls from C on a goroutine stack that has room for a signal handler.
//
// A host's handler that was installed without SA_ONSTACK runs on whatever stack the interrupted thread is on. While a C thread is inside Go that is a
// goroutine's stack, which starts at 4 KiB and is full by design whenever it is about to grow: the handler's frame, with the vector registers that the kernel
// saves in it, overruns it. Blocking signals around each call prevents that at the price of two system calls, more than most calls here take themselves.
//
// Run prevents it by keeping the stack large. Its frame is so large that the stack must be at least 256 KiB, with more than 180 KiB below the frame, and the
// garbage collector, which halves a stack of which less than a quarter is used, leaves it so. The goroutine belongs to the C thread for the
// thread's life (runtime.needAndBindM), is never shrunk between calls (it is in a system call then: runtime.isShrinkStackSafe), and so is large when the next call
// begins. Only a thread's first call starts on a small stack: the shim blocks signals around that one.
//
// It leans on how the runtime sizes stacks, and not on its symbols. TestStackStaysWide holds it to that.
package wide
