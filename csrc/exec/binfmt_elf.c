/* SPDX-License-Identifier: MIT */
/*
 * binfmt_elf.c - read and map ELF programs, as the kernel's binfmt_elf does.
 *
 * Rules
 *   sb_elf_read trusts nothing in the file: it checks sizes and offsets before use. No recursion,
 *   no allocation.
 */
#include "exec/binfmt_elf.h"

#include <errno.h>
#include <linux/mman.h>

#include "base/mem.h"
#include "base/sys.h"
#include "compat.h"

#define PAGE 4096ULL
#define PAGE_DOWN(x) ((x) & ~(PAGE - 1))
#define PAGE_UP(x) (((x) + PAGE - 1) & ~(PAGE - 1))
#define MAX_TABLE 65536 /* bytes of program headers, as in the kernel */

static size_t phdr_size(const struct sb_elf *elf)
{
	return elf->is_32 ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
}

static int check_header(const struct sb_elf *elf)
{
	const Elf64_Ehdr *h = &elf->header;

	if (!elf->is_32 && h->e_machine != SB_ARCH_ELF)
		return -ENOEXEC;
	if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
		return -ENOEXEC;
	if (h->e_phentsize != phdr_size(elf) || h->e_phnum == 0 ||
	    h->e_phnum * phdr_size(elf) > MAX_TABLE)
		return -ENOEXEC;
	return 0;
}

static void widen_header(Elf64_Ehdr *h)
{
	Elf32_Ehdr from;

	memcpy(&from, h, sizeof(from));
	*h = (Elf64_Ehdr){
		.e_type = from.e_type,
		.e_machine = from.e_machine,
		.e_version = from.e_version,
		.e_entry = from.e_entry,
		.e_phoff = from.e_phoff,
		.e_flags = from.e_flags,
		.e_ehsize = from.e_ehsize,
		.e_phentsize = from.e_phentsize,
		.e_phnum = from.e_phnum,
	};
	memcpy(h->e_ident, from.e_ident, EI_NIDENT);
}

/* Widen in place, from the last entry to the first, since each becomes longer. */
static void widen_segments(Elf64_Phdr *phdrs, unsigned count)
{
	const char *bytes = (const char *)phdrs;
	Elf32_Phdr from;

	for (unsigned i = count; i-- > 0;) {
		memcpy(&from, bytes + i * sizeof(from), sizeof(from));
		phdrs[i] = (Elf64_Phdr){
			.p_type = from.p_type,
			.p_flags = from.p_flags,
			.p_offset = from.p_offset,
			.p_vaddr = from.p_vaddr,
			.p_paddr = from.p_paddr,
			.p_filesz = from.p_filesz,
			.p_memsz = from.p_memsz,
			.p_align = from.p_align,
		};
	}
}

