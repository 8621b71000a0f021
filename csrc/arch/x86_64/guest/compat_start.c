/* SPDX-License-Identifier: MIT */
/*
 * compat_start.c - stack, auxiliary vector and heap of a new 32-bit program.
 *
 * The vector has no AT_SYSINFO and no AT_SYSINFO_EHDR: the vdso is the 64-bit one, so the program
 * makes its calls by int $0x80.
 */
#include "compat_start.h"

#include <errno.h>
#include <linux/auxvec.h>
#include <linux/mman.h>

#define PAGE 4096ULL
#define STACK_ROOM (128 * 1024ULL) /* mapped at once, besides what is on it */
#define STACK_RANDOM_PAGES 2048    /* 8 MiB, as in the kernel */
#define HEAP_RANDOM_PAGES 8192     /* 32 MiB */
#define GROWS_DOWN 0x0100
#define MAX_AUX 40
#define ADDR_NO_RANDOMIZE 0x0040000
#define READ_IMPLIES_EXEC 0x0400000

static const char platform[] = "i686";

static long persona(void)
{
	return sb_syscall6(__NR_personality, 0xffffffff, 0, 0, 0, 0, 0);
}

void sb_compat_begin(const struct sb_elf *elf)
{
	for (unsigned i = 0; i < elf->count; i++) {
		if (elf->phdrs[i].p_type == PT_GNU_STACK)
			return;
	}
	sb_syscall6(__NR_personality, persona() | READ_IMPLIES_EXEC, 0, 0, 0, 0, 0);
}

static uint32_t random_pages(const unsigned char *random, unsigned from, uint32_t count)
{
	uint32_t value = 0;

	if (!random || persona() & ADDR_NO_RANDOMIZE)
		return 0;
	memcpy(&value, random + from, sizeof(value));
	value ^= value >> 15;
	return value % count;
}

/* Return the size of a vector's strings; *count is how many there are. */
static uint64_t measure(char **vector, uint64_t *count)
{
	uint64_t size = 0;

	for (*count = 0; vector[*count]; (*count)++)
		size += strlen(vector[*count]) + 1;
	return size;
}

static uint64_t put(uint64_t *top, const void *data, size_t size)
{
	*top -= size;
	memcpy((void *)(uintptr_t)*top, data, size);
	return *top;
}

static uint32_t *put_strings(uint32_t *words, uint64_t *top, char **vector)
{
	for (; *vector; vector++)
		*words++ = (uint32_t)put(top, *vector, strlen(*vector) + 1);
	*words++ = 0;
	return words;
}

/* Change one pair of the vector; false: the program does not get it. */
static bool change_pair(uint64_t type, uint64_t *value, uint64_t *top,
			const struct sb_compat_start *start)
{
	switch (type) {
	case AT_SYSINFO:
	case AT_SYSINFO_EHDR:
		return false;
	case AT_EXECFN:
		*value = put(top, (const char *)(uintptr_t)*value,
			     strlen((const char *)(uintptr_t)*value) + 1);
		return true;
	case AT_PLATFORM:
		*value = put(top, platform, sizeof(platform));
		return true;
	case AT_RANDOM:
		*value = start->random ? put(top, start->random, 16) : 0;
		return start->random != NULL;
	case AT_MINSIGSTKSZ: /* for the kernel's frame, and the runtime's below it */
		*value += 2048;
		return true;
	default:
		return *value <= UINT32_MAX;
	}
}

static uint32_t make_aux(uint32_t pairs[2 * MAX_AUX], uint64_t *top,
			 const struct sb_compat_start *start)
{
	uint32_t n = 0;

	for (const Elf64_auxv_t *a = start->auxv; a->a_type != AT_NULL; a++) {
		uint64_t value = a->a_un.a_val;

		if (n + 2 >= 2 * MAX_AUX || !change_pair(a->a_type, &value, top, start))
			continue;
		pairs[n++] = (uint32_t)a->a_type;
		pairs[n++] = (uint32_t)value;
	}
	pairs[n++] = AT_NULL;
	pairs[n++] = 0;
	return n;
}

static long map_stack(uint64_t size, uint64_t top, bool is_executable)
{
	const int prot = PROT_READ | PROT_WRITE | (is_executable ? PROT_EXEC : 0);
	const uint64_t whole = (size + STACK_ROOM + PAGE - 1) & ~(PAGE - 1);

	return sys_mmap((void *)(uintptr_t)(top - whole), whole, prot,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK | GROWS_DOWN |
				MAP_FIXED_NOREPLACE,
			-1, 0);
}

long sb_compat_stack(const struct sb_compat_start *start)
{
	uint32_t pairs[2 * MAX_AUX];
	uint64_t args;
	uint64_t vars;
	uint64_t size = measure(start->argv, &args) + measure(start->envp, &vars);
	uint64_t top =
		SB_COMPAT_END - PAGE * (1 + random_pages(start->random, 4, STACK_RANDOM_PAGES));
	uint64_t at;
	uint32_t aux;
	uint32_t *words;
	long ret;

	size += (args + vars + 3) * 4 + sizeof(pairs) + 8192;
	if (size > SB_COMPAT_END / 4)
		return -E2BIG;
	ret = map_stack(size, top, start->exec_stack);
	if (ret < 0)
		return ret;
	top -= 16;
	aux = make_aux(pairs, &top, start);
	at = top - (size - 8192 - sizeof(pairs)); /* below all strings and vectors */
	at = (at - aux * 4) & ~15ULL;
	words = (uint32_t *)(uintptr_t)at;
	*words++ = (uint32_t)args;
	words = put_strings(words, &top, start->argv);
	words = put_strings(words, &top, start->envp);
	memcpy(words, pairs, aux * sizeof(pairs[0]));
	memcpy(start->auxv, pairs, aux * sizeof(pairs[0]));
	return (long)at;
}

/* Map code with int $0x80 for sigreturn and rt_sigreturn, as in the kernel's vdso. */
static long make_return_code(void)
{
	static const unsigned char code[] = {0x58, 0xb8, 119,  0,    0,    0,    0xcd, 0x80,
					     0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
					     0xb8, 173,  0,    0,    0,    0xcd, 0x80};
	const long at =
		sb_compat_mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);

	if (at < 0)
		return at;
	memcpy((void *)at, code, sizeof(code));
	sb_syscall6(__NR_mprotect, at, (long)PAGE, PROT_READ | PROT_EXEC, 0, 0, 0);
	return at;
}

int sb_compat_prepare(struct sb_proc *proc, uint64_t end, const unsigned char *random)
{
	const long code = make_return_code();
	const uint64_t heap = ((end + PAGE - 1) & ~(PAGE - 1)) +
			      PAGE * random_pages(random, 12, HEAP_RANDOM_PAGES);

	if (code < 0)
		return (int)code;
	proc->compat.return_code = (uint32_t)code;
	proc->compat.brk_start = (uint32_t)heap;
	proc->compat.brk = (uint32_t)heap;
	return 0;
}
