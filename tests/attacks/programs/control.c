/* SPDX-License-Identifier: MIT */
/*
 * control.c - take over the host side by the files of the run directory.
 *
 *   control names        make, move and write names in the run directory
 *   control memory       write the mapped control file
 *   control hijack       put this program in the place of the guest program, then stay
 *   control who          say whether the machine itself runs this program
 *   control passwd       make the password file endless, then stay
 *   control lock         hold the lock of the shared file, then stay
 *   control adopt PID    ask the tracer of this container to trace that process
 *   control scribble     write anything into the shared file, without an end
 */
#include <linux/futex.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/uio.h>

#include "attack.h"
#include "base/shared_abi.h"

#define CONTROL 0x566100000000 /* SB_ADDR_CONTROL */
#define SHARED ((unsigned char *)0x566700000000) /* SB_ADDR_SHARED */

static char run[PATH_MAX]; /* the run directory */

static const char *below_run(const char *name)
{
	static char path[4][2 * PATH_MAX];
	static unsigned next;
	char *out = path[next++ % COUNT(path)];

	snprintf(out, sizeof(path[0]), "%s/%s", run, name);
	return out;
}

/* Find the run directory and the end of the shared file in the machine's own list of mappings. */
static unsigned char *find_run(void)
{
	static char text[1 << 18];
	const long fd = PAST(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY);
	unsigned char *end = SHARED;
	size_t len = 0;
	long got;

	while ((got = PAST(SYS_read, fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)got;
	PAST(SYS_close, fd);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		char *path = strchr(line, '/');
		char *name = path ? strrchr(path, '/') : NULL;

		if (name && strcmp(name, "/shared") == 0 &&
		    strtoul(line, NULL, 16) == (uintptr_t)SHARED)
			end = (unsigned char *)(uintptr_t)strtoul(strchr(line, '-') + 1, NULL, 16);
		if (name && strcmp(name, "/control") == 0)
			snprintf(run, sizeof(run), "%.*s", (int)(name - path), path);
	}
	if (run[0] == '\0' || end == SHARED)
		broken("no run directory");
	return end;
}

/* Move a name away and back. */
static long move(const char *name)
{
	const long ret = PAST(SYS_rename, below_run(name), below_run("moved"));

	if (ret == 0)
		PAST(SYS_rename, below_run("moved"), below_run(name));
	return ret;
}

static long rewrite_start(void)
{
	const long fd = PAST(SYS_openat, AT_FDCWD, below_run("control"), O_RDWR);
	char start[64];
	long ret = fd < 0 ? fd : PAST(SYS_pread64, fd, start, sizeof(start), 0);

	return ret < 0 ? ret : PAST(SYS_pwrite64, fd, start, sizeof(start), 0);
}

static long size_of(const char *path)
{
	struct stat st;
	const long ret = PAST(SYS_stat, path, &st);

	return ret < 0 ? ret : (long)st.st_size;
}

static void names(void)
{
	const char *control = below_run("control");
	const char *shared = below_run("shared");

	attempt("write the control file", rewrite_start());
	attempt("cut the control file", PAST(SYS_truncate, control, size_of(control)));
	attempt("cut the shared file", PAST(SYS_truncate, shared, size_of(shared)));
	attempt("make a file",
		PAST(SYS_openat, AT_FDCWD, below_run("links"), O_RDWR | O_CREAT, 0600));
	attempt("make a directory", PAST(SYS_mkdir, below_run("cgroup"), 0700));
	attempt("make a link", PAST(SYS_symlink, "/", below_run("enter-63")));
	attempt("make a FIFO", PAST(SYS_mknod, below_run("relay"), S_IFIFO | 0600, 0));
	attempt("move the guest program", move("guest"));
	attempt("move the control file", move("control"));
	attempt("move the shared file", move("shared"));
	attempt("move the hosts file", move("etc/hosts"));
	attempt("make a link beside the hosts file", PAST(SYS_symlink, "/", below_run("etc/link")));
	attempt("make a file beside the hosts file",
		PAST(SYS_openat, AT_FDCWD, below_run("etc/file"), O_RDWR | O_CREAT, 0600));
	attempt("make a file among the aliases",
		PAST(SYS_openat, AT_FDCWD, below_run("a/file"), O_RDWR | O_CREAT, 0600));
	attempt("remove the hosts file", PAST(SYS_unlink, below_run("etc/hosts")));
}

static void memory(void)
{
	const struct iovec here = {run, 1};
	const struct iovec there = {(void *)CONTROL, 1};
	const long fd = MUST(open("/proc/self/mem", O_RDWR));
	const long file = PAST(SYS_openat, AT_FDCWD, below_run("control"), O_RDONLY);
	char again[64];
	int pipe_ends[2];

	snprintf(again, sizeof(again), "/proc/self/fd/%ld", file);
	MUST(pipe(pipe_ends));
	MUST(write(pipe_ends[1], "S", 1));
	attempt("make the map writable", PAST(SYS_mprotect, CONTROL, 4096, PROT_READ | PROT_WRITE));
	attempt("write by /proc/self/mem", PAST(SYS_pwrite64, fd, "S", 1, CONTROL));
	attempt("write by process_vm_writev",
		PAST(SYS_process_vm_writev, getpid(), &here, 1, &there, 1, 0));
	attempt("let the kernel write", PAST(SYS_read, pipe_ends[0], CONTROL, 1));
	attempt("map the file to write", PAST(SYS_mmap, 0, 4096, PROT_WRITE, MAP_SHARED, file, 0));
	attempt("open it again by its descriptor", PAST(SYS_openat, AT_FDCWD, again, O_RDWR));
}

static void hijack(void)
{
	static char host[PATH_MAX];
	char link[64];
	const long fd = open("/control", O_RDONLY);
	long ret;

	snprintf(link, sizeof(link), "/proc/self/fd/%ld", fd);
	PAST(SYS_readlink, link, host, sizeof(host) - 1);
	ret = PAST(SYS_rename, below_run("guest"), below_run("moved"));
	attempt("replace the guest program",
		ret < 0 ? ret : PAST(SYS_symlink, host, below_run("guest")));
}

static long adopt(uint64_t pid)
{
	struct sb_shared *shared = (void *)SHARED;
	volatile uint64_t *request = &shared->adoptions[SB_MAX_ADOPTIONS - 1].word;
	const time_t end = time(NULL) + 60;
	uint32_t state = SB_ADOPT_WANTED;

	*request = pid << 32 | state;
	__atomic_fetch_add(&shared->adopt_bell, 1, __ATOMIC_SEQ_CST);
	PAST(SYS_futex, &shared->adopt_bell, FUTEX_WAKE, 1);
	while (state != SB_ADOPT_DONE && state != SB_ADOPT_FAILED && time(NULL) < end) {
		PAST(SYS_sched_yield);
		state = (uint32_t)*request;
	}
	*request = 0;
	return state == SB_ADOPT_DONE ? 0 : state == SB_ADOPT_FAILED ? -EPERM : -ETIMEDOUT;
}

static void scribble(unsigned char *end)
{
	uint64_t random = 88172645463325252;

	for (unsigned round = 0;; round++) {
		uint64_t *from = (uint64_t *)(uintptr_t)SHARED;

		for (; from < (uint64_t *)(uintptr_t)end; from += 1 + round % 61) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			*from = round % 3 == 0 ? ~0ULL : round % 3 == 1 ? random : random >> 42;
		}
	}
}

