/* SPDX-License-Identifier: MIT */
/*
 * test_proc_tasks.c - numbers of tasks in files of /proc as the guest sees them.
 *
 * The container of this test has the tasks 500, which it calls 1, and 510 to 519.
 */
#include "procfs/proc_tasks.h"

#include <errno.h>

#include "check.h"
#include "tree/tasks.h"

static struct sb_control control;
static char text[4096];
static struct sb_proc_out out;

static uint32_t shown(const struct sb_tree *tree, uint32_t real)
{
	(void)tree;
	if (real == 500)
		return 1;
	return real >= 510 && real < 520 ? real : 0;
}

static uint32_t real_of(const struct sb_tree *tree, uint32_t number)
{
	(void)tree;
	if (number == 1)
		return 500;
	return number >= 510 && number < 520 ? number : 0;
}

static const struct sb_tasks tasks = {.real = real_of, .shown = shown};
static const struct sb_tree tree = {.control = &control, .tasks = &tasks};

static void empty(void)
{
	memset(text, 0, sizeof(text));
	out = (struct sb_proc_out){.buf = text, .max = sizeof(text) - 1};
}

typedef void liner(const struct sb_tree *tree, const char *line, size_t len,
		   struct sb_proc_out *out);

static const char *through(liner *change, const char *line)
{
	empty();
	change(&tree, line, strlen(line), &out);
	return text;
}

static const char *stat_of(const char *line, bool may_look)
{
	empty();
	sb_proc_stat(&tree, may_look, line, strlen(line), &out);
	return text;
}

static void stat_has_numbers_of_the_container(void)
{
	CHECK_STR(stat_of("512 (a) S 500 400 500 34816 510 4194304 1\n", true),
		  "512 (a) S 1 0 1 34816 510 4194304 1\n");
	CHECK_STR(stat_of("500 (a) b) (500) S 400 500 500 0 -1 7\n", true),
		  "1 (a) b) (500) S 0 1 1 0 -1 7\n");
	CHECK_STR(stat_of("512 (new\nline) S 0 512 512 0 512 7\n", true),
		  "512 (new\nline) S 0 512 512 0 512 7\n");
}

static void addresses_are_for_those_who_may_look(void)
{
	const char *all = "510 (x) S 1 1 1 0 -1 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 "
			  "26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 "
			  "49 50 51 52\n";

	CHECK_STR(stat_of(all, false),
		  "510 (x) S 0 0 0 0 -1 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 1 1 0 0 "
		  "0 31 32 33 34 0 36 37 38 39 40 41 42 43 44 0 0 0 0 0 0 0 0\n");
}

static void broken_text_stays_as_it_is(void)
{
	CHECK_STR(stat_of("", true), "");
	CHECK_STR(stat_of("(x) S 1\n", true), "(x) S 1\n");
	CHECK_STR(stat_of("12 x\n", true), "12 x\n");
	CHECK_STR(through(sb_proc_lock_line, "\n"), "\n");
	CHECK_STR(through(sb_proc_sched_line, "name\n"), "name\n");
	CHECK_STR(through(sb_proc_timer_line, "notify: "), "notify: ");
}

static void status_has_numbers_of_the_container(void)
{
	const char *lines[][2] = {
		{"Tgid:\t500\n", "Tgid:\t1\n"},   {"Pid:\t512\n", "Pid:\t512\n"},
		{"PPid:\t400\n", "PPid:\t0\n"},   {"TracerPid:\t511\n", "TracerPid:\t511\n"},
		{"NSpid:\t500\n", "NSpid:\t1\n"}, {"NSpgid:\t500\n", "NSpgid:\t1\n"},
		{"NSsid:\t400\n", "NSsid:\t0\n"},
	};

	for (size_t i = 0; i < SB_ARRAY_LEN(lines); i++) {
		empty();
		CHECK(sb_proc_status_numbers(&tree, lines[i][0], strlen(lines[i][0]), &out));
		CHECK_STR(text, lines[i][1]);
	}
	CHECK(!sb_proc_status_numbers(&tree, "Name:\t5\n", 8, &out));
}

static void locks_of_others_are_hidden(void)
{
	CHECK_STR(through(sb_proc_lock_line, "1: POSIX  ADVISORY  WRITE 500 08:01:5 0 EOF\n"),
		  "1: POSIX  ADVISORY  WRITE 1 08:01:5 0 EOF\n");
	CHECK_STR(through(sb_proc_lock_line, "1: -> FLOCK  ADVISORY  WRITE 511 08:01:5 0 EOF\n"),
		  "1: -> FLOCK  ADVISORY  WRITE 511 08:01:5 0 EOF\n");
	CHECK_STR(through(sb_proc_lock_line, "2: OFDLCK ADVISORY  WRITE -1 08:01:5 0 EOF\n"),
		  "2: OFDLCK ADVISORY  WRITE -1 08:01:5 0 EOF\n");
	CHECK_STR(through(sb_proc_lock_line, "3: POSIX  ADVISORY  READ 400 08:01:5 0 0\n"), "");
}

