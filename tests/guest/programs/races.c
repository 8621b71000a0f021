/* SPDX-License-Identifier: MIT */
/*
 * races.c - several processes change the same names at once: one of them wins, nothing is lost, and
 * no half-made file is seen.
 *
 *   races GROUP prepare|observe|both (in an empty directory)
 */
#include "see.h"

#include <dirent.h>
#include <sched.h>

#define WORKERS 4
#define ROUNDS 60
#define FIRST 20

/* Shared by all workers. */
static struct board {
	int ready;
	int go;
	int won[8];
	int failed;
	int done;
} *board;

static const char *name(const char *prefix, int number)
{
	static char text[2][64];
	static int turn;

	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]), "%s-%d", prefix, number);
	return text[turn];
}

static void meet(int round)
{
	__atomic_add_fetch(&board->ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&board->ready, __ATOMIC_SEQ_CST) < WORKERS * (round + 1))
		sched_yield();
}

static void count(int what, long result, int expected)
{
	if (result >= 0)
		__atomic_add_fetch(&board->won[what], 1, __ATOMIC_SEQ_CST);
	else if (errno != expected && __atomic_add_fetch(&board->failed, 1, __ATOMIC_SEQ_CST) < 4)
		say("unexpected in %d: %s", what, error_name(errno));
}

static void run_workers(void (*body)(int worker))
{
	pid_t pids[WORKERS];
	int status;

	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	fflush(stdout);
	for (int i = 0; i < WORKERS; i++) {
		pids[i] = (pid_t)MUST(fork());
		if (pids[i] == 0) {
			body(i);
			fflush(stdout);
			_exit(0);
		}
	}
	for (int i = 0; i < WORKERS; i++) {
		status = wait_for(pids[i]);
		if (status != 0)
			say_status("worker", status);
	}
	say("unexpected %d", board->failed);
}

static void make_file(const char *path)
{
	write_file(path, "before");
}

/* ---- one winner each ---- */

static void prepare_winners(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		make_file(name("u", i));
		make_file(name("m", i));
		make_file(name("l", i));
		make_file(name("n", i));
		MUST(mkdir(name("r", i), 0755));
		MUST(mkdir(name("d", i), 0755));
		make_file(strcat(strcpy((char[80]){0}, name("d", i)), "/in"));
	}
}

static void win(int worker)
{
	for (int i = 0; i < ROUNDS; i++) {
		char to[64];
		int fd;

		meet(i);
		fd = open(name("c", i), O_CREAT | O_EXCL | O_WRONLY, 0600);
		count(0, fd, EEXIST);
		close(fd);
		count(1, mkdir(name("k", i), 0700), EEXIST);
		count(2, unlink(name("u", i)), ENOENT);
		count(3, rmdir(name("r", i)), ENOENT);
		snprintf(to, sizeof(to), "by-%d-%d", worker, i);
		count(4, rename(name("m", i), to), ENOENT);
		count(5, link(name("l", i), name("x", i)), EEXIST);
		snprintf(to, sizeof(to), "dir-by-%d-%d", worker, i);
		count(6, rename(name("d", i), to), ENOENT);
		/* A rename in two steps makes the new name before it removes the old one. */
		if (syscall(SYS_renameat2, AT_FDCWD, name("n", i), AT_FDCWD, name("o", i),
			    RENAME_NOREPLACE) == 0)
			count(7, 0, 0);
		else if (errno != EEXIST)
			count(7, -1, ENOENT);
	}
}

static int count_entries(const char *prefix)
{
	DIR *stream = opendir(".");
	struct dirent *entry;
	int found = 0;

	while ((entry = readdir(stream)) != NULL)
		found += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(stream);
	return found;
}

static void winners(void)
{
	static const char *const what[] = {
		"open O_EXCL",        "mkdir",           "unlink", "rmdir", "rename", "link",
		"rename a directory", "rename NOREPLACE"};
	static const char *const prefixes[] = {"c-", "k-", "u-",      "r-", "m-", "by-",
					       "x-", "d-", "dir-by-", "n-", "o-"};

	run_workers(win);
	for (size_t i = 0; i < COUNT(what); i++)
		say("%s: %d winners", what[i], board->won[i]);
	for (size_t i = 0; i < COUNT(prefixes); i++)
		say("%s: %d names", prefixes[i], count_entries(prefixes[i]));
}

/* ---- nothing is lost ---- */

static void prepare_writers(void)
{
	for (int i = 0; i < ROUNDS; i++)
		make_file(name("w", i));
	make_file("appended");
}

