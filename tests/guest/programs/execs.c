/* SPDX-License-Identifier: MIT */
/*
 * execs.c - what execve passes to a new program, and what it refuses.
 *
 *   execs GROUP (in an empty directory)
 *
 * A copy of this program whose name begins with "show" prints how it was started. Scripts in these
 * tests name such a copy as their interpreter.
 */
#include "see.h"

#include <dirent.h>
#include <elf.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/time.h>

#ifdef __i386__
typedef Elf32_Ehdr HEADER;
typedef Elf32_Phdr SEGMENT;
#else
typedef Elf64_Ehdr HEADER;
typedef Elf64_Phdr SEGMENT;
#endif

extern char **environ;

static void put_word(const char *word)
{
	size_t len = strlen(word);

	if (len > 80) {
		printf(" (%zu bytes %.10s...%s)", len, word, word + len - 5);
		return;
	}
	printf(" \"");
	for (; *word; word++) {
		if (*word >= ' ' && *word < 127 && *word != '"')
			putchar(*word);
		else
			printf("\\x%02x", (unsigned char)*word);
	}
	printf("\"");
}

static int show(int argc, char **argv, char **envp)
{
	int count = 0;

	printf("started with %d:", argc);
	for (int i = 0; i < argc && i < 12; i++)
		put_word(argv[i]);
	printf(", environment");
	for (; envp[count]; count++) {
		if (count < 4)
			put_word(envp[count]);
	}
	printf(" %d, called", count);
	put_word((const char *)getauxval(AT_EXECFN));
	printf("\n");
	fflush(stdout);
	return 33;
}

static char *const no_environment[] = {NULL};
static char *const one_variable[] = {"A=b", NULL};

/* Execute a file in a child, and print the error or how the program ended. */
static void try_exec(const char *what, const char *path, char *const argv[], char *const envp[])
{
	pid_t pid;

	printf("%s: ", what);
	fflush(stdout);
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		alarm(100);
		syscall(SYS_execve, path, argv, envp);
		printf("%s\n", error_name(errno));
		fflush(stdout);
		_exit(0);
	}
	int status = wait_for(pid);
	if (status != 0 && status != 33 << 8)
		say_status("  ended with", status);
}

static void try_path(const char *path)
{
	char *const argv[] = {"zero", "one", NULL};

	try_exec(path, path, argv, one_variable);
}

/* ---- arguments ---- */

static void arguments(void)
{
	static char *const words[][6] = {
		{NULL},
		{"", NULL},
		{"", "", "", NULL},
		{"a b", "c\td\n", "\"quoted\"", "\xff\xfe\x80", NULL},
		{"/no/such/name", NULL},
		{"zero", "-", "--", NULL},
	};
	char path[PATH_MAX];

	copy_self("show");
	for (size_t i = 0; i < COUNT(words); i++)
		try_exec("words", "show", words[i], one_variable);
	try_exec("no argv", "show", NULL, one_variable);
	try_exec("no envp", "show", words[1], NULL);
	try_exec("neither", "show", NULL, NULL);
	try_exec("odd environment", "./show", words[1],
		 (char *const[]){"", "=", "NOVALUE", "A=\xff", "A=twice", NULL});
	if (!getcwd(path, sizeof(path) - 8))
		broken("getcwd");
	strcat(path, "/show");
	try_exec("absolute", path, words[1], one_variable);
}

static void many_arguments(void)
{
	static char *words[200002];
	static char word[131072];
	char *big;
	struct rlimit limit;

	copy_self("show");
	for (size_t i = 0; i < 100000; i++)
		words[i] = "0123456789";
	try_exec("100000 words", "show", words, one_variable);
	memset(word, 'x', sizeof(word) - 1);
	words[1] = word;
	words[2] = NULL;
	try_exec("a word of 131071", "show", words, one_variable);
	big = malloc(200000);
	memset(big, 'y', 131072);
	big[131072] = '\0';
	words[1] = big;
	try_exec("a word of 131072", "show", words, one_variable);
	for (size_t i = 1; i < 20; i++)
		words[i] = word;
	words[8] = NULL;
	try_exec("7 long words", "show", words, one_variable);
	words[8] = word;
	words[20] = NULL;
	try_exec("19 long words", "show", words, one_variable);
	for (size_t i = 0; i < 200001; i++)
		words[i] = "";
	try_exec("200001 empty words", "show", words, one_variable);
	MUST(getrlimit(RLIMIT_STACK, &limit));
	limit.rlim_cur = 1 << 20;
	MUST(setrlimit(RLIMIT_STACK, &limit));
	words[20000] = NULL;
	try_exec("20000 empty words, small stack", "show", words, one_variable);
	for (size_t i = 0; i < 3; i++)
		words[i] = word;
	words[3] = NULL;
	try_exec("3 long words, small stack", "show", words, one_variable);
}

