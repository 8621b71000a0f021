/* SPDX-License-Identifier: MIT */
/*
 * on_capability.c - capability sets: capget and capset.
 *
 * A thread has its own sets (call->ids); pure/ids.c has the rules.
 */
#include <errno.h>

#include "guest/handlers.h"
#include "guest/paths/proc_entry.h"
#include "guest/pids.h"
#include "guest/process_table.h"

/* _LINUX_CAPABILITY_VERSION_1 ... */
#define VERSION_1 0x19980330u
#define VERSION_2 0x20071026u
#define VERSION_3 0x20080522u

struct cap_header {
	uint32_t version;
	int32_t pid;
};

struct cap_words {
	uint32_t effective;
	uint32_t permitted;
	uint32_t inheritable;
};

/* Read the header; *words is how many cap_words its version has. For an unknown version the
 * preferred one is written, and -EINVAL returned. */
static int read_cap_header(struct sb_call *call, struct cap_header *header, unsigned *words)
{
	int ret = sb_guest_read(header, sb_arg(call, 0), sizeof(*header));

	if (ret < 0)
		return ret;
	switch (header->version) {
	case VERSION_1:
		*words = 1;
		return 0;
	case VERSION_2:
	case VERSION_3:
		*words = 2;
		return 0;
	default:
		header->version = VERSION_3;
		ret = sb_guest_write(sb_arg(call, 0), header, sizeof(uint32_t));
		return ret < 0 ? ret : -EINVAL;
	}
}

/* Find the sets of another process. */
static int other_caps(struct sb_call *call, uint32_t pid, struct sb_creds *creds)
{
	const struct sb_proc_slot *slot = sb_proc_slot_of(call, pid);

	if (slot == NULL)
		return -ESRCH;
	*creds = slot->creds;
	return 0;
}

long on_capget(struct sb_call *call)
{
	struct cap_header header;
	struct cap_words data[2];
	unsigned words = 0;
	struct sb_creds creds = {.cap_effective = call->ids->cap_effective,
				 .cap_permitted = call->ids->cap_permitted,
				 .cap_inheritable = call->ids->cap_inheritable};
	int ret = read_cap_header(call, &header, &words);

	if (sb_arg(call, 1) == 0)
		return ret == -EINVAL ? 0 : ret;
	if (ret < 0)
		return ret;
	if (header.pid < 0)
		return -EINVAL;
	if (header.pid != 0) {
		header.pid = sb_pid_from_guest(call->proc, (uint32_t)header.pid);
		if (header.pid < 0)
			return -ESRCH;
	}
	if (header.pid != 0 && header.pid != sys_gettid()) {
		ret = other_caps(call, (uint32_t)header.pid, &creds);
		if (ret < 0)
			return ret;
	}
	for (unsigned i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(creds.cap_effective >> 32 * i);
		data[i].permitted = (uint32_t)(creds.cap_permitted >> 32 * i);
		data[i].inheritable = (uint32_t)(creds.cap_inheritable >> 32 * i);
	}
	return sb_guest_write(sb_arg(call, 1), data, words * sizeof(data[0]));
}

long on_capset(struct sb_call *call)
{
	struct cap_header header;
	struct cap_words data[2] = {{0}};
	unsigned words = 0;
	int ret = read_cap_header(call, &header, &words);

	if (ret < 0)
		return ret;
	if (header.pid != 0 &&
	    sb_pid_number_from_guest(call->proc, (uint32_t)header.pid) != sys_gettid())
		return -EPERM;
	ret = sb_guest_read(data, sb_arg(call, 1), words * sizeof(data[0]));
	if (ret < 0)
		return ret;
	ret = sb_ids_capset(sb_call_change_ids(call),
			    data[0].effective | (uint64_t)data[1].effective << 32,
			    data[0].permitted | (uint64_t)data[1].permitted << 32,
			    data[0].inheritable | (uint64_t)data[1].inheritable << 32);
	if (ret == 0)
		sb_proc_publish(call->proc, call->ids);
	return ret;
}
