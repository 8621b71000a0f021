/* SPDX-License-Identifier: MIT */
/*
 * proc_mounts.c - the mount tables of /proc, made from the container's mount table.
 *
 * How it works
 *   The root is one overlay; each other row is one mount of struct sb_control. Of the host's
 *   mounts only the type of the file system behind a bind is shown, so that df and others treat
 *   it right.
 * Rules
 *   Signal-safe; one statfs(2) for the row of a bind.
 */
#include "procfs/proc_mounts.h"

#include <linux/magic.h>

#define FIRST_MOUNT_ID 1000

/* struct statfs of asm/statfs.h, which begins with the magic number, in its whole size. */
struct host_statfs {
	int64_t type;
	int64_t rest[32];
};

static const char *type_name(int64_t magic)
{
	static const struct {
		int64_t magic;
		const char *name;
	} names[] = {
		{EXT4_SUPER_MAGIC, "ext4"},
		{0x58465342, "xfs"},
		{BTRFS_SUPER_MAGIC, "btrfs"},
		{TMPFS_MAGIC, "tmpfs"},
		{OVERLAYFS_SUPER_MAGIC, "overlay"},
		{SYSFS_MAGIC, "sysfs"},
		{DEVPTS_SUPER_MAGIC, "devpts"},
		{PROC_SUPER_MAGIC, "proc"},
		{CGROUP2_SUPER_MAGIC, "cgroup2"},
		{CGROUP_SUPER_MAGIC, "cgroup"},
		{NFS_SUPER_MAGIC, "nfs"},
		{F2FS_SUPER_MAGIC, "f2fs"},
		{0x65735546, "fuse"},
		{V9FS_MAGIC, "9p"},
		{0x2fc12fc1, "zfs"},
		{0x19800202, "mqueue"},
		{RAMFS_MAGIC, "ramfs"},
		{SQUASHFS_MAGIC, "squashfs"},
		{ISOFS_SUPER_MAGIC, "iso9660"},
		{MSDOS_SUPER_MAGIC, "vfat"},
	};

	for (size_t i = 0; i < SB_ARRAY_LEN(names); i++)
		if (names[i].magic == (magic & 0xffffffff))
			return names[i].name;
	return "bind";
}

uint32_t sb_proc_mount_id(int index)
{
	return (uint32_t)(FIRST_MOUNT_ID + 1 + index);
}

static bool is_cgroup(const struct sb_control *control, const struct sb_mount *mount)
{
	return mount->kind == SB_MOUNT_LIMITS &&
	       sb_same(sb_text_at(control, mount->guest), mount->guest.len, SB_CGROUP_PLACE,
		       sizeof(SB_CGROUP_PLACE) - 1);
}

static const char *mount_type(const struct sb_control *control, const struct sb_mount *mount)
{
	struct host_statfs fs;

	if (mount->kind == SB_MOUNT_TMPFS)
		return "tmpfs";
	if (mount->kind == SB_MOUNT_PROC)
		return "proc";
	if (mount->kind == SB_MOUNT_DEV)
		return "devtmpfs";
	if (is_cgroup(control, mount))
		return "cgroup2";
	if (sb_syscall(__NR_statfs, SB_P(sb_text_at(control, mount->host)), SB_P(&fs), 0, 0, 0, 0) <
	    0)
		return "bind";
	return type_name(fs.type);
}

/* The number of the mount that holds this one, -1 for the root. The longest guest path comes
 * first in the table. */
static int holder(const struct sb_control *control, int index)
{
	const struct sb_mount *mount = &control->mounts[index];

	for (int i = index + 1; i < (int)control->mount_count; i++) {
		const struct sb_mount *outer = &control->mounts[i];

		if (outer->kind != SB_MOUNT_LINK && outer->guest.len < mount->guest.len &&
		    sb_path_within(sb_text_at(control, mount->guest), mount->guest.len,
				   sb_text_at(control, outer->guest), outer->guest.len))
			return i;
	}
	return -1;
}

struct row {
	int index;
	int parent;
	uint64_t dev;
	const char *point;
	size_t point_len;
	const char *type;
	const char *source;
	bool read_only;
	bool no_suid;
};

