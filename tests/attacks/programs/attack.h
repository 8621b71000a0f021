/* SPDX-License-Identifier: MIT */
/*
 * attack.h - shared by programs that attack from inside a container.
 *
 * The seccomp filter lets calls of the runtime's own text pass, so past() jumps to a `syscall`
 * instruction there: such a call meets nothing but the kernel's fence. Each attempt prints one
 * line, `WHAT: done` or `WHAT: EPERM`; WHAT has no colon.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include "see.h"

#define RUNTIME ((const unsigned char *)0x567000000000) /* SB_GUEST_BASE */

static UNUSED long past(long nr, long a, long b, long c, long d, long e, long f)
{
	static const unsigned char syscall_ret[] = {0x0f, 0x05, 0xc3};
	static const unsigned char *gate;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret = nr;

	if (gate == NULL) {
		const unsigned char *at = RUNTIME;

		while (memcmp(at, syscall_ret, sizeof(syscall_ret)) != 0)
			at++;
		gate = at;
	}
	__asm__ volatile("call *%[gate]"
			 : "+a"(ret)
			 : [gate] "r"(gate), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/* PAST(SYS_kill, pid, 9): the call with up to six arguments, as longs. */
#define PAST(...) PAST_(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define PAST_(nr, a, b, c, d, e, f, ...) \
	past(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* Find the container's run directory by the names of mapped files. */
static UNUSED void find_run_directory(char *out, size_t size)
{
	static char text[1 << 16];
	long fd = PAST(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY);
	size_t len = 0;
	long got;
	char *end;

	while (len < sizeof(text) - 1 &&
	       (got = PAST(SYS_read, fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)got;
	end = strstr(text, "/shared\n");
	if (end == NULL) {
		say("no run directory");
		exit(2);
	}
	*end = '\0';
	snprintf(out, size, "%s", strrchr(text, ' ') + 1);
}

/* Print how an attempt ended: a result of past(), >= 0 or -errno. */
static UNUSED void attempt(const char *what, long ret)
{
	say("%s: %s", what, ret < 0 ? error_name((int)-ret) : "done");
	fflush(stdout);
}

#endif
