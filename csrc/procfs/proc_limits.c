/* SPDX-License-Identifier: MIT */
/*
 * proc_limits.c - what files say of a container's limits.
 */
#include "procfs/proc_limits.h"

#define KIB 1024

static bool begins(const char *text, size_t len, const char *prefix)
{
	const size_t want = strlen(prefix);

	return len >= want && memcmp(text, prefix, want) == 0;
}

/* Read the number at the start of text; *used is its length. */
static uint64_t number_at(const char *text, size_t len, size_t *used)
{
	uint64_t value = 0;
	size_t at = 0;

	while (at < len && text[at] >= '0' && text[at] <= '9')
		value = value * 10 + (uint64_t)(text[at++] - '0');
	*used = at;
	return value;
}

static void put_number(struct sb_proc_out *out, uint64_t value)
{
	sb_proc_put_number(out, value, 10, 1);
}

/* ---- CPUs ------------------------------------------------------------------ */

bool sb_limits_cpus(const struct sb_control *control)
{
	for (size_t i = 0; i < SB_ARRAY_LEN(control->cpus); i++) {
		if (__atomic_load_n(&control->cpus[i], __ATOMIC_RELAXED) != 0)
			return true;
	}
	return false;
}

static bool has_bit(const uint64_t *mask, unsigned words, unsigned cpu)
{
	return cpu / 64 < words && (mask[cpu / 64] >> cpu % 64 & 1) != 0;
}

bool sb_limits_has_cpu(const struct sb_control *control, unsigned cpu)
{
	return has_bit(control->cpus, SB_ARRAY_LEN(control->cpus), cpu);
}

void sb_limits_cpu_list(const uint64_t *mask, unsigned words, struct sb_proc_out *out)
{
	bool first = true;

	for (unsigned cpu = 0; cpu < words * 64; cpu++) {
		const unsigned from = cpu;

		if (!has_bit(mask, words, cpu))
			continue;
		while (has_bit(mask, words, cpu + 1))
			cpu++;
		if (!first)
			sb_proc_put(out, ",", 1);
		first = false;
		put_number(out, from);
		if (cpu != from) {
			sb_proc_put(out, "-", 1);
			put_number(out, cpu);
		}
	}
	sb_proc_put(out, "\n", 1);
}

void sb_limits_cpuinfo_line(const struct sb_control *control, const char *line, size_t len,
			    bool *hidden, struct sb_proc_out *out)
{
	size_t at = len;
	size_t used;

	if (begins(line, len, "processor")) {
		while (at > 0 && line[at - 1] != ' ')
			at--;
		*hidden = !sb_limits_has_cpu(control,
					     (unsigned)number_at(line + at, len - at, &used));
	}
	if (!*hidden)
		sb_proc_put(out, line, len);
}

/* The number of the CPU in "cpu12 ..."; false: it is another line. */
static bool cpu_of_line(const char *line, size_t len, unsigned *cpu, size_t *end)
{
	size_t used;

	if (!begins(line, len, "cpu"))
		return false;
	*cpu = (unsigned)number_at(line + 3, len - 3, &used);
	*end = 3 + used;
	return used > 0;
}

void sb_limits_add_times(const struct sb_control *control, const char *line, size_t len,
			 uint64_t sums[SB_STAT_TIMES])
{
	unsigned cpu;
	size_t at;

	if (!cpu_of_line(line, len, &cpu, &at) || !sb_limits_has_cpu(control, cpu))
		return;
	for (unsigned i = 0; i < SB_STAT_TIMES && at < len; i++) {
		size_t used;

		while (at < len && line[at] == ' ')
			at++;
		sums[i] += number_at(line + at, len - at, &used);
		at += used;
	}
}

void sb_limits_stat_line(const struct sb_control *control, const uint64_t sums[SB_STAT_TIMES],
			 const char *line, size_t len, struct sb_proc_out *out)
{
	unsigned cpu;
	size_t end;

	if (begins(line, len, "cpu ")) {
		sb_proc_put_text(out, "cpu ");
		for (unsigned i = 0; i < SB_STAT_TIMES; i++) {
			sb_proc_put(out, " ", 1);
			put_number(out, sums[i]);
		}
		sb_proc_put(out, "\n", 1);
	} else if (!cpu_of_line(line, len, &cpu, &end) || sb_limits_has_cpu(control, cpu)) {
		sb_proc_put(out, line, len);
	}
}

/* ---- memory -------------------------------------------------------------------- */

enum amount { ALL, FREE, USED, NOTHING, KEPT };

