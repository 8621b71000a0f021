/* SPDX-License-Identifier: MIT */
/*
 * mounts.c - the mount table of a container.
 *
 * Rules
 *   Signal-safe. The table is sorted: the longest guest path comes first.
 */
#include "tree/mounts.h"

uint32_t sb_tree_mount_of(const struct sb_tree *tree, const char *guest, uint32_t len)
{
	const struct sb_control *control = tree->control;

	if (!sb_tree_is_near_mounts(control, guest, len))
		return SB_NO_MOUNT;
	for (uint32_t i = 0; i < control->mount_count; i++) {
		const struct sb_mount *mount = &control->mounts[i];

		if (sb_path_within(guest, len, sb_text_at(control, mount->guest), mount->guest.len))
			return i;
	}
	return SB_NO_MOUNT;
}

bool sb_is_mount_point(const struct sb_tree *tree, const struct sb_at *at)
{
	return at->spot.mount != SB_NO_MOUNT &&
	       tree->control->mounts[at->spot.mount].guest.len == at->guest.len;
}

bool sb_tree_has_mounts(const struct sb_tree *tree, const char *guest, uint32_t len)
{
	const struct sb_control *control = tree->control;

	if (!sb_tree_is_near_mounts(control, guest, len))
		return false;
	for (uint32_t i = 0; i < control->mount_count; i++) {
		const struct sb_mount *mount = &control->mounts[i];

		if (sb_path_within(sb_text_at(control, mount->guest), mount->guest.len, guest, len))
			return true;
	}
	return false;
}
