/* SPDX-License-Identifier: MIT */
/*
 * test_proc_text.c - lines of /proc files as the guest sees them.
 */
#include "procfs/proc_text.h"

#include <errno.h>

#include "check.h"
#include "procfs/proc_mounts.h"
#include "procfs/proc_status.h"

static struct sb_control control;
static struct sb_index no_layers;
static struct sb_tree tree;
static struct sb_work work;
static struct sb_fs fs;
static char text[65536];
static struct sb_proc_out out = {.buf = text, .max = sizeof(text) - 1};

static const struct sb_proc_range runtime = {0x566000000000, 0x568000000000};

static struct sb_text keep(const char *string)
{
	const struct sb_text kept = {control.strings_len, (uint32_t)strlen(string)};

	memcpy(control.strings + kept.off, string, kept.len + 1);
	control.strings_len += kept.len + 1;
	return kept;
}

static void add_mount(uint32_t kind, uint32_t flags, const char *guest, const char *host)
{
	struct sb_mount *mount = &control.mounts[control.mount_count++];

	mount->kind = kind;
	mount->flags = flags;
	mount->dev = 0x1234;
	mount->guest = keep(guest);
	mount->host = keep(host);
}

static void set_up(void)
{
	control.store = keep("/srv/store");
	control.upper = keep("/srv/store/containers/c/upper");
	control.run = keep("/run/sandbox/c");
	control.upper_dev = 0x802;
	add_mount(SB_MOUNT_BIND, SB_MOUNT_READ_ONLY, "/data/in ner", "/nowhere/inner");
	add_mount(SB_MOUNT_LINK, 0, "/dev/fd", "/proc/self/fd");
	add_mount(SB_MOUNT_DEV, 0, "/dev/null", "/dev/null");
	add_mount(SB_MOUNT_TMPFS, 0, "/tmp", "/run/sandbox/c/tmpfs-1");
	add_mount(SB_MOUNT_BIND, 0, "/data", "/nowhere");
	add_mount(SB_MOUNT_PROC, 0, "/proc", "/proc");
	tree.control = &control;
	tree.index = &no_layers;
	fs.tree = &tree;
	fs.work = &work;
	fs.root = "/";
	fs.root_len = 1;
}

static const char *result(void)
{
	text[out.len] = '\0';
	out.len = 0;
	return text;
}

static const char *map(const char *line, bool *hidden)
{
	sb_proc_maps_line(&fs, runtime, line, strlen(line), hidden, &out);
	return result();
}

static const char *map_alone(const char *line)
{
	bool hidden = false;

	return map(line, &hidden);
}

#define COLUMNS "7f0000000000-7f0000001000 r-xp 00000000 08:02 77                         "

static void maps_name_guest_files(void)
{
	CHECK_STR(map_alone(COLUMNS "/srv/store/containers/c/upper/bin/sh\n"), COLUMNS "/bin/sh\n");
	CHECK_STR(map_alone(COLUMNS "/srv/store/containers/c/upper/x (deleted)\n"),
		  COLUMNS "/x (deleted)\n");
	CHECK_STR(map_alone(COLUMNS "/nowhere/a\\012b\n"), COLUMNS "/data/a\\012b\n");
	CHECK_STR(map_alone(COLUMNS "/nowhere/inner/f\n"), COLUMNS "/data/in ner/f\n");
	CHECK_STR(map_alone(COLUMNS "/run/sandbox/c/tmpfs-1/f\n"), COLUMNS "/tmp/f\n");
}

static void maps_keep_lines_without_a_file(void)
{
	CHECK_STR(map_alone(COLUMNS "[stack]\n"), COLUMNS "[stack]\n");
	CHECK_STR(map_alone(COLUMNS "\n"), COLUMNS "\n");
	CHECK_STR(map_alone(COLUMNS "/memfd:name (deleted)\n"), COLUMNS "/memfd:name (deleted)\n");
	CHECK_STR(map_alone(COLUMNS "/SYSV00000000 (deleted)\n"),
		  COLUMNS "/SYSV00000000 (deleted)\n");
	CHECK_STR(map_alone(COLUMNS "/outside\n"), COLUMNS "/outside\n");
}

