/* SPDX-License-Identifier: MIT */
/*
 * on_proc.c - files of /proc whose content is made for the guest.
 *
 * How it works
 *   open(2) of such a file makes a sealed memfd with the whole content, mostly
 *   the kernel's own text line by line through proc_text.c. The memfd's name is
 *   the guest path, so its link in /proc/self/fd can be told again. The content
 *   is that of the moment of open(2): reading again from 0 does not renew it.
 * Rules
 *   work->buffer is split into input and output; nothing here blocks.
 * Does not know
 *   What the lines mean (proc_text.c), how links are followed (on_proc_link.c).
 */
#include "calls/proc/on_proc.h"

#include <errno.h>
#include <linux/auxvec.h>
#include <linux/memfd.h>

#include "base/filesize.h"
#include "pure/log.h"
#include "base/mem.h"
#include "calls/proc/on_proc_fill.h"
#include "guest/thread.h"
#include "procfs/proc_mounts.h"
#include "tree/host_path.h"

#define INPUT_SIZE 12288
#define OUTPUT_SIZE (sizeof(((struct sb_work *)0)->buffer) - INPUT_SIZE)
#define OUTPUT_FLUSH 8192
#define MEMFD_NAME_MAX 249

/* ---- writing ------------------------------------------------------------ */

static long flush(struct sb_proc_fill *f)
{
	const long at = sys_lseek(f->fd, 0, SEEK_CUR);
	uint32_t done = 0;

	if (at < 0)
		return at;
	if (sb_is_above_file_limit((uint64_t)at + f->out.len))
		return -EFBIG;
	while (done < f->out.len) {
		const long ret = sys_write(f->fd, f->out.buf + done, f->out.len - done);

		if (ret < 0)
			return ret;
		done += (uint32_t)ret;
	}
	f->out.len = 0;
	return 0;
}

long sb_proc_flush_some(struct sb_proc_fill *f)
{
	return f->out.len > OUTPUT_FLUSH ? flush(f) : 0;
}

/* Give every whole line in the input to line; returns what is left over. */
static long take_lines(struct sb_proc_fill *f, char *input, uint32_t have, sb_proc_liner *line)
{
	uint32_t start = 0;

	for (uint32_t i = 0; i < have; i++) {
		long ret;

		if (input[i] != '\n')
			continue;
		line(f, input + start, i + 1 - start);
		start = i + 1;
		ret = sb_proc_flush_some(f);
		if (ret < 0)
			return ret;
	}
	memmove(input, input + start, have - start);
	return have - start;
}

static long read_lines(struct sb_proc_fill *f, int source, sb_proc_liner *line)
{
	char *input = f->call->work->buffer;
	uint32_t have = 0;

	for (;;) {
		long ret = sys_read(source, input + have, INPUT_SIZE - have);

		if (ret < 0)
			return ret;
		if (ret == 0)
			break;
		ret = take_lines(f, input, have + (uint32_t)ret, line);
		if (ret < 0)
			return ret;
		have = (uint32_t)ret;
		if (have == INPUT_SIZE) /* no line of /proc is that long */
			have = 0;
	}
	if (have > 0)
		line(f, input, have);
	return 0;
}

/* The kernel's file, line by line. */
long sb_proc_rewrite(struct sb_proc_fill *f, sb_proc_liner *line)
{
	const long source = sys_openat(AT_FDCWD, f->at->host.buf, O_RDONLY | O_CLOEXEC, 0);
	long ret;

	if (source < 0)
		return source;
	ret = read_lines(f, (int)source, line);
	sys_close((int)source);
	return ret;
}

/* ---- contents ----------------------------------------------------------- */

static const struct sb_proc_range runtime_maps = {SB_ADDR_LOW, SB_ADDR_HIGH};

static void maps_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	sb_proc_maps_line(f->call->fs, runtime_maps, line, len, &f->hidden, &f->out);
}

static long fill_maps(struct sb_proc_fill *f)
{
	return f->slot == NULL ? -EACCES : sb_proc_rewrite(f, maps_line);
}

static void numa_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	sb_proc_numa_line(f->call->fs, runtime_maps, line, len, &f->out);
}

static long fill_numa_maps(struct sb_proc_fill *f)
{
	return f->slot == NULL ? -EACCES : sb_proc_rewrite(f, numa_line);
}

static void unix_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	sb_proc_unix_line(f->call->fs, line, len, &f->out);
}

static long fill_net_unix(struct sb_proc_fill *f)
{
	return sb_proc_rewrite(f, unix_line);
}

static void status_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	sb_proc_status_line(&f->status, line, len, &f->out);
}

static uint64_t caught_signals(const struct sb_proc *proc)
{
	uint64_t caught = 0;

	for (unsigned sig = 1; sig <= 64; sig++)
		if (proc->actions[sig].handler > 1)
			caught |= 1ULL << (sig - 1);
	return caught;
}

