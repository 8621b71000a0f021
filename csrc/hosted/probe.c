/* SPDX-License-Identifier: MIT */
/*
 * probe.c - what this machine lets an unprivileged process do.
 *
 * How it works
 *   What cannot be taken back is tried in a child, whose exit status is the errno. A child that
 *   is killed, by a filter around this process, counts as EPERM.
 * Rules
 *   Hosted build only. Code of a child makes only system calls: the parent may have threads.
 */
#include "hosted/probe.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"

#define PAGE 4096

static volatile sig_atomic_t arrived;

static void on_sigsys(int sig)
{
	arrived = sig;
}

/* Install a filter with this answer to getppid, and ALLOW for everything else. */
static int install(unsigned action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog prog = {.len = SB_ARRAY_LEN(code), .filter = code};
	long ret = sb_syscall6(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);

	if (ret == 0)
		ret = sb_syscall6(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, SB_P(&prog), 0, 0, 0);
	return (int)-ret;
}

static int try_filter(void)
{
	return install(SECCOMP_RET_ALLOW);
}

static int try_trap(void)
{
	const struct sigaction action = {.sa_handler = on_sigsys};
	int err;

	if (sigaction(SIGSYS, &action, NULL) != 0)
		return errno;
	err = install(SECCOMP_RET_TRAP);
	if (err == 0)
		sb_syscall6(__NR_getppid, 0, 0, 0, 0, 0, 0);
	return err != 0 || arrived ? err : ENOSYS;
}

static int try_address(void)
{
	static const uint64_t wanted[] = {SB_ADDR_RUNTIME, SB_ADDR_CONTROL, SB_ADDR_SHARED,
					  SB_ADDR_INDEX,   SB_ADDR_OWNERS,  SB_ADDR_THREADS};

	for (size_t i = 0; i < SB_ARRAY_LEN(wanted); i++) {
		long at = sys_mmap((void *)(uintptr_t)wanted[i], PAGE, PROT_READ,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (at != (long)wanted[i])
			return at < 0 ? (int)-at : EEXIST;
	}
	return 0;
}

static int try_exec_memory(void)
{
	long at = sys_mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long ret = at;

	if (at > 0)
		ret = sb_syscall6(__NR_mprotect, at, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, 0, 0,
				  0);
	return ret < 0 ? (int)-ret : 0;
}

static int in_child(int (*try)(void))
{
	long pid = fork();
	int status;

	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(try());
	if (waitpid((pid_t)pid, &status, 0) != pid)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
}

static int try_ptrace(void)
{
	pid_t pid = fork();
	long ret;
	int status;

	if (pid < 0)
		return errno;
	if (pid == 0) {
		for (;;)
			pause();
	}
	ret = sb_syscall6(__NR_ptrace, PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL, 0, 0);
	kill(pid, SIGKILL);
	waitpid(pid, &status, __WALL);
	return ret < 0 ? (int)-ret : 0;
}

int sb_probe_landlock(void)
{
	return (int)sb_syscall6(__NR_landlock_create_ruleset, 0, 0, 1, 0, 0, 0);
}

void sb_probe(struct sb_probe *probe)
{
	probe->filter = in_child(try_filter);
	probe->trap = in_child(try_trap);
	probe->ptrace = in_child(try_ptrace);
	probe->address = in_child(try_address);
	probe->exec_memory = in_child(try_exec_memory);
	probe->landlock = sb_probe_landlock();
}

int sb_probe_birth_time(const char *path)
{
	struct statx sx;
	long ret = sys_statx(AT_FDCWD, path, 0, STATX_BTIME, &sx);

	return ret < 0 ? (int)ret : (sx.stx_mask & STATX_BTIME) != 0;
}
