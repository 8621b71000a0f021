/* SPDX-License-Identifier: MIT */
/*
 * never_intercepted.c - one open(), then many calls that name neither a file nor a user.
 *
 * A test traces the program and counts how often, and from where, it enters the kernel.
 */
#include "see.h"

#include <linux/futex.h>
#include <poll.h>
#include <sched.h>

#define TIMES 500

int main(void)
{
	char byte = 0;
	int word = 0;
	int ends[2];
	int file = open("/etc/passwd", O_RDONLY);

	if (file < 0 || pipe(ends) < 0)
		return 1;
	for (int i = 0; i < TIMES; i++) {
		struct pollfd ready = {.fd = ends[0], .events = POLLIN};
		void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (page == MAP_FAILED || munmap(page, 4096) < 0)
			return 1;
		if (write(ends[1], &byte, 1) != 1 || poll(&ready, 1, 0) != 1)
			return 1;
		if (read(ends[0], &byte, 1) != 1 || sched_yield() < 0)
			return 1;
		if (syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) != 0)
			return 1;
	}
	return 0;
}
