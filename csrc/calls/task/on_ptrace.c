/* SPDX-License-Identifier: MIT */
/*
 * on_ptrace.c - debuggers as guests.
 *
 * How it works
 *   A traced process stops at each signal, so also at the SIGSYS by which its calls come into the
 *   runtime. The debugger must not see that stop. When its wait4 returns one, the stopped thread is
 *   sent into the runtime without a signal, as the tracer of --interceptor ptrace does, and resumed
 *   the way the debugger last resumed it; the wait goes on. The call sites of a traced process are
 *   not rewritten, since it shows its own code. The kernel reports execve while only the runtime is
 *   mapped, so a debugger would not find the program. It gets the report when boot.c has mapped the
 *   program, at the program's first instruction. (Not strace, which counts the stops of calls.)
 * Rules
 *   The filter traps only waits with __WALL, as gdb, lldb and strace make them, and those for
 *   stopped children (on_wait.c). A thread has one tracer: beside the container's, guests cannot
 *   trace.
 */
#include "calls/task/on_ptrace.h"

#include <asm/siginfo.h>
#include <asm/signal.h>
#include <errno.h>

#include "guest/entries.h"
#include "guest/handlers.h"
#include "guest/peers/peers.h"
#include "guest/peers/sender.h"
#include "guest/pids.h"
#include "guest/thread.h"
#include "guest/trace.h"
#include "pure/verdict.h"
#include "tracee.h"
#include "tracee_registers.h"

#define SYS_SECCOMP_CODE 1
#define STOPPED_BY(sig) ((sig) << 8 | 0x7f)
#define REMEMBERED 64

/* How threads were last resumed. A thread that shares its place with another is resumed like that
 * one. */
static int resumed[REMEMBERED];
/* Reports of execve that wait, and their threads. */
static struct {
	int tid;
	int status;
} kept[REMEMBERED];

static void remember(long request, long tid)
{
	if (request == PTRACE_CONT || request == PTRACE_SYSCALL || request == PTRACE_SINGLESTEP ||
	    request == PTRACE_SYSEMU || request == PTRACE_SYSEMU_SINGLESTEP)
		resumed[(unsigned long)tid % REMEMBERED] = (int)request;
}

static long trace(long request, long tid, long data)
{
	return sb_syscall6(__NR_ptrace, request, tid, 0, data, 0, 0);
}

/* The signal that a stopped thread gets: who sent it. */
static long show_info(struct sb_call *call)
{
	siginfo_t info;

	if (sb_guest_read(&info, sb_arg(call, 3), sizeof(info)) < 0)
		return -EFAULT;
	sb_sender_to_guest(call->fs->tree, &info);
	return sb_guest_write(sb_arg(call, 3), &info, sizeof(info));
}

static long give_info(struct sb_call *call, int tid)
{
	siginfo_t info;

	if (sb_guest_read(&info, sb_arg(call, 3), sizeof(info)) < 0)
		return -EFAULT;
	sb_sender_from_guest(call->proc, &info);
	return trace(PTRACE_SETSIGINFO, tid, SB_P(&info));
}

/* Of an execve the message is the thread that made it; of an end it is a status. */
static long show_message(struct sb_call *call, int tid)
{
	siginfo_t info;
	uint64_t message;

	if (sb_guest_read(&message, sb_arg(call, 3), sizeof(message)) < 0)
		return -EFAULT;
	if (message != sb_pid_main(call->fs->tree) ||
	    trace(PTRACE_GETSIGINFO, tid, SB_P(&info)) < 0 ||
	    info.si_code >> 8 != PTRACE_EVENT_EXEC)
		return 0;
	message = SB_PID_FIRST;
	return sb_guest_write(sb_arg(call, 3), &message, sizeof(message));
}

