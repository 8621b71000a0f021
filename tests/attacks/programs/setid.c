/* SPDX-License-Identifier: MIT */
/*
 * setid.c - leave a program on the machine that runs with the user's rights for whoever starts it.
 *
 *   setid (in /tmp, which the container may write)
 *
 * The mode of openat2 lies in memory, which a filter does not see. So the file gets its bits when
 * it is made, and only then its content. Each attempt says whether a file with the bits is left
 * that is not empty.
 */
#include "attack.h"

#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define MODE 06755
#define LEN 4096

static int dir;
static int source;

static long make(void)
{
	const struct open_how how = {.flags = O_CREAT | O_EXCL | O_RDWR, .mode = MODE};

	PAST(SYS_unlinkat, dir, "made", 0);
	return PAST(SYS_openat2, dir, "made", &how, sizeof(how));
}

/* Is it what a user could run? */
static long judge(long fd, long ret)
{
	struct stat st;

	if (ret < 0)
		return ret;
	if (PAST(SYS_fstat, fd, &st) != 0)
		return -EBADF;
	return (st.st_mode & 06000) != 0 && st.st_size > 0 ? 0 : -EPERM;
}

static void fill(const char *what, long nr, long a, long b, long c, long d, long e)
{
	const long fd = make();
	const long args[] = {a, b, c, d, e};
	long real[5];

	if (fd < 0) {
		attempt(what, fd);
		return;
	}
	for (int i = 0; i < 5; i++)
		real[i] = args[i] == -99 ? fd : args[i];
	attempt(what, judge(fd, PAST(nr, real[0], real[1], real[2], real[3], real[4])));
	PAST(SYS_close, fd);
}

#define MADE -99 /* stands for the file */

/* Without bits first: the way that chmod would go. */
static void change_mode(const char *what, long nr)
{
	const long fd = make();

	PAST(SYS_write, fd, "#!/bin/id", 9);
	attempt(what, judge(fd, PAST(nr, fd, MODE)));
	PAST(SYS_close, fd);
}

static void map(void)
{
	const long fd = make();
	long at = PAST(SYS_ftruncate, fd, LEN);

	if (at == 0)
		at = PAST(SYS_mmap, 0, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at > 0)
		memcpy((void *)at, "#!/bin/id", 9);
	attempt("grow it and map it", judge(fd, at));
	PAST(SYS_close, fd);
}

/* Are the bits there before there is content? */
static void make_empty(void)
{
	struct stat st;
	const long fd = make();
	const long ret = fd < 0 ? fd : PAST(SYS_fstat, fd, &st);

	say("make it empty: %s",
	    ret == 0 && (st.st_mode & 06000) == 06000 ? "with bits" : "without");
	PAST(SYS_close, fd);
}

int main(void)
{
	char text[LEN] = "#!/bin/id";
	struct iovec vector = {text, 9};
	int ends[2];

	source = (int)MUST(open("/tmp/source", O_RDWR | O_CREAT | O_TRUNC, 0600));
	dir = (int)MUST(open("/tmp", O_RDONLY | O_DIRECTORY)); /* now it is the upper's */
	MUST(write(source, text, LEN));
	MUST(pipe(ends));
	MUST(write(ends[1], text, 9));
	make_empty();
	change_mode("change the mode of a program", SYS_fchmod);
	fill("make it and write", SYS_write, MADE, (long)text, 9, 0, 0);
	fill("make it and write at a place", SYS_pwrite64, MADE, (long)text, 9, 0, 0);
	fill("make it and write pieces", SYS_pwritev2, MADE, (long)&vector, 1, 0, 0);
	fill("make it and truncate", SYS_ftruncate, MADE, LEN, 0, 0, 0);
	fill("make it and allocate", SYS_fallocate, MADE, 0, 0, LEN, 0);
	MUST(lseek(source, 0, SEEK_SET));
	fill("make it and copy a range", SYS_copy_file_range, source, 0, MADE, 0, LEN);
	MUST(lseek(source, 0, SEEK_SET));
	fill("make it and send a file", SYS_sendfile, MADE, source, 0, LEN, 0);
	fill("make it and splice a pipe", SYS_splice, ends[0], 0, MADE, 0, 9);
	fill("make it and clone a file", SYS_ioctl, MADE, (long)FICLONE, source, 0, 0);
	map();
	return 0;
}
