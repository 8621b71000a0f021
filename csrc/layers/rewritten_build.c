/* SPDX-License-Identifier: MIT */
/*
 * rewritten_build.c - make a copy of a program file with rewritten call sites.
 *
 * How it works
 *   The stubs go into the unused end of the text segment's last page, which the loader maps with
 *   the segment: so the copy has the layout of the original and needs no memory of its own. Each
 *   site becomes a jump to its stub (arch/<cpu>/pure/site.h); all stubs use one jump to the
 *   runtime's fixed entry.
 * Rules
 *   Hosted build only. The file's bytes are checked before use. A site is rewritten only when its
 *   bytes have a known form and no jump of the text leads into the middle of it.
 */
#include "layers/rewritten_build.h"

#include <elf.h>
#include <errno.h>
#include <linux/mman.h>

#include "base/mem.h"
#include "base/sys.h"
#include "layers/mapped_file.h"
#include "site.h"

#define PAGE 4096ULL

struct text {
	unsigned char *file;
	uint64_t size;
	uint64_t from;  /* file offsets of the text segment */
	uint64_t to;
	uint64_t room;  /* end of its last page, or of the file */
	int64_t bias;   /* address - file offset */
	uint64_t common; /* file offset of the common jump */
	uint64_t next;  /* file offset of the next stub */
};

static bool has_headers(const struct text *t)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)(const void *)t->file;

	return t->size >= sizeof(*h) && memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 &&
	       h->e_ident[EI_CLASS] == ELFCLASS64 && h->e_machine == SB_ARCH_ELF &&
	       h->e_phentsize == sizeof(Elf64_Phdr) && h->e_phoff < t->size &&
	       h->e_phnum <= (t->size - h->e_phoff) / sizeof(Elf64_Phdr);
}

static const Elf64_Phdr *headers(const struct text *t, unsigned *count)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)(const void *)t->file;

	*count = h->e_phnum;
	return (const Elf64_Phdr *)(const void *)(t->file + h->e_phoff);
}

/* Find the first executable segment. The end of its last page is unused. */
static int find_text(struct text *t)
{
	const Elf64_Phdr *ph;
	unsigned count;

	if (!has_headers(t))
		return -ENOEXEC;
	ph = headers(t, &count);
	for (unsigned i = 0; i < count && t->to == 0; i++) {
		if (ph[i].p_type != PT_LOAD || !(ph[i].p_flags & PF_X) ||
		    ph[i].p_offset >= t->size || ph[i].p_filesz > t->size - ph[i].p_offset)
			continue;
		t->from = ph[i].p_offset;
		t->to = ph[i].p_offset + ph[i].p_filesz;
		t->bias = (int64_t)(ph[i].p_vaddr - ph[i].p_offset);
	}
	if (t->to == 0)
		return -ENOEXEC;
	t->room = (t->to + PAGE - 1) & ~(PAGE - 1);
	for (unsigned i = 0; i < count; i++) {
		if (ph[i].p_type == PT_LOAD && ph[i].p_offset >= t->to)
			t->room = SB_MIN(t->room, ph[i].p_offset);
	}
	t->room = SB_MIN(t->room, t->size);
	t->common = (t->to + 15) & ~15ULL;
	t->next = t->common + SB_STUB_COMMON;
	return t->next + SB_STUB_SIZE > t->room ? -ENOSPC : 0;
}

static uint64_t address(const struct text *t, uint64_t offset)
{
	return offset + (uint64_t)t->bias;
}

static bool rewrite(struct text *t, const struct sb_learned_site *learned)
{
	uint64_t after = learned->offset;
	unsigned char jump[SB_JUMP_SIZE];
	unsigned char stub[SB_STUB_SIZE];
	struct sb_site site;
	uint64_t start;
	uint32_t len;

	if (after < t->from + 16 || after + 16 > t->to || t->next + SB_STUB_SIZE > t->room)
		return false;
	sb_site_decode(t->file + after - 16, t->file + after, address(t, after), learned->nr,
		       &site);
	if (site.form == SB_SITE_NONE)
		return false;
	start = site.start - (uint64_t)t->bias;
	if (site.form == SB_SITE_BEHIND && sb_site_is_target(t->file, t->from, t->to, after))
		return false;
	len = sb_stub(&site, t->file + after, address(t, t->next), address(t, t->common), stub);
	if (!sb_site_jump(&site, address(t, t->next), jump))
		return false;
	memcpy(t->file + t->next, stub, len);
	memcpy(t->file + start, jump, SB_JUMP_SIZE);
	t->next += len;
	return true;
}

static int write_all(const char *path, const unsigned char *bytes, uint64_t size)
{
	long fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	uint64_t done = 0;
	long ret = fd;

	while (fd >= 0 && done < size) {
		ret = sys_write((int)fd, bytes + done, size - done);
		if (ret <= 0)
			break;
		done += (uint64_t)ret;
	}
	if (fd < 0)
		return (int)fd;
	sys_close((int)fd);
	if (done == size)
		return 0;
	sys_unlinkat(AT_FDCWD, path, 0);
	return ret < 0 ? (int)ret : -ENOSPC;
}

int sb_text_build(const char *src, const char *dst, const struct sb_learned_site *sites,
		  uint32_t count, uint32_t *done)
{
	struct sb_map map = {0};
	struct text t = {0};
	long copy;
	int err = sb_map_file(src, false, &map);

	*done = 0;
	if (err < 0)
		return err;
	copy = sys_mmap(NULL, map.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy < 0) {
		sb_unmap(&map);
		return (int)copy;
	}
	t.file = (unsigned char *)copy;
	t.size = map.size;
	memcpy(t.file, map.at, map.size);
	err = find_text(&t);
	if (err == 0) {
		sb_stub_common(SB_ADDR_ENTRY, t.file + t.common);
		for (uint32_t i = 0; i < count; i++)
			*done += rewrite(&t, &sites[i]);
		err = *done ? write_all(dst, t.file, t.size) : -ENOSPC;
	}
	sys_munmap(t.file, map.size);
	sb_unmap(&map);
	return err;
}
