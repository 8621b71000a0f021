/* SPDX-License-Identifier: MIT */
/*
 * peer_ids.c - the pid and the ids of a socket's peer.
 */
#include "calls/net/peer_ids.h"

#include "guest/paths/proc_entry.h"
#include "guest/pids.h"

void sb_socket_peer_ids(struct sb_call *call, uint32_t *pid, uint32_t *uid, uint32_t *gid)
{
	const struct sb_control *control = call->fs->tree->control;
	const struct sb_proc_slot *slot = NULL;

	if (*uid == control->host_uid && *pid != 0)
		slot = sb_proc_slot_of(call, *pid);
	*pid = sb_pid_past_to_guest(call->fs->tree, *pid);
	if (slot != NULL) {
		*uid = slot->creds.euid;
		*gid = slot->creds.egid;
		return;
	}
	if (*uid == control->host_uid)
		*uid = 0;
	if (*gid == control->host_gid)
		*gid = 0;
}
