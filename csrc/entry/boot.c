/* SPDX-License-Identifier: MIT */
/*
 * boot.c - the first code of every program in a container.
 *
 * How it works
 *   The kernel executed <run>/guest, for a program that called execve, or <run>/enter-N, for a
 *   process that comes from outside. AT_EXECFN tells which, and where the control file is. The
 *   first finds its plan in the mailbox of its pid, maps the program and jumps to it. The second
 *   confines itself, then calls execve like a guest.
 * Rules
 *   After execve no caller is left to get an error: one line goes to standard error, and the exit
 *   status is 126 or 127, as from a shell.
 */
#include "entry/boot.h"

#include <asm/signal.h>
#include <elf.h>
#include <errno.h>
#include <linux/auxvec.h>
#include <linux/mman.h>
#include <linux/prctl.h>

#include "calls/task/first_process.h"
#include "calls/task/on_exec.h"
#include "change/change.h"
#include "compat_start.h"
#include "entry/join.h"
#include "entry/keeper.h"
#include "entry/landlock.h"
#include "opener/opener.h"
#include "entry/profile_filter.h"
#include "entry/seccomp_filter.h"
#include "entry/trap.h"
#include "exec/binfmt_elf.h"
#include "exec/mailbox.h"
#include "guest/dumpable.h"
#include "guest/many_groups.h"
#include "guest/network.h"
#include "guest/pids_limit.h"
#include "guest/process_table.h"
#include "guest/programs.h"
#include "guest/peers/tasks.h"
#include "guest/sigmask.h"
#include "guest/thread.h"
#include "guest/trace.h"
#include "guest/tracer_attach.h"
#include "pure/log.h"
#include "tree/control.h"
#include "tree/descriptors.h"

#define EXIT_NOT_FOUND 127
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_FAILED 125
#define ADDR_NO_RANDOMIZE 0x0040000
#define GROWSDOWN 0x01000000

struct start {
	uint64_t *stack; /* argc */
	char **argv;
	char **envp;
	Elf64_auxv_t *auxv;
	const char *execfn;
	const unsigned char *random;
	bool has_debugger; /* it waits until the program is mapped */
};

static struct sb_proc first_proc;
static struct sb_dir_slots first_dirs;
static struct sb_fds first_fds __attribute__((aligned(4096)));
static struct sb_path loader_dir; /* the run directory */
static struct sb_path scratch;
static char execfn_copy[SB_PATH_MAX];
static struct sb_elf program;
static struct sb_elf interpreter;

static void remember_descriptors(struct sb_proc *proc)
{
	if (sb_fds_are_known(proc->tree.control) &&
	    sys_madvise(&first_fds, sizeof(first_fds), MADV_WIPEONFORK) == 0)
		proc->fds = &first_fds;
}

/* The words of runc for mistakes of a user. */
static const char *reason(long error)
{
	switch (-error) {
	case ENOEXEC:
		return "exec format error";
	case EACCES:
		return "permission denied";
	case ENOENT:
		return "no such file or directory";
	default:
		return NULL;
	}
}

static void SB_NORETURN SB_COLD die(int status, const char *what, const char *path, long error)
{
	struct sb_line line;

	sb_line_start(&line);
	sb_line_add(&line, "sandbox: ");
	sb_line_add(&line, what);
	sb_line_add(&line, " ");
	sb_line_path(&line, path);
	sb_line_add(&line, ": ");
	if (reason(error))
		sb_line_add(&line, reason(error));
	else
		sb_line_result(&line, error);
	sb_line_write(&line, 2);
	sys_exit_group(status);
}

static void read_start(uint64_t *stack, struct start *start)
{
	char **p;
	uint64_t hwcap2 = 0;

	start->stack = stack;
	start->argv = (char **)(stack + 1);
	start->envp = start->argv + stack[0] + 1;
	for (p = start->envp; *p; p++)
		;
	start->auxv = (Elf64_auxv_t *)(p + 1);
	start->execfn = "";
	start->random = NULL;
	for (Elf64_auxv_t *a = start->auxv; a->a_type != AT_NULL; a++) {
		if (a->a_type == AT_EXECFN)
			start->execfn = (const char *)(uintptr_t)a->a_un.a_val;
		if (a->a_type == AT_RANDOM)
			start->random = (const unsigned char *)(uintptr_t)a->a_un.a_val;
		if (a->a_type == AT_HWCAP2)
			hwcap2 = a->a_un.a_val;
	}
	sb_arch_probe(hwcap2);
}

