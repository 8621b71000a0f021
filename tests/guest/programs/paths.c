/* SPDX-License-Identifier: MIT */
/*
 * paths.c - every call that takes a path, on every kind of path.
 *
 *   paths look|open|change|meta|xattr|pairs|openat2 prepare|observe|both DIRECTORY
 *
 * `prepare` makes small trees under DIRECTORY: one for each case that may change it, and one that
 * the other cases share. `observe` makes the calls and prints results, details and changes of the
 * tree. The two stages may run in different places: a tree that the host prepared is a lower layer
 * of the container.
 */
#include "see.h"

#include <dirent.h>
#include <linux/openat2.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <utime.h>

#define OLD 1000000000
#define LONG_NAME 256

static int at;              /* the directory that is passed to *at calls */
static const char *tree;    /* absolute path of the current tree */
static char detail[4096];   /* what a successful call returned */
static char name_255[256];
static char name_256[257];
static char path_4095[4096];
static char path_4096[4097];
static char *at_page_end;   /* "f"; its NUL is the last byte before an unmapped page */
static char *no_end;        /* "fff" without a NUL before an unmapped page */

struct kind {
	const char *label;
	const char *path;
};

static struct kind kinds[] = {
	{"f", "f"},
	{"e", "e"},
	{"d", "d"},
	{"n", "n"},
	{"p", "p"},
	{"s", "s"},
	{"missing", "missing"},
	{"lf", "lf"},
	{"ld", "ld"},
	{"la", "la"},
	{"lup", "lup"},
	{"dang", "dang"},
	{"dangdir", "dangdir"},
	{"loop", "loop"},
	{"f/", "f/"},
	{"d/", "d/"},
	{"n/", "n/"},
	{"missing/", "missing/"},
	{"lf/", "lf/"},
	{"ld/", "ld/"},
	{"dang/", "dang/"},
	{"loop/", "loop/"},
	{"f/x", "f/x"},
	{"d/x", "d/x"},
	{"d/f", "d/f"},
	{"d/f/", "d/f/"},
	{"ld/f", "ld/f"},
	{"ld/x", "ld/x"},
	{"missing/x", "missing/x"},
	{"loop/x", "loop/x"},
	{"p/x", "p/x"},
	{".", "."},
	{"..", ".."},
	{"./", "./"},
	{"d/.", "d/."},
	{"d/..", "d/.."},
	{"n/.", "n/."},
	{"n/..", "n/.."},
	{"f/.", "f/."},
	{"f/..", "f/.."},
	{"missing/..", "missing/.."},
	{"d//f", "d//f"},
	{"./d/./f", "./d/./f"},
	{"n/../f", "n/../f"},
	{"ld/../f", "ld/../f"},
	{"lup/f", "lup/f"},
	{"empty", ""},
	{"name of 255", name_255},
	{"name of 256", name_256},
	{"f/name of 256", NULL},
	{"path of 4095", path_4095},
	{"path of 4096", path_4096},
	{"end of page", NULL},
	{"no end", NULL},
	{"null", NULL},
	{"bad pointer", (const char *)1},
	{"kernel pointer", (const char *)(uintptr_t)0xffff800000001000},
};

static const char *f_256;

static void make_kinds(void)
{
	static char f_name[3 + LONG_NAME];
	char *pages =
		mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(munmap(pages + 4096, 4096));
	MUST(munmap(pages + 3 * 4096, 4096));
	at_page_end = pages + 4096 - 2;
	memcpy(at_page_end, "f", 2);
	no_end = pages + 3 * 4096 - 3;
	memset(no_end, 'f', 3);
	memset(name_255, 'n', 255);
	memset(name_256, 'n', 256);
	for (size_t i = 0; i < 4095; i++)
		path_4095[i] = "./"[i % 2];
	for (size_t i = 0; i < 4096; i++)
		path_4096[i] = "./"[i % 2];
	path_4095[4094] = 'f';
	path_4096[4095] = 'f';
	path_4096[4094] = '/';
	snprintf(f_name, sizeof(f_name), "f/%s", name_256);
	f_256 = f_name;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (strcmp(kinds[i].label, "end of page") == 0)
			kinds[i].path = at_page_end;
		if (strcmp(kinds[i].label, "no end") == 0)
			kinds[i].path = no_end;
		if (strcmp(kinds[i].label, "f/name of 256") == 0)
			kinds[i].path = f_256;
	}
}

/* ---- the tree of a case ---- */

static void age(const char *name)
{
	const struct timespec times[2] = {{OLD, 0}, {OLD, 123456789}};

	MUST(utimensat(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW));
}