static enum amount amount_of(const char *line, size_t len)
{
	static const struct {
		const char *key;
		enum amount amount;
	} rows[] = {
		{"MemTotal:", ALL},        {"MemFree:", FREE},         {"MemAvailable:", FREE},
		{"Active:", USED},         {"Active(anon):", USED},    {"AnonPages:", USED},
		{"Buffers:", NOTHING},     {"Cached:", NOTHING},       {"SwapCached:", NOTHING},
		{"Inactive", NOTHING},     {"Active(file):", NOTHING}, {"Unevictable:", NOTHING},
		{"Mlocked:", NOTHING},     {"SwapTotal:", NOTHING},    {"SwapFree:", NOTHING},
		{"Zswap", NOTHING},        {"Dirty:", NOTHING},        {"Writeback:", NOTHING},
		{"Mapped:", NOTHING},      {"Shmem:", NOTHING},        {"KReclaimable:", NOTHING},
		{"Slab:", NOTHING},        {"SReclaimable:", NOTHING}, {"SUnreclaim:", NOTHING},
		{"KernelStack:", NOTHING}, {"PageTables:", NOTHING},
	};

	for (size_t i = 0; i < SB_ARRAY_LEN(rows); i++) {
		if (begins(line, len, rows[i].key))
			return rows[i].amount;
	}
	return KEPT;
}

void sb_limits_meminfo_line(uint64_t limit, uint64_t used, const char *line, size_t len,
			    struct sb_proc_out *out)
{
	const uint64_t taken = SB_MIN(used, limit);
	const uint64_t values[] = {limit, limit - taken, taken, 0};
	const enum amount amount = amount_of(line, len);
	size_t key = 0;

	if (amount == KEPT) {
		sb_proc_put(out, line, len);
		return;
	}
	while (key < len && line[key] != ':')
		key++;
	sb_proc_put(out, line, key);
	sb_proc_put_text(out, ":");
	/* The kernel fills up to 16 columns and 8 digits. */
	for (size_t column = key + 1; column < 16; column++)
		sb_proc_put(out, " ", 1);
	for (uint64_t rest = 10000000; rest > 1 && values[amount] / KIB < rest; rest /= 10)
		sb_proc_put(out, " ", 1);
	put_number(out, values[amount] / KIB);
	sb_proc_put_text(out, " kB\n");
}

/* ---- the cgroup ------------------------------------------------------------------- */

static void put_limit(struct sb_proc_out *out, uint64_t value)
{
	if (value == 0)
		sb_proc_put_text(out, "max");
	else
		put_number(out, value);
}

static void put_cpu_max(const struct sb_control *control, struct sb_proc_out *out)
{
	put_limit(out, control->cpu_quota);
	sb_proc_put(out, " ", 1);
	put_number(out, SB_CPU_PERIOD);
	sb_proc_put(out, "\n", 1);
}

bool sb_limits_cgroup_file(const struct sb_control *control, const char *name, size_t len,
			   struct sb_proc_out *out)
{
	static const struct {
		const char *name;
		const char *text;
	} fixed[] = {
		{"cgroup.controllers", "cpuset cpu memory pids\n"},
		{"cgroup.events", "populated 1\nfrozen 0\n"},
		{"cgroup.freeze", "0\n"},
		{"cgroup.max.depth", "max\n"},
		{"cgroup.max.descendants", "max\n"},
		{"cgroup.subtree_control", ""},
		{"cgroup.type", "domain\n"},
		{"cpu.weight", "100\n"},
		{"cpu.weight.nice", "0\n"},
		{"cpuset.cpus", ""},
		{"cpuset.mems", ""},
		{"memory.high", "max\n"},
		{"memory.low", "0\n"},
		{"memory.min", "0\n"},
		{"memory.oom.group", "0\n"},
		{"memory.swap.current", "0\n"},
		{"memory.swap.max", "max\n"},
	};

	for (size_t i = 0; i < SB_ARRAY_LEN(fixed); i++) {
		if (sb_same(fixed[i].name, strlen(fixed[i].name), name, len)) {
			sb_proc_put_text(out, fixed[i].text);
			return true;
		}
	}
	if (sb_same(name, len, "cpu.max", 7)) {
		put_cpu_max(control, out);
		return true;
	}
	if (sb_same(name, len, "memory.max", 10))
		put_limit(out, control->memory_max);
	else if (sb_same(name, len, "pids.max", 8))
		put_limit(out, control->pids_max);
	else
		return false;
	sb_proc_put(out, "\n", 1);
	return true;
}
