/* SPDX-License-Identifier: MIT */
/*
 * net_log.c - the lines behind --network-log.
 *
 * How it works
 *   One line for each connect, accept and datagram sent to a named address: time, process, program,
 *   call, protocol, address as the program gave it, result. For a stream the kernel's number of its
 *   socket follows.
 * Does not know
 *   How many bytes a stream carries, and names: runtime/network/connection_log.py adds them when
 *   the kernel reports the end of that socket.
 */
#include "calls/net/net_log.h"

#include <errno.h>
#include <sys/socket.h>
#include <time.h>

#include "pure/log.h"

#define DAY 86400
#define SB_SO_COOKIE 57

static void put_padded(struct sb_line *line, int64_t value, unsigned width)
{
	char digits[16];

	for (unsigned i = width; i-- > 0; value /= 10)
		digits[i] = (char)('0' + value % 10);
	sb_line_bytes(line, digits, width);
}

/* Write days since 1970 as a date. Years begin in March here; an era has 400 years. */
static void put_date(struct sb_line *line, int64_t days)
{
	const int64_t shifted = days + 719468;
	const int64_t era = shifted / 146097;
	const int64_t day_of_era = shifted % 146097;
	const int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	const int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	const int64_t month = (5 * day_of_year + 2) / 153;

	put_padded(line, era * 400 + year_of_era + (month >= 10), 4);
	sb_line_add(line, "-");
	put_padded(line, month < 10 ? month + 3 : month - 9, 2);
	sb_line_add(line, "-");
	put_padded(line, day_of_year - (153 * month + 2) / 5 + 1, 2);
}

static void put_time(struct sb_line *line)
{
	struct sb_timespec now = {0, 0};
	int64_t rest;

	sys_clock_gettime(CLOCK_REALTIME, &now);
	rest = now.sec % DAY;
	put_date(line, now.sec / DAY);
	sb_line_add(line, "T");
	put_padded(line, rest / 3600, 2);
	sb_line_add(line, ":");
	put_padded(line, rest / 60 % 60, 2);
	sb_line_add(line, ":");
	put_padded(line, rest % 60, 2);
	sb_line_add(line, ".");
	put_padded(line, now.nsec / 1000, 6);
	sb_line_add(line, "Z");
}

static void put_place(struct sb_line *line, const struct sb_net_place *place)
{
	static const char digits[] = "0123456789abcdef";

	if (place->is_v6) {
		sb_line_add(line, "[");
		for (int i = 0; i < 16; i++) {
			const char pair[3] = {digits[place->v6[i] >> 4], digits[place->v6[i] & 15],
					      i % 2 == 1 && i != 15 ? ':' : '\0'};

			sb_line_bytes(line, pair, pair[2] == '\0' ? 2 : 3);
		}
		sb_line_add(line, "]");
	} else {
		for (int i = 24; i >= 0; i -= 8) {
			sb_line_dec(line, place->v4 >> i & 255);
			sb_line_add(line, i == 0 ? "" : ".");
		}
	}
	sb_line_add(line, ":");
	sb_line_dec(line, place->port);
}

static void put_socket(struct sb_line *line, int fd)
{
	uint64_t cookie = 0;
	uint32_t len = sizeof(cookie);

	if (sb_syscall(__NR_getsockopt, fd, SOL_SOCKET, SB_SO_COOKIE, SB_P(&cookie), SB_P(&len),
		       0) < 0)
		return;
	sb_line_add(line, " #");
	sb_line_dec(line, (int64_t)cookie);
}

static void put_line(struct sb_call *call, const struct sb_net_event *event)
{
	const struct sb_control *control = call->fs->tree->control;
	struct sb_line line;

	sb_line_start(&line);
	put_time(&line);
	sb_line_add(&line, " ");
	sb_line_dec(&line, call->proc->pid);
	sb_line_add(&line, " ");
	sb_line_path(&line, call->proc->exe);
	sb_line_add(&line, " ");
	sb_line_add(&line, event->what);
	sb_line_add(&line, event->udp ? " udp " : " tcp ");
	put_place(&line, event->place);
	sb_line_add(&line, " = ");
	sb_line_result(&line, event->ret);
	if (!event->udp && event->fd >= 0)
		put_socket(&line, event->fd);
	sb_line_append(&line, sb_text_at(control, control->net_log));
}

void sb_net_log(struct sb_call *call, const struct sb_net_event *event)
{
	if (SB_LIKELY(call->fs->tree->control->net_log.len == 0) || event->ret == SB_RESTART)
		return;
	sb_commit_begin(call->fs); /* the line is written once, and a file is open */
	put_line(call, event);
}
