/* SPDX-License-Identifier: MIT */
/*
 * tracer.c - redirect system calls into the runtime by ptrace.
 *
 * How it works
 *   One thread waits for the requests of new guest threads (tracer_attach.c) and starts a tracing
 * thread for each. The tracing thread attaches, answers, and from then on serves this guest thread
 *   alone. At a stop for a trapped call it sets the registers for sb_entry, as the SIGSYS handler
 *   would, and lets the guest go: the runtime does the work.
 * Rules
 *   No guest memory is read. Only the number, the instruction address and (without seccomp) one
 *   argument decide. Signals pass unchanged. A thread that asks must run sandbox-guest and have
 *   the mark of the container, since guests write the requests. When this process ends, the kernel
 * kills every thread that it traces.
 */
#include "hosted/tracer.h"

#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/abi.h"
#include "base/stat.h"
#include "hosted/control_file.h"
#include "hosted/hosted.h"
#include "hosted/shared_file.h"
#include "layers/mapped_file.h"
#include "pure/verdict.h"
#include "tracee.h"

#define STACK_SIZE 65536
#define EVENT_OF(status) ((unsigned)(status) >> 16)
#define IS_SYSCALL_STOP(status) (WSTOPSIG(status) == (SIGTRAP | 0x80))

struct tracer {
	struct sb_shared *shared;
	bool steps; /* there is no seccomp: every call stops */
	uint64_t text_size; /* size of the runtime's text; its own calls pass */
	uint64_t mark; /* of the container's processes */
	uint64_t guest_ino;
	uint32_t guest_major;
	uint32_t guest_minor;
};

struct job {
	const struct tracer *tracer;
	uint32_t request;
	int tid;
	bool every;   /* stop at every call, not only at those of the filter */
	uint64_t pointer; /* of the runtime, in the thread's registers */
	bool in_call; /* with every: the next stop is the end of a call */
};

static long trace(long request, int tid, long address, long data)
{
	return sb_syscall6(__NR_ptrace, request, tid, address, data, 0, 0);
}

/* ---- one guest thread ---------------------------------------------------- */

static long go_on(const struct job *job, int tid, int sig)
{
	return trace(job->every ? PTRACE_SYSCALL : PTRACE_CONT, tid, 0, sig);
}

static bool is_native(const struct job *job, const struct sb_tracee_call *call)
{
	const uint64_t nr = sb_tracee_number(call);
	const int argument = sb_verdict_argument(nr);

	if (sb_tracee_pc(call) - SB_ADDR_RUNTIME < job->tracer->text_size ||
	    sb_verdict(nr) == SB_NATIVE || sb_verdict_is_descriptor(nr))
		return true;
	if (nr == __NR_ioctl)
		return (sb_tracee_argument(call, 1) & SB_IOCTL_MASK) != SB_IOCTL_SOCKET &&
		       !sb_verdict_request_names_process((uint32_t)sb_tracee_argument(call, 1)) &&
		       !sb_verdict_request_is_of_files((uint32_t)sb_tracee_argument(call, 1));
	if (sb_verdict_is_clock(nr))
		return (sb_tracee_argument(call, 0) & SB_CLOCK_OF_PROCESS) == 0;
	if (nr == __NR_fcntl)
		return !sb_verdict_fcntl_names_process((uint32_t)sb_tracee_argument(call, 1));
	if (argument < 0 || sb_tracee_argument(call, argument) != 0)
		return false;
	return nr != __NR_sendto ||
	       sb_tracee_argument(call, 0) - SB_LINK_FD_FIRST > SB_LINK_FD_LAST - SB_LINK_FD_FIRST;
}

/* Handle the start or the end of a call, without seccomp. */
static void on_call(struct job *job, int tid)
{
	struct sb_tracee_call call;

	job->in_call = !job->in_call;
	if (!job->in_call || sb_tracee_read(tid, &call) < 0 || is_native(job, &call))
		return;
	if (sb_verdict(sb_tracee_number(&call)) >= SB_REFUSED)
		sb_tracee_answer(tid, &call,
				 -(long)(sb_verdict(sb_tracee_number(&call)) - SB_REFUSED));
	else
		sb_tracee_enter(tid, &call, &job->pointer);
}

static void on_stop(struct job *job, int tid, int status)
{
	struct sb_tracee_call call;
	const int sig = WSTOPSIG(status);

	switch (EVENT_OF(status)) {
	case 0:
		if (!IS_SYSCALL_STOP(status)) {
			go_on(job, tid, sig);
			return;
		}
		on_call(job, tid);
		break;
	case PTRACE_EVENT_SECCOMP:
		if (sb_tracee_read(tid, &call) == 0)
			sb_tracee_enter(tid, &call, &job->pointer);
		break;
	case PTRACE_EVENT_STOP:
		if (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU) {
			trace(PTRACE_LISTEN, tid, 0, 0); /* it stays stopped until SIGCONT */
			return;
		}
		break;
	default:
		break;
	}
	go_on(job, tid, 0);
}

static long wait_stop(int *status)
{
	long tid;

	do {
		tid = sb_syscall6(__NR_wait4, -1, SB_P(status), __WALL | __WNOTHREAD, 0, 0, 0);
	} while (tid == -EINTR);
	return tid;
}

