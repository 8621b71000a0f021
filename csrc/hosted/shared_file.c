/* SPDX-License-Identifier: MIT */
/*
 * shared_file.c - the shared file of a container, which its guests write, for the host side.
 *
 * Hosted build only.
 * Rules
 *   Read by pread, value by value: a value is checked in a copy of it, and a file that a guest has
 *   cut off is an error, and no signal. Only the state bytes, the counters beside them and the
 *   requests to the tracer are mapped.
 */
#include "hosted/shared_file.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/shared_abi.h"
#include "base/sys.h"
#include "pure/path.h"

#define PID_END 4194304 /* PID_MAX_LIMIT of the kernel */

/* ---- the file -------------------------------------------------------------- */

static int open_beside(const char *control, int flags)
{
	struct sb_path *path = malloc(sizeof(*path));
	int ret = path == NULL ? -ENOMEM : sb_path_set(path, control, strlen(control));

	while (ret == 0 && path->len > 0 && path->buf[path->len - 1] != '/')
		path->buf[--path->len] = '\0';
	if (ret == 0)
		ret = sb_path_add(path, "shared", 6);
	if (ret == 0)
		ret = (int)sys_open_named(path->buf, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
	free(path);
	return ret;
}

int sb_shared_make(const char *control, uint32_t node_count)
{
	const int fd = open_beside(control, O_RDWR | O_CREAT | O_TRUNC);
	long ret;

	if (fd < 0)
		return fd;
	ret = sys_ftruncate(fd, (int64_t)sb_shared_size(node_count));
	sys_close(fd);
	return (int)ret;
}

int sb_shared_open(const char *control)
{
	return open_beside(control, O_RDWR | O_NONBLOCK);
}

int sb_shared_map(int fd, uint32_t node_count, struct sb_map *out)
{
	const uint64_t size = sb_shared_size(node_count);
	struct statx sx;
	long at = sys_statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &sx);

	if (at == 0 && ((sx.stx_mode & S_IFMT) != S_IFREG || sx.stx_size < size))
		at = -EINVAL;
	if (at == 0)
		at = sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at < 0 && at > -4096)
		return (int)at;
	sys_madvise((void *)at, size, MADV_RANDOM); /* sparse: no reading ahead of zeros */
	out->at = (void *)at;
	out->size = size;
	return 0;
}

static int read_at(int fd, void *to, size_t len, uint64_t at)
{
	const long got = sys_pread(fd, to, len, (int64_t)at);

	return got < 0 ? (int)got : (size_t)got == len ? 0 : -EINVAL;
}

/* ---- processes ------------------------------------------------------------- */

#define SLOT_OFF(i) (offsetof(struct sb_shared, procs) + (i) * sizeof(struct sb_proc_slot))

static bool is_pid(uint32_t pid)
{
	return pid > 0 && pid < PID_END;
}

/* The number of the first slot from i on that may not be empty: the file is sparse. */
static int64_t skip_holes(int fd, uint32_t i)
{
	const int64_t data = sys_lseek(fd, (int64_t)SLOT_OFF(i), SEEK_DATA);

	if (data == -ENXIO)
		return SB_PROC_SLOTS;
	if (data < (int64_t)SLOT_OFF(i))
		return data < 0 ? data : i;
	return (int64_t)(((uint64_t)data - SLOT_OFF(0)) / sizeof(struct sb_proc_slot));
}

int sb_shared_processes(int fd, uint32_t *pids, uint64_t *started, uint32_t room)
{
	struct sb_proc_slot slots[8];
	uint32_t count = 0;

	for (uint32_t i = 0; i < SB_PROC_SLOTS; i += SB_ARRAY_LEN(slots)) {
		const int64_t next = skip_holes(fd, i);
		int err;

		if (next < 0)
			return (int)next;
		if (next >= SB_PROC_SLOTS)
			break;
		i = (uint32_t)next / SB_ARRAY_LEN(slots) * SB_ARRAY_LEN(slots);
		err = read_at(fd, slots, sizeof(slots), SLOT_OFF(i));
		if (err < 0)
			return err;
		for (size_t k = 0; k < SB_ARRAY_LEN(slots); k++) {
			if (!is_pid(slots[k].pid) || count == room)
				continue;
			pids[count] = slots[k].pid;
			started[count++] = slots[k].started;
		}
	}
	return (int)count;
}

int sb_shared_pace(int fd, uint32_t pid, uint32_t mark)
{
	const uint64_t paced = offsetof(struct sb_proc_slot, paced);
	uint32_t found = 0;
	long ret = 0;

	for (uint32_t i = 0; i < SB_PROC_SLOTS; i++) {
		const uint64_t at = SLOT_OFF((pid + i) % SB_PROC_SLOTS);

		ret = read_at(fd, &found, sizeof(found), at + offsetof(struct sb_proc_slot, pid));
		if (ret == 0 && found == pid)
			ret = sys_pwrite(fd, &mark, sizeof(mark), (int64_t)(at + paced));
		if (ret != 0 || found == 0)
			break;
	}
	return ret < 0 ? (int)ret : 0;
}

/* ---- call sites ------------------------------------------------------------ */

int sb_shared_site(int fd, uint32_t at, struct sb_learned_site *out)
{
	struct sb_noted_site site;
	uint32_t count;
	int err = read_at(fd, &count, sizeof(count), offsetof(struct sb_shared, learned_count));

	if (err < 0)
		return err;
	if (at >= SB_MIN(count, (uint32_t)SB_MAX_LEARNED))
		return -ENOENT;
	err = read_at(fd, &site, sizeof(site),
		      offsetof(struct sb_shared, learned) + at * sizeof(site));
	out->ino = site.ino;
	out->offset = site.offset;
	out->nr = site.nr;
	return err;
}

/* ---- requests to the tracer -------------------------------------------------- */

uint32_t sb_shared_requests(const struct sb_shared *shared)
{
	return __atomic_load_n(&shared->adopt_bell, __ATOMIC_ACQUIRE);
}

void sb_shared_wait_request(const struct sb_shared *shared, uint32_t seen)
{
	sb_syscall6(__NR_futex, SB_P(&shared->adopt_bell), FUTEX_WAIT, seen, 0, 0, 0);
}

int sb_shared_take_request(struct sb_shared *shared, uint32_t i, uint64_t *pointer)
{
	uint64_t *word = &shared->adoptions[i].word;
	uint64_t value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	const uint32_t tid = (uint32_t)(value >> 32);

	if ((uint32_t)value != SB_ADOPT_WANTED || !is_pid(tid) ||
	    !__atomic_compare_exchange_n(word, &value, value - SB_ADOPT_WANTED + SB_ADOPT_TAKEN,
					 false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return 0;
	*pointer = __atomic_load_n(&shared->adoptions[i].pointer, __ATOMIC_RELAXED);
	return (int)tid;
}

void sb_shared_answer_request(struct sb_shared *shared, uint32_t i, int tid, bool done)
{
	uint64_t *word = &shared->adoptions[i].word;
	uint64_t value = (uint64_t)tid << 32 | SB_ADOPT_TAKEN;
	const uint64_t answer = (uint64_t)tid << 32 | (done ? SB_ADOPT_DONE : SB_ADOPT_FAILED);

	/* When this thread has died meanwhile, another one has the slot. */
	if (__atomic_compare_exchange_n(word, &value, answer, false, __ATOMIC_ACQ_REL,
					__ATOMIC_RELAXED))
		sb_syscall6(__NR_futex, SB_P(word), FUTEX_WAKE, 1, 0, 0, 0);
}
