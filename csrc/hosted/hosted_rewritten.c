/* SPDX-License-Identifier: MIT */
/*
 * hosted_rewritten.c - add rewritten copies to a control file, and read what guests have learned.
 *
 * Hosted build only.
 */
#include <errno.h>

#include "hosted/internal.h"
#include "hosted/shared_file.h"
#include "tree/index.h"

int sb_hosted_add_text(struct sb_hosted *h, uint64_t ino, const char *host)
{
	struct sb_control *control = h->draft;
	struct sb_patched_text *text;
	uint32_t len = (uint32_t)strlen(host);
	struct statx sx;
	uint32_t node;
	int err;

	if (control == NULL)
		return -EINVAL;
	if (h->tree.index == NULL || control->text_count == SB_MAX_TEXTS ||
	    len >= SB_STRINGS_SIZE - control->strings_len)
		return -ENOSPC;
	node = sb_index_find_inode(&h->tree, ino);
	if (node == SB_NO_NODE)
		return -ENOENT;
	err = (int)sys_statx(AT_FDCWD, host, 0, STATX_BASIC_STATS, &sx);
	if (err < 0)
		return err;
	if (sx.stx_size != h->tree.nodes[node].size)
		return -ESTALE;
	text = &control->texts[control->text_count];
	text->ino = sx.stx_ino;
	text->node = node;
	text->host.off = control->strings_len;
	text->host.len = len;
	memcpy(control->strings + control->strings_len, host, len + 1);
	control->strings_len += len + 1;
	control->text_count++;
	return 0;
}

int sb_hosted_learned(struct sb_hosted *h, uint32_t at, struct sb_learned_site *site, char *host)
{
	struct sb_path *path = &h->work.host;
	uint32_t node;
	int err = sb_shared_site(h->shared_fd, at, site);

	if (err < 0)
		return err;
	host[0] = '\0';
	node = h->tree.index != NULL ? sb_index_find_inode(&h->tree, site->ino) : SB_NO_NODE;
	if (node == SB_NO_NODE)
		return 0;
	err = sb_index_host_path(&h->tree, node, path);
	if (err == 0)
		memcpy(host, path->buf, path->len + 1);
	return err;
}