/* For tests: run the program as on an older processor. */
static void forget_instructions(const struct start *start)
{
	for (Elf64_auxv_t *a = start->auxv; a->a_type != AT_NULL; a++) {
		if (a->a_type == AT_HWCAP2)
			a->a_un.a_val = 0;
	}
	sb_arch_probe(0);
}

/* Map a file at a fixed address. A size of 0 becomes that of the file. */
static void *map_file(const char *path, uint64_t address, bool writable, uint64_t *size)
{
	const int prot = PROT_READ | (writable ? PROT_WRITE : 0);
	long fd = sys_openat(AT_FDCWD, path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC, 0);
	struct statx sx;
	long at = 0;

	if (fd < 0)
		die(EXIT_FAILED, "cannot open", path, fd);
	if (*size == 0) {
		at = sys_statx((int)fd, "", AT_EMPTY_PATH, STATX_SIZE, &sx);
		*size = sx.stx_size;
	}
	if (at == 0)
		at = sys_mmap((void *)(uintptr_t)address, *size, prot,
			      MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, (int)fd, 0);
	sys_close((int)fd);
	if (at < 0)
		die(EXIT_FAILED, "cannot map", path, at);
	return (void *)at;
}

/* Map a file of the run directory. */
static void *map_own(const char *name, uint64_t address, bool writable, uint64_t size)
{
	int ret;

	scratch = loader_dir;
	ret = sb_path_join(&scratch, name, strlen(name));
	if (ret < 0)
		die(EXIT_FAILED, "bad name", name, ret);
	return map_file(scratch.buf, address, writable, &size);
}

static void attach(struct sb_proc *proc, const char *execfn)
{
	struct sb_tree *tree = &proc->tree;
	uint64_t size = 0;
	void *at;
	int ret;

	ret = sb_path_set(&loader_dir, execfn, strlen(execfn));
	if (ret < 0)
		die(EXIT_FAILED, "bad name", execfn, ret);
	sb_path_pop(&loader_dir);
	at = map_own("control", SB_ADDR_CONTROL, false, sizeof(struct sb_control));
	ret = sb_tree_attach(tree, at, sizeof(struct sb_control));
	if (ret < 0)
		die(EXIT_FAILED, "not a control file", scratch.buf, ret);
	sb_tree_attach_shared(
		tree, map_own("shared", SB_ADDR_SHARED, true, sb_tree_shared_size(tree->control)));
	at = map_file(sb_text_at(tree->control, tree->control->owners), SB_ADDR_OWNERS, true,
		      &size);
	sys_madvise(at, size, MADV_RANDOM); /* sparse: no reading ahead of zeros */
	tree->owners = at;
	tree->tasks = &sb_guest_tasks;
	if (tree->control->index.len == 0)
		return;
	size = 0;
	at = map_file(sb_text_at(tree->control, tree->control->index), SB_ADDR_INDEX, false, &size);
	ret = sb_tree_attach_index(tree, at, size);
	if (ret < 0)
		die(EXIT_FAILED, "not an index", sb_text_at(tree->control, tree->control->index),
		    ret);
}

static void set_auxv(struct start *start, uint64_t type, uint64_t value)
{
	for (Elf64_auxv_t *a = start->auxv; a->a_type != AT_NULL; a++) {
		if (a->a_type == type)
			a->a_un.a_val = value;
	}
}

static uint64_t pie_base(const struct start *start, bool is_32)
{
	uint64_t random = 0;
	long persona = sb_syscall6(__NR_personality, 0xffffffff, 0, 0, 0, 0, 0);

	if (start->random && !(persona & ADDR_NO_RANDOMIZE))
		memcpy(&random, start->random + 8, 8);
	random ^= random >> 31;
	if (is_32)
		return SB_COMPAT_PIE_BASE + (random % SB_COMPAT_PIE_PAGES << 12);
	return SB_ARCH_PIE_BASE + (random % SB_ARCH_PIE_PAGES << 12);
}

static int open_elf(const char *path, int given)
{
	long fd = given;

	if (given < 0)
		fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		die(EXIT_NOT_EXECUTABLE, "cannot open the file of", execfn_copy, fd);
	return (int)fd;
}

/* Map a program, at a random place for which start is needed; NULL for its interpreter. */
static void load(const char *path, int given, struct sb_elf *elf, const struct start *start,
		 struct sb_elf_image *image)
{
	int fd = open_elf(path, given);
	int ret = sb_elf_read(fd, elf, scratch.buf, sizeof(scratch.buf));
	const uint64_t hint = start && elf->interp_len ? pie_base(start, elf->is_32) : 0;

