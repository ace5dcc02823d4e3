/* What commands share: their arguments as C has them, and their answers. */
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Memory of which not one byte behind may be touched. It is never given back. */
BYTE *room_of(DWORD length)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (length / page + 2) * page;
	BYTE *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (start == MAP_FAILED || mprotect(start + size - page, page, PROT_NONE) != 0)
		abort();
	return start + size - page - length;
}

struct bytes bytes_of(const char *hexadecimal)
{
	struct bytes b = {NULL, (DWORD)(strlen(hexadecimal) / 2)};

	b.data = room_of(b.length);
	for (DWORD i = 0; i < b.length; i++) {
		unsigned value = 0;
		if (sscanf(hexadecimal + 2 * i, "%2x", &value) != 1)
			abort();
		b.data[i] = (BYTE)value;
	}
	return b;
}

WCHAR *wide(const char *text)
{
	size_t n = strlen(text);
	WCHAR *out = (WCHAR *)(void *)room_of((DWORD)((n + 1) * sizeof(WCHAR)));

	for (size_t i = 0; i <= n; i++)
		out[i] = (WCHAR)(unsigned char)text[i];
	return out;
}

DWORD number(const char *text)
{
	return (DWORD)strtoul(text, NULL, 0);
}

void answer(DWORD status, const void *data, DWORD length)
{
	printf("%08x ", status);
	for (DWORD i = 0; i < length; i++)
		printf("%02x", ((const BYTE *)data)[i]);
	putchar('\n');
}
