/* SPDX-License-Identifier: MIT */
/*
 * made_files.c - files of /proc whose content is made for the guest.
 *
 * How it works
 *   open(2) makes a sealed memfd with the whole content, mostly the kernel's own text line by line
 *   through proc_text.c. The memfd's name is the guest path, so its link in /proc/self/fd can be
 *   read. The content is that of the moment of open(2): reading again from 0 does not renew it.
 * Rules
 *   work->buffer is split into input and output; nothing here blocks.
 * Does not know
 *   What the lines mean (proc_text.c), how links are followed (magic_link.c).
 */

#include <errno.h>
#include <linux/memfd.h>

#include "base/mem.h"
#include "calls/proc/internal.h"
#include "calls/proc/proc.h"
#include "procfs/proc_mounts.h"
#include "tree/host_path.h"

#define OUTPUT_SIZE (sizeof(((struct sb_work *)0)->buffer) - SB_PROC_INPUT)
#define MEMFD_NAME_MAX 249

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

/* The mark of the container, a number of 19 digits, is an unlimited number of locks for guests. */
static void limit_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	static const char name[] = "Max file locks ";
	static const char unlimited[] = "unlimited          ";
	const size_t digits = sizeof(unlimited) - 1;

	if (len < sizeof(name) || memcmp(line, name, sizeof(name) - 1) != 0) {
		sb_proc_put(&f->out, line, len);
		return;
	}
	for (size_t at = 0; at < len;) {
		size_t end = at;

		while (end < len && line[end] >= '0' && line[end] <= '9')
			end++;
		if (end - at == digits)
			sb_proc_put_text(&f->out, unlimited);
		else
			sb_proc_put(&f->out, line + at, SB_MAX(end - at, (size_t)1));
		at = SB_MAX(end, at + 1);
	}
}

static long fill_limits(struct sb_proc_fill *f)
{
	return sb_proc_rewrite(f, limit_line);
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

static void same_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	sb_proc_put(&f->out, line, len);
}

static long fill_hostname(struct sb_proc_fill *f)
{
	const struct sb_control *control = f->call->fs->tree->control;

	if (control->hostname.len == 0)
		return sb_proc_rewrite(f, same_line);
	sb_proc_put(&f->out, sb_text_at(control, control->hostname), control->hostname.len);
	sb_proc_put_text(&f->out, "\n");
	return 0;
}

static long fill_domainname(struct sb_proc_fill *f)
{
	sb_proc_put_text(&f->out, "(none)\n");
	return 0;
}

/* ---- open --------------------------------------------------------------- */

struct made_file {
	const char *name;
	sb_proc_filler *fill;
};

static const struct made_file process_files[] = {
	{"maps", fill_maps},           {"smaps", fill_maps},        {"numa_maps", fill_numa_maps},
	{"limits", fill_limits}, /* see on_rlimit.c */
	{"mountinfo", fill_mountinfo}, {"mounts", fill_mounts},     {"mountstats", fill_mountstats},
	{"auxv", sb_proc_fill_auxv},   {"uid_map", fill_id_map},    {"gid_map", fill_id_map},
	{"setgroups", fill_setgroups}, {"loginuid", fill_loginuid}, {"net/unix", fill_net_unix},
};

static const struct made_file system_files[] = {
	{"locks", sb_proc_fill_locks},
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

/* Make fd a read-only descriptor at position 0, and its content final. */
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
	f->out.buf = f->call->work->buffer + SB_PROC_INPUT;
	f->out.max = OUTPUT_SIZE;
	ret = fill(f);
	if (ret >= 0)
		ret = sb_proc_flush(f);
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

	if (!sb_proc_entry(call->fs, at, &f.entry) || (flags & O_PATH) != 0)
		return -SB_EMAGIC;
	if (at->spot.type != S_IFREG)
		return f.entry.pid == 0 || sb_proc_may_open(call, &f.entry) ? -SB_EMAGIC : -EACCES;
	if (f.entry.of_limits) {
		fill = sb_proc_limits_mount_filler(call, f.entry.rest, f.entry.len);
	} else if (f.entry.pid == 0) {
		/* /proc/sys is read-only, as in a container without privileges. */
		if (writes && f.entry.len > 4 && memcmp(f.entry.rest, "sys/", 4) == 0)
			return -EROFS;
		fill = find(system_files, SB_ARRAY_LEN(system_files), f.entry.rest, f.entry.len);
		if (fill == NULL)
			fill = sb_proc_limit_filler(call, f.entry.rest, f.entry.len);
		call->proc->renews |= fill != NULL;
		if (fill == NULL)
			fill = sb_proc_ipc_filler(call, f.entry.rest, f.entry.len);
	} else {
		if (!sb_proc_may_open(call, &f.entry))
			return -EACCES;
		fill = find(process_files, SB_ARRAY_LEN(process_files), f.entry.rest, f.entry.len);
		if (fill == NULL)
			fill = sb_proc_task_filler(call, at, &f.entry);
		if (fill == NULL)
			fill = sb_proc_net_filler(call, f.entry.rest, f.entry.len);
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
	f.slot = f.entry.pid == 0 ? NULL : sb_proc_slot_of(call, f.entry.pid);
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

bool sb_proc_is_renewed(const struct sb_path *host)
{
	static const char *const names[] = {
		"/memfd:" SB_PROC_MEMFD "/proc/stat (deleted)",
		"/memfd:" SB_PROC_MEMFD "/proc/meminfo (deleted)",
	};

	for (size_t i = 0; i < SB_ARRAY_LEN(names); i++) {
		if (sb_same(names[i], strlen(names[i]), host->buf, host->len))
			return true;
	}
	return false;
}