/* ---- auxiliary vector ---- */

extern char _start[];

static void auxiliary(void)
{
	static const struct {
		unsigned long type;
		const char *name;
	} types[] = {
		{AT_PHDR, "PHDR"},
		{AT_PHENT, "PHENT"},
		{AT_PHNUM, "PHNUM"},
		{AT_PAGESZ, "PAGESZ"},
		{AT_BASE, "BASE"},
		{AT_FLAGS, "FLAGS"},
		{AT_ENTRY, "ENTRY"},

		{AT_CLKTCK, "CLKTCK"},
		{AT_SECURE, "SECURE"},
		{AT_RANDOM, "RANDOM"},
		{AT_HWCAP, "HWCAP"},
		{AT_HWCAP2, "HWCAP2"},
		{AT_PLATFORM, "PLATFORM"},
		{AT_SYSINFO_EHDR, "SYSINFO_EHDR"},
		{AT_MINSIGSTKSZ, "MINSIGSTKSZ"},
		{AT_EXECFN, "EXECFN"},
	};
	const SEGMENT *phdr = (const SEGMENT *)getauxval(AT_PHDR);
	const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
	unsigned bits = 0;
	uint64_t entry[2];
	FILE *stream;
	size_t n = 0;

	for (size_t i = 0; i < COUNT(types); i++) /* ids are compared below */
		say("%s is %s", types[i].name, getauxval(types[i].type) ? "set" : "0");
	say("page %lu, ticks %lu, phent %lu", getauxval(AT_PAGESZ), getauxval(AT_CLKTCK),
	    getauxval(AT_PHENT));
	say("entry is _start: %d", getauxval(AT_ENTRY) == (unsigned long)_start);
	say("ids agree: %d", getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid() &&
				     getauxval(AT_GID) == getgid() &&
				     getauxval(AT_EGID) == getegid());
	say("called \"%s\"", (const char *)getauxval(AT_EXECFN));
	for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
		say("header: type %#x flags %u", phdr[i].p_type, phdr[i].p_flags);
	for (int i = 0; i < 16; i++)
		bits |= random[i];
	say("random bytes: %d", bits != 0);
	say("platform \"%s\"", (const char *)getauxval(AT_PLATFORM));
	stream = fopen("/proc/self/auxv", "r");
	while (stream && fread(entry, sizeof(entry), 1, stream) == 1) {
		if (entry[0] != AT_NULL && entry[0] != AT_SECURE && getauxval(entry[0]) != entry[1])
			say("/proc/self/auxv differs in %lu", (unsigned long)entry[0]);
		printf("%lu ", (unsigned long)entry[0]);
		n++;
	}
	say(": %zu entries", n);
	if (stream)
		fclose(stream);
	say("vdso starts with ELF: %d",
	    getauxval(AT_SYSINFO_EHDR) &&
		    memcmp((void *)getauxval(AT_SYSINFO_EHDR), "\177ELF", 4) == 0);
}

static void addresses(void)
{
	static char bss[100000];
	void *volatile first = malloc(1); /* the C library takes its part of the heap before */
	char *heap;
	int local;

	free(first);
	heap = sbrk(0);
	say("heap above data: %d",
	    (uintptr_t)heap > (uintptr_t)bss || (uintptr_t)heap > (uintptr_t)_start);
	say("brk grows: %d", sbrk(1 << 20) != (void *)-1 && (char *)sbrk(0) == heap + (1 << 20));
	memset(heap, 1, 1 << 20);
	say("brk shrinks: %d", sbrk(-(1 << 20)) != (void *)-1 && (char *)sbrk(0) == heap);
	say("stack on top: %d", (uintptr_t)&local > (uintptr_t)heap);
	say("a big block: %d", malloc(200 << 20) != NULL);
}

