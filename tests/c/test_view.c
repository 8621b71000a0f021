/* SPDX-License-Identifier: MIT */
/*
 * test_view.c - look-ups, stat, permissions and the guest paths of host files in a small
 * container.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "change/change.h"
#include "check.h"
#include "hosted/hosted.h"
#include "hosted/internal.h"
#include "view/view.h"

static char here[PATH_MAX];
static char rows[16384];
static struct sb_layer_rows layer;
static struct sb_hosted *h;
static struct sb_at *at;

/* ---- a container with one layer -------------------------------------------- */

static void add(const char *path, char type, uint32_t mode, uint32_t uid, const char *link)
{
	struct sb_row row = {
		.path_len = (uint16_t)strlen(path),
		.type = (uint8_t)type,
		.mode = mode,
		.uid = uid,
		.gid = uid,
		.link_len = (uint32_t)strlen(link),
	};
	char *to = rows + layer.rows_len;
	char host[PATH_MAX];
	int fd;

	memcpy(to, &row, sizeof(row));
	memcpy(to + sizeof(row), path, row.path_len);
	memcpy(to + sizeof(row) + row.path_len, link, row.link_len);
	layer.rows_len += sizeof(row) + row.path_len + row.link_len;
	snprintf(host, sizeof(host), "store/layer/diff/%s", path);
	if (type == 'd') {
		CHECK(mkdir(host, 0700) == 0 || errno == EEXIST);
	} else if (type == 'l') {
		CHECK_INT(symlink(link, host), 0);
	} else {
		fd = open(host, O_CREAT | O_WRONLY, 0600);
		CHECK(fd >= 0);
		CHECK_INT(write(fd, "12345", type == 'f' ? 5 : 0), type == 'f' ? 5 : 0);
		close(fd);
	}
}

static const char *full(const char *name)
{
	static char names[8][PATH_MAX + 64];
	static unsigned next;
	char *name_at = names[next++ % 8];

	snprintf(name_at, sizeof(names[0]), "%s/%s", here, name);
	return name_at;
}

