/* SPDX-License-Identifier: MIT */
/*
 * instruction.c - where the instructions of x86-64 begin.
 *
 * Source of the tables: the opcode maps of the Intel and AMD manuals, in 64-bit mode.
 */
#include "instruction.h"

/* What follows each opcode, a row of 16 a line:
 *   .  nothing                   -  there is no such instruction
 *   1 2 3 4  an immediate of so many bytes
 *   z  an immediate of 4 bytes, or 2 with an operand-size prefix and without REX.W
 *   v  as z, but of 8 bytes with REX.W
 *   a  an address                p  it is a prefix
 *   m  a ModRM byte with what belongs to it; M: and an immediate of 1 byte; Z: and z
 *   t  as M, T: as Z, but only the first two operations of the group have the immediate */
static const char one_byte[] = "mmmm1z--mmmm1z--"
			       "mmmm1z--mmmm1z--"
			       "mmmm1zp-mmmm1zp-"
			       "mmmm1zp-mmmm1zp-"
			       "................" /* REX */
			       "................"
			       "---mppppzZ1M...."
			       "1111111111111111"
			       "MZ-Mmmmmmmmmmmmm"
			       "..........-....."
			       "aaaa....1z......"
			       "11111111vvvvvvvv"
			       "MM2.--MZ3.2..1-."
			       "mmmm---.mmmmmmmm"
			       "1111111144-1...."
			       "p.pp..tT......mm";

/* behind 0f */
static const char two_bytes[] = "mmmm-.....-.-m.M"
				"mmmmmmmmmmmmmmmm"
				"mmmm----mmmmmmmm"
				"......-.--------"
				"mmmmmmmmmmmmmmmm"
				"mmmmmmmmmmmmmmmm"
				"mmmmmmmmmmmmmmmm"
				"MMMMmmm.mm--mmmm"
				"4444444444444444"
				"mmmmmmmmmmmmmmmm"
				"...mMm--...mMmmm"
				"mmmmmmmmmmMmmmmm"
				"mmMmMMMm........"
				"mmmmmmmmmmmmmmmm"
				"mmmmmmmmmmmmmmmm"
				"mmmmmmmmmmmmmmmm";

struct bytes {
	const unsigned char *at;
	size_t left;
	bool is_short; /* there are too few, or they are no instruction */
	bool has_66;
	bool has_67;
	unsigned rex;
};

static unsigned take(struct bytes *b)
{
	if (b->left == 0) {
		b->is_short = true;
		return 0;
	}
	b->left--;
	return *b->at++;
}

static void skip(struct bytes *b, size_t count)
{
	if (count > b->left) {
		b->is_short = true;
		count = b->left;
	}
	b->at += count;
	b->left -= count;
}

static unsigned skip_operand(struct bytes *b)
{
	const unsigned modrm = take(b);
	const unsigned mod = modrm >> 6;
	unsigned base = modrm & 7;

	if (mod == 3)
		return modrm;
	if (base == 4)
		base = take(b) & 7;
	if (mod == 1)
		skip(b, 1);
	else if (mod == 2 || base == 5)
		skip(b, 4);
	return modrm;
}

static size_t size_of_immediate(const struct bytes *b, char kind)
{
	const bool wide = (b->rex & 8) != 0;

	switch (kind) {
	case 'z':
	case 'Z':
	case 'T':
		return b->has_66 && !wide ? 2 : 4;
	case 'v':
		return wide ? 8 : b->has_66 ? 2 : 4;
	case 'a':
		return b->has_67 ? 4 : 8;
	case 'M':
	case 't':
		return 1;
	default:
		return kind >= '1' && kind <= '4' ? (size_t)(kind - '0') : 0;
	}
}

static void skip_rest(struct bytes *b, char kind)
{
	unsigned modrm = 0;

	if (kind == '-' || kind == 'p')
		b->is_short = true;
	if (kind == 'm' || kind == 'M' || kind == 'Z' || kind == 't' || kind == 'T')
		modrm = skip_operand(b);
	if ((kind != 't' && kind != 'T') || (modrm >> 3 & 7) <= 1)
		skip(b, size_of_immediate(b, kind));
}

