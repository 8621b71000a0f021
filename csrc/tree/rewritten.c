/* SPDX-License-Identifier: MIT */
/*
 * rewritten.c - copies of layer files with rewritten call sites.
 *
 * Rules
 *   Signal-safe. The table is short: a scan finds an entry.
 */
#include "tree/rewritten.h"

const struct sb_patched_text *sb_rewritten_of_node(const struct sb_tree *tree, uint32_t node)
{
	const struct sb_control *control = tree->control;

	for (uint32_t i = 0; i < control->text_count; i++) {
		if (control->texts[i].node == node)
			return &control->texts[i];
	}
	return NULL;
}

const struct sb_patched_text *sb_rewritten_of_host(const struct sb_tree *tree, const char *host,
						   size_t len)
{
	const struct sb_control *control = tree->control;

	for (uint32_t i = 0; i < control->text_count; i++) {
		const struct sb_text *text = &control->texts[i].host;

		if (sb_same(sb_text_at(control, *text), text->len, host, len))
			return &control->texts[i];
	}
	return NULL;
}

uint64_t sb_rewritten_original(const struct sb_tree *tree, uint64_t ino)
{
	const struct sb_control *control = tree->control;

	for (uint32_t i = 0; i < control->text_count; i++) {
		if (control->texts[i].ino == ino)
			return tree->nodes[control->texts[i].node].ino;
	}
	return ino;
}
