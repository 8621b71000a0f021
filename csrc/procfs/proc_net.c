/* SPDX-License-Identifier: MIT */
/*
 * proc_net.c - lines of /proc/net files in a container's terms.
 *
 * How it works
 *   The line of a socket is changed in place: the kernel writes addresses in fields of fixed
 *   width. What is said of interfaces is made anew.
 */
#include "procfs/proc_net.h"

#include "net/net_show.h"

#define LINE_MAX 512
#define UID_FIELD 7

/* ---- sockets ------------------------------------------------------------- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Read count hexadecimal words, as they lie in memory. */
static bool read_words(const char *text, uint32_t count, unsigned char *out)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t word = 0;

		for (uint32_t j = 0; j < 8; j++) {
			const int digit = digit_of(text[8 * i + j]);

			if (digit < 0)
				return false;
			word = word << 4 | (uint32_t)digit;
		}
		memcpy(out + 4 * i, &word, 4);
	}
	return true;
}

static void write_digits(char *text, uint32_t value, uint32_t count)
{
	static const char digits[] = "0123456789ABCDEF";

	while (count-- > 0) {
		text[count] = digits[value & 15];
		value >>= 4;
	}
}

static uint32_t width_of(const char *line, size_t len, size_t at)
{
	uint32_t width = 0;

	while (at + width < len && digit_of(line[at + width]) >= 0)
		width++;
	return width;
}

/* Read "0100007F:1F90"; false for anything else. */
static bool read_end(const char *line, size_t len, size_t at, struct sb_net_place *out)
{
	const uint32_t width = width_of(line, len, at);
	unsigned char name[28] = {0};
	const uint16_t family = width == 32 ? 10 : 2; /* AF_INET6, AF_INET */

	if ((width != 8 && width != 32) || len - at < width + 5U || line[at + width] != ':')
		return false;
	memcpy(name, &family, sizeof(family));
	if (!read_words(line + at, width / 8, name + (width == 32 ? 8 : 4)))
		return false;
	for (uint32_t i = 0; i < 4; i++) {
		const int digit = digit_of(line[at + width + 1 + i]);

		if (digit < 0)
			return false;
		name[2 + i / 2] = (unsigned char)(name[2 + i / 2] << 4 | digit);
	}
	return sb_net_place_read(name, sizeof(name), out);
}

static void write_end(char *text, const struct sb_net_place *place)
{
	const uint32_t count = place->wide ? 4 : 1;
	unsigned char name[28] = {0};

	sb_net_place_write(place, name);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t word;

		memcpy(&word, name + (place->wide ? 8 : 4) + 4 * i, 4);
		write_digits(text + 8 * i, word, 8);
	}
	write_digits(text + 8 * count + 1, place->port, 4);
}

/* Where the field with this number begins; len when there is none. */
static size_t field_at(const char *line, size_t len, uint32_t field)
{
	size_t at = 0;

	for (;;) {
		while (at < len && line[at] == ' ')
			at++;
		if (field-- == 0)
			return at;
		while (at < len && line[at] != ' ')
			at++;
		if (at == len)
			return len;
	}
}

/* Read the uid, and write 0 in its place. */
static uint32_t take_uid(char *line, size_t len)
{
	size_t at = field_at(line, len, UID_FIELD);
	uint32_t uid = 0;

	for (; at < len && line[at] >= '0' && line[at] <= '9'; at++) {
		uid = uid * 10 + (uint32_t)(line[at] - '0');
		line[at] = at + 1 < len && line[at + 1] != ' ' ? ' ' : '0';
	}
	return uid;
}

void sb_proc_socket_line(const struct sb_net *net, bool udp, uint32_t uid, const char *line,
			 size_t len, struct sb_proc_out *out)
{
	const size_t local = field_at(line, len, 1);
	const size_t peer = field_at(line, len, 2);
	struct sb_net_row row = {.udp = udp};
	char copy[LINE_MAX];

	if (len > sizeof(copy))
		return;
	if (!read_end(line, len, local, &row.local) || !read_end(line, len, peer, &row.peer)) {
		if (digit_of(line[field_at(line, len, 0) % SB_MAX(len, 1UL)]) < 0)
			sb_proc_put(out, line, len); /* the heading */
		return;
	}
	memcpy(copy, line, len);
	if (take_uid(copy, len) != uid || !sb_net_show_row(net, &row))
		return;
	write_end(copy + local, &row.local);
	write_end(copy + peer, &row.peer);
	sb_proc_put(out, copy, len);
}

/* ---- interfaces ---------------------------------------------------------- */

static void put_hex(struct sb_proc_out *out, uint32_t value)
{
	char digits[8];

	write_digits(digits, value, sizeof(digits));
	sb_proc_put(out, digits, sizeof(digits));
}

static void put_route(struct sb_proc_out *out, const struct sb_link *link, uint32_t to,
		      uint32_t gateway, uint32_t mask)
{
	sb_proc_put_text(out, link->name);
	sb_proc_put_text(out, "\t");
	put_hex(out, __builtin_bswap32(to));
	sb_proc_put_text(out, "\t");
	put_hex(out, __builtin_bswap32(gateway));
	sb_proc_put_text(out, gateway != 0 ? "\t0003\t0\t0\t0\t" : "\t0001\t0\t0\t0\t");
	put_hex(out, __builtin_bswap32(mask));
	sb_proc_put_text(out, "\t0\t0\t0\n");
}

void sb_proc_routes(const struct sb_net *net, struct sb_proc_out *out)
{
	struct sb_link links[SB_LINK_MAX];
	const uint32_t count = sb_link_list(net, links);

	sb_proc_put_text(out, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask"
			      "\t\tMTU\tWindow\tIRTT\n");
	for (uint32_t i = 1; i < count; i++) {
		const uint32_t mask = sb_link_mask(links[i].prefix);

		if (i == 1 && links[i].gateway != 0)
			put_route(out, &links[i], 0, links[i].gateway, 0);
		put_route(out, &links[i], links[i].address & mask, 0, mask);
	}
}

static void put_dotted(struct sb_proc_out *out, uint32_t address)
{
	for (int shift = 24; shift >= 0; shift -= 8) {
		sb_proc_put_number(out, address >> shift & 255, 10, 1);
		sb_proc_put_text(out, shift == 0 ? "" : ".");
	}
}

/* Flat: readers of this file look for "/32 host LOCAL" below an address. */
void sb_proc_fib_trie(const struct sb_net *net, struct sb_proc_out *out)
{
	struct sb_link links[SB_LINK_MAX];
	const uint32_t count = sb_link_list(net, links);

	sb_proc_put_text(out, "Local:\n  +-- 0.0.0.0/0 2 0 2\n");
	for (uint32_t i = 0; i < count; i++) {
		sb_proc_put_text(out, "     |-- ");
		put_dotted(out, links[i].address);
		sb_proc_put_text(out, "\n        /32 host LOCAL\n");
	}
}

void sb_proc_devices(const struct sb_net *net, struct sb_proc_out *out)
{
	static const char zeros[] = ":       0       0    0    0    0     0          0         0"
				    "        0       0    0    0    0     0       0          0\n";
	struct sb_link links[SB_LINK_MAX];
	const uint32_t count = sb_link_list(net, links);

	for (uint32_t i = 1; i < count; i++) {
		const size_t len = strlen(links[i].name);

		sb_proc_put(out, "      ", len < 6 ? 6 - len : 0);
		sb_proc_put(out, links[i].name, len);
		sb_proc_put_text(out, zeros);
	}
}