/* ---- what execve refuses ---- */

static void refusals(void)
{
	char name[300];

	copy_self("show");
	MUST(mkdir("dir", 0755));
	write_file("plain", "echo no\n");
	write_file("empty", "");
	write_file("text", "no shebang here\n");
	MUST(chmod("empty", 0755));
	MUST(chmod("text", 0755));
	MUST(mkfifo("fifo", 0755));
	MUST(symlink("show", "link-show"));
	MUST(symlink("nowhere", "dangling"));
	MUST(symlink("loop", "loop"));
	MUST(link("show", "show-linked"));
	try_path("show");
	try_path("./show");
	try_path("dir/../show");
	try_path("link-show");
	try_path("show-linked");
	try_path("show/");
	try_path("link-show/");
	try_path("dir");
	try_path("plain");
	try_path("empty");
	try_path("text");
	try_path("fifo");
	try_path("dangling");
	try_path("loop");
	try_path("missing");
	try_path("missing/x");
	try_path("show/x");
	try_path("");
	try_path("/dev/null");
	try_path("/proc/self/exe");
	try_path("/proc/self/maps");
	try_path("/proc/self/cwd/show");
	try_path("/dev/fd/99");
	memset(name, 'n', 256);
	name[256] = '\0';
	try_path(name);
	MUST(chmod("show", 0111));
	try_path("show");
	MUST(chmod("show", 0644));
	try_path("show");
	MUST(chmod("show", 0));
	try_path("show");
	MUST(unlink("show"));
	try_path("show");
	errno = 0;
	try_exec("null path", NULL, no_environment, no_environment);
	try_exec("bad path", (char *)8, no_environment, no_environment);
}

/* execvp searches PATH, and runs /bin/sh on a file that is neither ELF nor a script with `#!`. */
static void searches(void)
{
	char *const words[] = {"zero", "one", NULL};
	static const char *const files[] = {"show",    "text",     "plain",
					    "missing", "sub/show", "twice"};

	MUST(mkdir("bin", 0755));
	MUST(mkdir("bin2", 0755));
	MUST(mkdir("sub", 0755));
	copy_self("bin/show");
	copy_self("sub/show");
	copy_self("bin2/twice");
	write_file("bin/twice", "not executable\n");
	write_file("bin/text", "echo by the shell: ${0##*/} \"$1\"\n");
	MUST(chmod("bin/text", 0755));
	write_file("bin/plain", "x\n");
	for (size_t i = 0; i < COUNT(files); i++) {
		pid_t pid;

		printf("execvp %s: ", files[i]);
		fflush(stdout);
		pid = (pid_t)MUST(fork());
		if (pid == 0) {
			clearenv();
			setenv("PATH", "bin:bin2", 1);
			execvp(files[i], words);
			printf("%s\n", error_name(errno));
			fflush(stdout);
			_exit(0);
		}
		wait_for(pid);
	}
}

/* ---- scripts ---- */

static void write_bytes(const char *name, const char *text, size_t len)
{
	int fd = (int)MUST(open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755));

	MUST(write(fd, text, len));
	MUST(fchmod(fd, 0755));
	close(fd);
}

static void script(const char *what, const char *text)
{
	char *const argv[] = {"zero", "one", "two words", NULL};

	write_bytes("script", text, strlen(text));
	try_exec(what, "./script", argv, one_variable);
}

static void script_of_length(size_t len, const char *before)
{
	char text[600];
	char what[64];

	/* The line is `#!BEFORExxx...` with len bytes before the newline. */
	snprintf(text, sizeof(text), "#!%s", before);
	memset(text + strlen(text), 'x', sizeof(text) - strlen(text) - 1);
	text[len] = '\n';
	strcpy(text + len + 1, "more\n");
	snprintf(what, sizeof(what), "line of %zu, %s", len, before);
	script(what, text);
}

