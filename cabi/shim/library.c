/*
 * Where this library's file is: as it was found at load. Later the host may have
 * changed its working directory, and in a forked child the dynamic linker's lock
 * may be held by a thread that is not there.
 */
#include "state.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

/* library_find makes the path absolute, or leaves it empty. */
void library_find(void)
{
	char *to = shim_state->library;
	const char *path = shim_state->image.path;
	size_t length = 0;

	if (shim_state->image.executable || path == NULL)
		return;
	if (path[0] != '/') {
		if (getcwd(to, MAX_PATH) == NULL || to[0] != '/') {
			to[0] = '\0';
			return;
		}
		length = strlen(to);
		to[length++] = '/';
	}
	if (length + strlen(path) < sizeof shim_state->library)
		strcpy(to + length, path);
	else
		to[0] = '\0';
}

/* library_tell gives the path to a private copy, whose own file is nowhere. The
 * copy is of the same build: its variables lie where ours do. */
void library_tell(void *copy)
{
	struct link_map *map;
	struct shim_state **its;

	if (dlinfo(copy, RTLD_DI_LINKMAP, &map) != 0)
		return;
	its = (struct shim_state **)((char *)&shim_state - shim_state->image.base + map->l_addr);
	memcpy((*its)->library, shim_state->library, sizeof shim_state->library);
}

const char *shim_library(void)
{
	return shim_state->library;
}
