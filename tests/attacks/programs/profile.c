/* SPDX-License-Identifier: MIT */
/*
 * profile.c - make calls that the container's seccomp profile refuses: mkdir, unshare and others.
 *
 * A program has more ways to the kernel than its C library's: the runtime's own instruction, the
 * system calls of 32-bit programs and of x32, call sites that were rewritten, new processes.
 */
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "attack.h"

#define X32_BIT 0x40000000
#define I386_MKDIR 39
#define I386_GETPRIORITY 96

static char *low; /* memory below 4 GiB, with a path */

/* Make a call as a 32-bit program does. */
static long by_int80(long nr, long a, long b)
{
	long ret = nr;

	__asm__ volatile("int $0x80"
			 : "+a"(ret)
			 : "b"(a), "c"(b), "d"(0L), "S"(0L), "D"(0L)
			 : "r8", "r9", "r10", "r11", "memory");
	return (int)ret;
}

static long own(long nr, long a, long b)
{
	const long ret = syscall(nr, a, b, 0, 0, 0, 0);

	return ret < 0 ? -errno : ret;
}

/* Return what a child's attempt to make a directory gave. */
static long in_a_child(bool shares_memory)
{
	const pid_t pid = shares_memory ? vfork() : fork();

	if (pid == 0)
		_exit((int)-own(SYS_mkdir,
				shares_memory ? (long)"/tmp/sharing" : (long)"/tmp/child", 0700));
	return -WEXITSTATUS(wait_for(pid));
}

/* More often than a call site traps before it is rewritten. */
static long often(void)
{
	long ret = 0;

	for (int i = 0; i < 40 && ret <= 0; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/tmp/often%d", i);
		ret = mkdir(path, 0700) == 0 ? 1 : -errno;
	}
	return ret;
}

int main(int argc, char **argv)
{
	struct sysinfo info;

	if (argc == 2) {
		attempt("mkdir of a new program", own(SYS_mkdir, (long)argv[1], 0700));
		return 0;
	}
	low = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	strcpy(low, "/tmp/low");
	attempt("mkdir", own(SYS_mkdir, (long)"/tmp/own", 0700));
	attempt("mkdirat", own(SYS_mkdirat, AT_FDCWD, (long)"/tmp/at"));
	attempt("getpriority", own(SYS_getpriority, 0, 0));
	attempt("getpriority past the runtime", PAST(SYS_getpriority, 0, 0));
	attempt("mkdir past the runtime", PAST(SYS_mkdir, "/dev/shm/past", 0700));
	attempt("unshare past the runtime", PAST(SYS_unshare, 0));
	attempt("sysinfo past the runtime", PAST(SYS_sysinfo, &info));
	attempt("getpriority as x32", own(SYS_getpriority | X32_BIT, 0, 0));
	attempt("getpriority as x32 past the runtime", PAST(SYS_getpriority | X32_BIT, 0, 0));
	attempt("getpriority with int 0x80", by_int80(I386_GETPRIORITY, 0, 0));
	attempt("mkdir with int 0x80", by_int80(I386_MKDIR, (long)low, 0700));
	attempt("mkdir at a rewritten site", often());
	attempt("mkdir in a child", in_a_child(false));
	attempt("mkdir in a child that shares memory", in_a_child(true));
	fflush(stdout);
	execl("/proc/self/exe", "profile", "/tmp/new", NULL);
	return 1;
}