static void __attribute__((noreturn)) stay(void)
{
	say("up");
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *how = argc >= 2 ? argv[1] : "";
	const char *name = (const char *)getauxval(AT_EXECFN);

	if (strcmp(how, "who") == 0) {
		attempt("run on the machine", strstr(name, "/enter-") ? 0 : -EPERM);
		return 0;
	}
	if (strcmp(how, "passwd") == 0) {
		MUST(ftruncate(open("/etc/passwd", O_RDWR | O_CREAT, 0644), 1L << 40));
		MUST(ftruncate(open("/etc/group", O_RDWR | O_CREAT, 0644), 1L << 40));
		stay();
	}
	unsigned char *end = find_run();

	if (strcmp(how, "names") == 0)
		names();
	else if (strcmp(how, "memory") == 0)
		memory();
	else if (strcmp(how, "hijack") == 0)
		hijack();
	else if (strcmp(how, "adopt") == 0 && argc == 3)
		attempt("have it traced", adopt(strtoul(argv[2], NULL, 10)));
	if (strcmp(how, "hijack") == 0)
		stay();
	if (strcmp(how, "lock") == 0) {
		attempt("lock",
			PAST(SYS_flock, PAST(SYS_openat, AT_FDCWD, below_run("shared"), O_RDONLY),
			     LOCK_EX));
		stay();
	}
	if (strcmp(how, "scribble") == 0) {
		say("up");
		fflush(stdout);
		scribble(end);
	}
	return 0;
}