/* An instruction behind a VEX, EVEX or XOP prefix, which names one of their maps. */
static void skip_extended(struct bytes *b, unsigned map)
{
	const unsigned opcode = take(b);

	switch (map) {
	case 1:
		if (opcode != 0x77) /* vzeroupper */
			skip_rest(b, two_bytes[opcode] == 'M' ? 'M' : 'm');
		return;
	case 2:
	case 5:
	case 6:
	case 9:
		skip_rest(b, 'm');
		return;
	case 3:
	case 8:
		skip_rest(b, 'M');
		return;
	case 10:
		skip_rest(b, 'm');
		skip(b, 4);
		return;
	default:
		b->is_short = true;
	}
}

static void skip_two_bytes(struct bytes *b)
{
	const unsigned opcode = take(b);

	if (opcode != 0x38 && opcode != 0x3a) {
		skip_rest(b, two_bytes[opcode]);
		return;
	}
	take(b);
	skip_rest(b, opcode == 0x3a ? 'M' : 'm');
}

/* Is this the first byte of a VEX, EVEX or XOP prefix? Then skip the instruction behind it. */
static bool skip_prefixed(struct bytes *b, unsigned opcode)
{
	unsigned map;

	switch (opcode) {
	case 0xc5:
		skip(b, 1);
		skip_extended(b, 1);
		return true;
	case 0xc4:
		map = take(b) & 0x1f;
		skip(b, 1);
		skip_extended(b, map <= 3 ? map : 0);
		return true;
	case 0x62:
		map = take(b) & 7;
		skip(b, 2);
		skip_extended(b, map);
		return true;
	case 0x8f:
		if (b->left == 0 || (*b->at & 0x1f) < 8) /* pop */
			return false;
		map = take(b) & 0x1f;
		skip(b, 1);
		skip_extended(b, map <= 10 ? map : 0);
		return true;
	default:
		return false;
	}
}

uint32_t sb_instruction_length(const unsigned char *code, size_t room)
{
	struct bytes b = {.at = code, .left = SB_MIN(room, (size_t)SB_INSTRUCTION_MAX)};
	unsigned opcode = take(&b);

	while (one_byte[opcode] == 'p' && !b.is_short) {
		b.has_66 |= opcode == 0x66;
		b.has_67 |= opcode == 0x67;
		opcode = take(&b);
	}
	if ((opcode & 0xf0) == 0x40) {
		b.rex = opcode;
		opcode = take(&b);
		if ((opcode & 0xf0) == 0x40 || one_byte[opcode] == 'p')
			return 0;
	}
	if (opcode == 0x0f)
		skip_two_bytes(&b);
	else if (!skip_prefixed(&b, opcode))
		skip_rest(&b, one_byte[opcode]);
	return b.is_short ? 0 : (uint32_t)(b.at - code);
}

/* Decode from a place on; < 0: no instruction somewhere before at, 1: one begins at, 0: none does.
 */
static int leads_to(const unsigned char *text, uint64_t from, uint64_t to, uint64_t at)
{
	while (from < at) {
		const uint32_t len = sb_instruction_length(text + from, to - from);

		if (len == 0)
			return -1;
		from += len;
	}
	return from == at;
}

#define WAYS 64
#define RUN_UP 192 /* bytes before the last way's end: some fifty instructions */
#define NEARLY 8

bool sb_instruction_begins(const unsigned char *text, uint64_t from, uint64_t to, uint64_t at)
{
	const uint64_t first = at > from + RUN_UP + WAYS ? at - RUN_UP - WAYS : from;
	uint32_t yes = 0;
	uint32_t no = 0;

	if (at < from || at >= to || sb_instruction_length(text + at, to - at) == 0)
		return false;
	if (first == from) /* the code begins with an instruction */
		return leads_to(text, from, to, at) == 1;
	for (uint64_t way = first; way < first + WAYS; way++) {
		const int leads = leads_to(text, way, to, at);

		yes += leads == 1;
		no += leads == 0;
	}
	return yes >= WAYS / NEARLY && no <= yes / NEARLY;
}