static void put_options(const struct row *row, struct sb_proc_out *out)
{
	sb_proc_put_text(out, row->read_only ? "ro" : "rw");
	sb_proc_put_text(out, row->no_suid ? ",nosuid,nodev,noexec,relatime" : ",relatime");
}

static void put_row(const struct row *row, enum sb_proc_mounts format, struct sb_proc_out *out)
{
	static const char special[] = " \t\n\\";
	const uint64_t major = (row->dev >> 8 & 0xfff) | (row->dev >> 32 & ~0xfffULL);
	const uint64_t minor = (row->dev & 0xff) | (row->dev >> 12 & ~0xffULL);

	switch (format) {
	case SB_PROC_MOUNTINFO:
		sb_proc_put_number(out, sb_proc_mount_id(row->index), 10, 1);
		sb_proc_put(out, " ", 1);
		sb_proc_put_number(
			out, row->index < 0 ? FIRST_MOUNT_ID - 1 : sb_proc_mount_id(row->parent),
			10, 1);
		sb_proc_put(out, " ", 1);
		sb_proc_put_number(out, major, 10, 1);
		sb_proc_put(out, ":", 1);
		sb_proc_put_number(out, (uint32_t)minor, 10, 1);
		sb_proc_put_text(out, " / ");
		sb_proc_put_escaped(out, row->point, row->point_len, special);
		sb_proc_put(out, " ", 1);
		put_options(row, out);
		sb_proc_put_text(out, " - ");
		sb_proc_put_text(out, row->type);
		sb_proc_put(out, " ", 1);
		sb_proc_put_text(out, row->source);
		sb_proc_put_text(out, row->read_only ? " ro\n" : " rw\n");
		break;
	case SB_PROC_MOUNTS:
		sb_proc_put_text(out, row->source);
		sb_proc_put(out, " ", 1);
		sb_proc_put_escaped(out, row->point, row->point_len, special);
		sb_proc_put(out, " ", 1);
		sb_proc_put_text(out, row->type);
		sb_proc_put(out, " ", 1);
		put_options(row, out);
		sb_proc_put_text(out, " 0 0\n");
		break;
	case SB_PROC_MOUNTSTATS:
		sb_proc_put_text(out, "device ");
		sb_proc_put_text(out, row->source);
		sb_proc_put_text(out, " mounted on ");
		sb_proc_put_escaped(out, row->point, row->point_len, special);
		sb_proc_put_text(out, " with fstype ");
		sb_proc_put_text(out, row->type);
		sb_proc_put(out, "\n", 1);
		break;
	}
}

/* Cut the process's root off the mount point; false when it lies outside the root. */
static bool below_root(const struct sb_fs *fs, struct row *row)
{
	if (fs->root_len == 1)
		return true;
	if (!sb_path_within(row->point, row->point_len, fs->root, fs->root_len))
		return false;
	row->point += fs->root_len;
	row->point_len -= fs->root_len;
	if (row->point_len == 0) {
		row->point = "/";
		row->point_len = 1;
	}
	return true;
}

void sb_proc_mount_row(const struct sb_fs *fs, enum sb_proc_mounts format, int index,
		       struct sb_proc_out *out)
{
	const struct sb_control *control = fs->tree->control;
	const struct sb_mount *mount;
	struct row row = {
		.index = -1,
		.parent = -1,
		.dev = control->upper_dev,
		.point = "/",
		.point_len = 1,
		.type = "overlay",
		.source = "overlay",
		.read_only = (control->flags & SB_CONTROL_READ_ONLY) != 0,
	};

	if (index >= 0) {
		mount = &control->mounts[index];
		if (mount->kind == SB_MOUNT_LINK ||
		    (mount->kind == SB_MOUNT_LIMITS && !is_cgroup(control, mount)))
			return;
		row.index = index;
		row.parent = holder(control, index);
		row.dev = mount->dev;
		row.point = sb_text_at(control, mount->guest);
		row.point_len = mount->guest.len;
		row.type = mount_type(control, mount);
		row.source = mount->kind == SB_MOUNT_DEV ? "udev" : row.type;
		if (is_cgroup(control, mount))
			row.source = "cgroup";
		row.read_only = (mount->flags & SB_MOUNT_READ_ONLY) != 0;
		row.no_suid = mount->kind == SB_MOUNT_PROC || is_cgroup(control, mount);
	}
	if (below_root(fs, &row))
		put_row(&row, format, out);
}