static void make_tree(const char *name)
{
	static const char *const names[] = {"d/f",     "f",    "e",     "d",  "n",    "p",
					    "s",       "lf",   "ld",    "la", "dang", "lup",
					    "dangdir", "loop", "loop2", "."};
	char target[PATH_MAX];
	char cwd[PATH_MAX / 2];

	MUST(mkdir(name, 0755));
	MUST(chdir(name));
	if (!getcwd(cwd, sizeof(cwd)))
		broken("getcwd");
	write_file("f", "hello");
	write_file("e", "");
	MUST(mkdir("d", 0755));
	write_file("d/f", "inner");
	MUST(mkdir("n", 0755));
	MUST(mkfifo("p", 0644));
	MUST(mknod("s", S_IFSOCK | 0644, 0));
	MUST(symlink("f", "lf"));
	MUST(symlink("d", "ld"));
	snprintf(target, sizeof(target), "%s/f", cwd);
	MUST(symlink(target, "la"));
	MUST(symlink("d/..", "lup"));
	MUST(symlink("nowhere", "dang"));
	MUST(symlink("nowhere/below", "dangdir"));
	MUST(symlink("loop2", "loop"));
	MUST(symlink("loop", "loop2"));
	for (size_t i = 0; i < COUNT(names); i++)
		age(names[i]);
	MUST(chdir(".."));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct text {
	size_t len;
	char buf[8192];
};

static void __attribute__((format(printf, 2, 3))) add(struct text *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	out->len +=
		(size_t)vsnprintf(out->buf + out->len, sizeof(out->buf) - out->len, format, args);
	va_end(args);
	if (out->len >= sizeof(out->buf))
		out->len = sizeof(out->buf) - 1;
}

static void render_entry(struct text *out, const char *path, const char *name)
{
	struct stat st;
	char target[128];
	ssize_t n;

	if (lstat(path, &st) == -1) {
		add(out, " %s:%s", name, error_name(errno));
		return;
	}
	add(out, " %.20s%s:%c%o", name, strlen(name) > 20 ? "~" : "", type_letter(st.st_mode),
	    (unsigned)st.st_mode & 07777);
	if (S_ISREG(st.st_mode))
		add(out, ":%lld", (long long)st.st_size);
	if (!S_ISDIR(st.st_mode) && st.st_nlink != 1)
		add(out, ":%d links", (int)st.st_nlink);
	if (st.st_uid != geteuid() || st.st_gid != getegid())
		add(out, ":%u.%u", st.st_uid, st.st_gid);
	if (st.st_mtim.tv_sec != OLD || st.st_mtim.tv_nsec != 123456789)
		add(out, ":t%s", st.st_mtim.tv_sec < 1500000000 ? "-other" : "");
	if (S_ISLNK(st.st_mode)) {
		n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		add(out, "->%s", target[0] == '/' ? "(absolute)" : target);
	}
}

static void render(struct text *out, const char *dir)
{
	char *names[64];
	char path[600];
	size_t count = 0;
	struct dirent *entry;
	DIR *stream = opendir(dir);

	if (!stream) {
		add(out, " %s", error_name(errno));
		return;
	}
	while ((entry = readdir(stream)) != NULL) {
		if (strcmp(entry->d_name, "..") != 0 && count < COUNT(names))
			names[count++] = strdup(entry->d_name);
	}
	closedir(stream);
	qsort(names, count, sizeof(names[0]), by_name);
	for (size_t i = 0; i < count; i++) {
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		render_entry(out, path, names[i]);
		if (strcmp(names[i], ".") != 0 && lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
			add(out, " {");
			render(out, path);
			add(out, " }");
		}
		free(names[i]);
	}
}

static struct text before;
static struct text after;

/* Print which words of the tree's description are new (+) or gone (-). */
static void say_changes(void)
{
	char seen[8192];

	after.len = 0;
	render(&after, tree);
	if (strcmp(before.buf, after.buf) == 0)
		return;
	for (int side = 0; side < 2; side++) {
		const struct text *from = side ? &after : &before;
		const struct text *other = side ? &before : &after;

		memcpy(seen, from->buf, from->len + 1);
		for (char *word = strtok(seen, " "); word; word = strtok(NULL, " ")) {
			const char *found = other->buf;
			size_t len = strlen(word);

			while ((found = strstr(found, word)) != NULL) {
				if (found[-1] == ' ' && (found[len] == ' ' || found[len] == '\0'))
					break;
				found++;
			}
			if (!found)
				printf(" %c%s", side ? '+' : '-', word);
		}
	}
}

/* ---- the calls ---- */

static void __attribute__((format(printf, 1, 2))) note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
}

static long note_stat(long result, const struct stat *st)
{
	if (result == 0)
		note("%s%s", describe(st), st->st_mtim.tv_sec == OLD ? " old" : "");
	return result;
}

static long note_statx(long result, const struct statx *sx)
{
	if (result == 0)
		note("%c%04o size %lld mask %#x mtime %lld", type_letter(sx->stx_mode),
		     (unsigned)sx->stx_mode & 07777,
		     S_ISDIR(sx->stx_mode) ? -1 : (long long)sx->stx_size,
		     sx->stx_mask & STATX_BASIC_STATS, sx->stx_mtime.tv_sec == OLD ? 0LL : 1LL);
	return result;
}

static long note_link(long result, const char *buf)
{
	if (result >= 0)
		note("\"%.*s\"", (int)result, buf);
	return result;
}

