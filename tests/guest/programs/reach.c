/* SPDX-License-Identifier: MIT */
/*
 * reach.c - every call that names a process, about one that is not there.
 *
 * `PROGRAM PID` prints what each call says. Outside of the container the number is that of no
 * process; inside it is that of a process of the machine. Both must print the same.
 * `PROGRAM walk FIRST LAST` makes the calls about every process of a range but its own.
 */
#include "see.h"

#include <linux/ioprio.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct attributes { /* struct sched_attr, which some headers have and some define twice */
	uint32_t size;
	uint32_t policy;
	uint64_t more[6];
};

static bool quiet;

static void tell(const char *what, long result)
{
	if (quiet)
		return;
	see_result(what, result);
}

#define TRY(what, call) (errno = 0, tell(what, (long)(call)))

static void signals(int pid, int sig)
{
	siginfo_t info = {.si_signo = sig, .si_code = SI_QUEUE, .si_pid = getpid()};

	TRY("kill", kill(pid, sig));
	TRY("kill a group", kill(-pid, sig));
	TRY("tkill", syscall(SYS_tkill, pid, sig));
	TRY("tgkill", syscall(SYS_tgkill, pid, pid, sig));
	TRY("tgkill of this process", syscall(SYS_tgkill, getpid(), pid, sig));
	TRY("rt_sigqueueinfo", syscall(SYS_rt_sigqueueinfo, pid, sig, &info));
	TRY("rt_tgsigqueueinfo", syscall(SYS_rt_tgsigqueueinfo, pid, pid, sig, &info));
	if (sig > 0)
		return;
	TRY("a bad signal", kill(pid, 1000));
}

static void descriptors(int pid, int sig)
{
	const int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	tell("pidfd_open", fd);
	TRY("pidfd_open with bad flags", syscall(SYS_pidfd_open, pid, 1 << 30));
	if (fd < 0)
		return;
	TRY("pidfd_send_signal", syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0));
	close(fd);
}

static void memory(int pid)
{
	char byte = 0;
	struct iovec own = {&byte, 1};
	struct iovec its = {&byte, 1};
	void *list;
	size_t size;

	TRY("process_vm_readv", syscall(SYS_process_vm_readv, pid, &own, 1L, &its, 1L, 0L));
	TRY("process_vm_writev", syscall(SYS_process_vm_writev, pid, &own, 1L, &its, 1L, 0L));
	TRY("ptrace attach", ptrace(PTRACE_ATTACH, pid, NULL, NULL));
	TRY("ptrace seize", ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	TRY("get_robust_list", syscall(SYS_get_robust_list, pid, &list, &size));
}

static void scheduling(int pid)
{
	struct sched_param param = {0};
	struct attributes attributes = {.size = sizeof(attributes)};
	struct timespec interval;
	unsigned long cpus[128];
	struct rlimit limit;

	TRY("sched_getparam", syscall(SYS_sched_getparam, pid, &param));
	TRY("sched_setparam", syscall(SYS_sched_setparam, pid, &param));
	TRY("sched_getscheduler", syscall(SYS_sched_getscheduler, pid));
	TRY("sched_setscheduler", syscall(SYS_sched_setscheduler, pid, SCHED_OTHER, &param));
	TRY("sched_getattr", syscall(SYS_sched_getattr, pid, &attributes, sizeof(attributes), 0));
	TRY("sched_setattr", syscall(SYS_sched_setattr, pid, &attributes, 0));
	TRY("sched_rr_get_interval", syscall(SYS_sched_rr_get_interval, pid, &interval));
	TRY("sched_getaffinity", syscall(SYS_sched_getaffinity, pid, sizeof(cpus), cpus));
	memset(cpus, 0xff, sizeof(cpus));
	TRY("sched_setaffinity", syscall(SYS_sched_setaffinity, pid, sizeof(cpus), cpus));
	TRY("sched_getparam to nowhere", syscall(SYS_sched_getparam, pid, NULL));
	TRY("getpriority", getpriority(PRIO_PROCESS, (id_t)pid));
	TRY("getpriority of a group", getpriority(PRIO_PGRP, (id_t)pid));
	TRY("setpriority", setpriority(PRIO_PROCESS, (id_t)pid, 19));
	TRY("ioprio_get", syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, pid));
	TRY("ioprio_get of a group", syscall(SYS_ioprio_get, IOPRIO_WHO_PGRP, pid));
	TRY("ioprio_set", syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, 3 << 13));
	TRY("prlimit64", syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, NULL, &limit));
	TRY("prlimit64 to set", syscall(SYS_prlimit64, pid, RLIMIT_CORE, &limit, NULL));
	TRY("prlimit64 of locks", syscall(SYS_prlimit64, pid, 10, NULL, &limit));
}

