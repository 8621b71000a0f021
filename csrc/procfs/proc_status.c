/* SPDX-License-Identifier: MIT */
/*
 * proc_status.c - lines of /proc/PID/status in guest terms.
 */
#include "procfs/proc_status.h"

#include "procfs/proc_tasks.h"

static bool starts_with(const char *text, size_t len, const char *prefix)
{
	const size_t want = strlen(prefix);

	return len >= want && memcmp(text, prefix, want) == 0;
}

static void put_four(struct sb_proc_out *out, const char *key, uint32_t a, uint32_t b, uint32_t c,
		     uint32_t d)
{
	const uint32_t ids[4] = {a, b, c, d};

	sb_proc_put_text(out, key);
	for (size_t i = 0; i < 4; i++) {
		sb_proc_put(out, "\t", 1);
		sb_proc_put_number(out, ids[i], 10, 1);
	}
	sb_proc_put(out, "\n", 1);
}

static void put_groups(struct sb_proc_out *out, const struct sb_ids *ids)
{
	uint32_t count;
	const uint32_t *groups = sb_ids_groups(ids, &count);

	sb_proc_put_text(out, "Groups:\t");
	for (uint32_t i = 0; i < count; i++) {
		sb_proc_put(out, " ", i == 0 ? 0 : 1);
		sb_proc_put_number(out, groups[i], 10, 1);
	}
	sb_proc_put(out, " \n", 2);
}

static void put_value(struct sb_proc_out *out, const char *key, uint64_t value, unsigned base,
		      unsigned width)
{
	sb_proc_put_text(out, key);
	sb_proc_put(out, "\t", 1);
	sb_proc_put_number(out, value, base, width);
	sb_proc_put(out, "\n", 1);
}

/* Append a line that comes from credentials; false when it is none of them. */
static bool put_ids_line(const struct sb_ids *ids, const char *line, size_t len,
			 struct sb_proc_out *out)
{
	const struct {
		const char *key;
		uint64_t value;
	} caps[] = {
		{"CapInh:", ids->cap_inheritable}, {"CapPrm:", ids->cap_permitted},
		{"CapEff:", ids->cap_effective},   {"CapBnd:", ids->cap_bounding},
		{"CapAmb:", ids->cap_ambient},
	};

	if (starts_with(line, len, "Uid:")) {
		put_four(out, "Uid:", ids->ruid, ids->euid, ids->suid, ids->fsuid);
		return true;
	}
	if (starts_with(line, len, "Gid:")) {
		put_four(out, "Gid:", ids->rgid, ids->egid, ids->sgid, ids->fsgid);
		return true;
	}
	if (starts_with(line, len, "Groups:")) {
		put_groups(out, ids);
		return true;
	}
	if (starts_with(line, len, "NoNewPrivs:")) {
		put_value(out, "NoNewPrivs:", ids->no_new_privs, 10, 1);
		return true;
	}
	for (size_t i = 0; i < SB_ARRAY_LEN(caps); i++) {
		if (starts_with(line, len, caps[i].key)) {
			put_value(out, caps[i].key, caps[i].value, 16, 16);
			return true;
		}
	}
	return false;
}

void sb_proc_status_line(const struct sb_proc_status *status, const char *line, size_t len,
			 struct sb_proc_out *out)
{
	const uint32_t mode = status->has_own ? status->seccomp_mode : 0;
	const bool hides = status->is_traced && starts_with(line, len, "TracerPid:");

	if (status->ids == NULL) {
		sb_proc_put(out, line, len);
		return;
	}
	if (put_ids_line(status->ids, line, len, out) ||
	    (!hides && status->tree != NULL &&
	     sb_proc_status_numbers(status->tree, line, len, out)))
		return;
	if (starts_with(line, len, "Seccomp:"))
		put_value(out, "Seccomp:", mode, 10, 1);
	else if (starts_with(line, len, "Seccomp_filters:"))
		put_value(out, "Seccomp_filters:", mode == 0 ? 0 : 1, 10, 1);
	else if (hides)
		put_value(out, "TracerPid:", 0, 10, 1);
	else if (status->is_traced && starts_with(line, len, "State:\tt"))
		sb_proc_put_text(out, "State:\tT (stopped)\n");
	else if (status->has_own && starts_with(line, len, "SigCgt:"))
		put_value(out, "SigCgt:", status->caught, 16, 16);
	else if (status->has_own && starts_with(line, len, "Umask:"))
		put_value(out, "Umask:", status->umask, 8, 4);
	else
		sb_proc_put(out, line, len);
}
