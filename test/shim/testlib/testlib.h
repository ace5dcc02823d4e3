/* The functions of the test library, as its host programs find them. */
#ifndef TESTLIB_H
#define TESTLIB_H

struct table {
	int (*Init)(void);
	int (*Work)(int n);
	int (*Sign)(void);
	int (*Light)(void);
	int (*Panic)(void);
	int (*Sleep)(int milliseconds);
	int (*Write)(int fd);
	int (*HasEnv)(int n);
	int (*Callback)(int (*function)(void));
	const char *(*Status)(void);
	int (*KeepFd)(int fd);
	void (*DropFd)(int fd);
	int (*Spawn)(const char *program, char *const argv[], char *const envp[]);
	const char *(*Library)(void);
	int (*InChild)(void);
	int (*Forwarded)(void);
};

#endif