static void groups(int pid)
{
	TRY("getpgid", getpgid(pid));
	TRY("getsid", getsid(pid));
	TRY("setpgid", setpgid(pid, 0));
	TRY("setpgid to its group", setpgid(0, pid));
	TRY("waitpid", waitpid(pid, NULL, WNOHANG));
	TRY("waitpid of a group", waitpid(-pid, NULL, WNOHANG));
}

static void owners(int pid)
{
	int socket_fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	const struct f_owner_ex thread = {F_OWNER_TID, pid};
	const struct f_owner_ex process = {F_OWNER_PID, pid};
	const struct f_owner_ex group = {F_OWNER_PGRP, pid};
	const int number = pid;
	const int negative = -pid;

	TRY("F_SETOWN", fcntl(socket_fd, F_SETOWN, pid));
	TRY("F_SETOWN of a group", fcntl(socket_fd, F_SETOWN, -pid));
	TRY("F_SETOWN_EX of a thread", fcntl(socket_fd, F_SETOWN_EX, &thread));
	TRY("F_SETOWN_EX of a process", fcntl(socket_fd, F_SETOWN_EX, &process));
	TRY("F_SETOWN_EX of a group", fcntl(socket_fd, F_SETOWN_EX, &group));
	TRY("FIOSETOWN", ioctl(socket_fd, FIOSETOWN, &number));
	TRY("FIOSETOWN of a group", ioctl(socket_fd, FIOSETOWN, &negative));
	TRY("SIOCSPGRP", ioctl(socket_fd, SIOCSPGRP, &number));
	TRY("F_GETOWN", fcntl(socket_fd, F_GETOWN));
	close(socket_fd);
}

/* The group in the foreground of a terminal of one's own. */
static void terminals(int pid)
{
	const pid_t child = (pid_t)MUST(fork());

	if (child == 0) {
		int master = (int)MUST(posix_openpt(O_RDWR | O_NOCTTY));

		MUST(setsid());
		MUST(grantpt(master));
		MUST(unlockpt(master));
		MUST(open(ptsname(master), O_RDWR));
		TRY("tcsetpgrp", tcsetpgrp(master, pid));
		say("tcgetpgrp is the leader: %d", tcgetpgrp(master) == getpid());
		fflush(stdout);
		_exit(0);
	}
	wait_for(child);
}

static void every_call(int pid, int sig)
{
	signals(pid, sig);
	descriptors(pid, sig);
	memory(pid);
	scheduling(pid);
	groups(pid);
	owners(pid);
}

static void walk(int first, int last)
{
	quiet = true;
	for (int pid = first; pid <= last; pid++) {
		if (pid != getpid() && pid != getppid())
			every_call(pid, SIGKILL);
	}
	printf("walked\n");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 4 && strcmp(argv[1], "walk") == 0) {
		walk(atoi(argv[2]), atoi(argv[3]));
		return 0;
	}
	if (argc != 2)
		return 2;
	every_call(atoi(argv[1]), 0);
	terminals(atoi(argv[1]));
	return 0;
}