static void maps_hide_the_runtime(void)
{
	bool hidden = false;

	CHECK_STR(map("567000000000-567000010000 r-xp 00000000 08:02 9  /opt/sandbox-guest\n",
		      &hidden),
		  "");
	CHECK_STR(map("Size:                 64 kB\n", &hidden), "");
	CHECK_STR(map("567012345000-567012366000 rw-p 00000000 00:00 0                [heap]\n",
		      &hidden),
		  "567012345000-567012366000 rw-p 00000000 00:00 0                [heap]\n");
	CHECK_STR(map("Size:                132 kB\n", &hidden), "Size:                132 kB\n");
	CHECK_STR(map("568000000000-568000001000 rw-p 00000000 00:00 0 \n", &hidden),
		  "568000000000-568000001000 rw-p 00000000 00:00 0 \n");
	CHECK_STR(map(COLUMNS "/srv/store/blobs/x\n", &hidden), "");
	CHECK_STR(map("VmFlags: rd ex\n", &hidden), "");
}

static const char *numa(const char *line)
{
	sb_proc_numa_line(&fs, runtime, line, strlen(line), &out);
	return result();
}

static void numa_maps_name_guest_files(void)
{
	CHECK_STR(numa("7f0000000000 default file=/nowhere/lib mapped=1 N0=1\n"),
		  "7f0000000000 default file=/data/lib mapped=1 N0=1\n");
	CHECK_STR(numa("7f0000000000 default anon=1\n"), "7f0000000000 default anon=1\n");
	CHECK_STR(numa("567000000000 default file=/nowhere/guest\n"), "");
	CHECK_STR(numa("567012345000 default heap anon=3\n"), "567012345000 default heap anon=3\n");
	CHECK_STR(numa("7f0000000000 default file=/srv/store/blobs/x N0=1\n"), "");
}

static const char *unix_line(const char *line)
{
	sb_proc_unix_line(&fs, line, strlen(line), &out);
	return result();
}

static void unix_sockets_have_guest_names(void)
{
#define SOCKET "0000000000000000: 00000002 00000000 00010000 0001 01 12345 "
	CHECK_STR(unix_line(SOCKET "/nowhere/s\n"), SOCKET "/data/s\n");
	CHECK_STR(unix_line(SOCKET "@abstract\n"), SOCKET "@abstract\n");
	CHECK_STR(unix_line("0000000000000000: 00000002 00000000 00010000 0001 01 12345\n"),
		  "0000000000000000: 00000002 00000000 00010000 0001 01 12345\n");
	CHECK_STR(unix_line(SOCKET "/srv/store/containers/other/upper/s\n"), SOCKET "?\n");
}

static const char *status_line(const struct sb_proc_status *status, const char *line)
{
	sb_proc_status_line(status, line, strlen(line), &out);
	return result();
}

static void status_shows_the_guests_own_credentials(void)
{
	const uint32_t groups[] = {7, 8};
	struct sb_ids ids;
	struct sb_proc_status status = {.ids = &ids, .caught = 2, .umask = 022, .has_own = true};

	sb_ids_init(&ids, 0, 5, groups, 2, SB_CAP_DEFAULT);
	ids.fsuid = 3;
	CHECK_STR(status_line(&status, "Uid:\t1000\t1000\t1000\t1000\n"), "Uid:\t0\t0\t0\t3\n");
	CHECK_STR(status_line(&status, "Gid:\t1000\t1000\t1000\t1000\n"), "Gid:\t5\t5\t5\t5\n");
	CHECK_STR(status_line(&status, "Groups:\t1000 \n"), "Groups:\t7 8 \n");
	CHECK_STR(status_line(&status, "CapEff:\t0000000000000000\n"),
		  "CapEff:\t00000000a80425fb\n");
	CHECK_STR(status_line(&status, "CapInh:\t0000000000000000\n"),
		  "CapInh:\t0000000000000000\n");
	CHECK_STR(status_line(&status, "NoNewPrivs:\t1\n"), "NoNewPrivs:\t0\n");
	CHECK_STR(status_line(&status, "Seccomp:\t2\n"), "Seccomp:\t0\n");
	CHECK_STR(status_line(&status, "Seccomp_filters:\t1\n"), "Seccomp_filters:\t0\n");
	CHECK_STR(status_line(&status, "SigCgt:\t00000000ffffffff\n"),
		  "SigCgt:\t0000000000000002\n");
	CHECK_STR(status_line(&status, "Umask:\t0022\n"), "Umask:\t0022\n");
	CHECK_STR(status_line(&status, "VmRSS:\t  12 kB\n"), "VmRSS:\t  12 kB\n");
	status.has_own = false;
	CHECK_STR(status_line(&status, "SigCgt:\t0000000000000001\n"),
		  "SigCgt:\t0000000000000001\n");
	status.ids = NULL; /* a process outside of the container */
	CHECK_STR(status_line(&status, "Uid:\t1000\t1000\t1000\t1000\n"),
		  "Uid:\t1000\t1000\t1000\t1000\n");
}