/* Describe the new descriptor and close it. O_NOFOLLOW is left out: the runtime may have set it. */
static long note_fd(long fd)
{
	char link[64];
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return fd;
	snprintf(link, sizeof(link), "/proc/self/fd/%ld", fd);
	n = readlink(link, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	if (strstr(target, "/#"))
		strcpy(strstr(target, "/#"), "/(unnamed)");
	if (fstat((int)fd, &st) == 0)
		note("flags %#o %s %.400s",
		     (unsigned)fcntl((int)fd, F_GETFL) & ~(0100000u | O_NOFOLLOW), describe(&st),
		     target);
	close((int)fd);
	return 0;
}

static long look_chdir(const char *path)
{
	char cwd[PATH_MAX];
	int here = open(".", O_RDONLY | O_DIRECTORY);
	long result = syscall(SYS_chdir, path);
	int error = errno;

	if (result == 0)
		note("%s", getcwd(cwd, sizeof(cwd)) ? cwd : error_name(errno));
	MUST(fchdir(here));
	close(here);
	errno = error;
	return result;
}

static long look_getdents(const char *path)
{
	char buf[4096];
	long fd = syscall(SYS_openat, at, path, O_RDONLY | O_NONBLOCK);
	long result;
	int error;

	if (fd < 0)
		return fd;
	result = syscall(SYS_getdents64, fd, buf, sizeof(buf));
	error = errno;
	close((int)fd);
	errno = error;
	return result > 0 ? 1 : result;
}

static struct stat st_;
static struct statx sx_;
static struct statfs fs_;
static char buf_[PATH_MAX];

static const struct timespec both_times[2] = {{1100000000, 5}, {1200000000, 7}};
static const struct timespec now_omit[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
static const struct timespec omit_omit[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
static const struct timespec bad_times[2] = {{0, 1000000000}, {0, 0}};

#ifdef SYS_fchmodat2
#define FCHMODAT2 SYS_fchmodat2
#else
#define FCHMODAT2 452
#endif

/* CALL(name, expression): `path` and `at` are the arguments. */
#define LOOKS_AT(CALL)                                                                            \
	CALL(newfstatat, note_stat(syscall(SYS_newfstatat, at, path, &st_, 0), &st_))             \
	CALL(newfstatat_nofollow,                                                                 \
	     note_stat(syscall(SYS_newfstatat, at, path, &st_, AT_SYMLINK_NOFOLLOW), &st_))       \
	CALL(newfstatat_empty,                                                                    \
	     path ? note_stat(syscall(SYS_newfstatat, at, path, &st_, AT_EMPTY_PATH), &st_) : 0)  \
	CALL(newfstatat_automount,                                                                \
	     note_stat(syscall(SYS_newfstatat, at, path, &st_, AT_NO_AUTOMOUNT), &st_))           \
	CALL(newfstatat_bad_flag, syscall(SYS_newfstatat, at, path, &st_, 0x40000))               \
	CALL(newfstatat_bad_buffer, syscall(SYS_newfstatat, at, path, (void *)8, 0))              \
	CALL(statx, note_statx(syscall(SYS_statx, at, path, 0, STATX_BASIC_STATS, &sx_), &sx_))   \
	CALL(statx_nofollow, note_statx(syscall(SYS_statx, at, path, AT_SYMLINK_NOFOLLOW,         \
						STATX_BASIC_STATS, &sx_),                         \
					&sx_))                                                    \
	CALL(statx_bad_mask, syscall(SYS_statx, at, path, 0, 0x80000000u, &sx_))                  \
	CALL(statx_bad_sync, syscall(SYS_statx, at, path, AT_STATX_SYNC_TYPE, 0xfff, &sx_))       \
	CALL(statx_bad_buffer, syscall(SYS_statx, at, path, 0, STATX_BASIC_STATS, (void *)8))     \
	CALL(faccessat_f, syscall(SYS_faccessat, at, path, F_OK))                                 \
	CALL(faccessat_r, syscall(SYS_faccessat, at, path, R_OK))                                 \
	CALL(faccessat_w, syscall(SYS_faccessat, at, path, W_OK))                                 \
	CALL(faccessat_bad, syscall(SYS_faccessat, at, path, 8))                                  \
	CALL(faccessat2_nofollow, syscall(SYS_faccessat2, at, path, F_OK, AT_SYMLINK_NOFOLLOW))   \
	CALL(faccessat2_eaccess, syscall(SYS_faccessat2, at, path, R_OK, AT_EACCESS))             \
	CALL(faccessat2_empty, path ? syscall(SYS_faccessat2, at, path, R_OK, AT_EMPTY_PATH) : 0) \
	CALL(faccessat2_bad, syscall(SYS_faccessat2, at, path, R_OK, 0x40000))                    \
	CALL(readlinkat, note_link(syscall(SYS_readlinkat, at, path, buf_, sizeof(buf_)), buf_))  \
	CALL(readlinkat_1, note_link(syscall(SYS_readlinkat, at, path, buf_, 1), buf_))           \
	CALL(readlinkat_0, syscall(SYS_readlinkat, at, path, buf_, 0))                            \
	CALL(readlinkat_bad, syscall(SYS_readlinkat, at, path, (void *)8, 100))                   \
	CALL(getdents64, look_getdents(path))

#define LOOKS(CALL)                                                                             \
	CALL(chdir, look_chdir(path))                                                           \
	CALL(statfs, syscall(SYS_statfs, path, &fs_))                                           \
	CALL(statfs_bad_buffer, syscall(SYS_statfs, path, (void *)8))                           \
	CALL(fstatat_file_as_dir, syscall(SYS_newfstatat, file_fd(), path, &st_, 0))            \
	CALL(fstatat_closed_dir, syscall(SYS_newfstatat, 999, path, &st_, 0))                   \
	CALL(openat_closed_dir, note_fd(syscall(SYS_openat, 999, path, O_RDONLY | O_NONBLOCK))) \
	CALL(openat_file_as_dir, syscall(SYS_openat, file_fd(), path, O_RDONLY | O_NONBLOCK))   \
	CALL(getxattr_none, syscall(SYS_getxattr, path, "user.none", buf_, 10))                 \
	CALL(lgetxattr_none, syscall(SYS_lgetxattr, path, "user.none", buf_, 10))               \
	CALL(listxattr, syscall(SYS_listxattr, path, buf_, sizeof(buf_)))                       \
	CALL(execve_file, syscall(SYS_execve, path, NULL, NULL))

#ifdef SYS_open
#define OLD_LOOKS(CALL)                                                                  \
	CALL(stat, note_stat(syscall(SYS_stat, path, &st_), &st_))                       \
	CALL(lstat, note_stat(syscall(SYS_lstat, path, &st_), &st_))                     \
	CALL(access, syscall(SYS_access, path, R_OK | W_OK))                             \
	CALL(readlink, note_link(syscall(SYS_readlink, path, buf_, sizeof(buf_)), buf_)) \
	CALL(readlink_negative, syscall(SYS_readlink, path, buf_, -1))                   \
	CALL(open, note_fd(syscall(SYS_open, path, O_RDONLY | O_NONBLOCK)))
#else
#define OLD_LOOKS(CALL)
#endif

#define CHANGES_AT(CALL)                                                                         \
	CALL(mkdirat, syscall(SYS_mkdirat, at, path, 0751))                                      \
	CALL(mkdirat_sticky, syscall(SYS_mkdirat, at, path, 01777))                              \
	CALL(mknodat_file, syscall(SYS_mknodat, at, path, S_IFREG | 0640, 0))                    \
	CALL(mknodat_notype, syscall(SYS_mknodat, at, path, 0600, 0))                            \
	CALL(mknodat_fifo, syscall(SYS_mknodat, at, path, S_IFIFO | 0622, 0))                    \
	CALL(mknodat_socket, syscall(SYS_mknodat, at, path, S_IFSOCK | 0777, 0))                 \
	CALL(mknodat_dir, syscall(SYS_mknodat, at, path, S_IFDIR | 0777, 0))                     \
	CALL(symlinkat, syscall(SYS_symlinkat, "some/../where//", at, path))                     \
	CALL(symlinkat_nothing, syscall(SYS_symlinkat, "", at, path))                            \
	CALL(unlinkat, syscall(SYS_unlinkat, at, path, 0))                                       \
	CALL(unlinkat_dir, syscall(SYS_unlinkat, at, path, AT_REMOVEDIR))                        \
	CALL(unlinkat_bad, syscall(SYS_unlinkat, at, path, 0x40000))                             \
	CALL(link_to, syscall(SYS_linkat, AT_FDCWD, inside("f"), at, path, 0))                   \
	CALL(link_dir_to, syscall(SYS_linkat, AT_FDCWD, inside("d"), at, path, 0))               \
	CALL(link_symlink_to, syscall(SYS_linkat, AT_FDCWD, inside("dang"), at, path, 0))        \
	CALL(link_from, syscall(SYS_linkat, at, path, AT_FDCWD, inside("new"), 0))               \
	CALL(link_follow_from,                                                                   \
	     syscall(SYS_linkat, at, path, AT_FDCWD, inside("new"), AT_SYMLINK_FOLLOW))          \
	CALL(link_bad_flag, syscall(SYS_linkat, at, path, AT_FDCWD, inside("new"), 0x40000))     \
	CALL(rename_from, syscall(SYS_renameat, at, path, AT_FDCWD, inside("new")))              \
	CALL(rename_to, syscall(SYS_renameat, AT_FDCWD, inside("f"), at, path))                  \
	CALL(rename_dir_to, syscall(SYS_renameat, AT_FDCWD, inside("d"), at, path))              \
	CALL(rename_link_to, syscall(SYS_renameat, AT_FDCWD, inside("dang"), at, path))          \
	CALL(rename_noreplace_to,                                                                \
	     syscall(SYS_renameat2, AT_FDCWD, inside("f"), at, path, RENAME_NOREPLACE))          \
	CALL(exchange, syscall(SYS_renameat2, AT_FDCWD, inside("f"), at, path, RENAME_EXCHANGE)) \
	CALL(rename_bad_flags, syscall(SYS_renameat2, AT_FDCWD, inside("f"), at, path,           \
				       RENAME_EXCHANGE | RENAME_NOREPLACE))                      \
	CALL(rename_bad_flag, syscall(SYS_renameat2, AT_FDCWD, inside("f"), at, path, 0x100))

#define CHANGES(CALL)                                     \
	CALL(truncate_3, syscall(SYS_truncate, path, 3L)) \
	CALL(truncate_0, syscall(SYS_truncate, path, 0L)) \
	CALL(truncate_9, syscall(SYS_truncate, path, 9L)) \
	CALL(truncate_negative, syscall(SYS_truncate, path, -1L))

#ifdef SYS_open
#define OLD_CHANGES(CALL)                                        \
	CALL(mkdir, syscall(SYS_mkdir, path, 0755))              \
	CALL(rmdir, syscall(SYS_rmdir, path))                    \
	CALL(unlink, syscall(SYS_unlink, path))                  \
	CALL(mknod, syscall(SYS_mknod, path, S_IFREG | 0666, 0)) \
	CALL(symlink, syscall(SYS_symlink, "f", path))           \
	CALL(link, syscall(SYS_link, "f", path))                 \
	CALL(rename, syscall(SYS_rename, "f", path))             \
	CALL(creat, is_fifo(path) ? 0 : note_fd(syscall(SYS_creat, path, 0600)))
#else
#define OLD_CHANGES(CALL)
#endif

#define METAS_AT(CALL)                                                                     \
	CALL(fchmodat, syscall(SYS_fchmodat, at, path, 0751))                              \
	CALL(fchmodat_sticky, syscall(SYS_fchmodat, at, path, 01700))                      \
	CALL(fchmodat2, syscall(FCHMODAT2, at, path, 0711, 0))                             \
	CALL(fchmodat2_nofollow, syscall(FCHMODAT2, at, path, 0711, AT_SYMLINK_NOFOLLOW))  \
	CALL(fchmodat2_bad, syscall(FCHMODAT2, at, path, 0711, 0x40000))                   \
	CALL(fchownat_none, syscall(SYS_fchownat, at, path, -1, -1, 0))                    \
	CALL(fchownat_me, syscall(SYS_fchownat, at, path, geteuid(), getegid(), 0))        \
	CALL(fchownat_nofollow,                                                            \
	     syscall(SYS_fchownat, at, path, geteuid(), -1, AT_SYMLINK_NOFOLLOW))          \
	CALL(fchownat_bad, syscall(SYS_fchownat, at, path, -1, -1, 0x40000))               \
	CALL(utimensat, path ? syscall(SYS_utimensat, at, path, both_times, 0) : 0)        \
	CALL(utimensat_nofollow,                                                           \
	     path ? syscall(SYS_utimensat, at, path, both_times, AT_SYMLINK_NOFOLLOW) : 0) \
	CALL(utimensat_omit, path ? syscall(SYS_utimensat, at, path, now_omit, 0) : 0)     \
	CALL(utimensat_nothing, path ? syscall(SYS_utimensat, at, path, omit_omit, 0) : 0) \
	CALL(utimensat_bad, path ? syscall(SYS_utimensat, at, path, bad_times, 0) : 0)     \
	CALL(utimensat_bad_flag, path ? syscall(SYS_utimensat, at, path, NULL, 0x40000) : 0)

#ifdef SYS_open
#define OLD_METAS(CALL)                                                                         \
	CALL(chmod, syscall(SYS_chmod, path, 0704))                                             \
	CALL(chown, syscall(SYS_chown, path, -1, getegid()))                                    \
	CALL(lchown, syscall(SYS_lchown, path, geteuid(), getegid()))                           \
	CALL(utime, syscall(SYS_utime, path, &(struct utimbuf){1300000000, 1300000001}))        \
	CALL(utime_now, syscall(SYS_utime, path, NULL))                                         \
	CALL(utimes, syscall(SYS_utimes, path, (struct timeval[2]){{5, 6}, {7, 8}}))            \
	CALL(utimes_bad, syscall(SYS_utimes, path, (struct timeval[2]){{5, 1000000}, {7, 8}}))  \
	CALL(futimesat,                                                                         \
	     path ? syscall(SYS_futimesat, AT_FDCWD, path, (struct timeval[2]){{5, 6}, {7, 8}}) \
		  : 0)
#else
#define OLD_METAS(CALL)
#endif

#define XATTRS(CALL)                                                                         \
	CALL(setxattr, syscall(SYS_setxattr, path, "user.a", "value", 5, 0))                 \
	CALL(lsetxattr, syscall(SYS_lsetxattr, path, "user.a", "value", 5, 0))               \
	CALL(setxattr_replace, syscall(SYS_setxattr, path, "user.a", "v", 1, XATTR_REPLACE)) \
	CALL(setxattr_bad_name, syscall(SYS_setxattr, path, "nonsense", "v", 1, 0))          \
	CALL(setxattr_empty_name, syscall(SYS_setxattr, path, "", "v", 1, 0))                \
	CALL(setxattr_long_name, syscall(SYS_setxattr, path, name_256, "v", 1, 0))           \
	CALL(setxattr_too_big, syscall(SYS_setxattr, path, "user.a", buf_, 65537, 0))        \
	CALL(setxattr_bad_flag, syscall(SYS_setxattr, path, "user.a", "v", 1, 4))            \
	CALL(setxattr_bad_pointer, syscall(SYS_setxattr, path, "user.a", (void *)8, 1, 0))   \
	CALL(removexattr, syscall(SYS_removexattr, path, "user.a"))                          \
	CALL(lremovexattr, syscall(SYS_lremovexattr, path, "user.a"))                        \
	CALL(getxattr, syscall(SYS_getxattr, path, "user.a", buf_, 10))

/* open() with every sensible mixture of flags, and some mixtures that make no sense. */
#define OPENS(CALL)                                                      \
	CALL(rdonly, O_RDONLY)                                           \
	CALL(wronly, O_WRONLY)                                           \
	CALL(rdwr, O_RDWR)                                               \
	CALL(no_access_mode, O_ACCMODE)                                  \
	CALL(creat, O_RDWR | O_CREAT)                                    \
	CALL(creat_rdonly, O_RDONLY | O_CREAT)                           \
	CALL(creat_excl, O_WRONLY | O_CREAT | O_EXCL)                    \
	CALL(creat_trunc, O_WRONLY | O_CREAT | O_TRUNC)                  \
	CALL(creat_append, O_WRONLY | O_CREAT | O_APPEND)                \
	CALL(creat_nofollow, O_WRONLY | O_CREAT | O_NOFOLLOW)            \
	CALL(creat_directory, O_RDONLY | O_CREAT | O_DIRECTORY)          \
	CALL(creat_path, O_RDONLY | O_CREAT | O_PATH)                    \
	CALL(excl, O_RDWR | O_EXCL)                                      \
	CALL(nofollow, O_RDONLY | O_NOFOLLOW)                            \
	CALL(nofollow_rdwr, O_RDWR | O_NOFOLLOW)                         \
	CALL(directory, O_RDONLY | O_DIRECTORY)                          \
	CALL(directory_nofollow, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)    \
	CALL(directory_rdwr, O_RDWR | O_DIRECTORY)                       \
	CALL(directory_trunc, O_RDONLY | O_DIRECTORY | O_TRUNC)          \
	CALL(path, O_PATH)                                               \
	CALL(path_nofollow, O_PATH | O_NOFOLLOW)                         \
	CALL(path_directory, O_PATH | O_DIRECTORY)                       \
	CALL(path_directory_nofollow, O_PATH | O_DIRECTORY | O_NOFOLLOW) \
	CALL(path_rdwr, O_PATH | O_RDWR | O_TRUNC)                       \
	CALL(trunc, O_WRONLY | O_TRUNC)                                  \
	CALL(trunc_rdonly, O_RDONLY | O_TRUNC)                           \
	CALL(append, O_RDWR | O_APPEND)                                  \
	CALL(tmpfile, O_TMPFILE | O_RDWR)                                \
	CALL(tmpfile_excl, O_TMPFILE | O_WRONLY | O_EXCL)                \
	CALL(tmpfile_rdonly, O_TMPFILE | O_RDONLY)                       \
	CALL(tmpfile_creat, O_TMPFILE | O_RDWR | O_CREAT)                \
	CALL(noatime, O_RDONLY | O_NOATIME)                              \
	CALL(sync, O_WRONLY | O_SYNC)                                    \
	CALL(unknown_flag, O_RDONLY | 0x40000000)

static bool is_string(const char *path)
{
	return path && path != at_page_end && path != no_end && (uintptr_t)path > 4096 &&
	       (uintptr_t)path < 1ULL << 48;
}

/* creat() of a FIFO would wait for a reader. */
static UNUSED bool is_fifo(const char *path)
{
	size_t len = is_string(path) ? strlen(path) : 0;

	return len > 0 && path[len - 1] == 'p' && (len == 1 || path[len - 2] == '/');
}

static int file_fd(void)
{
	static int fd = -1;

	if (fd == -1) {
		fd = (int)MUST(open("/proc/self/exe", O_RDONLY));
		MUST(dup2(fd, 200));
		close(fd);
		fd = 200;
	}
	return fd;
}

static const char *inside(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", tree, name);
	return path;
}

typedef long (*call_fn)(const char *path);

struct call {
	const char *name;
	call_fn run;
};

#define FUNCTION(name, body)                     \
	static long run_##name(const char *path) \
	{                                        \
		return body;                     \
	}
#define ROW(name, body) {#name, run_##name},

static long open_with(const char *path, long flags)
{
	return note_fd(
		syscall(SYS_openat, at, path, flags | (flags & O_PATH ? 0 : O_NONBLOCK), 0640));
}

#define OPEN_FUNCTION(name, flags)                \
	static long open_##name(const char *path) \
	{                                         \
		return open_with(path, flags);    \
	}
#define OPEN_ROW(name, flags) {"open_" #name, open_##name},

LOOKS_AT(FUNCTION)
LOOKS(FUNCTION)
OLD_LOOKS(FUNCTION)
CHANGES_AT(FUNCTION)
CHANGES(FUNCTION)
OLD_CHANGES(FUNCTION)
METAS_AT(FUNCTION)
OLD_METAS(FUNCTION)
XATTRS(FUNCTION)
OPENS(OPEN_FUNCTION)

/* openat2 with each RESOLVE flag alone. */
static uint64_t resolve;
static const char *resolve_name = "";

static long run_openat2(const char *path)
{
	struct open_how how = {.flags = O_RDONLY | O_NONBLOCK, .resolve = resolve};

	return note_fd(syscall(SYS_openat2, at, path, &how, sizeof(how)));
}

static long run_openat2_path(const char *path)
{
	struct open_how how = {.flags = O_PATH | O_NOFOLLOW, .resolve = resolve};

	return note_fd(syscall(SYS_openat2, at, path, &how, sizeof(how)));
}

static long run_openat2_creat(const char *path)
{
	struct open_how how = {
		.flags = O_RDWR | O_CREAT | O_NONBLOCK, .mode = 0600, .resolve = resolve};

	return note_fd(syscall(SYS_openat2, at, path, &how, sizeof(how)));
}

static const struct call look_calls_at[] = {LOOKS_AT(ROW)};
static const struct call look_calls[] = {LOOKS(ROW) OLD_LOOKS(ROW)};
static const struct call change_calls_at[] = {CHANGES_AT(ROW)};
static const struct call change_calls[] = {CHANGES(ROW) OLD_CHANGES(ROW)};
static const struct call meta_calls_at[] = {METAS_AT(ROW)};
static const struct call meta_calls[] = {OLD_METAS(ROW){"", NULL}};
static const struct call xattr_calls[] = {XATTRS(ROW)};
static const struct call open_calls[] = {OPENS(OPEN_ROW)};
static const struct call openat2_calls[] = {{"openat2", run_openat2},
					    {"openat2_path", run_openat2_path},
					    {"openat2_creat", run_openat2_creat}};

/* ---- running the cases ---- */

static char base[PATH_MAX / 2];
static char tree_path[PATH_MAX];
static bool make_as_needed;
static bool only_looks; /* the calls change nothing: do not compare the tree after each */
static int trees;   /* how many trees were used */
static int tree_fd;

/* Go to a tree that nothing has changed yet. */
static void next_tree(void)
{
	char name[32];

	MUST(chdir(base));
	snprintf(name, sizeof(name), "t%d", trees++);
	if (make_as_needed)
		make_tree(name);
	snprintf(tree_path, sizeof(tree_path), "%s/%s", base, name);
	tree = tree_path;
	if (tree_fd > 0)
		close(tree_fd);
	tree_fd = (int)MUST(open(name, O_RDONLY | O_DIRECTORY));
	MUST(dup2(tree_fd, 201));
	close(tree_fd);
	tree_fd = 201;
	MUST(chdir(name));
	before.len = 0;
	render(&before, tree);
}

static void say_result(long result, int error)
{
	errno = error;
	put_result(result);
	if (result >= 0 && detail[0])
		printf(" %s", detail);
	if (only_looks || result == -1) { /* a failed call's changes show later */
		printf("\n");
		return;
	}
	say_changes();
	printf("\n");
	if (strcmp(before.buf, after.buf) != 0)
		next_tree();
}

enum form { RELATIVE, DIRECTORY, ABSOLUTE };

static void run_case(const struct call *call, const struct kind *kind, enum form form)
{
	static char absolute[3 * PATH_MAX];
	const char *path = kind->path;
	long result;

	if (form == ABSOLUTE) {
		snprintf(absolute, sizeof(absolute), "%s/%s", tree, path);
		path = absolute;
	}
	MUST(chdir(form == RELATIVE ? tree : base));
	at = form == DIRECTORY ? tree_fd : AT_FDCWD;
	detail[0] = '\0';
	printf("%s%s(%s%s)", call->name, resolve_name,
	       form == ABSOLUTE    ? "/.../"
	       : form == DIRECTORY ? "fd, "
				   : "",
	       kind->label);
	printf(" = ");
	errno = 0;
	result = call->run(path);
	say_result(result, errno);
}

static void run_calls(const struct call *calls, size_t count, bool takes_directory)
{
	for (size_t i = 0; i < count && calls[i].run; i++) {
		for (size_t k = 0; k < COUNT(kinds); k++) {
			run_case(&calls[i], &kinds[k], RELATIVE);
			if (!is_string(kinds[k].path) || k % 8 != 0 || strlen(kinds[k].path) > 255)
				continue;
			if (takes_directory)
				run_case(&calls[i], &kinds[k], DIRECTORY);
			run_case(&calls[i], &kinds[k], ABSOLUTE);
		}
	}
}

#define RUN(calls, takes_directory) run_calls(calls, COUNT(calls), takes_directory)

static void look(void)
{
	RUN(look_calls_at, true);
	RUN(look_calls, false);
}

static void change(void)
{
	RUN(change_calls_at, true);
	RUN(change_calls, false);
}

static void meta(void)
{
	RUN(meta_calls_at, true);
	RUN(meta_calls, false);
}

static void xattr(void)
{
	RUN(xattr_calls, false);
}

static void opens(void)
{
	RUN(open_calls, true);
}

static void openat2_sizes(void)
{
	struct {
		struct open_how how;
		uint64_t more;
	} how = {.how = {.flags = O_RDONLY}};

	say("openat2 sizes");
	SEE(syscall(SYS_openat2, AT_FDCWD, "f", &how, 0) > 0 ? 1 : -1);
	SEE(syscall(SYS_openat2, AT_FDCWD, "f", &how, 23) > 0 ? 1 : -1);
	SEE(syscall(SYS_openat2, AT_FDCWD, "f", &how, 32) > 0 ? 1 : -1);
	how.more = 1;
	SEE(syscall(SYS_openat2, AT_FDCWD, "f", &how, 32) > 0 ? 1 : -1);
	SEE(syscall(SYS_openat2, AT_FDCWD, "f", &how, 5000) > 0 ? 1 : -1);
	SEE(syscall(SYS_openat2, AT_FDCWD, "f", 8, 24) > 0 ? 1 : -1);
	how.how.resolve = 1 << 20;
	SEE(syscall(SYS_openat2, AT_FDCWD, "f", &how, 24) > 0 ? 1 : -1);
	how.how = (struct open_how){.flags = O_RDONLY, .mode = 0600};
	SEE(syscall(SYS_openat2, AT_FDCWD, "f", &how, 24) > 0 ? 1 : -1);
	how.how = (struct open_how){.flags = 1ULL << 40};
	SEE(syscall(SYS_openat2, AT_FDCWD, "f", &how, 24) > 0 ? 1 : -1);
	how.how = (struct open_how){.flags = O_PATH | O_RDWR};
	SEE(syscall(SYS_openat2, AT_FDCWD, "f", &how, 24) > 0 ? 1 : -1);
	how.how = (struct open_how){.flags = O_CREAT | O_RDWR, .mode = 0100644};
	SEE(syscall(SYS_openat2, AT_FDCWD, "f", &how, 24) > 0 ? 1 : -1);
	how.how = (struct open_how){.resolve = RESOLVE_BENEATH | RESOLVE_IN_ROOT};
	SEE(syscall(SYS_openat2, AT_FDCWD, "f", &how, 24) > 0 ? 1 : -1);
}

static void openat2(void)
{
	static const struct {
		const char *name;
		uint64_t flag;
	} flags[] = {
		{"", 0},
		{" NO_XDEV", RESOLVE_NO_XDEV},
		{" NO_MAGICLINKS", RESOLVE_NO_MAGICLINKS},
		{" NO_SYMLINKS", RESOLVE_NO_SYMLINKS},
		{" BENEATH", RESOLVE_BENEATH},
		{" IN_ROOT", RESOLVE_IN_ROOT},
	};
	static const struct kind more[] = {{"/f", "/f"},
					   {"/", "/"},
					   {"../t0/f", "../t0/f"},
					   {"d/../../f", "d/../../f"},
					   {"/../../d/f", "/../../d/f"}};

	for (size_t i = 0; i < COUNT(flags); i++) {
		resolve = flags[i].flag;
		resolve_name = flags[i].name;
		RUN(openat2_calls, true);
		for (size_t k = 0; k < COUNT(more); k++) {
			run_case(&openat2_calls[1], &more[k], RELATIVE);
			run_case(&openat2_calls[1], &more[k], DIRECTORY);
		}
	}
	MUST(chdir(tree));
	openat2_sizes();
}

/* Calls with two paths, on all pairs of paths. */
static void pairs(void)
{
	static const char *const names[] = {"f",   "e",     "d",        "n",    "p",    "missing",
					    "lf",  "ld",    "dang",     "loop", "d/f",  "d/x",
					    "n/x", "f/x",   "f/",       "d/",   "n/",   "lf/",
					    "ld/", "dang/", "missing/", ".",    "d/..", ""};
	enum { RENAME, NOREPLACE, EXCHANGE, LINK, LINK_FOLLOW, HOW };
	static const char *const hows[] = {"rename", "noreplace", "exchange", "link",
					   "link_follow"};

	for (int how = 0; how < HOW; how++) {
		for (size_t i = 0; i < COUNT(names) * COUNT(names); i++) {
			const char *a = names[i / COUNT(names)];
			const char *b = names[i % COUNT(names)];
			long result = 0;

			MUST(chdir(tree));
			detail[0] = '\0';
			printf("%s(\"%s\", \"%s\") = ", hows[how], a, b);
			errno = 0;
			if (how == RENAME)
				result = syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 0);
			else if (how == NOREPLACE)
				result = syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b,
						 RENAME_NOREPLACE);
			else if (how == EXCHANGE)
				result = syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b,
						 RENAME_EXCHANGE);
			else
				result = syscall(SYS_linkat, AT_FDCWD, a, AT_FDCWD, b,
						 how == LINK ? 0 : AT_SYMLINK_FOLLOW);
			say_result(result, errno);
		}
	}
}