static void write_all(int worker)
{
	char line[32];

	for (int i = 0; i < ROUNDS; i++) {
		char byte = (char)('A' + worker);
		int fd;

		meet(i);
		fd = open(name("w", i), O_RDWR);
		count(0, pwrite(fd, &byte, 1, 10 + worker), 0);
		close(fd);
		count(1, chmod(name("w", i), 0600 | (mode_t)worker), 0);
		snprintf(line, sizeof(line), "%d %3d\n", worker, i);
		fd = open("appended", O_WRONLY | O_APPEND);
		count(2, write(fd, line, 6), 0);
		close(fd);
	}
}

static void writers(void)
{
	int whole = 0;
	struct stat st;

	run_workers(write_all);
	for (int i = 0; i < ROUNDS; i++) {
		char buf[32] = "";
		int fd = open(name("w", i), O_RDONLY);

		whole += read(fd, buf, sizeof(buf)) == 14 &&
			 memcmp(buf, "before\0\0\0\0ABCD", 14) == 0;
		close(fd);
	}
	say("%d of %d files hold what all wrote", whole, ROUNDS);
	MUST(stat("appended", &st));
	say("appended: %lld bytes", (long long)st.st_size);
}

/* ---- no half-written file is seen ---- */

static void prepare_replaced(void)
{
	write_file("config", "0123456789");
	write_file("x", "0123456789");
	write_file("y", "0123456789");
	MUST(mkdir("dir", 0755));
	write_file("dir/in", "0123456789");
}

static void read_whole(int what, const char *path)
{
	char buf[32];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	count(what, n == 10 ? 0 : -1, 0);
	if (fd >= 0)
		close(fd);
}

static void replace(int worker)
{
	for (int i = 0; i < 5 * ROUNDS; i++) {
		char temp[32];
		struct stat st;

		meet(i);
		if (worker < 2) {
			snprintf(temp, sizeof(temp), "temp-%d", worker);
			write_file(temp, "9876543210");
			count(0, rename(temp, "config"), 0);
			if (worker == 0)
				count(1,
				      syscall(SYS_renameat2, AT_FDCWD, "x", AT_FDCWD, "y",
					      RENAME_EXCHANGE),
				      0);
			else
				count(2, chmod("dir", 0700 | (i & 077)), 0);
		} else {
			read_whole(3, "config");
			read_whole(4, "x");
			read_whole(5, "y");
			read_whole(6, "dir/in");
			count(7, stat("dir", &st), 0);
		}
	}
}

static void replaced(void)
{
	run_workers(replace);
	for (int i = 0; i < 8; i++)
		say("%d: %d", i, board->won[i]);
}

/* ---- all processes use one directory ---- */

static void prepare_shared(void)
{
	MUST(mkdir("s", 0755));
	for (int i = 0; i < 200; i++)
		make_file(name("s/old", i));
}

static void share(int worker)
{
	for (int i = 0; i < ROUNDS; i++) {
		char path[64];

		meet(i);
		snprintf(path, sizeof(path), "s/new-%d-%d", worker, i);
		make_file(path);
		count(0, unlink(name("s/old", i * 3 + (worker & 1))), ENOENT);
		if (i % 10 == worker) {
			static unsigned char seen[200];
			DIR *stream = opendir("s");
			struct dirent *entry;
			int twice = 0;

			memset(seen, 0, sizeof(seen));
			while ((entry = readdir(stream)) != NULL) {
				int number;

				if (sscanf(entry->d_name, "old-%d", &number) == 1)
					twice += seen[number]++;
			}
			closedir(stream);
			count(1, twice ? -1 : 0, 0);
		}
	}
}

static void shared(void)
{
	DIR *stream;
	int found = 0;

	run_workers(share);
	say("removed %d, listings %d", board->won[0], board->won[1]);
	stream = opendir("s");
	while (readdir(stream))
		found++;
	say("entries %d", found);
	closedir(stream);
}

/* ---- all processes are the first to change a directory ---- */

static const char *in_dir(const char *entry, int number)
{
	static char text[2][64];
	static int turn;

	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]), "p-%d/sub/%s", number, entry);
	return text[turn];
}

static void prepare_first(void)
{
	for (int i = 0; i < FIRST; i++) {
		MUST(mkdir(name("p", i), 0755));
		MUST(mkdir(in_dir("", i), 0755));
		make_file(in_dir("old", i));
		make_file(in_dir("moved", i));
	}
}

/* Each worker makes a different change, so none may fail. (A test makes copy-ups slow.) */
static void change_first(int worker)
{
	for (int i = 0; i < FIRST; i++) {
		meet(i);
		usleep((useconds_t)(worker * (i % 5) * 3000));
		if (worker == 0)
			count(0, open(in_dir("new", i), O_CREAT | O_EXCL | O_WRONLY, 0600), 0);
		else if (worker == 1 && i % 2)
			count(1, mkdir(in_dir("dir", i), 0700), 0);
		else if (worker == 1)
			count(2, unlink(in_dir("old", i)), 0);
		else if (worker == 2)
			count(3, chmod(in_dir("", i), 0711), 0);
		else
			count(4, rename(in_dir("moved", i), in_dir("there", i)), 0);
	}
}

