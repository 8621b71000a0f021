/* SPDX-License-Identifier: MIT */
/*
 * rewrite.c - rewrite hot system call sites so that they jump into the runtime.
 *
 * How it works
 *   A trap costs about as much as four stats, a rewritten site a few nanoseconds; rewriting costs a
 *   copied page. So a site is rewritten after HOT traps, if its bytes have a known form (site.h)
 *   and belong to a private, executable, not writable mapping of a file. Trampolines are made
 *   within reach of the site.
 * Rules
 *   Never waits: when the lock is taken, the site is left for the next trap. A process that may not
 *   make such pages (PR_SET_MDWE, SELinux) keeps its traps. With several threads only form 1 is
 *   rewritten, and only if its bytes lie in one aligned word, by one store. Form 2 changes bytes to
 *   which a call returns: another thread may be there, or the frame of a running signal handler may
 *   lead there. With threads or handlers it is left to the copies in the store (rewritten_build.c).
 */
#include "entry/rewrite.h"

#include <errno.h>
#include <linux/memfd.h>
#include <linux/mman.h>

#include "base/filesize.h"
#include "base/shared_abi.h"
#include "entry/maps.h"
#include "guest/sigmask.h"
#include "guest/thread.h"
#include "procfs/proc_text.h"
#include "site.h"
#include "tree/index.h"
#include "tree/rewritten.h"

#define HOT 6
#define SITES 1024
#define PAGES 32
#define PAGE 4096ULL
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8
#endif
#define SLOTS (PAGE / SB_TRAMPOLINE_SIZE)
#define SEARCH_STEP 0x100000ULL
#define SEARCH_ROUNDS 512

enum state {
	COUNTING,
	GIVEN_UP,
	PATCHED,
};

struct known_site {
	uint64_t after;
	uint32_t hits;
	uint32_t state;
};

struct page {
	uint64_t address;
	uint32_t used;
	uint64_t restart[SLOTS]; /* by slot: the instruction that makes the call again */
	uint64_t start[SLOTS]; /* the first byte of the site that changed */
	unsigned char before[SLOTS]; /* how many bytes run before the runtime is entered */
};

static struct known_site sites[SITES];
static struct page pages[PAGES];
static uint32_t page_count;
static uint32_t busy; /* pid of the process that rewrites; the pid of another process is stale */
static bool refused; /* the kernel refuses such pages: no more tries */

static struct page *page_of(uint64_t address)
{
	for (uint32_t i = 0; i < page_count; i++) {
		if (address - pages[i].address < PAGE)
			return &pages[i];
	}
	return NULL;
}

uint64_t sb_rewrite_origin(uint64_t after)
{
	const struct page *page = page_count ? page_of(after) : NULL;

	return page ? page->restart[(after - page->address) / SB_TRAMPOLINE_SIZE]
		    : sb_stub_origin(after);
}

uint64_t sb_rewrite_inside(uint64_t pc)
{
	const struct page *page = page_count ? page_of(pc) : NULL;
	uint64_t slot;

	if (!page)
		return 0;
	slot = (pc - page->address) / SB_TRAMPOLINE_SIZE;
	if (pc - page->address - slot * SB_TRAMPOLINE_SIZE >= page->before[slot])
		return 0;
	return page->start[slot];
}

static struct known_site *find_site(uint64_t after)
{
	uint64_t at = (after * 0x9e3779b97f4a7c15ULL) >> 54;

	for (uint32_t i = 0; i < 8; i++) {
		struct known_site *site = &sites[(at + i) % SITES];

		if (site->after == after)
			return site;
		if (site->after == 0) {
			site->after = after;
			return site;
		}
	}
	return NULL;
}

static bool is_near(uint64_t a, uint64_t b)
{
	const uint64_t reach = 0x70000000;

	return a > b ? a - b < reach : b - a < reach;
}

/* Make a file for a page; procfs knows its name and hides the mapping. < 0: the mapping will be
 * seen. */
static int page_file(void)
{
	long fd = sb_is_above_file_limit(PAGE)
			  ? -EFBIG
			  : sb_syscall6(__NR_memfd_create, SB_P(SB_PROC_HIDDEN_MEMFD),
					MFD_CLOEXEC | MFD_NOEXEC_SEAL, 0, 0, 0, 0);

	if (fd == -EINVAL) /* before Linux 6.3 */
		fd = sb_syscall6(__NR_memfd_create, SB_P(SB_PROC_HIDDEN_MEMFD), MFD_CLOEXEC, 0, 0,
				 0, 0);
	if (fd >= 0 && sys_ftruncate((int)fd, PAGE) < 0) {
		sys_close((int)fd);
		return -1;
	}
	return (int)fd;
}