	if (ret == 0 && start && elf->is_32)
		sb_compat_begin(elf);
	if (ret == 0)
		ret = sb_elf_map(fd, elf, hint, image);
	sys_close(fd);
	if (ret < 0)
		die(EXIT_NOT_EXECUTABLE, "cannot load", execfn_copy, ret);
}

static void make_stack_executable(const struct start *start)
{
	uint64_t page = (uintptr_t)start->stack & ~4095ULL;

	sb_syscall6(__NR_mprotect, (long)page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC | GROWSDOWN,
		    0, 0, 0);
}

static const char *last_part(const char *path)
{
	const char *name = path;

	for (const char *p = path; *p; p++) {
		if (*p == '/' && p[1])
			name = p + 1;
	}
	return name;
}

static void set_identity(struct start *start, const struct sb_ids *ids, uint32_t secure)
{
	set_auxv(start, AT_UID, ids->ruid);
	set_auxv(start, AT_EUID, ids->euid);
	set_auxv(start, AT_GID, ids->rgid);
	set_auxv(start, AT_EGID, ids->egid);
	set_auxv(start, AT_SECURE, secure);
}

static void set_program(struct start *start, const struct sb_elf_image *image,
			const struct sb_elf *elf, uint64_t interp_base)
{
	set_auxv(start, AT_PHDR, image->phdr);
	set_auxv(start, AT_PHENT, elf->header.e_phentsize);
	set_auxv(start, AT_PHNUM, elf->header.e_phnum);
	set_auxv(start, AT_BASE, interp_base);
	set_auxv(start, AT_ENTRY, image->entry);
	set_auxv(start, AT_EXECFN, (uintptr_t)execfn_copy);
}

/* The guest must not see the store's path, which the kernel put at AT_EXECFN. */
static void hide_loader_name(const struct start *start)
{
	char *name = (char *)(uintptr_t)start->execfn;

	memset(name, 0, strlen(name));
}

/* Make the stack of a 32-bit program, and mark the thread's block. */
static long prepare_32(const struct start *start, struct sb_thread *thread,
		       const struct sb_elf_image *image)
{
	const struct sb_compat_start what = {
		.argv = start->argv,
		.envp = start->envp,
		.auxv = start->auxv,
		.random = start->random,
		.exec_stack = image->exec_stack,
	};
	/* Without an interpreter it may lie where the kernel puts mappings. */
	const bool is_loader = program.header.e_type == ET_DYN && program.interp_len == 0;
	long stack;

	if (start->has_debugger)
		die(EXIT_NOT_EXECUTABLE, "no debugger can follow the 32-bit", execfn_copy,
		    -ENOEXEC);
	thread->proc->is_32 = 1;
	sb_compat_set_thread(thread);
	stack = sb_compat_prepare(thread->proc, is_loader ? SB_COMPAT_PIE_BASE : image->high,
				  start->random);
	if (stack == 0)
		stack = sb_compat_stack(&what);
	if (stack < 0)
		die(EXIT_FAILED, "no memory for", execfn_copy, stack);
	return stack;
}

/* Become the program that execve planned. */
static void SB_NORETURN run_program(struct start *start, struct sb_thread *thread)
{
	struct sb_proc *proc = thread->proc;
	struct sb_mailbox *box = sb_mailbox_own(proc);
	struct sb_elf_image image;
	struct sb_elf_image interp = {0};
	uint64_t entry;
	uint64_t mask;
	long stack = 0;
	int ret;

	if (!box)
		die(EXIT_FAILED, "nothing to run for", start->execfn, -ENOENT);
	thread->ids = box->ids;
	ret = sb_many_groups_take(&thread->ids, box->groups_fd);
	if (ret < 0)
		die(EXIT_FAILED, "no memory for the groups of", start->execfn, ret);
	proc->umask = box->umask;
	proc->seccomp_mode = box->seccomp_mode;
	proc->dumpable = (box->flags & SB_MAILBOX_NOT_DUMPABLE) != 0 ? sb_suid_dumpable() : 1;
	proc->fs_group = box->fs_group;
	proc->program = box->program;
	sb_program_mark(&proc->tree, proc->program);
	memcpy(proc->root, box->text + box->root.off, box->root.len + 1);
	proc->root_len = box->root.len;
	memcpy(proc->exe, box->text + box->exe.off, SB_MIN(box->exe.len + 1, SB_PATH_MAX));
	proc->exe_len = box->exe.len;
	memcpy(execfn_copy, box->text + box->execfn.off, SB_MIN(box->execfn.len + 1, SB_PATH_MAX));
	load(box->text + box->elf.off, box->fd, &program, start, &image);
	entry = image.entry;
	if (box->interp.len) {
		load(box->text + box->interp.off, -1, &interpreter, NULL, &interp);
		entry = interp.entry;
	}
	sb_trace_exec(sb_thread_call(thread), proc->exe, box->text + box->elf.off);
	set_identity(start, &thread->ids, box->secure);
	mask = box->mask & ~SB_SIGMASK(SIGSYS);
	set_program(start, &image, &program, interp.base);
	sb_mailbox_free(box);
	if (image.exec_stack)
		make_stack_executable(start);
	hide_loader_name(start);
	if (program.is_32)
		stack = prepare_32(start, thread, &image);
	sb_syscall6(__NR_prctl, PR_SET_NAME, SB_P(last_part(execfn_copy)), 0, 0, 0, 0);
	sb_proc_register(proc, &thread->ids, 0);
	ret = sb_trap_handlers(proc);
	if (ret < 0)
		die(EXIT_FAILED, "cannot set handlers for", execfn_copy, ret);
	sb_syscall6(__NR_rt_sigprocmask, SIG_SETMASK, SB_P(&mask), 0, 8, 0, 0); /* see on_exec.c */
	if (program.is_32)
		sb_compat_jump(entry, (uint64_t)stack);
	if (start->has_debugger)
		sb_syscall6(__NR_tgkill, proc->pid, thread->tid, SIGTRAP, (long)entry,
			    SB_P(start->stack), 0);
	sb_jump(entry, start->stack);
}