long on_ptrace(struct sb_call *call)
{
	struct sb_thread *thread = call->thread;
	long ret;
	int pid;

	if (call->proc->tree.control->flags & SB_CONTROL_TRACED) {
		sb_trace_note(call, "the interceptor ptrace is in use: use another");
		return -EPERM;
	}
	/* The parent of this vfork child could not see it stop at a signal before it executes a
	 * program. It becomes traced then. */
	if (sb_arg(call, 0) == PTRACE_TRACEME && call->proc == &thread->own_proc) {
		thread->trace_me = 1;
		return 0;
	}
	pid = sb_pid_argument(call, 1);
	if ((sb_arg(call, 0) == PTRACE_ATTACH || sb_arg(call, 0) == PTRACE_SEIZE) && pid > 0 &&
	    pid != SB_PID_NOBODY && !sb_peer_may_trace(call, (uint32_t)pid))
		return -EPERM;
	if (sb_tracee_registers(call, pid, &ret))
		return ret;
	remember((long)sb_arg(call, 0), pid);
	if (sb_arg(call, 0) == PTRACE_SETSIGINFO)
		return give_info(call, pid);
	ret = sb_guest_block(call, __NR_ptrace, (long)sb_arg(call, 0), pid, (long)sb_arg(call, 2),
			     (long)sb_arg(call, 3), 0, 0);
	if (ret == 0 && sb_arg(call, 0) == PTRACE_GETSIGINFO)
		return show_info(call);
	if (ret == 0 && sb_arg(call, 0) == PTRACE_GETEVENTMSG)
		return show_message(call, pid);
	return ret;
}

static int resume_request(int tid)
{
	const int request = resumed[(unsigned)tid % REMEMBERED];

	return request ? request : PTRACE_CONT;
}

/* Without a signal, or by its own handler when only that finds the thread's block. */
static bool go_in(int tid, struct sb_tracee_call *stopped)
{
	if (!sb_tracee_has_pointer(stopped))
		return trace(resume_request(tid), tid, SIGSYS) == 0;
	return sb_tracee_redirect(tid, stopped, sb_entries->modes[0].entry) == 0 &&
	       trace(resume_request(tid), tid, 0) == 0;
}

/* The filter stopped it: send it into the runtime. */
static bool send_on(int tid)
{
	struct sb_tracee_call stopped;
	siginfo_t info;

	return trace(PTRACE_GETSIGINFO, tid, SB_P(&info)) == 0 &&
	       info.si_code == SYS_SECCOMP_CODE && info.si_errno == SB_TRAP_MAGIC &&
	       sb_tracee_read(tid, &stopped) == 0 && sb_tracee_is_64(&stopped) &&
	       go_in(tid, &stopped);
}

/* It is at the start of a new program: keep the report until the program is mapped. */
static bool keep_exec(int tid, int status)
{
	const unsigned event = (unsigned)status >> 16;
	struct sb_tracee_call stopped;

	if ((event != 0 && event != PTRACE_EVENT_EXEC) || resume_request(tid) == PTRACE_SYSCALL ||
	    sb_tracee_read(tid, &stopped) < 0 || sb_tracee_pc(&stopped) != sb_entries->start ||
	    sb_tracee_ask(tid, &stopped) < 0 || trace(PTRACE_CONT, tid, 0) < 0)
		return false;
	kept[(unsigned)tid % REMEMBERED].tid = tid;
	kept[(unsigned)tid % REMEMBERED].status = status;
	return true;
}

/* The program is mapped: the debugger gets the report of execve. */
static bool show_exec(int tid, int *status)
{
	struct sb_tracee_call stopped;

	if (kept[(unsigned)tid % REMEMBERED].tid != tid || sb_tracee_read(tid, &stopped) < 0 ||
	    sb_tracee_pc(&stopped) - SB_ADDR_RUNTIME > SB_ADDR_HIGH - SB_ADDR_RUNTIME ||
	    sb_tracee_start(tid, &stopped) < 0)
		return false;
	kept[(unsigned)tid % REMEMBERED].tid = 0;
	*status = kept[(unsigned)tid % REMEMBERED].status;
	return true;
}

bool sb_ptrace_hides(int tid, int *status)
{
	if (*status == STOPPED_BY(SIGSYS))
		return send_on(tid);
	if ((*status & 0xffff) != STOPPED_BY(SIGTRAP))
		return false;
	return !show_exec(tid, status) && keep_exec(tid, *status);
}
