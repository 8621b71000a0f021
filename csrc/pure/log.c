/* SPDX-License-Identifier: MIT */
/*
 * log.c - build one line of text in a caller's buffer and write it.
 *
 * Rules
 *   Signal-safe: no heap, no locks, no writable globals; nothing blocks longer than one write(2).
 * Does not know
 *   Which process traces, or where the run directory is.
 */
#include "pure/log.h"

#include <errno.h>

#include "base/mem.h"
#include "base/sys.h"

static const char *const errno_names[] = {
	[EPERM] = "EPERM",
	[ENOENT] = "ENOENT",
	[ESRCH] = "ESRCH",
	[EINTR] = "EINTR",
	[EIO] = "EIO",
	[ENXIO] = "ENXIO",
	[E2BIG] = "E2BIG",
	[ENOEXEC] = "ENOEXEC",
	[EBADF] = "EBADF",
	[ECHILD] = "ECHILD",
	[EAGAIN] = "EAGAIN",
	[ENOMEM] = "ENOMEM",
	[EACCES] = "EACCES",
	[EFAULT] = "EFAULT",
	[ENOTBLK] = "ENOTBLK",
	[EBUSY] = "EBUSY",
	[EEXIST] = "EEXIST",
	[EXDEV] = "EXDEV",
	[ENODEV] = "ENODEV",
	[ENOTDIR] = "ENOTDIR",
	[EISDIR] = "EISDIR",
	[EINVAL] = "EINVAL",
	[ENFILE] = "ENFILE",
	[EMFILE] = "EMFILE",
	[ENOTTY] = "ENOTTY",
	[ETXTBSY] = "ETXTBSY",
	[EFBIG] = "EFBIG",
	[ENOSPC] = "ENOSPC",
	[ESPIPE] = "ESPIPE",
	[EROFS] = "EROFS",
	[EMLINK] = "EMLINK",
	[EPIPE] = "EPIPE",
	[EDOM] = "EDOM",
	[ERANGE] = "ERANGE",
	[EDEADLK] = "EDEADLK",
	[ENAMETOOLONG] = "ENAMETOOLONG",
	[ENOLCK] = "ENOLCK",
	[ENOSYS] = "ENOSYS",
	[ENOTEMPTY] = "ENOTEMPTY",
	[ELOOP] = "ELOOP",
	[ENOMSG] = "ENOMSG",
	[EIDRM] = "EIDRM",
	[ECHRNG] = "ECHRNG",
	[EL2NSYNC] = "EL2NSYNC",
	[EL3HLT] = "EL3HLT",
	[EL3RST] = "EL3RST",
	[ELNRNG] = "ELNRNG",
	[EUNATCH] = "EUNATCH",
	[ENOCSI] = "ENOCSI",
	[EL2HLT] = "EL2HLT",
	[EBADE] = "EBADE",
	[EBADR] = "EBADR",
	[EXFULL] = "EXFULL",
	[ENOANO] = "ENOANO",
	[EBADRQC] = "EBADRQC",
	[EBADSLT] = "EBADSLT",
	[EBFONT] = "EBFONT",
	[ENOSTR] = "ENOSTR",
	[ENODATA] = "ENODATA",
	[ETIME] = "ETIME",
	[ENOSR] = "ENOSR",
	[ENONET] = "ENONET",
	[ENOPKG] = "ENOPKG",
	[EREMOTE] = "EREMOTE",
	[ENOLINK] = "ENOLINK",
	[EADV] = "EADV",
	[ESRMNT] = "ESRMNT",
	[ECOMM] = "ECOMM",
	[EPROTO] = "EPROTO",
	[EMULTIHOP] = "EMULTIHOP",
	[EDOTDOT] = "EDOTDOT",
	[EBADMSG] = "EBADMSG",
	[EOVERFLOW] = "EOVERFLOW",
	[ENOTUNIQ] = "ENOTUNIQ",
	[EBADFD] = "EBADFD",
	[EREMCHG] = "EREMCHG",
	[ELIBACC] = "ELIBACC",
	[ELIBBAD] = "ELIBBAD",
	[ELIBSCN] = "ELIBSCN",
	[ELIBMAX] = "ELIBMAX",
	[ELIBEXEC] = "ELIBEXEC",
	[EILSEQ] = "EILSEQ",
	[ERESTART] = "ERESTART",
	[ESTRPIPE] = "ESTRPIPE",
	[EUSERS] = "EUSERS",
	[ENOTSOCK] = "ENOTSOCK",
	[EDESTADDRREQ] = "EDESTADDRREQ",
	[EMSGSIZE] = "EMSGSIZE",
	[EPROTOTYPE] = "EPROTOTYPE",
	[ENOPROTOOPT] = "ENOPROTOOPT",
	[EPROTONOSUPPORT] = "EPROTONOSUPPORT",
	[ESOCKTNOSUPPORT] = "ESOCKTNOSUPPORT",
	[EOPNOTSUPP] = "EOPNOTSUPP",
	[EPFNOSUPPORT] = "EPFNOSUPPORT",
	[EAFNOSUPPORT] = "EAFNOSUPPORT",
	[EADDRINUSE] = "EADDRINUSE",
	[EADDRNOTAVAIL] = "EADDRNOTAVAIL",
	[ENETDOWN] = "ENETDOWN",
	[ENETUNREACH] = "ENETUNREACH",
	[ENETRESET] = "ENETRESET",
	[ECONNABORTED] = "ECONNABORTED",
	[ECONNRESET] = "ECONNRESET",
	[ENOBUFS] = "ENOBUFS",
	[EISCONN] = "EISCONN",
	[ENOTCONN] = "ENOTCONN",
	[ESHUTDOWN] = "ESHUTDOWN",
	[ETOOMANYREFS] = "ETOOMANYREFS",
	[ETIMEDOUT] = "ETIMEDOUT",
	[ECONNREFUSED] = "ECONNREFUSED",
	[EHOSTDOWN] = "EHOSTDOWN",
	[EHOSTUNREACH] = "EHOSTUNREACH",
	[EALREADY] = "EALREADY",
	[EINPROGRESS] = "EINPROGRESS",
	[ESTALE] = "ESTALE",
	[EUCLEAN] = "EUCLEAN",
	[ENOTNAM] = "ENOTNAM",
	[ENAVAIL] = "ENAVAIL",
	[EISNAM] = "EISNAM",
	[EREMOTEIO] = "EREMOTEIO",
	[EDQUOT] = "EDQUOT",
	[ENOMEDIUM] = "ENOMEDIUM",
	[EMEDIUMTYPE] = "EMEDIUMTYPE",
	[ECANCELED] = "ECANCELED",
	[ENOKEY] = "ENOKEY",
	[EKEYEXPIRED] = "EKEYEXPIRED",
	[EKEYREVOKED] = "EKEYREVOKED",
	[EKEYREJECTED] = "EKEYREJECTED",
	[EOWNERDEAD] = "EOWNERDEAD",
	[ENOTRECOVERABLE] = "ENOTRECOVERABLE",
	[ERFKILL] = "ERFKILL",
};

