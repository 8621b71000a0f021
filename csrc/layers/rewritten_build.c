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
 *   Hosted build only. The file's bytes are checked before use, and so are the sites, which come
 *   from guests: a site is an instruction of a section of code, its bytes have a known form, and no
 *   jump leads into the middle of what changes.
 */
#include "layers/rewritten_build.h"

#include <elf.h>
#include <errno.h>
#include <linux/mman.h>

#include "base/mem.h"
#include "base/sys.h"
#include "instruction.h"
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
	return t->next + SB_STUB_SIZE > t->room ? -ENOEXEC : 0;
}

static bool has_sections(const struct text *t)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)(const void *)t->file;

	return h->e_shentsize == sizeof(Elf64_Shdr) && h->e_shoff < t->size &&
	       h->e_shoff % sizeof(uint64_t) == 0 &&
	       h->e_shnum <= (t->size - h->e_shoff) / sizeof(Elf64_Shdr);
}

/* Find the section of code that holds the byte in front of after; false: none does. */
static bool find_code(const struct text *t, uint64_t after, uint64_t *from, uint64_t *to)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)(const void *)t->file;
	const Elf64_Shdr *sections = (const Elf64_Shdr *)(const void *)(t->file + h->e_shoff);

	for (unsigned i = 0; has_sections(t) && i < h->e_shnum; i++) {
		const Elf64_Shdr *s = &sections[i];

		if (s->sh_type != SHT_PROGBITS || !(s->sh_flags & SHF_EXECINSTR) ||
		    s->sh_offset < t->from || s->sh_offset > t->to ||
		    s->sh_size > t->to - s->sh_offset || after <= s->sh_offset ||
		    after - s->sh_offset > s->sh_size)
			continue;
		*from = s->sh_offset;
		*to = s->sh_offset + s->sh_size;
		return true;
	}
	return false;
}

static uint64_t address(const struct text *t, uint64_t offset)
{
	return offset + (uint64_t)t->bias;
}

/* Find the form of the site whose system call ends at after; false: it is no site. The number of
 * the call does not matter: it is the one that the site itself loads. */
static bool find_site(const struct text *t, uint64_t after, struct sb_site *site)
{
	const unsigned char *bytes = t->file + after;
	uint64_t from;
	uint64_t to;
	uint64_t start;
	uint32_t nr;

	if (after < t->from + 16 || after + 16 > t->to || !find_code(t, after, &from, &to))
		return false;
	memcpy(&nr, bytes - 6, sizeof(nr));
	sb_site_decode(bytes - 16, bytes, address(t, after), nr, site);
	if (site->form == SB_SITE_NONE)
		return false;
	start = site->start - (uint64_t)t->bias;
	if (start < from || !sb_instruction_begins(t->file, from, to, start))
		return false;
	if (site->form == SB_SITE_BEFORE)
		return sb_instruction_length(t->file + start, to - start) == SB_JUMP_SIZE;
	return sb_instruction_length(bytes, to - after) == site->displaced &&
	       !sb_site_is_target(t->file, t->from, t->to, after);
}

/* Is no byte of the site part of another one that was rewritten before? */
static bool is_whole(const struct text *t, const unsigned char *original,
		     const struct sb_site *site)
{
	const uint64_t start = site->start - (uint64_t)t->bias;
	const uint64_t after = site->after - (uint64_t)t->bias;

	return memcmp(t->file + start, original + start, SB_JUMP_SIZE) == 0 &&
	       memcmp(t->file + after - 2, original + after - 2, 2 + site->displaced) == 0;
}

static bool rewrite(struct text *t, const unsigned char *original, const struct sb_site *site)
{
	const uint64_t after = site->after - (uint64_t)t->bias;
	unsigned char jump[SB_JUMP_SIZE];
	unsigned char stub[SB_STUB_SIZE];
	uint32_t len;

	if (t->next + SB_STUB_SIZE > t->room || !is_whole(t, original, site))
		return false;
	len = sb_stub(site, original + after, address(t, t->next), address(t, t->common), stub);
	if (!sb_site_jump(site, address(t, t->next), jump))
		return false;
	memcpy(t->file + t->next, stub, len);
	memcpy(t->file + site->start - (uint64_t)t->bias, jump, SB_JUMP_SIZE);
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

int sb_text_build(const unsigned char *bytes, uint64_t size, const char *dst,
		  const uint32_t *offsets, uint32_t count, unsigned char *is_site)
{
	struct text t = {.size = size};
	struct sb_site site;
	int done = 0;
	int err;
	long copy =
		sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(is_site, 0, count);
	if (copy < 0)
		return (int)copy;
	t.file = (unsigned char *)copy;
	memcpy(t.file, bytes, size);
	err = find_text(&t);
	if (err == 0) {
		struct text original = t;

		original.file = (unsigned char *)(uintptr_t)bytes;
		sb_stub_common(SB_ADDR_ENTRY, t.file + t.common);
		for (uint32_t i = 0; i < count; i++) {
			is_site[i] = find_site(&original, offsets[i], &site);
			done += is_site[i] && rewrite(&t, bytes, &site);
		}
		err = done > 0 ? write_all(dst, t.file, t.size) : 0;
	}
	sys_munmap(t.file, size);
	return err < 0 ? err : done;
}
