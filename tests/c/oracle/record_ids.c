/* SPDX-License-Identifier: MIT */
/*
 * record_ids.c - record what random credential calls do in the kernel.
 *
 * Run by hand as real root on a file system that honours set-user-ID bits:
 *   gcc -o /tmp/record_ids tests/c/oracle/record_ids.c && /tmp/record_ids > tests/c/oracle/ids.txt
 * test_ids.c replays the lines. Each is: call, four arguments, result, then the state after it:
 * r e s fs uid, r e s fs gid, effective permitted inheritable bounding ambient, securebits,
 * no_new_privs, AT_SECURE (of the last exec), number of groups and the groups. All hexadecimal.
 *
 * How it works
 *   A child makes the calls that it reads from a pipe and answers with its state. For `exec` it
 *   executes a copy of this program, which the parent gave an owner, a mode and file capabilities.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define DEFAULT_CAPS 0xa80425fbULL
#define PROGRAM "/tmp/record_ids.program"
#define ROUNDS 70
#define STEPS 14

enum call {
	START,
	SETUID,
	SETGID,
	SETREUID,
	SETREGID,
	SETRESUID,
	SETRESGID,
	SETFSUID,
	SETFSGID,
	SETGROUPS,
	CAPSET,
	DROP_BOUNDING,
	RAISE_AMBIENT,
	LOWER_AMBIENT,
	KEEP_CAPS,
	SECUREBITS,
	EXEC,
	NO_NEW_PRIVS,
	CALLS
};

struct step {
	uint64_t call;
	uint64_t arg[4];
};

static long set_caps(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
		{(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32),
		 (uint32_t)(inheritable >> 32)},
	};

	return syscall(SYS_capset, &header, data);
}

static long start(void)
{
	for (unsigned long cap = 0; cap <= 63; cap++)
		if (!(DEFAULT_CAPS >> cap & 1))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	syscall(SYS_setgroups, 0, NULL);
	return set_caps(DEFAULT_CAPS, DEFAULT_CAPS, 0);
}

static long perform(const struct step *step)
{
	const uint64_t *a = step->arg;
	gid_t groups[4] = {(gid_t)a[1], (gid_t)a[2], (gid_t)a[3], 0};
	char in[16];
	char out[16];

	switch ((enum call)step->call) {
	case START:
		return start();
	case SETUID:
		return syscall(SYS_setuid, a[0]);
	case SETGID:
		return syscall(SYS_setgid, a[0]);
	case SETREUID:
		return syscall(SYS_setreuid, a[0], a[1]);
	case SETREGID:
		return syscall(SYS_setregid, a[0], a[1]);
	case SETRESUID:
		return syscall(SYS_setresuid, a[0], a[1], a[2]);
	case SETRESGID:
		return syscall(SYS_setresgid, a[0], a[1], a[2]);
	case SETFSUID:
		return syscall(SYS_setfsuid, a[0]);
	case SETFSGID:
		return syscall(SYS_setfsgid, a[0]);
	case SETGROUPS:
		return syscall(SYS_setgroups, a[0], groups);
	case CAPSET:
		return set_caps(a[0], a[1], a[2]);
	case DROP_BOUNDING:
		return prctl(PR_CAPBSET_DROP, a[0], 0, 0, 0);
	case RAISE_AMBIENT:
		return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, a[0], 0, 0);
	case LOWER_AMBIENT:
		return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, a[0], 0, 0);
	case KEEP_CAPS:
		return prctl(PR_SET_KEEPCAPS, a[0], 0, 0, 0);
	case SECUREBITS:
		return prctl(PR_SET_SECUREBITS, a[0], 0, 0, 0);
	case EXEC:
		snprintf(in, sizeof(in), "%d", STDIN_FILENO);
		snprintf(out, sizeof(out), "%d", STDOUT_FILENO);
		return execl(PROGRAM, PROGRAM, in, out, (char *)NULL);
	case NO_NEW_PRIVS:
		return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	default:
		abort();
	}
}

static uint64_t status_field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return strtoull(at + strlen(name), NULL, 16);
}

/* Does not use stdio: execve would lose buffered bytes, and a fork would write them twice. */
static void answer(long result)
{
	char text[8192];
	char line[1024];
	uid_t u[3];
	gid_t g[3];
	gid_t groups[32];
	int fd = open("/proc/thread-self/status", O_RDONLY);
	ssize_t len = read(fd, text, sizeof(text) - 1);
	int count = getgroups(32, groups);
	int at;

	close(fd);
	text[len] = '\0';
	getresuid(&u[0], &u[1], &u[2]);
	getresgid(&g[0], &g[1], &g[2]);
	at = snprintf(line, sizeof(line),
		      "%lx %x %x %x %x %x %x %x %x %lx %lx %lx %lx %lx %x %x %x %x",
		      (unsigned long)result, u[0], u[1], u[2], (unsigned)setfsuid((uid_t)-1), g[0],
		      g[1], g[2], (unsigned)setfsgid((gid_t)-1), status_field(text, "\nCapEff:"),
		      status_field(text, "\nCapPrm:"), status_field(text, "\nCapInh:"),
		      status_field(text, "\nCapBnd:"), status_field(text, "\nCapAmb:"),
		      (unsigned)prctl(PR_GET_SECUREBITS),
		      (unsigned)prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
		      (unsigned)getauxval(AT_SECURE), (unsigned)count);
	for (int i = 0; i < count; i++)
		at += snprintf(line + at, sizeof(line) - (size_t)at, " %x", groups[i]);
	line[at++] = '\n';
	if (write(STDOUT_FILENO, line, (size_t)at) != at)
		abort();
}

