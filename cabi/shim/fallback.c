/*
 * Where Go cannot be restarted in place, a child loads a private copy of the
 * library: same file, own memory, a runtime that has never run. The file is
 * kept from load, since it may be replaced or out of reach by the time of the
 * fork.
 */
#include "state.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif

/* same_library: is this file what we were loaded from, as far as its headers
 * tell? */
static int same_library(const char *file, size_t size)
{
	const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)file;
	const struct image *image = &shim_state->image;
	size_t headers_size = (size_t)image->header_count * sizeof(ElfW(Phdr));

	if (image->headers == NULL || size < sizeof *header || size - sizeof *header < headers_size)
		return 0;
	if (header->e_phoff > size - headers_size || header->e_phnum != image->header_count)
		return 0;
	return memcmp(file + header->e_phoff, image->headers, headers_size) == 0;
}

static void keep(int fd)
{
	struct stat status;
	size_t size;
	char *file;

	if (fstat(fd, &status) != 0 || status.st_size <= 0)
		return;
	size = (size_t)status.st_size;
	file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED)
		return;
	if (!same_library(file, size)) {
		munmap(file, size);
		return;
	}
	shim_state->file = file;
	shim_state->file_size = size;
}

/* fallback_keep_file maps the file: a rename over it or its removal leaves the
 * mapping as it was. */
void fallback_keep_file(void)
{
	Dl_info info;
	int fd;

	if (shim_state->image.executable || dladdr((void *)fallback_keep_file, &info) == 0)
		return;
	fd = open(info.dli_fname, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	keep(fd);
	close(fd);
}

static int write_file(int fd)
{
	size_t done = 0;

	while (done < shim_state->file_size) {
		ssize_t n = write(fd, shim_state->file + done, shim_state->file_size - done);

		if (n <= 0)
			return 0;
		done += (size_t)n;
	}
	return 1;
}

/* is_us: did the dynamic linker, which knows libraries by the path that they
 * were loaded by, take the copy for this very library? It does in the child of a
 * process that runs on a copy, where the descriptor happens to have the number
 * that it had there. Forwarding to ourselves would go round for ever. */
static int is_us(void *copy)
{
	struct link_map *map;

	return dlinfo(copy, RTLD_DI_LINKMAP, &map) == 0 && map->l_addr == shim_state->image.base;
}

static void *load_from_memory(void)
{
	char path[64];
	void *copy = NULL;
	int fd = memfd_create("ncrypt11", MFD_CLOEXEC | MFD_EXEC);

	if (fd < 0)
		fd = memfd_create("ncrypt11", MFD_CLOEXEC);
	if (fd < 0)
		return NULL;
	/* By this thread's number, so that a child's path is not its parent's. */
	snprintf(path, sizeof path, "/proc/self/task/%d/fd/%d", (int)gettid(), fd);
	if (write_file(fd))
		copy = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	close(fd);
	if (copy != NULL && is_us(copy)) {
		dlclose(copy);
		copy = NULL;
	}
	return copy;
}

static void *load_from_directory(const char *directory)
{
	char path[512];
	void *copy = NULL;
	int fd, length = snprintf(path, sizeof path, "%s/.ncrypt11-XXXXXX", directory);

	if (length < 0 || (size_t)length >= sizeof path)
		return NULL;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (write_file(fd) && fchmod(fd, S_IRUSR | S_IXUSR) == 0)
		copy = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	unlink(path);
	close(fd);
	return copy;
}

/* Where a file may be written and executed differs; a set-user-id program does
 * not take a directory from its caller. */
static void *load_from_directories(void)
{
	const char *const directories[] = {
		getauxval(AT_SECURE) ? NULL : getenv("TMPDIR"), "/tmp", "/dev/shm", "/run", "/var/tmp", "/",
	};

	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
		void *copy = directories[i] != NULL ? load_from_directory(directories[i]) : NULL;

		if (copy != NULL)
			return copy;
	}
	return NULL;
}

int fallback_load(void)
{
	if (shim_state->copy != NULL)
		return SHIM_COPY;
	if (shim_state->file == NULL)
		return SHIM_BROKEN;
	fds_close_all();
	thread_forget_key();
	shim_state->copy = load_from_memory();
	if (shim_state->copy == NULL)
		shim_state->copy = load_from_directories();
	if (shim_state->copy == NULL)
		return SHIM_BROKEN;
	library_tell(shim_state->copy);
	return SHIM_COPY;
}

void *shim_copy_symbol(const char *name)
{
	return shim_state->copy != NULL ? dlsym(shim_state->copy, name) : NULL;
}

void shim_forward_to(const void *table)
{
	atomic_store_explicit(&shim_state->forward, table, memory_order_release);
}

const void *shim_forward(void)
{
	return atomic_load_explicit(&shim_state->forward, memory_order_acquire);
}