static uint32_t number_of(const char *name)
{
	uint32_t number = 0;

	for (const char *p = name; *p >= '0' && *p <= '9'; p++)
		number = number * 10 + (uint32_t)(*p - '0');
	return number;
}

static const struct sb_entry *own_entry(const struct sb_control *control, uint32_t number)
{
	return number < SB_MAX_ENTRIES ? &control->entries[number] : NULL;
}

/* Mark the entry as taken. This process may write the file, since it is not confined yet. */
static int take_entry(const struct sb_control *control, const struct sb_entry *entry)
{
	const uint32_t taken = 2;
	const int64_t at = (const char *)&entry->state - (const char *)control;
	long fd;
	long ret;

	scratch = loader_dir;
	ret = sb_path_join(&scratch, "control", 7);
	if (ret < 0)
		return (int)ret;
	fd = sys_openat(AT_FDCWD, scratch.buf, O_WRONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return (int)fd;
	ret = sb_syscall6(__NR_pwrite64, fd, SB_P(&taken), sizeof(taken), at, 0, 0);
	sys_close((int)fd);
	return ret < 0 ? (int)ret : 0;
}

/* The C library hides two signals, and programs that it started have them ignored. */
static void reset_library_signals(void)
{
	const struct sb_action action = {0};

	for (int sig = 32; sig <= 33; sig++)
		sb_syscall6(__NR_rt_sigaction, sig, SB_P(&action), 0, 8, 0, 0);
}

static int enter_directory(struct sb_call *call, const char *cwd)
{
	struct sb_at *at = &call->work->a;
	int ret = sb_tree_lookup(call->fs, "/", 1, cwd, SB_FOLLOW | SB_WANT_DIR, at);

	return ret < 0 ? ret : (int)sys_chdir(at->host.buf);
}

/* As Docker's runtime: the user owns the terminal and may open it by its name. */
static int give_terminals(struct sb_call *call, uint32_t uid)
{
	int err = 0;

	for (int fd = 0; fd < 3 && err == 0; fd++)
		err = sb_change_give_terminal(call->fs, fd, uid);
	return err;
}

/* Be what the entry says, as a task of the container. */
static void take_part(struct sb_thread *thread, const struct sb_entry *entry)
{
	struct sb_proc *proc = thread->proc;
	struct sb_call *call = sb_thread_call(thread);
	uint64_t *place;
	long ret;

	thread->ids = entry->ids;
	thread->ids.many_groups = 0;
	proc->umask = entry->umask;
	proc->dumpable = 1;
	sb_syscall6(__NR_umask, entry->umask & 0077, 0, 0, 0, 0, 0); /* see on_umask */
	memcpy(execfn_copy, entry->path, sizeof(entry->path));
	ret = enter_directory(call, entry->cwd);
	if (ret < 0)
		die(EXIT_NOT_EXECUTABLE, "cannot enter directory", entry->cwd, ret);
	ret = give_terminals(call, thread->ids.fsuid);
	if (ret < 0)
		die(EXIT_FAILED, "cannot own the terminal of", execfn_copy, ret);
	ret = sb_pids_claim(&proc->tree, &place);
	if (ret < 0)
		die(EXIT_FAILED, "too many processes (--pids-limit) for", execfn_copy, ret);
	sb_pids_settle(place);
	ret = sb_tracer_attach(&proc->tree);
	if (ret < 0)
		die(EXIT_FAILED, "no tracer for", execfn_copy, ret);
}

static void SB_NORETURN run_entry(struct sb_thread *thread, char **argv, char **envp)
{
	long ret;

	sb_proc_register(thread->proc, &thread->ids, 0);
	ret = sb_exec(sb_thread_call(thread), execfn_copy, (uintptr_t)argv, (uintptr_t)envp);
	die(ret == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE, "cannot execute", execfn_copy,
	    ret);
}

/* Go on in a child of the keeper, which is confined. */
static void SB_NORETURN enter_from_keeper(struct sb_thread *thread, const struct sb_entry *entry,
					  char **argv, char **envp)
{
	take_part(thread, entry);
	run_entry(thread, argv, envp);
}

/* Without scopes, a signal does not tell whose a process is. */
static enum sb_peers peers_of(int keeper)
{
	if (!sb_landlock_has_scopes())
		return SB_PEERS_FREE;
	return keeper >= 0 ? SB_PEERS_ASKED : SB_PEERS_REFUSED;
}

/* Come in from outside: confine the process, then execute the program as a guest does. In a
 * container that runs, the keeper does that. */
static void SB_NORETURN enter(struct start *start, struct sb_thread *thread, const char *name)
{
	struct sb_proc *proc = thread->proc;
	const struct sb_entry *entry = own_entry(proc->tree.control, number_of(name));
	static struct sb_entry own; /* a taken entry may be used again */
	struct sb_call *call = sb_thread_call(thread);
	int keeper;
	int asked;
	long ret;

	if (!entry || entry->state != 1)
		die(EXIT_FAILED, "no entry", start->execfn, -ENOENT);
	own = *entry;
	ret = take_entry(proc->tree.control, entry);
	if (ret < 0)
		die(EXIT_FAILED, "cannot take the entry of", own.path, ret);
	reset_library_signals();
	keeper = sb_keeper_connect(loader_dir.buf);
	if (keeper >= 0)
		sb_join(keeper, &own, start->argv, start->envp);
	sb_opener_start(thread, loader_dir.buf, start->argv);
	take_part(thread, &own);
	keeper = sb_keeper_listen(loader_dir.buf);
	/* Mapped first, since sb_landlock_confine reads what the container may do. */
	if (proc->tree.control->net_container != 0) {
		ret = sb_net_attach(call);
		if (ret == 0)
			ret = sb_net_get(call, &(struct sb_net){0});
	}
	if (ret < 0)
		die(EXIT_FAILED, "no network for", execfn_copy, ret);
	ret = sb_landlock_confine(&proc->tree);
	if (ret < 0)
		die(EXIT_FAILED, "cannot confine", execfn_copy, ret);
	asked = sb_filter_install(&proc->tree, peers_of(keeper));
	if (asked < 0)
		die(EXIT_FAILED, "cannot install the filter for", execfn_copy, asked);
	ret = sb_profile_install(proc->tree.control);
	if (ret < 0)
		die(EXIT_FAILED, "cannot install the seccomp profile for", execfn_copy, ret);
	if (keeper >= 0)
		sb_keeper_start(thread, keeper, asked, start->argv, enter_from_keeper);
	sb_first_process_begin(thread, start->argv);
	run_entry(thread, start->argv, start->envp);
}

void sb_boot(uint64_t *stack, uint64_t asked, const struct sb_entries *entries)
{
	static const char enter_prefix[] = "enter-";
	struct sb_thread *thread = &sb_first_thread;
	struct start start;
	const char *name;

	sb_entries = entries;
	read_start(stack, &start);
	start.has_debugger = asked == SB_TRACEE_MAGIC;
	sb_thread_init(thread, &first_proc);
	thread->state = SB_THREAD_LIVE;
	sb_arch_set_thread(thread);
	sb_thread_wipe_on_fork(thread);
	first_proc.pid = (uint32_t)sys_getpid();
	thread->tid = first_proc.pid;
	first_proc.root_len = 1;
	first_proc.dirs = &first_dirs;
	memcpy(first_proc.root, "/", 2);
	attach(&first_proc, start.execfn);
	if (SB_UNLIKELY(first_proc.tree.control->flags & SB_CONTROL_OLD_PROCESSOR))
		forget_instructions(&start);
	remember_descriptors(&first_proc);
	name = last_part(start.execfn);
	if (memcmp(name, enter_prefix, sizeof(enter_prefix) - 1) == 0)
		enter(&start, thread, name + sizeof(enter_prefix) - 1);
	run_program(&start, thread);
}