static void make_container(void)
{
	struct sb_hosted_spec spec = {0};
	static const char *const dirs[] = {
		"store", "store/layer", "store/layer/diff", "run", "upper", "work", "data"};
	char problem[256];
	int err;

	CHECK(getcwd(here, sizeof(here)) != NULL);
	for (unsigned i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		CHECK_INT(mkdir(dirs[i], 0700), 0);
	layer.diff = "store/layer/diff";
	layer.relative = "layer/diff";
	layer.rows = rows;
	add("etc", 'd', 0755, 0, "");
	add("etc/passwd", 'f', 0644, 0, "");
	add("etc/shadow", 'f', 0600, 0, "");
	add("private", 'd', 0700, 5, "");
	add("private/file", 'f', 0644, 5, "");
	add("a", 'd', 0755, 0, "");
	add("a/b", 'd', 0755, 0, "");
	add("a/b/c", 'd', 0755, 0, "");
	add("a/b/c/file", 'f', 0644, 0, "");
	add("up", 'l', 0777, 0, "a/b/../../etc");
	add("abs", 'l', 0777, 0, "/etc/passwd");
	add("a/abs", 'l', 0777, 0, "/b");
	add("dangling", 'l', 0777, 0, "etc/none");
	add("device", 'c', 0666, 0, "");
	CHECK_INT(sb_index_build(&layer, 1, "store/index", problem), 0);
	spec.store = strdup(full("store"));
	spec.run = strdup(full("run"));
	spec.upper = strdup(full("upper"));
	spec.work = strdup(full("work"));
	spec.owners = strdup(full("owners"));
	spec.index = strdup(full("store/index"));
	spec.hostname = "box";
	spec.host_uid = getuid();
	spec.host_gid = getgid();
	CHECK_INT(sb_hosted_create("run/control", &spec), 0);
	h = sb_hosted_open_draft("run/control", &err);
	CHECK(h != NULL);
	CHECK_INT(sb_hosted_add_mount(h, SB_MOUNT_BIND, 0, "/a/data", full("data"), 0, 0), 0);
	CHECK_INT(sb_hosted_add_mount(h, SB_MOUNT_PROC, 0, "/proc", "/proc", 0, 0), 0);
	free((void *)(uintptr_t)spec.store);
	free((void *)(uintptr_t)spec.run);
	free((void *)(uintptr_t)spec.upper);
	free((void *)(uintptr_t)spec.work);
	free((void *)(uintptr_t)spec.owners);
	free((void *)(uintptr_t)spec.index);
	at = &h->work.a;
}

static int look(const char *base, const char *path, unsigned flags)
{
	return sb_tree_lookup(&h->fs, base, (uint32_t)strlen(base), path, flags, at);
}

/* ---- tests --------------------------------------------------------------------- */

static void test_a_look_up_finds_path_layer_and_stat(void)
{
	CHECK_INT(look("/", "/a/b/c/file", SB_WANT_STAT), 0);
	CHECK_STR(at->guest.buf, "/a/b/c/file");
	CHECK_STR(at->host.buf, full("store/layer/diff/a/b/c/file"));
	CHECK_STR(at->guest.buf + at->name, "file");
	CHECK_INT(at->spot.place, SB_PLACE_LOWER);
	CHECK_INT(at->dir.place, SB_PLACE_LOWER);
	CHECK(at->has_stat && !at->slash && !at->dots);
	CHECK_INT(at->st.size, 5);
	CHECK_INT(look("/a/b", "c/../c/file", 0), 0);
	CHECK_STR(at->guest.buf, "/a/b/c/file");
	CHECK(!at->has_stat);
	CHECK_INT(look("/a/b", "c/.", 0), 0);
	CHECK(at->dots && at->slash);
	CHECK_STR(at->guest.buf, "/a/b/c");
	CHECK_INT(look("/a/b", "..", 0), 0);
	CHECK_STR(at->guest.buf, "/a");
	CHECK_INT(at->dir.node, 0);
	CHECK_INT(look("/", "/", 0), 0);
	CHECK(at->dots && at->guest.len == 1);
}

static void test_a_look_up_for_creation_allows_an_absent_name(void)
{
	CHECK_INT(look("/", "/etc/new", 0), -ENOENT);
	CHECK_INT(look("/", "/etc/new", SB_MAY_BE_ABSENT), 0);
	CHECK_INT(at->spot.place, SB_PLACE_ABSENT);
	CHECK_STR(at->host.buf, full("upper/etc/new"));
	CHECK_INT(look("/", "/none/new", SB_MAY_BE_ABSENT), -ENOENT);
	CHECK_INT(look("/", "/dangling", SB_MAY_BE_ABSENT | SB_FOLLOW), -ENOENT);
	CHECK_INT(look("/", "/dangling", SB_MAY_BE_ABSENT | SB_FOLLOW | SB_CREATE), 0);
	CHECK_STR(at->guest.buf, "/etc/none");
	CHECK_INT(look("/", "/dangling", SB_MAY_BE_ABSENT), 0);
	CHECK_INT(at->spot.type, S_IFLNK);
	CHECK_INT(look("/", "/etc/x/", SB_FOLLOW | SB_MAY_BE_ABSENT | SB_CREATE), -EISDIR);
	CHECK_INT(look("/", "/up/", SB_PARENT), 0);
	CHECK(at->spot.type == S_IFLNK && at->slash);
	CHECK_INT(look("/", "/up/", 0), 0);
	CHECK_STR(at->guest.buf, "/etc");
	CHECK_INT(look("/", "/etc/passwd", SB_WANT_DIR), -ENOTDIR);
}

static void test_look_ups_obey_openat2s_resolve_flags(void)
{
	CHECK_INT(look("/a", "b/c", SB_BENEATH), 0);
	CHECK_INT(look("/a", "b/../b", SB_BENEATH), 0);
	CHECK_INT(look("/a", "..", SB_BENEATH), -EXDEV);
	CHECK_INT(look("/a", "b/../../a", SB_BENEATH), -EXDEV);
	CHECK_INT(look("/a", "/a/b", SB_BENEATH), -EXDEV);
	CHECK_INT(look("/a", "abs", SB_BENEATH | SB_FOLLOW), -EXDEV);
	CHECK_INT(look("/a", "abs", SB_BENEATH), 0);
	CHECK_INT(look("/a", "abs", SB_IN_ROOT | SB_FOLLOW), 0);
	CHECK_STR(at->guest.buf, "/a/b");
	CHECK_INT(look("/a", "../../b", SB_IN_ROOT), 0);
	CHECK_STR(at->guest.buf, "/a/b");
	CHECK_INT(look("/a", "/b/c", SB_IN_ROOT), 0);
	CHECK_STR(at->guest.buf, "/a/b/c");
	CHECK_INT(look("/", "up", SB_NO_SYMLINKS), 0);
	CHECK_INT(look("/", "up", SB_NO_SYMLINKS | SB_FOLLOW), -ELOOP);
	CHECK_INT(look("/", "/up/passwd", SB_NO_SYMLINKS), -ELOOP);
	CHECK_INT(look("/", "/a/data", SB_NO_XDEV), -EXDEV);
	CHECK_INT(look("/a/data", "..", SB_NO_XDEV), -EXDEV);
	CHECK_INT(look("/a/data", ".", SB_NO_XDEV), 0);
}

static void test_look_ups_stay_below_another_root(void)
{
	h->fs.root = "/a";
	h->fs.root_len = 2;
	CHECK_INT(look("/a/b", "../../../b/c", 0), 0);
	CHECK_STR(at->guest.buf, "/a/b/c");
	CHECK_INT(look("/a/b", "/abs", SB_FOLLOW), 0);
	CHECK_STR(at->guest.buf, "/a/b");
	CHECK_INT(look("/a/b", "/etc", 0), -ENOENT);
	CHECK_INT(look("/etc", "../etc/passwd", 0), 0); /* a directory outside of the root */
	h->fs.root = "/";
	h->fs.root_len = 1;
}

static void test_look_ups_need_search_permission(void)
{
	struct sb_ids ids;

	sb_ids_init(&ids, 1000, 1000, NULL, 0, SB_CAP_DEFAULT);
	h->fs.ids = &ids;
	CHECK_INT(look("/", "/etc/passwd", 0), 0);
	CHECK_INT(sb_tree_permit(&h->fs, at, 4), 0);
	CHECK_INT(sb_tree_permit(&h->fs, at, 2), -EACCES);
	CHECK_INT(look("/", "/etc/shadow", 0), 0);
	CHECK_INT(sb_tree_permit(&h->fs, at, 4), -EACCES);
	CHECK_INT(look("/", "/private", 0), 0);
	CHECK_INT(look("/", "/private/file", 0), -EACCES);
	CHECK_INT(look("/", "/private/none", 0), -EACCES);
	CHECK_INT(look("/", "/private/..", 0), -EACCES);
	CHECK_INT(look("/private", "file", 0), -EACCES);
	sb_ids_init(&ids, 5, 5, NULL, 0, SB_CAP_DEFAULT);
	CHECK_INT(look("/", "/private/file", 0), 0);
	CHECK_INT(sb_tree_permit(&h->fs, at, 6), 0);
	CHECK_INT(sb_tree_permit(&h->fs, at, 1), -EACCES);
	/* access(2) in a setuid program checks the real ids */
	sb_ids_init(&ids, 0, 0, NULL, 0, SB_CAP_DEFAULT);
	ids.ruid = 1000;
	h->fs.real_ids = 1;
	CHECK_INT(look("/", "/private/file", 0), -EACCES);
	h->fs.real_ids = 0;
	CHECK_INT(look("/", "/private/file", 0), 0);
	h->fs.ids = &h->ids;
}

static void check_guest_path(const char *host, const char *guest)
{
	struct sb_path path;

	CHECK_INT(sb_tree_guest_path(&h->fs, host, strlen(host), &path), 0);
	CHECK_STR(path.buf, guest);
}

static void test_host_paths_are_translated_to_guest_paths(void)
{
	struct sb_path path;

	check_guest_path(full("upper"), "/");
	check_guest_path(full("upper/x/y (deleted)"), "/x/y (deleted)");
	check_guest_path(full("store/layer/diff/etc"), "/etc");
	check_guest_path(full("store/layer/diff"), "/");
	check_guest_path(full("data/file"), "/a/data/file");
	check_guest_path("/proc/1", "/proc/1");
	CHECK_INT(sb_tree_guest_path(&h->fs, "/usr", 4, &path), -ENOENT);
	CHECK_INT(sb_tree_guest_path(&h->fs, full("uppermost"), strlen(full("uppermost")), &path),
		  -ENOENT);
	CHECK_INT(sb_tree_guest_path(&h->fs, "pipe:[1]", 8, &path), -ENOENT);
}

static void test_magic_links_of_proc_end_a_look_up(void)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/%d/fd/0", (int)getpid());
	CHECK_INT(look("/", "/proc/self/fd/0/../x", SB_FOLLOW), -SB_EMAGIC);
	CHECK_STR(at->guest.buf, self);
	CHECK_STR(h->work.todo, "/../x");
	CHECK_INT(look("/", "/proc/self/cwd", SB_FOLLOW), -SB_EMAGIC);
	CHECK_STR(h->work.todo, "");
	CHECK_INT(look("/", "/proc/self/cwd", 0), 0);
	CHECK_INT(at->spot.type, S_IFLNK);
	CHECK_INT(look("/", "/proc/mounts", SB_FOLLOW), 0);
}