static void script_of_spaces(size_t len)
{
	char text[600];
	char what[64];

	memset(text, ' ', sizeof(text));
	memcpy(text, "#!", 2);
	memcpy(text + len - 6, "./show\n", 8);
	snprintf(what, sizeof(what), "interpreter ends at %zu", len);
	script(what, text);
}

static void scripts(void)
{
	static const size_t lengths[] = {200, 253, 254, 255, 256, 257, 258, 300, 400};
	char text[PATH_MAX + 64];
	char cwd[PATH_MAX];
	static char zeros[] = "#!./show a\0b\nmore\n";
	static char zero_first[] = "#!\0./show\nmore\n";

	copy_self("show");
	copy_self("not-executable");
	MUST(chmod("not-executable", 0644));
	copy_self("only-x-show");
	MUST(mkdir("dir", 0755));
	MUST(symlink("show", "show-link"));
	if (!getcwd(cwd, sizeof(cwd)))
		broken("getcwd");
	script("plain", "#!./show\n");
	script("one argument", "#!./show argument\n");
	script("two arguments are one", "#!./show first second  third\n");
	script("blanks around", "#! \t ./show \t  an argument  \t \n");
	script("trailing blanks", "#!./show   \n");
	script("carriage return", "#!./show\r\n");
	script("carriage return in the argument", "#!./show arg\r\n");
	script("no newline", "#!./show");
	script("no newline, argument", "#!./show arg");
	script("no newline, trailing blanks", "#!./show  ");
	script("no newline, argument and blanks", "#!./show arg  ");
	script("name alone", "#!show\n");
	snprintf(text, sizeof(text), "#!%s/show abs\nx\n", cwd);
	script("absolute", text);
	script("through a link", "#!./show-link\n");
	script("through dots", "#!dir/../show x\n");
	script("missing interpreter", "#!/no/such/interpreter\n");
	script("missing folder", "#!no/such/interpreter\n");
	script("interpreter is a directory", "#!./dir\n");
	script("interpreter is not executable", "#!./not-executable\n");
	script("interpreter behind a file", "#!./show/x\n");
	script("nothing", "#!\n");
	script("blanks only", "#!   \t \n");
	script("two bytes", "#!");
	script("one byte", "#");
	script("a blank first", " #!./show\n");
	script("a letter in between", "# !./show\n");
	write_bytes("script", zeros, sizeof(zeros) - 1);
	try_path("./script");
	write_bytes("script", zero_first, sizeof(zero_first) - 1);
	try_path("./script");
	for (size_t i = 0; i < COUNT(lengths); i++) {
		script_of_length(lengths[i], "./show ");
		script_of_length(lengths[i], "./");
		script_of_spaces(lengths[i]);
	}
	script("itself", "#!./script\n");
	write_bytes("script", "#!./show by\n", 12);
	MUST(symlink("script", "script-link"));
	try_path("./script-link");
	try_path("script");
	MUST(chmod("script", 0111));
	try_path("./script");
	MUST(chmod("script", 0644));
	try_path("./script");
}

static void chains(void)
{
	char name[16];
	char text[64];

	copy_self("show");
	write_bytes("c0", "#!./show a0\n", 12);
	for (int i = 1; i <= 7; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		snprintf(text, sizeof(text), "#!./c%d a%d\n", i - 1, i);
		write_bytes(name, text, strlen(text));
	}
	for (int i = 0; i <= 7; i++) {
		snprintf(name, sizeof(name), "./c%d", i);
		try_path(name);
	}
}

/* ---- execveat and descriptors ---- */

static void try_at(const char *what, int dirfd, const char *path, int flags)
{
	char *const argv[] = {"zero", "one", NULL};
	pid_t pid;

	printf("%s: ", what);
	fflush(stdout);
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		syscall(SYS_execveat, dirfd, path, argv, one_variable, flags);
		printf("%s\n", error_name(errno));
		fflush(stdout);
		_exit(0);
	}
	int status = wait_for(pid);
	if (status != 0 && status != 33 << 8)
		say_status("  ended with", status);
}

static int high(int fd)
{
	int number = (int)MUST(fcntl(fd, F_DUPFD, 50));

	close(fd);
	return number;
}

