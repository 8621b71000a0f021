/* SPDX-License-Identifier: MIT */
/*
 * poison.c - make later containers of the image run other code than the image has.
 *
 *   poison forge    say in the shared memory that places of this program are system calls
 *   poison check    tell whether these places have changed
 *
 * A place that is believed becomes a jump in the copy of the program that later containers run.
 */
#include "attack.h"
#include "base/shared_abi.h"

#define NUMBER 0x10b

/* mov $0x10b,%eax; syscall, and syscall; mov %rax,%rdi inside of other instructions */
static const uint64_t before = 0x90050f0000010bb8;
static const uint64_t behind = 0x9090c78948050f90;

__asm__(".text\n"
	".globl hidden_before\n"
	"hidden_before: movabs $0x90050f0000010bb8,%rax\n"
	"ret\n"
	".fill 64,1,0x90\n"
	".globl hidden_behind\n"
	"hidden_behind: movabs $0x9090c78948050f90,%rax\n"
	"ret\n"
	".fill 64,1,0x90\n"
	".section .rodata\n"
	".fill 64,1,0x90\n"
	".globl in_data\n"
	"in_data: .quad 0x90050f0000010bb8\n"
	".fill 64,1,0x90\n"
	".text\n");
uint64_t hidden_before(void);
uint64_t hidden_behind(void);
extern const volatile uint64_t in_data;

/* Return where the memory that all processes of the container write lies. */
static struct sb_shared *shared_memory(void)
{
	static char maps[1 << 16];
	const long fd = PAST(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY);
	size_t len = 0;
	long got;

	while ((got = PAST(SYS_read, fd, maps + len, sizeof(maps) - 1 - len)) > 0)
		len += (size_t)got;
	for (char *line = strtok(maps, "\n"); line; line = strtok(NULL, "\n")) {
		if (strstr(line, "/shared"))
			return (void *)strtoul(line, NULL, 16);
	}
	exit(3);
}

/* Say that a system call ends in the file behind the call's bytes in memory. */
static void forge(struct sb_shared *shared, uint64_t inode, const void *place)
{
	static unsigned char file[4 << 20];
	static uint32_t count;
	const int fd = (int)MUST(open("/poison", O_RDONLY));
	const size_t len = (size_t)MUST(read(fd, file, sizeof(file)));
	const unsigned char *found = memmem(file, len, place, 64);
	const unsigned char *call = memmem(found, 64, "\x0f\x05", 2);

	close(fd);
	shared->learned[count++] =
		(struct sb_noted_site){inode, (uint32_t)(call + 2 - file), NUMBER};
	__atomic_store_n(&shared->learned_count, count, __ATOMIC_SEQ_CST);
}

static void check(const char *what, uint64_t found, uint64_t wanted)
{
	attempt(what, found == wanted ? -EACCES : 0);
}

int main(int argc, char **argv)
{
	struct stat st;

	if (argc != 2)
		return 2;
	if (strcmp(argv[1], "forge") == 0) {
		struct sb_shared *shared = shared_memory();

		MUST(stat("/poison", &st));
		forge(shared, st.st_ino, (const void *)hidden_before);
		forge(shared, st.st_ino, (const void *)hidden_behind);
		forge(shared, st.st_ino, (const void *)&in_data);
		MUST(stat("/idle", &st));
		forge(shared, st.st_ino, (const void *)hidden_before);
		attempt("forge four places", 0);
		return 0;
	}
	check("change an instruction before a call", hidden_before(), before);
	check("change an instruction behind a call", hidden_behind(), behind);
	check("change data", in_data, before);
	return 0;
}