static const char *rows(enum sb_proc_mounts format)
{
	sb_proc_mount_row(&fs, format, -1, &out);
	for (int i = (int)control.mount_count - 1; i >= 0; i--)
		sb_proc_mount_row(&fs, format, i, &out);
	return result();
}

static void mount_tables_show_the_containers_mounts(void)
{
	CHECK_STR(rows(SB_PROC_MOUNTS), "overlay / overlay rw,relatime 0 0\n"
					"proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n"
					"bind /data bind rw,relatime 0 0\n"
					"tmpfs /tmp tmpfs rw,relatime 0 0\n"
					"udev /dev/null devtmpfs rw,relatime 0 0\n"
					"bind /data/in\\040ner bind ro,relatime 0 0\n");
	CHECK_STR(rows(SB_PROC_MOUNTINFO),
		  "1000 999 8:2 / / rw,relatime - overlay overlay rw\n"
		  "1006 1000 18:52 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw\n"
		  "1005 1000 18:52 / /data rw,relatime - bind bind rw\n"
		  "1004 1000 18:52 / /tmp rw,relatime - tmpfs tmpfs rw\n"
		  "1003 1000 18:52 / /dev/null rw,relatime - devtmpfs udev rw\n"
		  "1001 1005 18:52 / /data/in\\040ner ro,relatime - bind bind ro\n");
	fs.root = "/data";
	fs.root_len = 5;
	CHECK_STR(rows(SB_PROC_MOUNTSTATS),
		  "device bind mounted on / with fstype bind\n"
		  "device bind mounted on /in\\040ner with fstype bind\n");
	fs.root = "/";
	fs.root_len = 1;
}

static void generated_files_keep_their_names(void)
{
	struct sb_path path;
	const char made[] = "/memfd:" SB_PROC_MEMFD "/proc/1/maps (deleted)";

	CHECK_INT(sb_proc_guest_text(&fs, made, strlen(made), &path), 0);
	CHECK_STR(path.buf, "/proc/1/maps");
	CHECK_INT(sb_proc_guest_text(&fs, "pipe:[12]", 9, &path), 0);
	CHECK_STR(path.buf, "pipe:[12]");
	CHECK_INT(sb_proc_guest_text(&fs, "/run/sandbox/c/control", 22, &path), -EACCES);
}

static void text_that_does_not_fit_is_dropped(void)
{
	struct sb_proc_out small = {.buf = text, .max = 4};

	sb_proc_put_text(&small, "abc");
	sb_proc_put_text(&small, "de");
	CHECK(small.full);
	CHECK_INT(small.len, 3);
	sb_proc_put_number(&small, 8, 8, 1);
	CHECK_INT(small.len, 3);
	CHECK(memcmp(text, "abc", 3) == 0);
}

int main(void)
{
	set_up();
	maps_name_guest_files();
	maps_keep_lines_without_a_file();
	maps_hide_the_runtime();
	numa_maps_name_guest_files();
	unix_sockets_have_guest_names();
	status_shows_the_guests_own_credentials();
	mount_tables_show_the_containers_mounts();
	generated_files_keep_their_names();
	text_that_does_not_fit_is_dropped();
	return 0;
}