static void at(void)
{
	int dir, file, path, script_fd, closing, memory, memory_closing, deleted;
	char buf[65536];
	ssize_t n;

	MUST(mkdir("d", 0755));
	copy_self("d/show");
	copy_self("show-deleted");
	MUST(symlink("show", "d/link"));
	write_bytes("d/script", "#!./d/show by\n", 14);
	dir = high((int)MUST(open("d", O_RDONLY | O_DIRECTORY)));
	file = high((int)MUST(open("d/show", O_RDONLY)));
	path = high((int)MUST(open("d/show", O_PATH)));
	script_fd = high((int)MUST(open("d/script", O_RDONLY)));
	deleted = high((int)MUST(open("show-deleted", O_RDONLY)));
	MUST(unlink("show-deleted"));
	closing = (int)MUST(fcntl(script_fd, F_DUPFD_CLOEXEC, 60));
	memory = high((int)MUST(memfd_create("program", 0)));
	memory_closing = (int)MUST(fcntl(memory, F_DUPFD_CLOEXEC, 70));
	lseek(file, 0, SEEK_SET);
	while ((n = read(file, buf, sizeof(buf))) > 0)
		MUST(write(memory, buf, (size_t)n));
	try_at("relative", dir, "show", 0);
	try_at("cwd", AT_FDCWD, "d/show", 0);
	try_at("link", dir, "link", 0);
	try_at("link, not followed", dir, "link", AT_SYMLINK_NOFOLLOW);
	try_at("file, not followed", dir, "show", AT_SYMLINK_NOFOLLOW);
	try_at("missing", dir, "missing", 0);
	try_at("file as directory", file, "show", 0);
	try_at("bad descriptor", 999, "show", 0);
	try_at("empty path", file, "", 0);
	try_at("descriptor", file, "", AT_EMPTY_PATH);
	try_at("O_PATH descriptor", path, "", AT_EMPTY_PATH);
	try_at("directory descriptor", dir, "", AT_EMPTY_PATH);
	try_at("deleted file", deleted, "", AT_EMPTY_PATH);
	try_at("memory", memory, "", AT_EMPTY_PATH);
	try_at("memory, close on exec", memory_closing, "", AT_EMPTY_PATH);
	try_at("script", dir, "script", 0);
	try_at("script descriptor", script_fd, "", AT_EMPTY_PATH);
	try_at("script descriptor, close on exec", closing, "", AT_EMPTY_PATH);
	try_at("bad flag", dir, "show", 0x40000);
	try_at("stdin", 0, "", AT_EMPTY_PATH);
	printf("by /proc: ");
	fflush(stdout);
	snprintf(buf, sizeof(buf), "/proc/self/fd/%d", file);
	try_path(buf);
	snprintf(buf, sizeof(buf), "/dev/fd/%d", memory);
	try_path(buf);
}

static void after_start(void)
{
	char target[PATH_MAX];
	char text[64] = "";
	ssize_t n = readlink("/proc/self/exe", target, sizeof(target) - 1);
	int fd = open("/proc/self/comm", O_RDONLY);

	target[n < 0 ? 0 : n] = '\0';
	(void)!read(fd, text, sizeof(text) - 1);
	close(fd);
	if (strstr(target, "memfd:"))
		say("exe %s, comm %s", target, text);
	else
		say("exe %s, comm %s", strrchr(target, '/'), text);
	fd = open("/proc/self/cmdline", O_RDONLY);
	n = read(fd, target, sizeof(target));
	for (ssize_t i = 0; i < n; i++)
		printf("%c", target[i] ? target[i] : '|');
	printf("\n");
	close(fd);
}

static void identity(void)
{
	static const char *const names_[] = {"show-me", "a-name-longer-than-fifteen"};
	char *const argv[] = {"other name", "after-start", NULL};

	for (size_t i = 0; i < COUNT(names_); i++) {
		copy_self(names_[i]);
		try_exec(names_[i], names_[i], argv, one_variable);
	}
	MUST(symlink(names_[1], "linked"));
	try_exec("link", "linked", argv, one_variable);
	write_bytes("a-script", "#!./a-name-longer-than-fifteen after-start\n", 43);
	try_exec("script", "./a-script", argv, one_variable);
}

