package harden

import (
	"runtime"
	"slices"
)

// allowed are the calls of a Go program that serves sockets and keeps files, whatever their arguments. What makes it ready to serve (bind, listen)
// has been called when the filter comes.
var allowed = []string{
	// connections
	"recvfrom", "recvmsg", "sendto", "sendmsg", "accept4", "connect", "shutdown",
	"getsockname", "getpeername", "getsockopt", "setsockopt",
	// the Go runtime: threads, memory, time, signals
	"futex", "epoll_pwait", "epoll_ctl", "epoll_create1", "eventfd2", "pipe2", "ppoll", "pselect6",
	"sched_yield", "sched_getaffinity", "set_robust_list", "rseq", "membarrier", "gettid", "getpid",
	"madvise", "munmap", "mremap", "mincore", "brk", "mlock", "mlock2", "munlock",
	"clock_gettime", "clock_nanosleep", "nanosleep", "gettimeofday", "restart_syscall",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
	"exit", "exit_group", "getrandom", "uname",
	// files
	"read", "write", "readv", "writev", "pread64", "pwrite64", "lseek", "close", "openat",
	"fstat", "fstatfs", "statx", "faccessat", "faccessat2", "readlinkat", "getdents64", "getcwd",
	"fcntl", "flock", "fsync", "fdatasync", "ftruncate", "fchmod", "umask", "dup", "dup3",
	"mkdirat", "unlinkat", "renameat", "renameat2",
	"getuid", "geteuid", "getgid", "getegid",
}

// particular are those that go by another name, or exist, on one processor only. A processor that is not here has no filter, and no
// guard that counts as isolating.
var particular = map[string][]string{
	"amd64": {"newfstatat", "epoll_wait", "poll", "arch_prctl", "getrlimit"},
	"arm64": {"fstatat"},
}

func plain() []string { return slices.Concat(allowed, particular[runtime.GOARCH]) }

// hostile are calls to start programs, look into other processes, load code into the kernel, or get around the filter.
var hostile = []string{
	"execve", "execveat",
	"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
	"bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
	"kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module",
	"add_key", "request_key", "keyctl",
	"mount", "umount2", "pivot_root", "chroot", "setns", "unshare", "move_mount", "open_tree", "fsopen", "open_by_handle_at",
	"personality", "pkey_mprotect", "memfd_create",
}