/* `trees` is how many trees a group needs at most; `prepare` makes that many. */
static const struct {
	const char *name;
	void (*run)(void);
	int trees;
} groups[] = {
	{"look", look, 1},   {"open", opens, 100},  {"change", change, 380},  {"meta", meta, 400},
	{"xattr", xattr, 1}, {"pairs", pairs, 310}, {"openat2", openat2, 32},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	umask(022);
	if (argc != 4)
		return 98;
	MUST(chdir(argv[3]));
	if (mkdir("w", 0755) == -1 && errno != EEXIST) /* the folder itself may be a mount point */
		broken("w");
	MUST(chdir("w"));
	if (!getcwd(base, sizeof(base)))
		broken("getcwd");
	for (size_t i = 0; i < COUNT(groups); i++) {
		if (strcmp(groups[i].name, argv[1]) != 0)
			continue;
		if (strcmp(argv[2], "prepare") == 0) {
			char name[32];

			for (int n = 0; n < groups[i].trees; n++) {
				snprintf(name, sizeof(name), "t%d", n);
				make_tree(name);
			}
			return 0;
		}
		make_as_needed = strcmp(argv[2], "both") == 0;
		make_kinds();
		next_tree();
		only_looks = groups[i].trees == 1;
		groups[i].run();
		fflush(stdout);
		fprintf(stderr, "%d trees\n", trees);
		return 0;
	}
	return 98;
}