static int read_header(int fd, struct sb_elf *elf)
{
	const long len = sys_pread(fd, &elf->header, sizeof(elf->header), 0);
	const unsigned char *ident = elf->header.e_ident;

	if (len < 0)
		return (int)len;
	if ((size_t)len < sizeof(Elf32_Ehdr) || memcmp(ident, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	elf->is_32 = sb_compat_is_machine(elf->header.e_machine);
	if (elf->is_32)
		widen_header(&elf->header);
	else if ((size_t)len < sizeof(elf->header)) /* the kernel does not look at the class */
		return -ENOEXEC;
	return check_header(elf);
}

static int check_segments(const struct sb_elf *elf)
{
	const uint64_t end = elf->is_32 ? SB_COMPAT_END : SB_ADDR_USER_END;
	bool any = false;

	for (unsigned i = 0; i < elf->count; i++) {
		const Elf64_Phdr *p = &elf->phdrs[i];

		if (p->p_type != PT_LOAD)
			continue;
		any = true;
		if (p->p_filesz > p->p_memsz || p->p_memsz > end || p->p_vaddr > end ||
		    p->p_vaddr + p->p_memsz > end)
			return -ENOEXEC;
		if (p->p_filesz > 0 && ((p->p_vaddr ^ p->p_offset) & (PAGE - 1)) != 0)
			return -EINVAL;
		if (elf->header.e_type == ET_EXEC && p->p_vaddr < SB_ADDR_HIGH &&
		    p->p_vaddr + p->p_memsz > SB_ADDR_LOW)
			return -ENOMEM; /* where the runtime lives */
	}
	return any ? 0 : -ENOEXEC;
}

static int read_interp(int fd, const Elf64_Phdr *p, char *interp, size_t max)
{
	long ret;

	if (p->p_filesz < 2 || p->p_filesz > max)
		return -ENOEXEC;
	ret = sys_pread(fd, interp, p->p_filesz, (int64_t)p->p_offset);
	if (ret < 0)
		return (int)ret;
	if ((uint64_t)ret != p->p_filesz || interp[ret - 1] != '\0')
		return -ENOEXEC;
	/* An empty name is that of the working directory. */
	return interp[0] == '\0' ? -EACCES : (int)strlen(interp);
}

static bool matters(const Elf64_Phdr *p)
{
	return p->p_type == PT_LOAD || p->p_type == PT_INTERP || p->p_type == PT_GNU_STACK ||
	       p->p_type == PT_PHDR;
}

/* Read the table of program headers piece by piece, and keep those that matter. */
static int read_segments(int fd, struct sb_elf *elf)
{
	const size_t size = phdr_size(elf);
	unsigned done = 0;

	elf->count = 0;
	while (done < elf->header.e_phnum) {
		Elf64_Phdr *piece = elf->phdrs + elf->count;
		const unsigned room = SB_ELF_MAX_PHDRS - elf->count;
		const unsigned count = SB_MIN(room, (unsigned)elf->header.e_phnum - done);
		const long ret = sys_pread(fd, piece, count * size,
					   (int64_t)(elf->header.e_phoff + done * size));

		if (count == 0 || ret < 0 || (size_t)ret != count * size)
			return -ENOEXEC;
		if (elf->is_32)
			widen_segments(piece, count);
		for (unsigned i = 0; i < count; i++) {
			if (matters(&piece[i]))
				elf->phdrs[elf->count++] = piece[i];
		}
		done += count;
	}
	return 0;
}

int sb_elf_read(int fd, struct sb_elf *elf, char *interp, size_t max)
{
	int ret = read_header(fd, elf);

	elf->interp_len = 0;
	if (ret == 0)
		ret = read_segments(fd, elf);
	if (ret == 0)
		ret = check_segments(elf);
	if (ret < 0)
		return ret;
	for (unsigned i = 0; interp && i < elf->count; i++) {
		if (elf->phdrs[i].p_type != PT_INTERP)
			continue;
		ret = read_interp(fd, &elf->phdrs[i], interp, max);
		if (ret < 0)
			return ret;
		elf->interp_len = (uint32_t)ret;
		break;
	}
	return 0;
}

static void span(const struct sb_elf *elf, uint64_t *low, uint64_t *high, uint64_t *align)
{
	*low = ~0ULL;
	*high = 0;
	*align = PAGE;
	for (unsigned i = 0; i < elf->count; i++) {
		const Elf64_Phdr *p = &elf->phdrs[i];

		if (p->p_type != PT_LOAD)
			continue;
		*low = SB_MIN(*low, PAGE_DOWN(p->p_vaddr));
		*high = SB_MAX(*high, PAGE_UP(p->p_vaddr + p->p_memsz));
		if (p->p_align > *align && (p->p_align & (p->p_align - 1)) == 0 &&
		    p->p_align <= (1ULL << 30))
			*align = p->p_align;
	}
}

/* Reserve the whole span, so that the segments replace our own pages only. */
static long reserve(const struct sb_elf *elf, uint64_t hint, uint64_t low, uint64_t size,
		    uint64_t align)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	long at;
	uint64_t aligned;

	if (elf->header.e_type == ET_EXEC)
		return sys_mmap((void *)(uintptr_t)low, size, PROT_NONE,
				flags | MAP_FIXED_NOREPLACE, -1, 0);
	at = elf->is_32 ? sb_compat_mmap(hint, size + align - PAGE, PROT_NONE, flags)
			: sys_mmap((void *)(uintptr_t)hint, size + align - PAGE, PROT_NONE, flags,
				   -1, 0);
	if (at < 0 || align == PAGE)
		return at;
	aligned = ((uint64_t)at + align - 1) & ~(align - 1);
	if (aligned > (uint64_t)at)
		sys_munmap((void *)at, aligned - (uint64_t)at);
	if (aligned + size < (uint64_t)at + size + align - PAGE)
		sys_munmap((void *)(uintptr_t)(aligned + size),
			   (uint64_t)at + align - PAGE - aligned);
	return (long)aligned;
}

static int protection(uint32_t flags)
{
	return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) |
	       (flags & PF_X ? PROT_EXEC : 0);
}

