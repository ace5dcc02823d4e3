/* The exported functions, in the shape that shim.h describes. */
#include <stddef.h>

#include "shim.h"
#include "testlib.h"

#define EXPORT __attribute__((visibility("default")))

extern int goWork(int), goSign(void), goLight(void), goPanic(void), goSleep(int), goWrite(int), goHasEnv(int), goCallback(void *);
extern int goSpawn(char *, char **, char **);

int call_back(void *function) { return ((int (*)(void))function)(); }

#define STUB(name, parameters, arguments)                                     \
	EXPORT int name parameters                                            \
	{                                                                     \
		const struct table *copy = shim_forward();                    \
		struct shim_call call;                                        \
		int result;                                                   \
		if (copy != NULL)                                             \
			return copy->name arguments;                          \
		result = shim_enter(&call);                                   \
		if (result != SHIM_OK)                                        \
			return -result;                                       \
		result = go##name arguments;                                  \
		shim_leave(&call);                                            \
		return result;                                                \
	}

STUB(Work, (int n), (n))
STUB(Sign, (void), ())
STUB(Light, (void), ())
STUB(Panic, (void), ())
STUB(Sleep, (int milliseconds), (milliseconds))
STUB(Write, (int fd), (fd))
STUB(HasEnv, (int n), (n))
STUB(Callback, (int (*function)(void)), ((void *)function))

STUB(Spawn, (const char *program, char *const argv[], char *const envp[]),
     ((char *)program, (char **)argv, (char **)envp))

EXPORT const struct table *Table(void);

/* Init is C_Initialize: 0, or minus the shim's refusal. */
EXPORT int Init(void)
{
	const struct table *copy = shim_forward();
	int ready;

	if (copy == NULL) {
		ready = shim_ready();
		if (ready == SHIM_COPY) {
			const struct table *(*get)(void) = (const struct table *(*)(void))shim_copy_symbol("Table");

			shim_forward_to(get());
			copy = get();
		} else if (ready != SHIM_OK) {
			return -ready;
		}
	}
	return copy != NULL ? copy->Init() : 0;
}

EXPORT const char *Status(void)
{
	const struct table *copy = shim_forward();

	return copy != NULL ? copy->Status() : shim_status();
}

EXPORT int KeepFd(int fd) { return shim_keep_fd(fd); }
EXPORT void DropFd(int fd) { shim_drop_fd(fd); }
EXPORT const char *Library(void)
{
	const struct table *copy = shim_forward();

	return copy != NULL ? copy->Library() : shim_library();
}

EXPORT int InChild(void) { return shim_in_child(); }
EXPORT int Forwarded(void) { return shim_forward() != NULL; }

EXPORT const struct table *Table(void)
{
	static const struct table table = {
		Init, Work, Sign, Light, Panic, Sleep, Write, HasEnv, Callback, Status, KeepFd, DropFd,
		Spawn, Library, InChild, Forwarded,
	};

	return &table;
}
