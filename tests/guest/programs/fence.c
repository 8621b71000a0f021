/* SPDX-License-Identifier: MIT */
/*
 * fence.c - try to reach host files from a container by system calls that bypass the runtime.
 *
 *   fence DIRECTORY SOCKET (of the host; DIRECTORY holds `file`, `program` and an empty `sub`)
 *
 * The seccomp filter lets calls of the runtime's own text pass, so this program jumps to a
 * `syscall` instruction there. Only Landlock can refuse such a call. Each line is a row of the
 * table in docs/threat-model.md.
 */
#include "see.h"

#include <sys/socket.h>
#include <sys/un.h>

#define RUNTIME ((const unsigned char *)0x567000000000) /* SB_GUEST_BASE */

static const unsigned char *gate;
static char base[PATH_MAX];

static long past(long nr, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long ret = nr;

	__asm__ volatile("call *%[gate]"
			 : "+a"(ret)
			 : [gate] "r"(gate), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return ret;
}

/* Return the path of a name in the directory. It is valid until the second call after this one. */
static long at(const char *name)
{
	static char paths[2][PATH_MAX + 32];
	static unsigned next;
	char *path = paths[next++ % 2];

	snprintf(path, sizeof(paths[0]), "%s/%s", base, name);
	return (long)path;
}

static long open_past(const char *name, long flags)
{
	return past(SYS_openat, AT_FDCWD, at(name), flags | O_CLOEXEC, 0600, 0);
}

static void row(const char *what, long ret)
{
	say("%s: %s", what, ret < 0 ? error_name((int)-ret) : "done");
}

static long execute_past(const char *name)
{
	const char *const words[] = {name, NULL};
	pid_t pid;

	fflush(stdout);
	pid = (pid_t)MUST(fork());
	if (pid == 0)
		_exit((int)-past(SYS_execve, at(name), (long)words, (long)&words[1], 0, 0));
	return -WEXITSTATUS(wait_for(pid));
}

static long connect_past(const char *name)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const long fd = past(SYS_socket, AF_UNIX, SOCK_STREAM, 0, 0, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", name);
	return past(SYS_connect, fd, (long)&to, sizeof(to), 0, 0);
}

int main(int argc, char **argv)
{
	static const unsigned char syscall_ret[] = {0x0f, 0x05, 0xc3};

	if (argc != 3)
		return 2;
	snprintf(base, sizeof(base), "%s", argv[1]);
	for (gate = RUNTIME; memcmp(gate, syscall_ret, sizeof(syscall_ret)) != 0;)
		gate++;
	row("execute a file", execute_past("program"));
	row("read a file", open_past("file", O_RDONLY));
	row("list a directory", open_past("sub", O_RDONLY | O_DIRECTORY));
	row("write a file", open_past("file", O_WRONLY));
	row("truncate a file", past(SYS_truncate, at("file"), 0, 0, 0, 0));
	row("make a file", open_past("new", O_WRONLY | O_CREAT));
	row("make a directory", past(SYS_mkdir, at("made"), 0700, 0, 0, 0));
	row("make a symlink", past(SYS_symlink, (long)"x", at("link"), 0, 0, 0));
	row("make a FIFO", past(SYS_mknod, at("fifo"), S_IFIFO | 0600, 0, 0, 0));
	row("link a file", past(SYS_link, at("file"), at("other"), 0, 0, 0));
	row("rename a file", past(SYS_rename, at("file"), at("renamed"), 0, 0, 0));
	row("remove a file", past(SYS_unlink, at("file"), 0, 0, 0, 0));
	row("remove a directory", past(SYS_rmdir, at("sub"), 0, 0, 0, 0));
	row("connect to a socket", connect_past(argv[2]));
	row("watch a directory", past(SYS_inotify_add_watch, past(SYS_inotify_init1, 0, 0, 0, 0, 0),
				      at("."), 0x100, 0, 0));
	row("stat a file", past(SYS_access, at("file"), F_OK, 0, 0, 0));
	row("change a file's mode", past(SYS_chmod, at("file"), 0600, 0, 0, 0));
	return 0;
}