/* Zero the rest of the last file page and map the pages of bss after it. */
static int map_bss(uint64_t file_end, uint64_t mem_end, int prot)
{
	uint64_t page = PAGE_UP(file_end);
	long ret;

	if (file_end < page && mem_end > file_end && (prot & PROT_WRITE))
		memset((void *)(uintptr_t)file_end, 0, page - file_end);
	if (mem_end <= page)
		return 0;
	ret = sys_mmap((void *)(uintptr_t)page, PAGE_UP(mem_end) - page, prot,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	return ret < 0 ? (int)ret : 0;
}

static int map_segment(int fd, const Elf64_Phdr *p, uint64_t bias)
{
	uint64_t start = bias + p->p_vaddr;
	uint64_t page = PAGE_DOWN(start);
	int prot = protection(p->p_flags);
	long ret;

	if (p->p_memsz == 0)
		return 0;
	if (p->p_filesz) {
		ret = sys_mmap((void *)(uintptr_t)page, start + p->p_filesz - page, prot,
			       MAP_PRIVATE | MAP_FIXED, fd, (int64_t)PAGE_DOWN(p->p_offset));
		if (ret < 0)
			return (int)ret;
	} else {
		ret = sys_mmap((void *)(uintptr_t)page, PAGE_UP(start + p->p_memsz) - page, prot,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		return ret < 0 ? (int)ret : 0;
	}
	return map_bss(start + p->p_filesz, start + p->p_memsz, prot);
}

int sb_elf_map(int fd, const struct sb_elf *elf, uint64_t hint, struct sb_elf_image *image)
{
	const Elf64_Ehdr *h = &elf->header;
	uint64_t low;
	uint64_t high;
	uint64_t align;
	uint64_t bias;
	long at;

	span(elf, &low, &high, &align);
	at = reserve(elf, hint, low, high - low, align);
	if (at < 0)
		return (int)at;
	bias = (uint64_t)at - low;
	*image = (struct sb_elf_image){
		.base = bias, .entry = bias + h->e_entry, .low = low + bias, .high = high + bias};
	for (unsigned i = 0; i < elf->count; i++) {
		const Elf64_Phdr *p = &elf->phdrs[i];
		int ret;

		if (p->p_type == PT_GNU_STACK)
			image->exec_stack = (p->p_flags & PF_X) != 0;
		if (p->p_type == PT_PHDR)
			image->phdr = bias + p->p_vaddr;
		if (p->p_type != PT_LOAD)
			continue;
		ret = map_segment(fd, p, bias);
		if (ret < 0)
			return ret;
		if (!image->phdr && p->p_offset <= h->e_phoff &&
		    h->e_phoff < p->p_offset + p->p_filesz)
			image->phdr = bias + p->p_vaddr + h->e_phoff - p->p_offset;
	}
	return 0;
}