static long map_page(uint64_t at, int fd)
{
	return sys_mmap((void *)(uintptr_t)at, PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_FIXED_NOREPLACE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
}

/* Map a new page within reach of the site: its address, or 0. */
static uint64_t map_near(uint64_t site, const struct sb_mapping *map, int fd)
{
	for (uint64_t i = 1; i <= SEARCH_ROUNDS; i++) {
		uint64_t below = (map->start & ~(SEARCH_STEP - 1)) - i * SEARCH_STEP;
		uint64_t above = (map->end | (SEARCH_STEP - 1)) + 1 + i * SEARCH_STEP;

		if (below < map->start && below > SEARCH_STEP && map_page(below, fd) >= 0)
			return below;
		if (is_near(above, site) && map_page(above, fd) >= 0)
			return above;
	}
	return 0;
}

/* Find or make a page with a free slot within reach of the site. */
static struct page *near_page(uint64_t site, const struct sb_mapping *map)
{
	uint64_t at;
	int fd;

	for (uint32_t i = 0; i < page_count; i++) {
		if (pages[i].used < SLOTS && is_near(pages[i].address, site))
			return &pages[i];
	}
	if (page_count == PAGES)
		return NULL;
	fd = page_file();
	at = map_near(site, map, fd);
	if (fd >= 0)
		sys_close(fd);
	if (at == 0)
		return NULL;
	pages[page_count].address = at;
	pages[page_count].used = 0;
	__atomic_store_n(&page_count, page_count + 1, __ATOMIC_RELEASE);
	return &pages[page_count - 1];
}

static int protect(uint64_t start, uint64_t end, int prot)
{
	uint64_t from = start & ~(PAGE - 1);

	return (int)sb_syscall6(__NR_mprotect, (long)from,
				(long)(((end + PAGE - 1) & ~(PAGE - 1)) - from), prot, 0, 0, 0);
}

static int write_trampoline(struct page *page, const struct sb_site *site,
			    const unsigned char behind[16], uint64_t *at, uint64_t *resume)
{
	uint32_t slot = page->used;
	int ret = protect(page->address, page->address + PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);

	if (ret < 0)
		return -EPERM;
	*at = page->address + slot * SB_TRAMPOLINE_SIZE;
	sb_site_trampoline(site, behind, *at, SB_ADDR_ENTRY, (unsigned char *)(uintptr_t)*at,
			   resume);
	page->start[slot] = site->start;
	page->restart[slot] = sb_site_restart(site);
	page->before[slot] = (unsigned char)sb_site_lead(site);
	page->used++;
	return protect(page->address, page->address + PAGE, PROT_READ | PROT_EXEC);
}

static void store_atomic(const struct sb_site *site, const unsigned char jump[SB_JUMP_SIZE])
{
	uint64_t *word = (uint64_t *)(uintptr_t)(site->start & ~7ULL);
	uint64_t value = *word;

	memcpy((unsigned char *)&value + (site->start & 7), jump, SB_JUMP_SIZE);
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

/* Store while no other thread and no signal handler can see a half. */
static void store_alone(const struct sb_site *site, const unsigned char jump[SB_JUMP_SIZE])
{
	const uint64_t all = SB_MASK_ALL;
	uint64_t old;

	sb_syscall6(__NR_rt_sigprocmask, SIG_SETMASK, SB_P(&all), SB_P(&old), 8, 0, 0);
	memcpy((void *)(uintptr_t)site->start, jump, SB_JUMP_SIZE);
	sb_syscall6(__NR_rt_sigprocmask, SIG_SETMASK, SB_P(&old), 0, 8, 0, 0);
}

/* Change the five bytes. The page stays executable all the time. */
static int write_jump(const struct sb_site *site, const unsigned char jump[SB_JUMP_SIZE])
{
	int ret = protect(site->start, site->start + SB_JUMP_SIZE,
			  PROT_READ | PROT_WRITE | PROT_EXEC);

	if (ret < 0)
		return -EPERM;
	if (sb_site_is_atomic(site))
		store_atomic(site, jump);
	else
		store_alone(site, jump);
	return protect(site->start, site->start + SB_JUMP_SIZE, PROT_READ | PROT_EXEC);
}

static bool is_only_thread(void)
{
	uint32_t live = 0;

	for (struct sb_thread *t = &sb_first_thread; t; t = t->next)
		live += t->state != SB_THREAD_FREE;
	return live == 1;
}

/* A running handler has interrupted code, perhaps right behind a call. */
static bool has_handlers(const struct sb_proc *proc)
{
	for (unsigned sig = 1; sig < SB_ARRAY_LEN(proc->actions); sig++) {
		if (proc->actions[sig].handler != (uintptr_t)SIG_DFL &&
		    proc->actions[sig].handler != (uintptr_t)SIG_IGN)
			return true;
	}
	return false;
}

/* May the bytes of the site be changed now? 0 or -errno. */
static int check(const struct sb_proc *proc, const struct sb_site *site,
		 const struct sb_mapping *map)
{
	const bool alone = is_only_thread();
	const unsigned char *text = (const unsigned char *)(uintptr_t)map->start;

	if (site->form == SB_SITE_NONE)
		return -EINVAL;
	if (site->form == SB_SITE_BEFORE)
		return alone || sb_site_is_atomic(site) ? 0 : -EBUSY;
	if (!alone || has_handlers(proc))
		return -EBUSY;
	return sb_site_is_target(text, 0, map->end - map->start, site->after - map->start) ? -EINVAL
											   : 0;
}

/* Rewrite a site: 0, or -errno when it will never be. */
static int patch(struct sb_call *call, uint64_t after, uint64_t nr)
{
	const unsigned char *text = (const unsigned char *)(uintptr_t)after;
	struct sb_mapping map;
	struct sb_site site;
	unsigned char behind[16];
	unsigned char jump[SB_JUMP_SIZE];
	struct page *page;
	uint64_t at;
	uint64_t resume;
	int ret = sb_maps_find(after, call->work->buffer, sizeof(call->work->buffer), &map);

	if (ret < 0)
		return ret;
	if (!map.is_private_text || after - 16 < map.start || after + 16 > map.end)
		return -EACCES;
	memcpy(behind, text, sizeof(behind));
	sb_site_decode(text - 16, behind, after, (uint32_t)nr, &site);
	ret = check(call->proc, &site, &map);
	if (ret < 0)
		return ret;
	page = near_page(after, &map);
	if (!page)
		return -ENOMEM;
	ret = write_trampoline(page, &site, behind, &at, &resume);
	if (ret < 0 || !sb_site_jump(&site, at, jump))
		return ret < 0 ? ret : -ERANGE;
	ret = write_jump(&site, jump);
	if (ret == 0 && site.form == SB_SITE_BEHIND && call->regs->pc == after)
		call->regs->pc = resume;
	return ret;
}

/* Note a site in a layer file, so that the next container maps a copy that is rewritten already. */
static void learn(struct sb_call *call, uint64_t after, uint64_t nr)
{
	const struct sb_tree *tree = call->fs->tree;
	struct sb_shared *shared = tree->shared;
	struct sb_mapping map;
	uint32_t slot;
	uint64_t ino;

	if (!tree->index || shared->learned_count >= SB_MAX_LEARNED ||
	    sb_maps_find(after, call->work->buffer, sizeof(call->work->buffer), &map) < 0 ||
	    !map.is_private_text)
		return;
	ino = sb_rewritten_original(tree, map.inode);
	if (sb_index_find_inode(tree, ino) == SB_NO_NODE)
		return;
	slot = __atomic_fetch_add(&shared->learned_count, 1, __ATOMIC_RELAXED);
	if (slot >= SB_MAX_LEARNED)
		return;
	shared->learned[slot].offset = (uint32_t)(after - map.start + map.offset);
	shared->learned[slot].nr = (uint32_t)nr;
	__atomic_store_n(&shared->learned[slot].ino, ino, __ATOMIC_RELEASE);
}

static bool take_lock(uint32_t pid)
{
	uint32_t owner = __atomic_load_n(&busy, __ATOMIC_RELAXED);

	return owner != pid && __atomic_compare_exchange_n(&busy, &owner, pid, false,
							   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void sb_rewrite_site(struct sb_call *call, uint64_t after, uint64_t nr)
{
	struct known_site *site;
	int ret;

	/* Most requests of ioctl(2) are the kernel's: the filter can tell them, a jump cannot. */
	if (nr == __NR_ioctl || page_of(after))
		return;
	site = find_site(after);
	if (!site || site->state != COUNTING)
		return;
	if (++site->hits == 1)
		learn(call, after, nr);
	if (site->hits < HOT || refused)
		return;
	if (!take_lock(call->proc->pid))
		return;
	ret = patch(call, after, nr);
	site->state = ret == 0 ? PATCHED : GIVEN_UP;
	refused = ret == -EPERM;
	__atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}