/* Attach, and stop at the next call. */
static long attach(struct job *job)
{
	const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
	long ret = trace(PTRACE_SEIZE, job->tid, 0, options);
	int status;

	if (ret < 0 || !job->every)
		return ret;
	ret = trace(PTRACE_INTERRUPT, job->tid, 0, 0);
	if (ret == 0)
		ret = wait_stop(&status);
	return ret < 0 ? ret : go_on(job, job->tid, 0);
}

static void answer(const struct job *job, bool done)
{
	sb_shared_answer_request(job->tracer->shared, job->request, job->tid, done);
}

static void *follow(void *argument)
{
	struct job *job = argument;
	long ret = attach(job);
	int status;

	answer(job, ret >= 0);
	/* execve changes the number of the thread. */
	for (long tid = ret < 0 ? ret : wait_stop(&status); tid > 0; tid = wait_stop(&status)) {
		if (WIFSTOPPED(status))
			on_stop(job, (int)tid, status);
	}
	free(job);
	return NULL;
}

/* ---- requests ------------------------------------------------------------- */

static bool is_guest(const struct tracer *tracer, int tid)
{
	char path[32];
	struct statx sx;
	uint64_t mark;

	/* Without a mark it is one of a machine that allows none (hosted_marks.c). */
	if (sb_hosted_mark_of((uint32_t)tid, &mark) < 0 || (mark != tracer->mark && mark != 0))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/exe", tid);
	return sys_statx(AT_FDCWD, path, 0, STATX_INO, &sx) == 0 &&
	       sx.stx_ino == tracer->guest_ino && sx.stx_dev_major == tracer->guest_major &&
	       sx.stx_dev_minor == tracer->guest_minor;
}

static int start_following(const struct job *request, const pthread_attr_t *attributes)
{
	struct job *job = malloc(sizeof(*job));
	pthread_t thread;
	int error = ENOMEM;

	if (job == NULL)
		return -error;
	*job = *request;
	error = pthread_create(&thread, attributes, follow, job);
	if (error != 0)
		free(job);
	return -error;
}

static void take_requests(const struct tracer *tracer, const pthread_attr_t *attributes)
{
	for (uint32_t i = 0; i < SB_MAX_ADOPTIONS; i++) {
		struct job job = {.tracer = tracer, .request = i, .every = tracer->steps};

		job.tid = sb_shared_take_request(tracer->shared, i, &job.pointer);

		if (job.tid > 0 &&
		    (!is_guest(tracer, job.tid) || start_following(&job, attributes) < 0))
			answer(&job, false);
	}
}

/* ---- the process ----------------------------------------------------------- */

/* Size of the runtime's text: the first segment of its file (guest.ld). */
static int find_text(const struct sb_map *map, uint64_t *size)
{
	const Elf64_Ehdr *h = map->at;
	const Elf64_Phdr *ph;

	if (map->size < sizeof(*h) || h->e_phoff > map->size - sizeof(*ph))
		return -ENOEXEC;
	ph = (const Elf64_Phdr *)(const void *)((const char *)map->at + h->e_phoff);
	if (ph->p_type != PT_LOAD || ph->p_vaddr != SB_ADDR_RUNTIME)
		return -ENOEXEC;
	*size = ph->p_memsz;
	return 0;
}

static int read_guest(const char *guest, struct tracer *tracer)
{
	struct sb_map map = {0};
	struct statx sx;
	int err = (int)sys_statx(AT_FDCWD, guest, 0, SB_STATX_MASK, &sx);

	if (err == 0)
		err = sb_map_file(guest, false, &map);
	if (err == 0)
		err = find_text(&map, &tracer->text_size);
	sb_unmap(&map);
	if (err < 0)
		return err;
	tracer->guest_ino = sx.stx_ino;
	tracer->guest_major = sx.stx_dev_major;
	tracer->guest_minor = sx.stx_dev_minor;
	return 0;
}

/* Map the shared file, and say in the control file who traces. */
static int open_files(const char *path, struct tracer *tracer)
{
	struct sb_map control = {0};
	struct sb_map shared = {0};
	struct sb_control *head;
	int fd;
	int err = sb_control_map(path, true, &control);

	if (err < 0)
		return err;
	head = control.at;
	fd = sb_shared_open(path);
	err = fd < 0 ? fd : sb_shared_map(fd, head->node_count, &shared);
	if (fd >= 0)
		sys_close(fd);
	if (err == 0) {
		tracer->shared = shared.at;
		tracer->steps = (head->flags & SB_CONTROL_STEPS) != 0;
		head->tracer = (uint32_t)sys_getpid();
	}
	sb_unmap(&control);
	return err;
}

int sb_tracer_serve(const char *control, const char *guest, uint64_t mark, int ready)
{
	static struct tracer tracer; /* threads use it until the process ends */
	pthread_attr_t attributes;
	int err = open_files(control, &tracer);

	tracer.mark = mark;
	if (err == 0)
		err = read_guest(guest, &tracer);
	if (err == 0)
		err = -pthread_attr_init(&attributes);
	if (err == 0)
		err = -pthread_attr_setstacksize(&attributes, STACK_SIZE);
	if (err == 0)
		err = -pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (err < 0)
		return err;
	if (sys_write(ready, "", 1) != 1)
		return -EPIPE;
	sys_close(ready);
	for (;;) {
		uint32_t seen = sb_shared_requests(tracer.shared);

		take_requests(&tracer, &attributes);
		sb_shared_wait_request(tracer.shared, seen);
	}
}