static void test_fstat_recognizes_a_file_by_its_inode(void)
{
	struct sb_stat st;
	uint32_t node;
	int fd = open("store/layer/diff/private/file", O_RDONLY);

	CHECK_INT(sb_tree_fstat(&h->fs, fd, &st, &node), 0);
	CHECK_INT(st.uid, 5);
	CHECK_INT(st.mode, S_IFREG | 0644);
	CHECK_INT(sb_hosted_chmod(h, "/private/file", 0600), 0);
	CHECK_INT(sb_tree_fstat(&h->fs, fd, &st, &node), 0); /* it is still the same file */
	CHECK_INT(st.mode, S_IFREG | 0600);
	CHECK_INT(sb_hosted_unlink(h, "/private/file"), 0);
	CHECK_INT(sb_tree_fstat(&h->fs, fd, &st, &node), 0);
	CHECK_INT(st.mode, S_IFREG | 0644);
	close(fd);
	fd = open("store/layer/diff/device", O_RDONLY);
	CHECK_INT(sb_tree_fstat(&h->fs, fd, &st, &node), 0);
	CHECK_INT(st.mode, S_IFCHR | 0666);
	close(fd);
	CHECK_INT(sb_tree_fstat(&h->fs, 9999, &st, &node), -EBADF);
}

