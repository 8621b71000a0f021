/* SPDX-License-Identifier: MIT */
/*
 * descriptors.c - remember which file of the image, or what pure directory, a descriptor is.
 */
#include "tree/descriptors.h"

#include "tree/dircache.h"
#include "tree/owner.h"

_Static_assert(sizeof(struct sb_fds) == 4096, "a page that a fork wipes");
_Static_assert(SB_NO_NODE == UINT32_MAX, "an entry without a node is zero");

#define COUNT_ONE (1ULL << 32)

bool sb_fds_are_known(const struct sb_control *control)
{
	const uint32_t ways = SB_CONTROL_REWRITE | SB_CONTROL_TRACED | SB_CONTROL_STEPS;

	return control->index.len != 0 && (control->flags & ways) == SB_CONTROL_REWRITE;
}

struct sb_fds_mark sb_fds_mark(const struct sb_fs *fs, int fd)
{
	if (fs->fds == NULL || (uint32_t)fd >= SB_FDS_KNOWN || fs->fds->threads != 0)
		return (struct sb_fds_mark){UINT64_MAX, 0};
	return (struct sb_fds_mark){
		.closes = sb_fds_count(fs),
		.entry = __atomic_load_n(&fs->fds->entry[fd], __ATOMIC_SEQ_CST),
	};
}

/* Does a descriptor of this node stay what it is while it is open? */
static bool is_plain(const struct sb_tree *tree, uint32_t node)
{
	const struct sb_node *n = &tree->nodes[node];
	const uint32_t type = n->mode & S_IFMT;

	return type == S_IFDIR || (type == S_IFREG && n->nlink == 1);
}

static void learn(const struct sb_fs *fs, int fd, struct sb_fds_mark mark, uint32_t what)
{
	uint64_t next;

	if (fs->fds == NULL || (uint32_t)fd >= SB_FDS_KNOWN || sb_fds_count(fs) != mark.closes)
		return;
	next = (mark.entry & ~(COUNT_ONE - 1)) | what;
	(void)__atomic_compare_exchange_n(&fs->fds->entry[fd], &mark.entry, next, false,
					  __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void sb_fds_learn(const struct sb_fs *fs, int fd, struct sb_fds_mark mark, uint32_t node)
{
	if (node < SB_FDS_PURE - 1 && is_plain(fs->tree, node))
		learn(fs, fd, mark, node + 1);
}

void sb_fds_learn_pure(const struct sb_fs *fs, int fd, struct sb_fds_mark mark, uint32_t pure)
{
	if (pure != 0 && pure <= SB_FDS_KIND)
		learn(fs, fd, mark, SB_FDS_PURE | pure);
}

uint64_t sb_fds_count(const struct sb_fs *fs)
{
	return fs->fds == NULL ? 0 : __atomic_load_n(&fs->fds->closes, __ATOMIC_SEQ_CST);
}

/* The mark of a descriptor that is new since closes were counted. */
static struct sb_fds_mark mark_of_new(const struct sb_fs *fs, int fd, uint64_t count)
{
	struct sb_fds_mark mark = {.closes = count};

	if (fs->fds != NULL && (uint32_t)fd < SB_FDS_KNOWN)
		mark.entry = __atomic_load_n(&fs->fds->entry[fd], __ATOMIC_SEQ_CST);
	return mark;
}

void sb_fds_opened(const struct sb_fs *fs, int fd, uint64_t count, uint32_t node)
{
	sb_fds_learn(fs, fd, mark_of_new(fs, fd, count), node);
}

static uint32_t of_move(uint32_t moved)
{
	return (moved << SB_FDS_MOVED_SHIFT) & SB_FDS_MOVED;
}

void sb_fds_opened_pure(const struct sb_fs *fs, int fd, uint64_t count, uint32_t pure, bool deep,
			uint32_t moved)
{
	const uint32_t above = deep ? SB_FDS_DEEP | of_move(moved) : 0;

	if (pure != 0 && pure <= SB_FDS_KIND)
		learn(fs, fd, mark_of_new(fs, fd, count), SB_FDS_PURE | above | pure);
}

void sb_fds_opened_in(const struct sb_fs *fs, int fd, uint64_t count, uint32_t pure)
{
	if (pure != 0 && pure <= SB_FDS_KIND)
		learn(fs, fd, mark_of_new(fs, fd, count), SB_FDS_PURE | SB_FDS_IN | pure);
}

void sb_fds_opened_new(const struct sb_fs *fs, int fd, uint64_t count, uint32_t writings)
{
	const bool is_roots = fs->ids->fsuid == 0 && fs->ids->fsgid == 0;
	const uint32_t new = is_roots ? SB_FDS_NEW | of_move(writings) : 0;

	learn(fs, fd, mark_of_new(fs, fd, count), SB_FDS_PURE | SB_FDS_IN | new | SB_PURE_UPPER);
}

bool sb_fds_is_new(const struct sb_fs *fs, int fd)
{
	const uint32_t flags = SB_FDS_PURE | SB_FDS_IN | SB_FDS_NEW;
	const uint32_t what = sb_fds_what(fs, fd);

	return (what & flags) == flags &&
	       (what & SB_FDS_WRITINGS) == of_move(sb_owner_writings(fs->tree));
}

void sb_fds_duplicated(const struct sb_fs *fs, int fd, uint64_t count, uint32_t what)
{
	learn(fs, fd, mark_of_new(fs, fd, count), what);
}

bool sb_fds_is_deep(const struct sb_fs *fs, int fd)
{
	const uint32_t what = sb_fds_what(fs, fd);

	return what >= SB_FDS_PURE && (what & SB_FDS_DEEP) != 0 && (what & SB_FDS_IN) == 0 &&
	       (what & SB_FDS_MOVED) == of_move(sb_dircache_moved(fs->tree));
}

void sb_fds_forget(const struct sb_fs *fs, uint32_t first, uint32_t last)
{
	struct sb_fds *fds = fs->fds;
	uint64_t now;

	if (fds == NULL)
		return;
	__atomic_fetch_add(&fds->closes, 1, __ATOMIC_SEQ_CST);
	for (uint32_t fd = first; fd <= last && fd < SB_FDS_KNOWN; fd++) {
		now = __atomic_load_n(&fds->entry[fd], __ATOMIC_SEQ_CST);
		while (!__atomic_compare_exchange_n(&fds->entry[fd], &now,
						    (now & ~(COUNT_ONE - 1)) + COUNT_ONE, false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
	}
}

void sb_fds_closed(const struct sb_fs *fs, uint32_t first, uint32_t last)
{
	if (fs->fds == NULL || fs->fds->threads == 0)
		return;
	for (uint32_t fd = first; fd <= last && fd < SB_FDS_KNOWN; fd++) {
		if ((uint32_t)__atomic_load_n(&fs->fds->entry[fd], __ATOMIC_SEQ_CST) != 0)
			sb_fds_forget(fs, fd, fd);
	}
}
