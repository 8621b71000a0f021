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

_Static_assert(SB_MAX_MOUNTS <= 128, "a bit for each mount");

/* Is another mount below this one? Those with longer paths come first. */
static bool holds_mounts(const struct sb_control *control, uint32_t number)
{
	const struct sb_text *outer = &control->mounts[number].guest;

	for (uint32_t i = 0; i < number; i++) {
		const struct sb_text *guest = &control->mounts[i].guest;

		if (sb_path_within(sb_text_at(control, *guest), guest->len,
				   sb_text_at(control, *outer), outer->len))
			return true;
	}
	return false;
}

void sb_mounts_find_pure(struct sb_tree *tree)
{
	const struct sb_control *control = tree->control;

	for (uint32_t i = 0; i < control->mount_count; i++) {
		const struct sb_mount *mount = &control->mounts[i];

		if ((mount->kind == SB_MOUNT_BIND || mount->kind == SB_MOUNT_TMPFS) &&
		    mount->is_dir != 0 && !holds_mounts(control, i))
			tree->pure_mounts[i / 64] |= 1ULL << i % 64;
	}
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