static void descriptors_name_tasks_of_the_container(void)
{
	CHECK_STR(through(sb_proc_fdinfo_line, "Pid:\t500\n"), "Pid:\t1\n");
	CHECK_STR(through(sb_proc_fdinfo_line, "NSpid:\t400\n"), "NSpid:\t0\n");
	CHECK_STR(through(sb_proc_fdinfo_line, "Pid:\t-1\n"), "Pid:\t-1\n");
	CHECK_STR(through(sb_proc_fdinfo_line, "pos:\t500\n"), "pos:\t500\n");
	CHECK_STR(through(sb_proc_fdinfo_line,
			  "lock:\t1: FLOCK  ADVISORY  WRITE 500 08:01:5 0 EOF\n"),
		  "lock:\t1: FLOCK  ADVISORY  WRITE 1 08:01:5 0 EOF\n");
	CHECK(sb_proc_fdinfo_names_task("lock:\t1", 7));
	CHECK(!sb_proc_fdinfo_names_task("pos:\t1", 6));
}

static void other_lines_name_tasks_of_the_container(void)
{
	CHECK_STR(through(sb_proc_sched_line, "a (b (500, #threads: 3)\n"),
		  "a (b (1, #threads: 3)\n");
	CHECK_STR(through(sb_proc_timer_line, "notify: signal/pid.500\n"),
		  "notify: signal/pid.1\n");
	CHECK_STR(through(sb_proc_timer_line, "ID: 500\n"), "ID: 500\n");
	CHECK_STR(through(sb_proc_children, "400 500 511 "), "1 511 ");
}

/* ---- paths ------------------------------------------------------------------ */

static struct sb_path path;

static const char *host_of(const char *rest)
{
	CHECK_INT(sb_path_set(&path, "/proc", 5), 0);
	CHECK_INT(sb_tasks_add_host(&tree, &path, rest, (uint32_t)strlen(rest)), 0);
	return path.buf;
}

static int refused(const char *rest)
{
	CHECK_INT(sb_path_set(&path, "/proc", 5), 0);
	return sb_tasks_add_host(&tree, &path, rest, (uint32_t)strlen(rest));
}

static void paths_lead_to_tasks_of_the_container(void)
{
	CHECK_STR(host_of("/1"), "/proc/500");
	CHECK_STR(host_of("/1/task/1/stat"), "/proc/500/task/500/stat");
	CHECK_STR(host_of("/511/task/512"), "/proc/511/task/512");
	CHECK_STR(host_of("/511/fd/400"), "/proc/511/fd/400");
	CHECK_STR(host_of("/sys/kernel/400"), "/proc/sys/kernel/400");
	CHECK_STR(host_of("/0511"), "/proc/0511");
	CHECK_STR(host_of("/99999999999"), "/proc/99999999999");
	CHECK_INT(refused("/500"), -ENOENT);
	CHECK_INT(refused("/400/stat"), -ENOENT);
	CHECK_INT(refused("/0"), -ENOENT);
	CHECK_INT(refused("/1/task/500"), -ENOENT);
}

static const char *show(const char *target, uint32_t from)
{
	CHECK_INT(sb_path_set(&path, target, strlen(target)), 0);
	CHECK_INT(sb_tasks_show(&tree, &path, from), 0);
	return path.buf;
}

static void links_name_tasks_of_the_container(void)
{
	CHECK_STR(show("500", 0), "1");
	CHECK_STR(show("500/task/511", 0), "1/task/511");
	CHECK_STR(show("/proc/500/task/500/fd", 6), "/proc/1/task/1/fd");
	CHECK_STR(show("self/mounts", 0), "self/mounts");
	CHECK_STR(show("400", 0), "400");
}

static void listings_name_tasks_of_the_container(void)
{
	char room[12];

	CHECK_STR(sb_tasks_entry(&tree, "500", room), "1");
	CHECK_STR(sb_tasks_entry(&tree, "511", room), "511");
	CHECK_STR(sb_tasks_entry(&tree, "meminfo", room), "meminfo");
	CHECK(sb_tasks_entry(&tree, "400", room) == NULL);
}

int main(void)
{
	stat_has_numbers_of_the_container();
	addresses_are_for_those_who_may_look();
	broken_text_stays_as_it_is();
	status_has_numbers_of_the_container();
	locks_of_others_are_hidden();
	descriptors_name_tasks_of_the_container();
	other_lines_name_tasks_of_the_container();
	paths_lead_to_tasks_of_the_container();
	links_name_tasks_of_the_container();
	listings_name_tasks_of_the_container();
	return 0;
}