static int child(void)
{
	struct step step;

	while (read(STDIN_FILENO, &step, sizeof(step)) == (ssize_t)sizeof(step)) {
		long result = perform(&step);

		answer(result < 0 && step.call != SETFSUID && step.call != SETFSGID ? -errno
										    : result);
	}
	return 0;
}

/* ---- the parent --------------------------------------------------------- */

static uint64_t seed = 88172645463325252ULL;

static uint64_t below(uint64_t limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % limit;
}

static uint64_t some_id(void)
{
	static const uint32_t ids[] = {0, 1000, 1001, 1002, UINT32_MAX};

	return ids[below(below(4) ? 4 : 5)];
}

static uint64_t some_caps(void)
{
	static const uint64_t sets[] = {0,    DEFAULT_CAPS,    0xc0, 1ULL << 10 | 0x40,
					0xff, 0x1ffffffffffULL};

	return sets[below(6)] & ~(below(2) ? 0 : 1ULL << below(9));
}

static void prepare_program(const char *self, struct step *step)
{
	static const unsigned modes[] = {0755, 0755, 04755, 02755, 06755, 02745};
	struct vfs_cap_data caps = {0};
	char command[512];

	step->arg[0] = modes[below(6)];
	step->arg[1] = below(2) ? 0 : 1000;
	step->arg[2] = below(2) ? 0 : 1001;
	step->arg[3] = below(3) ? 0
				: below(2) << 32 | 1ULL << 33 | (1ULL << (below(2) ? 10 : 7)) |
					  below(2) << 12;
	snprintf(command, sizeof(command), "rm -f " PROGRAM "; cp %s " PROGRAM, self);
	if (system(command) != 0 || chown(PROGRAM, (uid_t)step->arg[1], (gid_t)step->arg[2]) != 0)
		abort();
	if (step->arg[3]) { /* bit 32: effective; low 32 bits: permitted and inheritable */
		caps.magic_etc = VFS_CAP_REVISION_2 | (uint32_t)(step->arg[3] >> 32 & 1);
		caps.data[0].permitted = caps.data[0].inheritable = (uint32_t)step->arg[3];
		if (setxattr(PROGRAM, "security.capability", &caps, XATTR_CAPS_SZ_2, 0) != 0)
			abort();
	}
	if (chmod(PROGRAM, (mode_t)step->arg[0]) != 0)
		abort();
}

static void choose(const char *self, struct step *step, int number)
{
	step->call = number == 0 ? START : 1 + below(CALLS - 1);
	if (step->call == NO_NEW_PRIVS && below(3))
		step->call = EXEC;
	if (step->call == SETUID && number < 4)
		step->call = SETRESUID;
	for (int i = 0; i < 4; i++)
		step->arg[i] = some_id();
	if (step->call == SETGROUPS)
		step->arg[0] = below(4);
	if (step->call == CAPSET)
		for (int i = 0; i < 3; i++)
			step->arg[i] = some_caps();
	if (step->call == DROP_BOUNDING || step->call == RAISE_AMBIENT ||
	    step->call == LOWER_AMBIENT)
		step->arg[0] = below(8) ? below(12) : 41;
	if (step->call == KEEP_CAPS)
		step->arg[0] = below(8) ? below(2) : 2;
	if (step->call == SECUREBITS)
		step->arg[0] = below(3) ? 1ULL << (2 * below(4)) : below(256);
	if (step->call == EXEC)
		prepare_program(self, step);
}

static void record_round(const char *self)
{
	int to[2];
	int from[2];
	FILE *answers;
	char line[1024];
	pid_t pid;

	if (pipe(to) != 0 || pipe(from) != 0 || (pid = fork()) < 0)
		abort();
	if (pid == 0) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		for (int fd = 3; fd < 20; fd++)
			close(fd);
		_exit(child());
	}
	close(to[0]);
	close(from[1]);
	answers = fdopen(from[0], "r");
	for (int i = 0; i < STEPS; i++) {
		struct step step;

		choose(self, &step, i);
		if (write(to[1], &step, sizeof(step)) != (ssize_t)sizeof(step) ||
		    fgets(line, sizeof(line), answers) == NULL)
			abort();
		printf("%lx %lx %lx %lx %lx %s", step.call, step.arg[0], step.arg[1], step.arg[2],
		       step.arg[3], line);
	}
	close(to[1]);
	fclose(answers);
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	if (argc == 3) { /* after exec: answer, and go on with the next calls */
		answer(0);
		return child();
	}
	for (int round = 0; round < ROUNDS; round++) {
		record_round(argv[0]);
		fflush(stdout);
	}
	unlink(PROGRAM);
	return 0;
}
