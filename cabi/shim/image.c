/*
 * This library in memory: where its writable segment is, its first contents,
 * and putting them back.
 */
#include "state.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uintptr_t page_down(uintptr_t address)
{
	return address & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
}

static uintptr_t page_up(uintptr_t address)
{
	return page_down(address + (uintptr_t)sysconf(_SC_PAGESIZE) - 1);
}

struct search {
	const char *address;
	struct image *image;
	const char *problem;
};

static void add_segment(struct image *image, char *start, size_t file_size, size_t mem_size)
{
	char *file_end = start + file_size, *end = start + mem_size;

	/* The dynamic linker made the relocated read-only part unwritable; it
	 * never changes and needs no restoring. */
	if (start < image->relro_high && end > image->relro_low)
		start = image->relro_high;
	if (start >= end)
		return;
	if (file_end < start)
		file_end = start;
	image->segments[image->segment_count++] = (struct segment){
		.start = start,
		.file_size = (size_t)(file_end - start),
		.mem_size = (size_t)(end - start),
	};
}

static void read_dynamic(struct image *image, const ElfW(Dyn) *dynamic, int *static_tls)
{
	for (; dynamic->d_tag != DT_NULL; dynamic++) {
		switch (dynamic->d_tag) {
		case DT_INIT_ARRAY:
			image->init_array = (init_entry *)(image->base + dynamic->d_un.d_ptr);
			break;
		case DT_INIT_ARRAYSZ:
			image->init_count = dynamic->d_un.d_val / sizeof(init_entry);
			break;
		case DT_FLAGS:
			*static_tls = (dynamic->d_un.d_val & DF_STATIC_TLS) != 0;
			break;
		}
	}
}

static void read_load(struct image *image, const ElfW(Phdr) *header, const char *address)
{
	char *start = (char *)(image->base + header->p_vaddr);
	char *end = start + header->p_memsz;

	if (image->low == NULL || start < image->low)
		image->low = start;
	if (end > image->high)
		image->high = end;
	if (header->p_flags & PF_X && address >= start && address < end) {
		image->text_low = start;
		image->text_high = end;
	}
}

static int contains(const struct dl_phdr_info *info, const char *address)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		const char *start = (const char *)(info->dlpi_addr + header->p_vaddr);

		if (header->p_type == PT_LOAD && address >= start && address < start + header->p_memsz)
			return 1;
	}
	return 0;
}

static const char *read_headers(struct image *image, const char *address)
{
	const ElfW(Dyn) *dynamic = NULL;
	int static_tls = 0, writable = 0;

	for (int i = 0; i < image->header_count; i++) {
		const ElfW(Phdr) *header = &image->headers[i];
		char *start = (char *)(image->base + header->p_vaddr);

		switch (header->p_type) {
		case PT_LOAD:
			read_load(image, header, address);
			writable += (header->p_flags & PF_W) != 0;
			break;
		case PT_GNU_RELRO:
			image->relro_low = (char *)page_down((uintptr_t)start);
			image->relro_high = (char *)page_down((uintptr_t)start + header->p_memsz);
			break;
		case PT_TLS:
			image->tls_image = start;
			image->tls_file_size = header->p_filesz;
			image->tls_mem_size = header->p_memsz;
			break;
		case PT_DYNAMIC:
			dynamic = (const ElfW(Dyn) *)start;
			break;
		case PT_INTERP:
			image->executable = 1;
			break;
		}
	}
	if (dynamic != NULL)
		read_dynamic(image, dynamic, &static_tls);
	if (image->init_array == NULL || image->init_count == 0)
		return "no initialization array";
	if (writable == 0 || writable > MAX_SEGMENTS)
		return "unexpected number of writable segments";
	for (int i = 0; i < image->header_count; i++) {
		const ElfW(Phdr) *header = &image->headers[i];

		if (header->p_type == PT_LOAD && header->p_flags & PF_W)
			add_segment(image, (char *)(image->base + header->p_vaddr), header->p_filesz,
				    header->p_memsz);
	}
	if (image->tls_mem_size == 0 || !static_tls)
		return "thread-local storage is not static";
	return NULL;
}

static int visit(struct dl_phdr_info *info, size_t size, void *data)
{
	struct search *search = data;

	(void)size;
	if (!contains(info, search->address))
		return 0;
	search->image->base = info->dlpi_addr;
	search->image->path = info->dlpi_name;
	search->image->headers = info->dlpi_phdr;
	search->image->header_count = info->dlpi_phnum;
	search->problem = read_headers(search->image, search->address);
	return 1;
}

/* image_find describes the object that holds address. It returns NULL, or what
 * is not as expected. It runs at load and never in a child: dl_iterate_phdr
 * takes a lock that a fork may have left held. */
const char *image_find(struct image *image, const void *address)
{
	struct search search = {address, image, "own object not found"};

	dl_iterate_phdr(visit, &search);
	return search.problem;
}

int image_contains_code(const struct image *image, const void *address)
{
	return (const char *)address >= image->text_low && (const char *)address < image->text_high;
}

/* image_save keeps the initial contents; Go must not have run yet. Only the
 * part that the file fills can be other than zero. */
int image_save(struct image *image)
{
	for (int i = 0; i < image->segment_count; i++) {
		struct segment *segment = &image->segments[i];
		void *copy;

		if (segment->file_size == 0 || segment->copy != NULL)
			continue;
		copy = mmap(NULL, segment->file_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (copy == MAP_FAILED)
			return 0;
		memcpy(copy, segment->start, segment->file_size);
		mprotect(copy, segment->file_size, PROT_READ);
		segment->copy = copy;
	}
	image->saved = 1;
	return 1;
}

static void zero(char *start, char *end)
{
	char *first = (char *)page_up((uintptr_t)start), *last = (char *)page_down((uintptr_t)end);

	/* Whole pages are given back: cheaper, and they stop being charged to
	 * the child. Locked pages refuse that and are cleared instead. */
	if (first < last && madvise(first, (size_t)(last - first), MADV_DONTNEED) == 0) {
		memset(start, 0, (size_t)(first - start));
		memset(last, 0, (size_t)(end - last));
		return;
	}
	memset(start, 0, (size_t)(end - start));
}

void image_restore(struct image *image)
{
	for (int i = 0; i < image->segment_count; i++) {
		struct segment *segment = &image->segments[i];

		if (segment->file_size > 0)
			memcpy(segment->start, segment->copy, segment->file_size);
		zero(segment->start + segment->file_size, segment->start + segment->mem_size);
	}
}

/* image_set_entry writes a slot of the initialization array, which the dynamic
 * linker has made read only where it lies in the RELRO part. */
int image_set_entry(struct image *image, init_entry *slot, init_entry value)
{
	char *page = (char *)page_down((uintptr_t)slot);
	size_t size = page_up((uintptr_t)(slot + 1)) - (uintptr_t)page;
	int protected = (char *)slot >= image->relro_low && (char *)slot < image->relro_high;

	if (protected && mprotect(page, size, PROT_READ | PROT_WRITE) != 0)
		return 0;
	*slot = value;
	if (protected)
		mprotect(page, size, PROT_READ);
	return 1;
}
