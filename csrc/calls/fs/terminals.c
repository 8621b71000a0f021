/* SPDX-License-Identifier: MIT */
/*
 * terminals.c - which terminals below /dev/pts are the container's.
 *
 * How it works
 *   All terminals of the user lie in one directory of the machine. A container may open one if the
 *   process or one of its ancestors in the container has it as the controlling terminal, or if the
 *   process has it as a standard descriptor, or has its other side.
 * Does not know
 *   Calls past the runtime: the directory is granted by Landlock, since a container makes terminals
 *   in it.
 */
#include "calls/fs/terminals.h"

#include "guest/process_table.h"

#define MAJOR 136
#define GET_NUMBER 0x80045430 /* TIOCGPTN */
#define DESCRIPTORS 256
#define GENERATIONS 64

static const char directory[] = "/dev/pts/";

/* The number of a terminal in its path; false for other paths. */
static bool read_number(const struct sb_path *host, uint32_t *out)
{
	const size_t prefix = sizeof(directory) - 1;

	if (host->len <= prefix || memcmp(host->buf, directory, prefix) != 0)
		return false;
	*out = 0;
	for (size_t i = prefix; i < host->len; i++) {
		if (host->buf[i] < '0' || host->buf[i] > '9' || *out > UINT32_MAX / 16)
			return false;
		*out = *out * 10 + (uint32_t)(host->buf[i] - '0');
	}
	return true;
}

/* The fields of /proc/PID/stat that count: the parent, and the controlling terminal. */
struct relations {
	uint32_t parent;
	uint32_t terminal;
};

static uint32_t number_at(const char *text, unsigned field)
{
	uint32_t value = 0;

	while (field > 0 && *text != '\0')
		field -= *text++ == ' ';
	while (*text >= '0' && *text <= '9')
		value = value * 10 + (uint32_t)(*text++ - '0');
	return value;
}

static bool read_relations(uint32_t pid, struct relations *out)
{
	char text[512];
	char path[32] = "/proc/";
	size_t len = 6;
	char digits[10];
	size_t count = 0;
	long ret;
	long fd;

	do
		digits[count++] = (char)('0' + pid % 10);
	while ((pid /= 10) != 0);
	while (count > 0)
		path[len++] = digits[--count];
	memcpy(path + len, "/stat", 6);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	ret = sb_syscall(__NR_read, fd, SB_P(text), sizeof(text) - 1, 0, 0, 0);
	sys_close((int)fd);
	while (ret > 0 && text[ret - 1] != ')') /* the name may hold anything */
		ret--;
	if (ret <= 0)
		return false;
	text[sizeof(text) - 1] = '\0';
	/* Behind the name: state, parent, group, session, terminal. */
	out->parent = number_at(text + ret + 1, 1);
	out->terminal = number_at(text + ret + 1, 4);
	return true;
}

static bool is_controlling(const struct sb_call *call, uint32_t device)
{
	struct relations relations = {.parent = (uint32_t)call->proc->pid};

	for (int i = 0; i < GENERATIONS; i++) {
		if (sb_proc_find(call->fs->tree, relations.parent) == NULL ||
		    !read_relations(relations.parent, &relations))
			return false;
		if (relations.terminal == device)
			return true;
	}
	return false;
}

static bool is_descriptor(uint32_t number)
{
	struct statx sx;
	uint32_t other;

	for (int fd = 0; fd <= 2; fd++) {
		if (sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &sx) == 0 &&
		    (sx.stx_mode & S_IFMT) == S_IFCHR && sx.stx_rdev_major == MAJOR &&
		    sx.stx_rdev_minor == number)
			return true;
	}
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		if (sb_syscall(__NR_ioctl, fd, GET_NUMBER, SB_P(&other), 0, 0, 0) == 0 &&
		    other == number)
			return true;
	}
	return false;
}

bool sb_terminal_is_own(const struct sb_call *call, const struct sb_path *host)
{
	uint32_t number;

	if (!read_number(host, &number))
		return true;
	return is_descriptor(number) ||
	       is_controlling(call, (number & 0xff) | MAJOR << 8 | (number & ~0xffU) << 12);
}
