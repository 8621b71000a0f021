/* SPDX-License-Identifier: MIT */
/*
 * thread_pointer.c - a program that uses gs itself, as Wine, Valgrind and Firefox do.
 *
 *   thread_pointer GROUP (in an empty directory)
 *
 * Only groups of the kernel's own call (arch_prctl) work everywhere; the instructions need a
 * processor and a kernel that have them, so a group asks first.
 */
#include "see.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <elf.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <ucontext.h>

#define THREADS 4
#define ROUNDS 3000
#define HAS_FSGSBASE 2

struct area {
	uint64_t word; /* gs:0 */
	uint64_t pad[7];
};

static struct area areas[THREADS + 1][2];
static int failures;

static bool has_instructions(void)
{
	return (getauxval(AT_HWCAP2) & HAS_FSGSBASE) != 0;
}

static uint64_t kernels_gs(void)
{
	uint64_t value = 7;

	MUST(syscall(SYS_arch_prctl, ARCH_GET_GS, &value));
	return value;
}

static long set_by_call(const void *area)
{
	return syscall(SYS_arch_prctl, ARCH_SET_GS, area);
}

static void set_by_instruction(const void *area)
{
	__asm__ volatile("wrgsbase %0" : : "r"(area) : "memory");
}

static uint64_t read_by_instruction(void)
{
	uint64_t value;

	__asm__ volatile("rdgsbase %0" : "=r"(value));
	return value;
}

static uint64_t word_at_gs(void)
{
	uint64_t value;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(value));
	return value;
}

static void set(const struct area *area, bool by_call)
{
	if (by_call || !has_instructions())
		MUST(set_by_call(area));
	else
		set_by_instruction(area);
}

static bool is_at(const struct area *area)
{
	return word_at_gs() == area->word &&
	       (!has_instructions() || read_by_instruction() == (uintptr_t)area);
}

static void fill(void)
{
	for (unsigned i = 0; i < COUNT(areas); i++) {
		areas[i][0].word = 0x1111111111111111ULL * (2 * i + 1);
		areas[i][1].word = 0x1111111111111111ULL * (2 * i + 2);
	}
}

static void expect(const char *what, bool right)
{
	if (!right && failures++ < 5)
		say("%s: wrong", what);
}

/* ---- the kernel's call ------------------------------------------------------- */

static void calls(void)
{
	struct stat st;

	say("at first %d", kernels_gs() == 0);
	SEE(set_by_call(&areas[0][0]));
	say("as set %d, and at gs %d", kernels_gs() == (uintptr_t)&areas[0][0],
	    is_at(&areas[0][0]));
	SEE(stat("/etc", &st));
	SEE(open("none", O_RDONLY));
	say("after calls %d", is_at(&areas[0][0]));
	SEE(set_by_call((void *)(1UL << 47)));
	SEE(set_by_call((void *)-4096L));
	SEE(syscall(SYS_arch_prctl, ARCH_GET_GS, 8));
	say("still %d", is_at(&areas[0][0]));
	SEE(set_by_call(NULL));
	say("zero %d", kernels_gs() == 0);
	SEE(syscall(SYS_arch_prctl, 0x1999, 0));
}

/* ---- instructions ------------------------------------------------------------ */

/* Make calls from sites that are rewritten after some rounds. */
static void work(const struct area *area, bool by_call)
{
	struct stat st;
	uint64_t uid = 0;
	uint64_t before;
	uint64_t after;

	set(area, by_call);
	expect("stat", stat("/etc/passwd", &st) == 0);
	expect("access", access("none", F_OK) == -1 && errno == ENOENT);
	__asm__ volatile(
		"stc; pushfq; pop %1; mov %3, %%eax; syscall; mov %%rax, %0; pushfq; pop %2"
		: "=&r"(uid), "=&r"(before), "=&r"(after)
		: "i"(SYS_getuid)
		: "rax", "rcx", "r11", "memory", "cc");
	expect("flags", (before & 0xcd5) == (after & 0xcd5));
	expect("getuid", uid == (uint64_t)getuid());
	expect("gs", is_at(area));
}

