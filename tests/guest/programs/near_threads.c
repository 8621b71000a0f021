/* SPDX-License-Identifier: MIT */
/*
 * near_threads.c - one thread changes the working directory, the other changes names in it.
 *
 * `near_threads OWN IMAGE ROUNDS`: the directories are the container's and the image's. Each has a
 * file "f" and none of the other names. Both directories end as they began; calls may fail.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *folders[2];
static atomic_int is_over;

static void *wander(void *unused)
{
	for (int i = 0; !is_over; i++) {
		if (chdir(folders[i % 2]) != 0)
			abort();
	}
	return unused;
}

static void change_names(void)
{
	int fd = open("f", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd >= 0 && write(fd, "x", 1) == 1)
		close(fd);
	chmod("f", 0640);
	utimensat(AT_FDCWD, "f", (const struct timespec[2]){{1, 0}, {1, 0}}, 0);
	if (mkdir("made", 0755) == 0)
		rmdir("made");
	symlink("f", "link");
	link("f", "second");
	unlink("link");
	unlink("second");
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 4)
		return 2;
	folders[0] = argv[1];
	folders[1] = argv[2];
	mkdir(argv[1], 0755);
	if (chdir(argv[1]) != 0 || pthread_create(&thread, NULL, wander, NULL) != 0)
		return 1;
	for (int i = atoi(argv[3]); i > 0; i--)
		change_names();
	is_over = 1;
	pthread_join(thread, NULL);
	puts("done");
	return 0;
}