static void test_a_path_may_be_deeper_than_the_walks_stack(void)
{
	static char path[4096] = "/a";
	size_t len = 2;
	char up[4096];

	for (unsigned i = 0; i < 300; i++, len += 2) {
		memcpy(path + len, "/d", 3);
		CHECK_INT(sb_hosted_mkdir(h, path, 0755), 0);
	}
	CHECK_INT(look("/", path, SB_WANT_DIR), 0);
	CHECK_INT(at->guest.len, len);
	snprintf(up, sizeof(up), "%.*s", (int)len, path);
	for (unsigned i = 0; i < 299; i++)
		strcat(up, "/..");
	CHECK_INT(look("/", up, 0), 0);
	CHECK_STR(at->guest.buf, "/a/d");
	strcat(up, "/../b/c/file");
	CHECK_INT(look("/", up, 0), 0);
	CHECK_STR(at->guest.buf, "/a/b/c/file");
	CHECK_INT(at->spot.place, SB_PLACE_LOWER);
}

int main(void)
{
	make_container();
	test_a_look_up_finds_path_layer_and_stat();
	test_a_look_up_for_creation_allows_an_absent_name();
	test_look_ups_obey_openat2s_resolve_flags();
	test_look_ups_stay_below_another_root();
	test_look_ups_need_search_permission();
	test_host_paths_are_translated_to_guest_paths();
	test_magic_links_of_proc_end_a_look_up();
	test_fstat_recognizes_a_file_by_its_inode();
	test_a_path_may_be_deeper_than_the_walks_stack();
	sb_hosted_close(h);
	return 0;
}