const char *sb_errno_name(long number)
{
	if (number <= 0 || number >= (long)SB_ARRAY_LEN(errno_names))
		return NULL;
	return errno_names[number];
}

static void put(struct sb_line *line, char byte)
{
	if (line->len < SB_LINE_MAX)
		line->text[line->len++] = byte;
	else
		line->cut = true;
}

void sb_line_start(struct sb_line *line)
{
	line->len = 0;
	line->cut = false;
}

void sb_line_add(struct sb_line *line, const char *text)
{
	while (*text != '\0')
		put(line, *text++);
}

void sb_line_bytes(struct sb_line *line, const char *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		const unsigned char byte = (unsigned char)bytes[i];

		if (byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\') {
			put(line, (char)byte);
			continue;
		}
		put(line, '\\');
		if (byte == '"' || byte == '\\') {
			put(line, (char)byte);
			continue;
		}
		put(line, 'x');
		put(line, digits[byte >> 4]);
		put(line, digits[byte & 15]);
	}
}

void sb_line_path(struct sb_line *line, const char *path)
{
	put(line, '"');
	sb_line_bytes(line, path, strlen(path));
	put(line, '"');
}

/* The digits of value; they are made in reverse order. */
static void put_number(struct sb_line *line, uint64_t value, unsigned base)
{
	char digits[20];
	unsigned count = 0;

	do {
		const unsigned digit = (unsigned)(value % base);

		digits[count++] = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
		value /= base;
	} while (value != 0);
	while (count > 0)
		put(line, digits[--count]);
}

void sb_line_dec(struct sb_line *line, int64_t value)
{
	if (value < 0)
		put(line, '-');
	put_number(line, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

void sb_line_hex(struct sb_line *line, uint64_t value)
{
	sb_line_add(line, "0x");
	put_number(line, value, 16);
}

void sb_line_result(struct sb_line *line, long result)
{
	const char *name = sb_errno_name(-result);

	if (name == NULL) {
		sb_line_dec(line, result);
		return;
	}
	put(line, '-');
	sb_line_add(line, name);
}

/* The 8 spare bytes of text hold the "..." and the newline. */
static void finish(struct sb_line *line)
{
	if (line->cut) {
		memcpy(line->text + line->len, "...", 3);
		line->len += 3;
	}
	line->text[line->len++] = '\n';
}

void sb_line_write(struct sb_line *line, int fd)
{
	finish(line);
	while (sys_write(fd, line->text, line->len) == -EINTR)
		;
}

void sb_line_append(struct sb_line *line, const char *file)
{
	const long fd = sys_openat(AT_FDCWD, file, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0);

	if (fd < 0)
		return;
	sb_line_write(line, (int)fd);
	sys_close((int)fd);
}

void sb_bug(const char *file, int line_number, const char *message)
{
	struct sb_line line;
	const char *name = file;

	for (const char *at = file; *at != '\0'; at++)
		if (*at == '/')
			name = at + 1;
	sb_line_start(&line);
	sb_line_add(&line, "sandbox: bug in ");
	sb_line_add(&line, name);
	sb_line_add(&line, ":");
	sb_line_dec(&line, line_number);
	sb_line_add(&line, ": ");
	sb_line_add(&line, message);
	sb_line_write(&line, 2);
	sys_exit_group(SB_EXIT_BUG);
}
