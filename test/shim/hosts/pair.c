/*
 * pair LIBRARY: two copies of the library in one program, each with a runtime
 * of its own, as when two modules are built this way. Faults of the host go
 * through both; children restart them in either order.
 */
#include <setjmp.h>

#include "host.h"

static sigjmp_buf after_fault;
static volatile int handled;

static void on_fault(int signal)
{
	handled++;
	siglongjmp(after_fault, signal);
}

static void fault(void)
{
	static volatile int *volatile nowhere;

	if (sigsetjmp(after_fault, 1) == 0)
		*nowhere = 1;
}

static void use(const struct table *first, const struct table *second)
{
	int before = handled;

	CHECK(first->Init() == 0 && first->Work(4) == 4);
	CHECK(second->Init() == 0 && second->Work(4) == 4);
	CHECK(first->Panic() == 1 && second->Panic() == 1 && first->Panic() == 1);
	fault();
	CHECK(handled == before + 1 && first->Work(4) == 4 && second->Work(4) == 4);
}

static void use_in_child(const struct table *first, const struct table *second)
{
	pid_t pid = fork();

	if (pid == 0) {
		use(first, second);
		_exit(0);
	}
	CHECK(wait_child(pid) == 0);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
	const struct table *one, *other;
	char copy[4096], command[8300];

	CHECK(argc == 2);
	snprintf(copy, sizeof copy, "%s.other", argv[1]);
	snprintf(command, sizeof command, "cp '%s' '%s'", argv[1], copy);
	CHECK(system(command) == 0);
	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	one = load(argv[1]);
	other = load(copy);
	CHECK(one != other);
	use_in_child(one, other); /* before either has started here */
	use(one, other);
	use_in_child(one, other);
	use_in_child(other, one);
	use(other, one);
	return 0;
}