static void flips(void)
{
	uint64_t old = has_instructions() ? read_by_instruction() : 0;

	for (int i = 0; i < ROUNDS; i++)
		work(&areas[0][i % 2], i % 3 == 0);
	if (has_instructions())
		set_by_instruction((void *)old);
	SEE(access("/etc/passwd", R_OK));
	say("failures %d", failures);
}

/* ---- children ---------------------------------------------------------------- */

static void *in_thread(void *area)
{
	expect("inherited", is_at(area));
	expect("access", access("/etc/passwd", R_OK) == 0);
	set(&areas[1][1], true);
	expect("own", is_at(&areas[1][1]));
	return NULL;
}

static void say_child(const char *what, pid_t pid)
{
	if (pid == 0)
		_exit(access("/etc/passwd", R_OK) == 0 && is_at(&areas[0][0]) ? 0 : 1);
	say_status(what, wait_for(pid));
	say("here %d", is_at(&areas[0][0]));
}

static void children(void)
{
	char *const again[] = {"thread_pointer", "calls", NULL};
	pthread_t thread;
	pid_t pid;

	set(&areas[0][0], false);
	say_child("fork", fork());
	pid = vfork();
	if (pid == 0)
		_exit(access("/etc/passwd", R_OK) == 0 && is_at(&areas[0][0]) ? 0 : 1);
	say_status("vfork", wait_for(pid));
	say("here %d", is_at(&areas[0][0]));
	if (pthread_create(&thread, NULL, in_thread, &areas[0][0]) != 0)
		broken("pthread_create");
	pthread_join(thread, NULL);
	say("here %d, failures %d", is_at(&areas[0][0]), failures);
	pid = vfork();
	if (pid == 0) {
		execv("/proc/self/exe", again);
		_exit(9);
	}
	say_status("exec", wait_for(pid));
	say("here %d", is_at(&areas[0][0]));
}

/* ---- signals ----------------------------------------------------------------- */

static const struct area *in_force[THREADS + 1];
static __thread int me;
static volatile int handled;

static void on_signal(int sig)
{
	const struct area *here = in_force[me];

	(void)sig;
	handled++;
	/* Between the change and the note either may be in force. */
	expect("a handler", here == NULL || is_at(&areas[me][0]) || is_at(&areas[me][1]));
	if (handled % 3 == 0)
		expect("a call of a handler", access("/etc/passwd", R_OK) == 0);
	expect("a handler, later", here == NULL || is_at(&areas[me][0]) || is_at(&areas[me][1]));
}

static void fork_under_way(void)
{
	const pid_t pid = fork();

	if (pid == 0)
		_exit(failures);
	expect("fork", wait_for(pid) == 0);
}

static void *stormed(void *number)
{
	me = (int)(intptr_t)number;
	for (int i = 0; i < ROUNDS || handled == 0; i++) {
		work(&areas[me][i % 2], i % 5 == 0);
		in_force[me] = &areas[me][i % 2];
		if (i % 500 == 0)
			fork_under_way();
	}
	in_force[me] = NULL;
	return NULL;
}

static void *pester(void *threads)
{
	const pthread_t *all = threads;

	for (int i = 0; i < 4 * ROUNDS || handled == 0; i++) {
		for (int n = 0; n < THREADS; n++) {
			if (in_force[n + 1] != NULL)
				pthread_kill(all[n], SIGUSR1);
		}
		(void)access("none", F_OK);
	}
	return NULL;
}

