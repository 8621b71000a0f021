/* SPDX-License-Identifier: MIT */
/*
 * sender.c - who sent a signal, as a program sees it.
 */
#include "guest/peers/sender.h"

#include <asm/signal.h>

#include "guest/pids.h"
#include "guest/process_table.h"

static bool is_of_child(const siginfo_t *info)
{
	return info->si_signo == SIGCHLD && info->si_code >= CLD_EXITED &&
	       info->si_code <= CLD_CONTINUED;
}

/* Did the kernel write pid and uid, and not the sender itself (sigqueue)? */
static bool is_told(const siginfo_t *info)
{
	const int code = info->si_code;

	return code == SI_USER || code == SI_TKILL || code == SI_MESGQ || is_of_child(info);
}

void sb_sender_to_guest(const struct sb_tree *tree, siginfo_t *info)
{
	const struct sb_proc_slot *slot;
	const uint32_t real = (uint32_t)info->si_pid;

	if (!is_told(info))
		return;
	info->si_pid = (int)(is_of_child(info) ? sb_pid_shown(tree, real)
					       : sb_pid_past_to_guest(tree, real));
	if (info->si_uid != tree->control->host_uid)
		return;
	slot = sb_proc_find(tree, real);
	info->si_uid = slot == NULL ? 0 : slot->creds.ruid;
}

void sb_sender_from_guest(const struct sb_proc *proc, siginfo_t *info)
{
	const int real = is_told(info) ? sb_pid_number_from_guest(proc, (uint32_t)info->si_pid) : 0;

	if (real > 0)
		info->si_pid = real;
}