/* ---- malformed ELF files ---- */

#ifdef __i386__
static const unsigned char code[] = {
	0xb8, 252,  0, 0, 0, /* mov $SYS_exit_group, %eax */
	0xbb, 42,   0, 0, 0, /* mov $42, %ebx */
	0xcd, 0x80,      /* int $0x80 */
};
/* mov BASE+0x200100, %ebx (must be 0); exit */
static const char zero_code[] = "\x8b\x1d\x00\x01\x20\x10\xb8\xfc\x00\x00\x00\xcd\x80";
#define CLASS ELFCLASS32
#define MACHINE EM_386
#define OTHER_MACHINE EM_X86_64
#define USER_END 0xffffe000
#define NO_MANS_LAND 0xfffff000
#define MEMORY_SIZE offsetof(SEGMENT, p_memsz)
#else
static const unsigned char code[] = {
	0xb8, 231,  0, 0, 0, /* mov $SYS_exit_group, %eax */
	0xbf, 42,   0, 0, 0, /* mov $42, %edi */
	0x0f, 0x05,         /* syscall */
};
/* mov BASE+0x200100, %edi (must be 0); exit */
static const char zero_code[] = "\x8b\x3c\x25\x00\x01\x20\x10\xb8\xe7\x00\x00\x00\x0f\x05";
#define CLASS ELFCLASS64
#define MACHINE EM_X86_64
#define OTHER_MACHINE EM_386
#define USER_END 0x7ffffffff000
#define NO_MANS_LAND 0xffff800000000000
#define MEMORY_SIZE (offsetof(SEGMENT, p_memsz) + 4)
#endif

struct image {
	HEADER header;
	SEGMENT segments[3];
	unsigned char code[64];
	char text[64];
};

#define BASE 0x10000000

static struct image good_image(void)
{
	struct image image = {0};

	memcpy(image.header.e_ident, ELFMAG, SELFMAG);
	image.header.e_ident[EI_CLASS] = CLASS;
	image.header.e_ident[EI_DATA] = ELFDATA2LSB;
	image.header.e_ident[EI_VERSION] = EV_CURRENT;
	image.header.e_type = ET_EXEC;
	image.header.e_machine = MACHINE;
	image.header.e_version = EV_CURRENT;
	image.header.e_entry = BASE + offsetof(struct image, code);
	image.header.e_phoff = offsetof(struct image, segments);
	image.header.e_ehsize = sizeof(HEADER);
	image.header.e_phentsize = sizeof(SEGMENT);
	image.header.e_phnum = 1;
	image.segments[0] = (SEGMENT){.p_type = PT_LOAD,
				      .p_flags = PF_R | PF_X,
				      .p_vaddr = BASE,
				      .p_paddr = BASE,
				      .p_filesz = sizeof(image),
				      .p_memsz = sizeof(image),
				      .p_align = 4096};
	memcpy(image.code, code, sizeof(code));
	return image;
}

static void try_bytes(const char *what, const void *bytes, size_t len)
{
	static int number;
	char name[32];

	snprintf(name, sizeof(name), "elf-%d", number++); /* old files may be busy */
	write_bytes(name, bytes, len);
	try_exec(what, name, (char *const[]){"zero", NULL}, no_environment);
	MUST(unlink(name));
}

static void try_image(const char *what, const struct image *image)
{
	try_bytes(what, image, sizeof(*image));
}

static void with_interpreter(const char *what, const char *path, size_t size)
{
	struct image image = good_image();

	image.header.e_phnum = 2;
	image.segments[1] = (SEGMENT){.p_type = PT_INTERP,
				      .p_flags = PF_R,
				      .p_offset = offsetof(struct image, text),
				      .p_filesz = size,
				      .p_memsz = size};
	strcpy(image.text, path);
	try_image(what, &image);
}

