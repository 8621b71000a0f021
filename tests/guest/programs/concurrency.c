/* SPDX-License-Identifier: MIT */
/*
 * concurrency.c - system calls under many threads, many processes and tight limits.
 *
 * `concurrency GROUP` prints counts that are the same on every machine. The tests also build this
 * program with sanitizers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CROWD 64
#define CALLS 20
#define MANY 1000
#define AT_ONCE 50
#define CHILDREN 60

static pthread_barrier_t barrier;
static atomic_int good;
static atomic_int stop;

/* ---- call sites in the forms that compilers emit -------------------------- */

#define SITE(name)                                                   \
	__attribute__((noinline)) static long name(const char *path) \
	{                                                            \
		long result = SYS_access;                            \
                                                                     \
		__asm__ volatile("mov $21, %%eax\n\tsyscall"         \
				 : "=a"(result)                      \
				 : "D"(path), "S"(F_OK)              \
				 : "rcx", "r11", "memory");          \
		return result;                                       \
	}
SITE(site0)
SITE(site1)
SITE(site2)
SITE(site3)
SITE(site4)
SITE(site5)
SITE(site6)

/* Like glibc since 2.41: the number is in a register long before, and r11 is saved right before. */
__attribute__((noinline)) static long by_register(const char *path)
{
	long result = SYS_access;

	__asm__ volatile("sub $160, %%rsp\n\t"
			 "mov %%r11, 8(%%rsp)\n\t"
			 "syscall\n\t"
			 "add $160, %%rsp"
			 : "+a"(result)
			 : "D"(path), "S"(F_OK)
			 : "rcx", "r11", "memory");
	return result;
}

static long (*const sites[])(const char *path) = {site0, site1, site2, site3,
						  site4, site5, site6, by_register};
#define SITES ((int)(sizeof(sites) / sizeof(sites[0])))

static void *first_calls(void *arg)
{
	(void)arg;
	for (int site = 0; site < SITES; site++) {
		pthread_barrier_wait(&barrier);
		for (int i = 0; i < CALLS; i++)
			good += sites[site](i % 2 ? "/" : "/none") == (i % 2 ? 0 : -ENOENT);
	}
	return NULL;
}

static void sites_at_once(void)
{
	pthread_t threads[CROWD];

	pthread_barrier_init(&barrier, NULL, CROWD);
	for (int i = 0; i < CROWD; i++)
		pthread_create(&threads[i], NULL, first_calls, NULL);
	for (int i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	printf("answers %d of %d\n", good, CROWD * SITES * CALLS);
}

/* ---- threads that come and go ---------------------------------------------- */

static void *look_once(void *arg)
{
	struct stat st;

	(void)arg;
	good += stat("/", &st) == 0 && S_ISDIR(st.st_mode);
	return NULL;
}

static void many_threads(void)
{
	pthread_t threads[AT_ONCE];

	for (int round = 0; round < MANY / AT_ONCE; round++) {
		for (int i = 0; i < AT_ONCE; i++)
			pthread_create(&threads[i], NULL, look_once, NULL);
		for (int i = 0; i < AT_ONCE; i++)
			pthread_join(threads[i], NULL);
	}
	printf("threads %d\n", good);
}

/* ---- forks beside busy threads ------------------------------------------------ */

static void *keep_looking(void *arg)
{
	struct stat st;

	(void)arg;
	while (!stop) {
		if (stat("/", &st) < 0 || access("/none", F_OK) == 0)
			_exit(9);
	}
	return NULL;
}

static void forks(void)
{
	pthread_t threads[4];
	int fine = 0;

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, keep_looking, NULL);
	for (int i = 0; i < CHILDREN; i++) {
		int status = -1;
		pid_t child = fork();

		if (child == 0) {
			int fd = open("/", O_RDONLY | O_DIRECTORY);

			_exit(fd < 0 || chdir("/") < 0 || access("/none", F_OK) == 0);
		}
		waitpid(child, &status, 0);
		fine += status == 0;
	}
	stop = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	printf("children %d\n", fine);
}

/* ---- resource limits --------------------------------------------------------- */

static int run(const char *program, int resource, rlim_t limit)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		struct rlimit now;

		getrlimit(resource, &now);
		if (limit <= now.rlim_max)
			now.rlim_cur = limit;
		if (setrlimit(resource, &now) < 0)
			_exit(8);
		execl(program, "crowds", "quiet", (char *)NULL);
		_exit(7);
	}
	waitpid(child, &status, 0);
	return status;
}

static void limits(const char *program)
{
	printf("no limit of the stack: %d\n", run(program, RLIMIT_STACK, RLIM_INFINITY));
	printf("4 GiB of addresses: %d\n", run(program, RLIMIT_AS, 4UL << 30));
	printf("16 descriptors: %d\n", run(program, RLIMIT_NOFILE, 16));
}

/* PR_SET_MDWE: from here on, memory that was writable cannot become executable. */
static void no_new_code(void)
{
	int fine = 0;

	if (prctl(65 /* PR_SET_MDWE */, 1, 0, 0, 0) < 0 && errno != EINVAL)
		printf("MDWE: %s\n", strerror(errno));
	for (int i = 0; i < 200; i++)
		fine += sites[0]("/") == 0 && access("/none", F_OK) < 0;
	printf("fine %d\n", fine);
	fflush(stdout);
	forks();
}

int main(int argc, char **argv)
{
	const char *group = argc > 1 ? argv[1] : "";

	if (strcmp(group, "sites") == 0)
		sites_at_once();
	else if (strcmp(group, "threads") == 0)
		many_threads();
	else if (strcmp(group, "forks") == 0)
		forks();
	else if (strcmp(group, "limits") == 0)
		limits(argv[0]);
	else if (strcmp(group, "mdwe") == 0)
		no_new_code();
	else if (strcmp(group, "quiet") == 0)
		look_once(NULL);
	else
		return 2;
	return good == 0 && strcmp(group, "quiet") == 0;
}