static void first(void)
{
	int entries = 0;

	run_workers(change_first);
	for (int i = 0; i < 5; i++)
		say("%d: %d", i, board->won[i]);
	for (int i = 0; i < FIRST; i++) {
		DIR *stream = opendir(in_dir("", i));

		while (stream && readdir(stream))
			entries++;
		closedir(stream);
	}
	say("entries %d", entries);
}

/* ---- directories that move while others change what is in them ---- */

#define MOVES 25

static const char *in_moving(char top, int number, const char *entry)
{
	static char text[4][64];
	static unsigned turn;
	char *chosen = text[turn++ % COUNT(text)];

	snprintf(chosen, sizeof(text[0]), "%c-%d/%s", top, number, entry);
	return chosen;
}

static void prepare_moving(void)
{
	static const char *const files[] = {"written", "removed",  "moved",
					    "kept",    "sub/kept", "again/gone"};

	for (int i = 0; i < MOVES; i++) {
		MUST(mkdir(name("v", i), 0755));
		MUST(mkdir(in_moving('v', i, "sub"), 0755));
		MUST(mkdir(in_moving('v', i, "sub/empty"), 0755));
		MUST(mkdir(in_moving('v', i, "again"), 0755));
		for (size_t k = 0; k < COUNT(files); k++)
			make_file(in_moving('v', i, files[k]));
	}
}

/* Which changes of each directory succeeded. */
static struct {
	char moved[MOVES], written[MOVES], made[MOVES], renamed[MOVES], removed[MOVES],
		emptied[MOVES], gone[MOVES];
} *happened;

static void note_moving(char *fact, long result)
{
	*fact = result >= 0;
	count(result >= 0 ? 0 : 1, result, ENOENT);
}

static void move_or_change(int worker)
{
	for (int i = 0; i < MOVES; i++) {
		int fd;

		meet(i);
		if (worker == 0) {
			usleep((useconds_t)(i % 6) * 700);
			happened->moved[i] = rename(name("v", i), name("z", i)) == 0;
		} else if (worker == 1) {
			fd = open(in_moving('v', i, "written"), O_RDWR);
			note_moving(&happened->written[i], fd < 0 ? -1 : write(fd, "BEFORE", 6));
			close(fd);
			fd = open(in_moving('v', i, "sub/made"), O_CREAT | O_EXCL | O_RDWR, 0600);
			note_moving(&happened->made[i], fd);
			close(fd);
		} else if (worker == 2) {
			note_moving(&happened->renamed[i], rename(in_moving('v', i, "moved"),
								  in_moving('v', i, "sub/moved")));
			note_moving(&happened->gone[i], unlink(in_moving('v', i, "again/gone")));
			/* By now the directory may be moved, removed or not empty. */
			if (rmdir(in_moving('v', i, "again")) == 0)
				mkdir(in_moving('v', i, "again"), 0755);
		} else {
			note_moving(&happened->removed[i], unlink(in_moving('v', i, "removed")));
			note_moving(&happened->emptied[i], rmdir(in_moving('v', i, "sub/empty")));
		}
	}
}

static int differs(int number, const char *entry, int expected)
{
	return (access(in_moving('z', number, entry), F_OK) == 0) != expected;
}

static void moving(void)
{
	int moved = 0, wrong = 0, left = 0;

	happened = mmap(NULL, sizeof(*happened), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	run_workers(move_or_change);
	for (int i = 0; i < MOVES; i++) {
		char text[8] = "";
		int fd = open(in_moving('z', i, "written"), O_RDONLY);

		moved += happened->moved[i];
		left += access(name("v", i), F_OK) == 0;
		wrong += read(fd, text, 6) != 6 ||
			 strcmp(text, happened->written[i] ? "BEFORE" : "before") != 0;
		close(fd);
		wrong += differs(i, "sub/made", happened->made[i]);
		wrong += differs(i, "moved", !happened->renamed[i]);
		wrong += differs(i, "sub/moved", happened->renamed[i]);
		wrong += differs(i, "removed", !happened->removed[i]);
		wrong += differs(i, "sub/empty", !happened->emptied[i]);
		wrong += differs(i, "again/gone", !happened->gone[i]);
		wrong += differs(i, "kept", 1) + differs(i, "sub/kept", 1);
	}
	say("moved %d, left %d, wrong %d", moved, left, wrong);
}

static const struct story stories[] = {
	{"winners", prepare_winners, winners},    {"writers", prepare_writers, writers},
	{"replaced", prepare_replaced, replaced}, {"shared", prepare_shared, shared},
	{"first", prepare_first, first},          {"moving", prepare_moving, moving},
};

int main(int argc, char **argv)
{
	return run_story(argc, argv, stories, COUNT(stories));
}
