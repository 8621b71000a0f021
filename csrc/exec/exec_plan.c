/* SPDX-License-Identifier: MIT */
/*
 * exec_plan.c - decide what an execve will do.
 *
 * As binfmt_script.c and binfmt_elf.c of the kernel: the same order of checks, the same scripts,
 * the same errno.
 */
#include "exec/exec_plan.h"

#include <errno.h>
#include <linux/wait.h>

#include "change/change.h"
#include "guest/paths/lookup.h"
#include "guest/paths/magic_link.h"
#include "guest/paths/proc_entry.h"
#include "guest/process_table.h"
#include "guest/programs.h"
#include "guest/trace.h"
#include "pure/ids_exec.h"
#include "tree/file_acl.h"
#include "tree/loosen.h"
#include "tree/rewritten.h"

static int open_program(struct sb_call *call, struct sb_at *at)
{
	long fd;

	if (sb_proc_is_object(call->fs, at))
		return (int)sb_magic_link_open(call, at, O_RDONLY | O_CLOEXEC);
	fd = sys_openat(AT_FDCWD, at->host.buf, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	/* It stays readable: boot.c opens it again. */
	if (fd == -EACCES && sb_loosen(call->fs, at->spot.mount, at->host.buf, 0400, NULL) == 0)
		fd = sys_openat(AT_FDCWD, at->host.buf, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	return (int)fd;
}

/* Is it a regular file that the caller may execute? */
static int check_program(struct sb_call *call, struct sb_at *at)
{
	int ret = at->has_stat ? 0 : sb_tree_stat(call->fs, at);

	if (ret < 0)
		return ret;
	if ((at->st.mode & S_IFMT) != S_IFREG)
		return -EACCES;
	return sb_file_acl_permit(call->fs, &at->st, 1);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Copy text into the plan and put it in front of the new argv. */
static int push_front(struct sb_exec_plan *plan, const char *text, size_t len)
{
	char *to = plan->text + plan->text_len;

	if (plan->text_len + len + 1 > sizeof(plan->text) ||
	    plan->prefix_count == SB_ARRAY_LEN(plan->prefix))
		return -ENAMETOOLONG;
	memcpy(to, text, len);
	to[len] = '\0';
	plan->text_len += (uint32_t)len + 1;
	for (uint32_t i = plan->prefix_count; i > 0; i--)
		plan->prefix[i] = plan->prefix[i - 1];
	plan->prefix[0] = to;
	plan->prefix_count++;
	return 0;
}

static char *skip_blanks(char *from, const char *last)
{
	while (from <= last && is_blank(*from))
		from++;
	return from <= last ? from : NULL;
}

static char *end_of_word(char *from, const char *last)
{
	while (from <= last && !is_blank(*from) && *from != '\0')
		from++;
	return from <= last ? from : NULL;
}

static char *end_of_line(char *line)
{
	for (char *p = line; p < line + SB_SCRIPT_LINE && *p != '\0'; p++) {
		if (*p == '\n')
			return p;
	}
	return NULL;
}

/* Split "#! interpreter [argument]" in plan->line, which is padded with zeros. Step by step as
 * load_script() of the kernel: there is one argument, trailing blanks are cut, and a line that does
 * not end within the buffer is an error only when it cuts the interpreter's name. */
static int parse_script(struct sb_exec_plan *plan)
{
	char *last = plan->line + SB_SCRIPT_LINE - 1;
	char *end = end_of_line(plan->line);
	char *argument = NULL;
	char *stop;
	char *name;
	int ret;

	if (!end) {
		name = skip_blanks(plan->line + 2, last);
		if (!name || !end_of_word(name, last))
			return -ENOEXEC;
		end = last;
	}
	while (is_blank(end[-1]))
		end--;
	name = skip_blanks(plan->line + 2, end);
	if (!name || name == end)
		return -ENOEXEC;
	stop = end_of_word(name, end);
	if (stop && *stop != '\0')
		argument = skip_blanks(stop, end);
	*end = '\0';
	if (stop)
		*stop = '\0';
	if (*name == '\0')
		return -EACCES; /* the name of the working directory */
	ret = sb_path_set(&plan->next, name, strlen(name));
	if (ret == 0 && argument)
		ret = push_front(plan, argument, strlen(argument));
	return ret < 0 ? ret : push_front(plan, plan->next.buf, plan->next.len);
}

static int look_up(struct sb_call *call, const char *path, struct sb_at *at)
{
	struct sb_path *base = &call->work->base;
	int ret;

	base->len = 1;
	memcpy(base->buf, "/", 2);
	if (path[0] != '/') {
		ret = sb_guest_base(call, AT_FDCWD, base);
		if (ret < 0)
			return ret;
	}
	ret = sb_tree_lookup(call->fs, base->buf, base->len, path, SB_FOLLOW | SB_WANT_STAT, at);
	if (ret == -SB_EMAGIC)
		ret = sb_magic_link_follow(call, SB_FOLLOW | SB_WANT_STAT, at);
	return ret;
}

/* Set out to the file to map: the copy with rewritten call sites if there is one, or the program
 * file itself. */
static int mapped_file(struct sb_call *call, const struct sb_at *at, struct sb_path *out)
{
	const struct sb_tree *tree = call->fs->tree;
	const struct sb_patched_text *copy = NULL;

	if (at->spot.place == SB_PLACE_LOWER)
		copy = sb_rewritten_of_node(tree, at->spot.node);
	if (copy)
		return sb_path_set(out, sb_text_at(tree->control, copy->host), copy->host.len);
	return sb_path_set(out, at->host.buf, at->host.len);
}

/* Plan the ELF interpreter of the program: it is there, may be executed, and is an ELF file. */
static int plan_interpreter(struct sb_call *call, struct sb_exec_plan *plan, struct sb_at *at)
{
	struct sb_elf *elf = (struct sb_elf *)(void *)call->work->buffer;
	int ret = look_up(call, plan->next.buf, at);
	int fd;

	if (ret == -ENOENT)
		sb_trace_note(call, plan->elf.is_32 ? "its 32-bit ELF interpreter is not there"
						    : "its ELF interpreter is not there");
	if (ret < 0)
		return ret;
	ret = check_program(call, at);
	if (ret < 0)
		return ret;
	fd = open_program(call, at);
	if (fd < 0)
		return fd;
	ret = sb_elf_read(fd, elf, NULL, 0);
	sys_close(fd);
	if (ret < 0 || elf->is_32 != plan->elf.is_32)
		return -ELIBBAD;
	return mapped_file(call, at, &plan->interp);
}

/* Can 32-bit programs run: does the kernel answer their calls, and does no outer filter forbid
 * them? */
static bool has_32(void)
{
	const long pid = sb_compat_try();
	int status = -1;
	long ret;

	if (pid < 0)
		return false;
	do
		ret = sb_syscall6(__NR_wait4, pid, SB_P(&status), (int)__WCLONE, 0, 0, 0);
	while (ret == -EINTR);
	return ret == pid && status == 0;
}

static bool may_run_32(struct sb_call *call)
{
	if (sb_proc_is_32(call->proc))
		return true;
	if (call->proc->tree.control->flags & (SB_CONTROL_TRACED | SB_CONTROL_STEPS)) {
		sb_trace_note(call, "a 32-bit program: not with the interceptor ptrace");
		return false;
	}
	if (call->proc->tree.control->flags & SB_CONTROL_PROFILE) {
		sb_trace_note(call, "a 32-bit program: not with a seccomp profile");
		return false;
	}
	if (has_32())
		return true;
	sb_trace_note(call, "a 32-bit program: this machine runs none");
	return false;
}

/* As begin_new_exec(), would_dump() and commit_creds() of the kernel. */
static bool is_not_dumpable(struct sb_call *call, const struct sb_exec_plan *plan,
			    const struct sb_at *at)
{
	const struct sb_ids *old = call->ids;
	const struct sb_ids *new = &plan->ids;

	return old->euid != old->ruid || old->egid != old->rgid || sb_ids_looks_changed(old, new) ||
	       sb_file_acl_permit(call->fs, &at->st, 4) < 0;
}

static int plan_elf(struct sb_call *call, struct sb_exec_plan *plan, struct sb_at *at, int fd)
{
	int ret = sb_elf_read(fd, &plan->elf, plan->next.buf, sizeof(plan->next.buf));

	if (ret == 0 && plan->elf.is_32 && !may_run_32(call))
		ret = -ENOEXEC;
	if (ret < 0)
		return ret;
	plan->exe = at->guest;
	ret = mapped_file(call, at, &plan->host);
	if (ret < 0)
		return ret;
	plan->interp.len = 0;
	plan->interp.buf[0] = '\0';
	plan->ids = *call->ids;
	ret = (int)sb_change_getxattr(call->fs, at, "security.capability", plan->line,
				      sizeof(plan->line));
	ret = sb_ids_exec(&plan->ids, at->st.mode, at->st.uid, at->st.gid,
			  ret > 0 ? (unsigned char *)plan->line : NULL, ret > 0 ? (uint32_t)ret : 0,
			  sb_proc_shares_fs(call->proc));
	if (ret < 0)
		return ret;
	plan->secure = (uint32_t)ret;
	plan->not_dumpable = is_not_dumpable(call, plan, at);
	plan->program = sb_program_of(&at->st);
	sb_program_planned(call->fs->tree, at);
	return plan->elf.interp_len ? plan_interpreter(call, plan, at) : 0;
}

/* Plan one program file. 0: an ELF was planned; 1: it is a script, go on with plan->next. */
static int plan_file(struct sb_call *call, struct sb_exec_plan *plan, struct sb_at *at, int fd,
		     bool is_last)
{
	long len = sys_pread(fd, plan->line, SB_SCRIPT_LINE, 0);

	if (len < 0)
		return (int)len;
	memset(plan->line + len, 0, sizeof(plan->line) - (size_t)len);
	if (len >= 2 && plan->line[0] == '#' && plan->line[1] == '!') {
		int ret = is_last ? -ELOOP : 0;

		/* The script's argv[0] is replaced by the path by which it was called. */
		if (ret == 0 && plan->prefix_count == 0)
			ret = push_front(plan, plan->execfn.buf, plan->execfn.len);
		ret = ret < 0 ? ret : parse_script(plan);
		return ret < 0 ? ret : 1;
	}
	return plan_elf(call, plan, at, fd);
}

int sb_exec_plan(struct sb_call *call, struct sb_exec_plan *plan, struct sb_at *at)
{
	int ret;
	int fd;

	plan->prefix_count = 0;
	plan->text_len = 0;
	plan->fd = -1;
	plan->groups_fd = -1;
	sb_commit_begin(call->fs);
	for (int depth = 0;; depth++) {
		ret = check_program(call, at);
		if (ret < 0)
			return ret;
		fd = open_program(call, at);
		if (fd < 0)
			return fd;
		ret = at->spot.place == SB_PLACE_LOWER ? 0 : sb_program_check_fd(fd);
		if (ret == 0)
			ret = plan_file(call, plan, at, fd, depth == SB_SCRIPT_DEPTH);
		sys_close(fd);
		if (ret <= 0)
			return ret;
		ret = look_up(call, plan->next.buf, at);
		if (ret < 0)
			return ret;
	}
}