static void storm(void)
{
	const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	pthread_t threads[THREADS];
	pthread_t other;

	MUST(sigaction(SIGUSR1, &action, NULL));
	for (intptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, stormed, (void *)(i + 1));
	pthread_create(&other, NULL, pester, threads);
	pthread_join(other, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	say("handled %d, failures %d", handled > 0, failures);
}

/* A fault's handler sees the program's gs, and may go on elsewhere. */
static ucontext_t main_context;
static ucontext_t other_context;

static void elsewhere(void)
{
	for (int i = 0; i < 100; i++) {
		work(&areas[1][i % 2], i % 2);
		swapcontext(&other_context, &main_context);
	}
}

static void contexts(void)
{
	static char stack[65536];
	const struct sigaction action = {.sa_handler = on_signal};

	MUST(sigaction(SIGALRM, &action, NULL));
	MUST(getcontext(&other_context));
	other_context.uc_stack.ss_sp = stack;
	other_context.uc_stack.ss_size = sizeof(stack);
	other_context.uc_link = &main_context;
	makecontext(&other_context, elsewhere, 0);
	for (int i = 0; i < 100; i++) {
		work(&areas[0][i % 2], i % 3);
		swapcontext(&main_context, &other_context);
		expect("as the other context left it", is_at(&areas[1][i % 2]));
		MUST(raise(SIGALRM));
		expect("after a signal", is_at(&areas[1][i % 2]));
	}
	say("handled %d, failures %d", handled, failures);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	say("fault %d at the address %d, gs %d", sig, info->si_addr == NULL, is_at(&areas[0][1]));
	uc->uc_mcontext.gregs[REG_RAX] = (greg_t)(uintptr_t)&areas[0][0];
}

static void faults(void)
{
	const struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	uint64_t word;

	MUST(sigaction(SIGSEGV, &action, NULL));
	set(&areas[0][1], false);
	__asm__ volatile("xor %%eax, %%eax; mov (%%rax), %0" : "=r"(word) : : "rax", "memory");
	say("read %d, gs %d", word == areas[0][0].word, is_at(&areas[0][1]));
	SEE(access((char *)8, F_OK));
	say("gs %d", is_at(&areas[0][1]));
}

/* ---- a debugger --------------------------------------------------------------- */

static void traced(void)
{
	MUST(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	raise(SIGSTOP);
	set(&areas[0][0], false);
	raise(SIGSTOP);
	expect("a value of the debugger", is_at(&areas[0][1]));
	for (int i = 0; i < 20; i++)
		work(&areas[0][i % 2], false);
	set(&areas[0][1], false);
	(void)close(open("/etc/passwd", O_RDONLY));
	_exit(failures);
}

static int next_stop(pid_t pid)
{
	int status = wait_for(pid);

	while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGSYS) {
		MUST(ptrace(PTRACE_CONT, pid, NULL, (void *)SIGSYS));
		status = wait_for(pid);
	}
	return status;
}

static void debugger(void)
{
	const void *where = (void *)offsetof(struct user, regs.gs_base);
	struct user_regs_struct regs;
	struct iovec iov = {&regs, sizeof(regs)};
	pid_t pid = fork();

	if (pid == 0)
		traced();
	say("stopped by %d", WSTOPSIG(next_stop(pid)));
	SEE(ptrace(PTRACE_GETREGS, pid, NULL, &regs));
	say("gs at first %d %d", regs.gs_base == 0, ptrace(PTRACE_PEEKUSER, pid, where, 0) == 0);
	SEE(ptrace(PTRACE_SETREGS, pid, NULL, &regs));
	MUST(ptrace(PTRACE_CONT, pid, NULL, NULL));
	say("stopped by %d", WSTOPSIG(next_stop(pid)));
	SEE(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov));
	say("gs as set %d", regs.gs_base == (uintptr_t)&areas[0][0]);
	regs.gs_base = (uintptr_t)&areas[0][1];
	SEE(ptrace(PTRACE_SETREGS, pid, NULL, &regs));
	MUST(ptrace(PTRACE_CONT, pid, NULL, NULL));
	say_status("ended", next_stop(pid));
}

static const struct part groups[] = {
	{"calls", calls},       {"flips", flips},   {"children", children}, {"storm", storm},
	{"contexts", contexts}, {"faults", faults}, {"debugger", debugger},
};

int main(int argc, char **argv)
{
	fill();
	return run_group(argc, argv, groups, COUNT(groups));
}