static long fill_status(struct sb_proc_fill *f)
{
	const struct sb_proc *proc = f->call->proc;

	f->status.is_traced = (proc->tree.control->flags & SB_CONTROL_TRACED) != 0;
	if (f->name.pid == proc->pid) {
		f->status.ids = f->call->ids;
		f->status.has_own = true;
		f->status.caught = caught_signals(proc);
		f->status.seccomp_mode = proc->seccomp_mode;
		f->status.umask = proc->umask;
	} else if (f->slot != NULL) {
		sb_ids_init(&f->ids, f->slot->uid, f->slot->gid, NULL, 0);
		f->status.ids = &f->ids;
	}
	return sb_proc_rewrite(f, status_line);
}

static long fill_mounts_as(struct sb_proc_fill *f, enum sb_proc_mounts format)
{
	const struct sb_control *control = f->call->fs->tree->control;

	sb_proc_mount_row(f->call->fs, format, -1, &f->out);
	for (int i = (int)control->mount_count - 1; i >= 0; i--) {
		long ret;

		sb_proc_mount_row(f->call->fs, format, i, &f->out);
		ret = sb_proc_flush_some(f);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static long fill_mountinfo(struct sb_proc_fill *f)
{
	return fill_mounts_as(f, SB_PROC_MOUNTINFO);
}

static long fill_mounts(struct sb_proc_fill *f)
{
	return fill_mounts_as(f, SB_PROC_MOUNTS);
}

static long fill_mountstats(struct sb_proc_fill *f)
{
	return fill_mounts_as(f, SB_PROC_MOUNTSTATS);
}

static long fill_id_map(struct sb_proc_fill *f)
{
	sb_proc_put_text(&f->out, "         0          0 4294967295\n");
	return 0;
}

static long fill_setgroups(struct sb_proc_fill *f)
{
	sb_proc_put_text(&f->out, "allow\n");
	return 0;
}

static long fill_loginuid(struct sb_proc_fill *f)
{
	sb_proc_put_text(&f->out, "4294967295");
	return 0;
}

static long fill_hostname(struct sb_proc_fill *f)
{
	const struct sb_control *control = f->call->fs->tree->control;

	sb_proc_put(&f->out, sb_text_at(control, control->hostname), control->hostname.len);
	sb_proc_put_text(&f->out, "\n");
	return 0;
}

static long fill_domainname(struct sb_proc_fill *f)
{
	sb_proc_put_text(&f->out, "(none)\n");
	return 0;
}

/* ---- auxv --------------------------------------------------------------- */

struct vector {
	uint64_t base;
	uint64_t len;
};

static long read_memory(uint32_t pid, uint64_t from, void *to, size_t len)
{
	const struct vector local = {(uint64_t)(uintptr_t)to, len};
	const struct vector remote = {from, len};

	return sb_syscall(__NR_process_vm_readv, pid, SB_P(&local), 1, SB_P(&remote), 1, 0);
}

/* Field 28 of /proc/PID/stat: the stack pointer the program started with. */
static uint64_t start_stack(struct sb_proc_fill *f)
{
	struct sb_path *path = &f->call->work->host;
	char *text = f->call->work->buffer;
	uint64_t value = 0;
	unsigned field = 2;
	long at;
	long fd;
	long len;

	if (sb_path_set(path, f->at->host.buf, f->at->host.len) < 0)
		return 0;
	sb_path_pop(path);
	if (sb_path_join(path, "stat", 4) < 0)
		return 0;
	fd = sys_openat(AT_FDCWD, path->buf, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	len = sys_read((int)fd, text, INPUT_SIZE);
	sys_close((int)fd);
	for (at = len - 1; at >= 0 && text[at] != ')'; at--)
		;
	if (at < 0)
		return 0;
	for (at++; at < len && field < 28; at++)
		field += text[at] == ' ';
	for (; at < len && text[at] >= '0' && text[at] <= '9'; at++)
		value = value * 10 + (uint64_t)(text[at] - '0');
	return value;
}

/* The runtime corrected the vector on the stack; the kernel's copy is that of the
 * runtime's own start. Above the start of the stack: argc, the arguments,
 * 0, the environment, 0, the vector. That of a 32-bit program has a type and a value in
 * each word (boot32.c). */
static long fill_auxv(struct sb_proc_fill *f)
{
	uint64_t *words = (uint64_t *)(void *)f->call->work->buffer;
	const unsigned count = INPUT_SIZE / 8;
	uint64_t from;
	unsigned zeros = 0;
	bool first = true;
	bool key = true;
	bool is_pairs = false;

	if (f->slot == NULL)
		return -EACCES;
	from = start_stack(f);
	if (from == 0)
		return -EACCES;
	for (;;) {
		const long got = read_memory(f->name.pid, from, words, count * 8);

		if (got < 8)
			return got < 0 ? got : -EIO;
		for (unsigned i = first ? 1 : 0; i < (unsigned)got / 8; i++) {
			if (zeros < 2) {
				zeros += words[i] == 0;
				continue;
			}
			if (f->out.len == 0)
				is_pairs = words[i] >> 32 != 0;
			sb_proc_put(&f->out, (const char *)&words[i], 8);
			if (zeros == 3 || (is_pairs && words[i] == AT_NULL))
				return 0;
			if (key && !is_pairs && words[i] == AT_NULL)
				zeros = 3;
			key = !key;
		}
		first = false;
		from += (uint64_t)got & ~7ULL;
		if (f->out.len > OUTPUT_FLUSH)
			return -EIO;
	}
}

/* ---- open --------------------------------------------------------------- */

struct made_file {
	const char *name;
	sb_proc_filler *fill;
};

static const struct made_file process_files[] = {
	{"maps", fill_maps},
	{"smaps", fill_maps},
	{"numa_maps", fill_numa_maps},
	{"status", fill_status},
	{"mountinfo", fill_mountinfo},
	{"mounts", fill_mounts},
	{"mountstats", fill_mountstats},
	{"auxv", fill_auxv},
	{"uid_map", fill_id_map},
	{"gid_map", fill_id_map},
	{"setgroups", fill_setgroups},
	{"loginuid", fill_loginuid},
	{"net/unix", fill_net_unix},
};

static const struct made_file system_files[] = {
	{"sys/kernel/hostname", fill_hostname},
	{"sys/kernel/domainname", fill_domainname},
};

static sb_proc_filler *find(const struct made_file *files, size_t count, const char *name,
			    size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (sb_same(files[i].name, strlen(files[i].name), name, len))
			return files[i].fill;
	return NULL;
}

static long make_memfd(const struct sb_at *at, int flags)
{
	static const char prefix[] = SB_PROC_MEMFD;
	const size_t skip = sizeof(prefix) - 1;
	const unsigned close_flag = (flags & O_CLOEXEC) != 0 ? MFD_CLOEXEC : 0;
	char name[MEMFD_NAME_MAX + 1];

	if (at->guest.len > MEMFD_NAME_MAX - skip)
		return -ENAMETOOLONG;
	memcpy(name, prefix, skip);
	memcpy(name + skip, at->guest.buf, at->guest.len + 1);
	return sb_syscall(__NR_memfd_create, SB_P(name), close_flag | MFD_ALLOW_SEALING, 0, 0, 0,
			  0);
}

/* Make fd a read-only descriptor at position 0 of content that cannot change. */
static long finish(int fd, int flags)
{
	const long seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	char link[32];
	long again;
	long ret;

	sys_fchmod(fd, 0444);
	ret = sb_syscall(__NR_fcntl, fd, F_ADD_SEALS, seals, 0, 0, 0);
	if (ret < 0)
		return ret;
	sb_fd_name(fd, link);
	again = sys_openat(AT_FDCWD, link, O_RDONLY | O_CLOEXEC, 0);
	if (again < 0)
		return again;
	ret = sb_syscall(__NR_dup3, again, fd, flags & O_CLOEXEC, 0, 0, 0);
	sys_close((int)again);
	return ret;
}

static long make_file(struct sb_proc_fill *f, sb_proc_filler *fill, int flags)
{
	const long fd = make_memfd(f->at, flags);
	long ret;

	if (fd < 0)
		return fd;
	f->fd = (int)fd;
	f->out.buf = f->call->work->buffer + INPUT_SIZE;
	f->out.max = OUTPUT_SIZE;
	ret = fill(f);
	if (ret >= 0)
		ret = flush(f);
	if (ret >= 0)
		ret = finish(f->fd, flags);
	if (ret < 0)
		sys_close(f->fd);
	return ret;
}

long sb_proc_open(struct sb_call *call, struct sb_at *at, int flags)
{
	const bool writes = (flags & O_ACCMODE) != O_RDONLY;
	struct sb_proc_fill f;
	sb_proc_filler *fill;
	long ret;

	if (!sb_proc_name(call->fs, at, &f.name) || (flags & O_PATH) != 0 ||
	    at->spot.type != S_IFREG)
		return -SB_EMAGIC;
	if (f.name.pid == 0) {
		/* As in a container without privileges, /proc/sys is read-only. */
		if (writes && f.name.len > 4 && memcmp(f.name.rest, "sys/", 4) == 0)
			return -EROFS;
		fill = find(system_files, SB_ARRAY_LEN(system_files), f.name.rest, f.name.len);
	} else {
		fill = find(process_files, SB_ARRAY_LEN(process_files), f.name.rest, f.name.len);
		if (fill == NULL)
			fill = sb_proc_net_filler(call, f.name.rest, f.name.len);
	}
	if (fill == NULL)
		return -SB_EMAGIC;
	if ((flags & O_DIRECTORY) != 0)
		return -ENOTDIR;
	if (writes)
		return fill == fill_id_map || fill == fill_setgroups || fill == fill_loginuid
			       ? -EPERM
			       : -EACCES;
	f.call = call;
	f.at = at;
	f.slot = f.name.pid == 0 ? NULL : sb_proc_slot_of(call, f.name.pid);
	f.out.len = 0;
	f.out.full = false;
	f.hidden = false;
	f.lines = 0;
	memset(&f.status, 0, sizeof(f.status));
	sb_commit_begin(call->fs);
	ret = make_file(&f, fill, flags);
	sb_commit_end(call->fs);
	return ret;
}