#define CHANGED(field, value)                             \
	do {                                              \
		struct image changed = good_image();      \
		changed.field = (value);                  \
		try_image(#field " = " #value, &changed); \
	} while (0)

/* The table of program headers lies behind the image; only the last one matters. */
static void with_many_headers(unsigned count)
{
	struct image image = good_image();
	const size_t size = sizeof(image) + count * sizeof(SEGMENT);
	char *bytes = calloc(1, size);
	char what[32];

	image.header.e_phoff = sizeof(image);
	image.header.e_phnum = (unsigned short)count;
	memcpy(bytes, &image, sizeof(image));
	memcpy(bytes + size - sizeof(SEGMENT), &image.segments[0], sizeof(SEGMENT));
	snprintf(what, sizeof(what), "%u program headers", count);
	try_bytes(what, bytes, size);
	free(bytes);
}

static void elf_headers(void)
{
	struct image image = good_image();

	copy_self("show");
	MUST(mkdir("dir", 0755));
	write_file("text", "not a program, and longer than a header of one: "
			   "0123456789012345678901234567890123456789\n");
	MUST(chmod("text", 0755));
	try_image("good", &image);
	for (size_t len = 0; len <= sizeof(HEADER) + sizeof(SEGMENT) + 8; len += 8)
		try_bytes("cut off", &image, len);
	CHANGED(header.e_ident[0], 0);
	CHANGED(header.e_ident[3], 'f');
	CHANGED(header.e_machine, OTHER_MACHINE);
	CHANGED(header.e_ident[EI_DATA], ELFDATA2MSB);
	CHANGED(header.e_ident[EI_VERSION], 0);
	CHANGED(header.e_ident[EI_OSABI], 9);
	CHANGED(header.e_machine, EM_AARCH64);
	CHANGED(header.e_machine, EM_PPC64);
	CHANGED(header.e_machine, 0);
	CHANGED(header.e_type, ET_REL);
	CHANGED(header.e_type, ET_CORE);
	CHANGED(header.e_type, ET_NONE);
	with_many_headers(60);
	with_many_headers(100);
	with_many_headers(65536 / sizeof(SEGMENT));
	with_many_headers(65536 / sizeof(SEGMENT) + 1);
	CHANGED(header.e_version, 77);
	CHANGED(header.e_ehsize, 1);
	CHANGED(header.e_phentsize, 55);
	CHANGED(header.e_phentsize, 0);
	CHANGED(header.e_ident[EI_CLASS], ELFCLASSNONE);
	CHANGED(header.e_ident[EI_CLASS], ELFCLASS32);
	CHANGED(header.e_phnum, 0);
	CHANGED(header.e_phnum, 1000);
	CHANGED(header.e_phnum, 65535);
	CHANGED(header.e_phoff, 0);
	CHANGED(header.e_phoff, 1 << 20);
	CHANGED(header.e_phoff, ~0UL);
	CHANGED(header.e_shoff, ~0UL);
	CHANGED(header.e_entry, 0);
	CHANGED(segments[0].p_type, PT_NULL);
	CHANGED(segments[0].p_flags, PF_R);
	CHANGED(segments[0].p_flags, 0);
	CHANGED(segments[0].p_offset, 8);
	CHANGED(segments[0].p_vaddr, 0);
	CHANGED(segments[0].p_vaddr, BASE + 1);
	CHANGED(segments[0].p_vaddr, USER_END);
	CHANGED(segments[0].p_vaddr, NO_MANS_LAND);
	CHANGED(segments[0].p_filesz, 0);
	CHANGED(segments[0].p_filesz, ~0UL);
	CHANGED(segments[0].p_memsz, 0);
	CHANGED(segments[0].p_memsz, 1 << 24);
	CHANGED(segments[0].p_memsz, ~0UL);
	CHANGED(segments[0].p_align, 3);
	CHANGED(segments[0].p_align, 1 << 21);
}

static void elf_segments(void)
{
	struct image image;

	copy_self("show");
	MUST(mkdir("dir", 0755));
	write_file("text", "not a program, and longer than a header of one: "
			   "0123456789012345678901234567890123456789\n");
	MUST(chmod("text", 0755));
	with_interpreter("interpreter is missing", "/no/such/ld.so", 15);
	with_interpreter("interpreter is a directory", "./dir", 6);
	with_interpreter("interpreter is text", "./text", 7);
	with_interpreter("interpreter without its NUL", "./show", 6);
	with_interpreter("interpreter with an empty name", "", 1);
	with_interpreter("interpreter with no name", "", 0);
	with_interpreter("interpreter name too long", "x", 5000);
	with_interpreter("interpreter beyond the end", "x", 40000);
	MUST(chmod("text", 0644));
	with_interpreter("interpreter is not executable", "./text", 7);
	/* Memory beyond the file is zero, even in the last page. */
	image = good_image();
	image.header.e_phnum = 2;
	image.segments[1] = (SEGMENT){.p_type = PT_LOAD,
				      .p_flags = PF_R | PF_W,
				      .p_vaddr = BASE + 0x200000,
				      .p_filesz = 0x80,
				      .p_memsz = 0x10000,
				      .p_align = 4096};
	memcpy(image.code, zero_code, sizeof(zero_code) - 1);
	try_image("zero after the file's part", &image);
	image.segments[1].p_flags = PF_R;
	try_image("zero after the file's part, read only", &image);
	image = good_image();
	image.header.e_phnum = 2;
	image.segments[1] = image.segments[0];
	try_image("two segments at one place", &image);
	image.segments[1].p_vaddr = BASE - 0x100000;
	try_image("second segment below the first", &image);
	image.segments[1] = (SEGMENT){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W | PF_X};
	try_image("executable stack", &image);
	image.segments[1] = (SEGMENT){.p_type = PT_LOAD, .p_vaddr = BASE + 0x200000};
	try_image("nothing to load", &image);
	image.segments[1] = (SEGMENT){.p_type = PT_LOAD,
				      .p_flags = PF_R | PF_W,
				      .p_offset = 0x123,
				      .p_vaddr = BASE + 0x200000,
				      .p_memsz = 0x1000};
	try_image("only memory, with an odd offset", &image);
	image.segments[1].p_vaddr += 0x456;
	try_image("only memory, at an odd address", &image);
	with_interpreter("interpreter with an empty name, longer", "", 10);
	image.segments[1] = (SEGMENT){.p_type = PT_TLS, .p_flags = PF_R, .p_memsz = ~0UL};
	try_image("odd TLS", &image);
}

/* Change single bytes of the headers. The random numbers are the same on every machine. */
static void elf_fuzz(void)
{
	const size_t headers = sizeof(HEADER) + sizeof(SEGMENT);
	uint64_t state = 88172645463325252ULL;
	char what[64];

	for (int i = 0; i < 300; i++) {
		struct image image = good_image();
		size_t changes = 1 + (size_t)i % 3;

		what[0] = '\0';
		for (size_t n = 0; n < changes; n++) {
			size_t where;
			unsigned char value;

			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			where = state % headers;
			/* Linux ignores the class, and each kernel has its own limit for a
			 * segment's size in memory. */
			if (where == EI_CLASS || where / 4 == (sizeof(HEADER) + MEMORY_SIZE) / 4)
				where = 0;
			value = (unsigned char)(state >> 40);
			((unsigned char *)&image)[where] = value;
			snprintf(what + strlen(what), sizeof(what) - strlen(what), "[%zu]=%02x ",
				 where, value);
		}
		try_image(what, &image);
	}
}

static const struct part groups[] = {
	{"arguments", arguments},
	{"many-arguments", many_arguments},
	{"auxiliary", auxiliary},
	{"addresses", addresses},
	{"refusals", refusals},
	{"searches", searches},
	{"scripts", scripts},
	{"chains", chains},
	{"at", at},
	{"identity", identity},
	{"after-start", after_start},
	{"elf-headers", elf_headers},
	{"elf-segments", elf_segments},
	{"elf-fuzz", elf_fuzz},
};

int main(int argc, char **argv, char **envp)
{
	const char *called = (const char *)getauxval(AT_EXECFN);
	const char *name = strrchr(called, '/');

	name = name ? name + 1 : called;
	if (argc > 1 && strcmp(argv[1], "after-start") == 0)
		return run_group(argc, argv, groups, COUNT(groups));
	if (strncmp(name, "execs", 5) != 0)
		return show(argc, argv, envp);
	return run_group(argc, argv, groups, COUNT(groups));
}
