/* SPDX-License-Identifier: MIT */
/*
 * hosted_control.c - make the control file and the shared file of a container.
 *
 * Hosted build only. The shared file is made first, and the control file is complete before it gets
 * its name. Only its tables are filled later (hosted_tables.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/stat.h"
#include "change/change.h"
#include "hosted/internal.h"
#include "hosted/shared_file.h"
#include "tree/control.h"
#include "tree/index.h"
#include "tree/owner.h"
#include "view/view.h"

/* ---- the files ------------------------------------------------------------- */

static int make_file(const char *path, uint64_t size, struct sb_map *out)
{
	int fd = (int)sys_openat(AT_FDCWD, path,
				 O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	long map;

	if (fd < 0)
		return fd;
	map = sys_ftruncate(fd, (int64_t)size);
	if (map == 0)
		map = sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	sys_close(fd);
	if (map < 0 && map > -4096)
		return (int)map;
	sys_madvise(
		(void *)map, size,
		MADV_RANDOM); /* the file is sparse: reading ahead would fill memory with zeros */
	out->at = (void *)map;
	out->size = size;
	return 0;
}

static int draft_name(const char *path, struct sb_path *out)
{
	int err = sb_path_set(out, path, strlen(path));

	return err < 0 ? err : sb_path_add(out, ".new", 4);
}

static int publish(const struct sb_path *draft, const char *path)
{
	return (int)sys_renameat2(AT_FDCWD, draft->buf, AT_FDCWD, path, 0);
}

static int make_owners(const char *path, struct sb_path *draft, struct sb_map *map)
{
	unsigned char nonce[16];
	int err = draft_name(path, draft);

	if (err < 0)
		return err;
	if (getrandom(nonce, sizeof(nonce), 0) != (ssize_t)sizeof(nonce))
		return -EAGAIN;
	err = make_file(draft->buf, sb_owner_size(), map);
	if (err == 0)
		err = sb_owner_init(map->at, map->size, nonce);
	return err < 0 ? err : publish(draft, path);
}

static int open_owners(const char *path, struct sb_path *draft, struct sb_map *map)
{
	int err = sb_map_file(path, true, map);

	if (err == -ENOENT)
		return make_owners(path, draft, map);
	return err < 0 ? err : sb_owner_check(map->at, map->size);
}

/* ---- the content ------------------------------------------------------------ */

int sb_hosted_put_text(struct sb_control *control, const char *text, struct sb_text *out)
{
	size_t len = strlen(text);

	if (len + 1 > SB_STRINGS_SIZE - control->strings_len)
		return -ENOSPC;
	out->off = control->strings_len;
	out->len = (uint32_t)len;
	memcpy(control->strings + out->off, text, len + 1);
	control->strings_len += (uint32_t)len + 1;
	return 0;
}

static int put_texts(struct sb_control *control, const struct sb_hosted_spec *spec)
{
	const struct {
		const char *text;
		struct sb_text *out;
	} texts[] = {
		{spec->store, &control->store},           {spec->run, &control->run},
		{spec->upper, &control->upper},           {spec->work, &control->work},
		{spec->owners, &control->owners},         {spec->index, &control->index},
		{spec->hostname, &control->hostname},     {spec->net ?: "", &control->net},
		{spec->net_log ?: "", &control->net_log}, {spec->ipc ?: "", &control->ipc},
	};
	int err = 0;

	for (size_t i = 0; err == 0 && i < SB_ARRAY_LEN(texts); i++)
		err = sb_hosted_put_text(control, texts[i].text, texts[i].out);
	return err;
}

static void put_marks(struct sb_control *control, const struct sb_owner_table *owners)
{
	static const char digits[] = "0123456789abcdef";
	static const char whiteout[] = "/\001sandbox-whiteout/";
	static const char opaque[] = ".sandbox-opaque-";
	char hex[33];

	for (unsigned i = 0; i < sizeof(owners->nonce); i++) {
		hex[2 * i] = digits[owners->nonce[i] >> 4];
		hex[2 * i + 1] = digits[owners->nonce[i] & 15];
	}
	hex[32] = '\0';
	memcpy(control->whiteout, whiteout, sizeof(whiteout) - 1);
	memcpy(control->whiteout + sizeof(whiteout) - 1, hex, sizeof(hex));
	memcpy(control->opaque, opaque, sizeof(opaque) - 1);
	memcpy(control->opaque + sizeof(opaque) - 1, hex, sizeof(hex));
}

static uint64_t dev_of(const struct statx *sx)
{
	return sb_make_dev(sx->stx_dev_major, sx->stx_dev_minor);
}

/* Does the link count of a directory say how many directories it holds? */
static bool counts_dirs(const char *work, const struct sb_path *probe)
{
	struct statx before;
	struct statx after;
	bool counts;

	if (sb_host_stat(work, &before) < 0 || sys_mkdirat(AT_FDCWD, probe->buf, 0700) < 0)
		return false;
	counts = sb_host_stat(work, &after) == 0 && before.stx_nlink >= 2 &&
		 after.stx_nlink == before.stx_nlink + 1;
	sys_unlinkat(AT_FDCWD, probe->buf, AT_REMOVEDIR);
	return counts;
}

/* Note whether directories accept the positions of dirlist.c. Those of ext4 without dir_index
 * do not. */
static void try_positions(struct sb_control *control, const char *dir)
{
	const int fd = (int)sys_openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (sys_lseek(fd, (int64_t)3 << (SB_DIRLIST_WIDE - 1), SEEK_SET) < 0)
		control->flags |= SB_CONTROL_SHORT_POSITIONS;
	sys_close(fd);
}

/* Find the device numbers of the upper and of the files in it; a file is made for that. */
static int find_upper_devs(struct sb_control *control, const char *upper, const char *work,
			   struct sb_path *probe)
{
	struct statx sx;
	int err = sb_host_stat(upper, &sx);
	int fd;

	if (err < 0)
		return err;
	control->upper_dev = dev_of(&sx);
	try_positions(control, upper);
	err = sb_path_set(probe, work, strlen(work));
	if (err == 0)
		err = sb_path_join(probe, "probe", 5);
	if (err < 0)
		return err;
	fd = (int)sys_openat(AT_FDCWD, probe->buf, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
			     0600);
	if (fd < 0)
		return fd;
	err = (int)sys_statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &sx);
	sys_close(fd);
	if (err == 0 && (sx.stx_mask & STATX_BTIME) != 0)
		control->flags |= SB_CONTROL_BIRTH_TIMES;
	sys_unlinkat(AT_FDCWD, probe->buf, 0);
	control->upper_file_dev = dev_of(&sx);
	if (err == 0 && counts_dirs(work, probe))
		control->flags |= SB_CONTROL_COUNTS_DIRS;
	return err;
}

/* The same for the layers: of the store, and of the first regular file. */
static int find_store_devs(struct sb_hosted *h)
{
	struct sb_control *control = h->draft;
	struct sb_path *host = &h->work.host;
	struct statx sx;
	int err = sb_host_stat(sb_text_at(control, control->store), &sx);

	if (err < 0)
		return err;
	control->store_dev = dev_of(&sx);
	try_positions(control, sb_text_at(control, control->store));
	control->store_file_dev = control->store_dev;
	if (h->tree.index == NULL)
		return 0;
	for (uint32_t i = 0; i < control->node_count; i++) {
		if ((h->tree.nodes[i].mode & S_IFMT) != S_IFREG)
			continue;
		err = sb_index_host_path(&h->tree, i, host);
		if (err == 0)
			err = sb_host_stat(host->buf, &sx);
		if (err == 0)
			control->store_file_dev = dev_of(&sx);
		return err;
	}
	return 0;
}

static int count_nodes(const char *index, uint32_t *count)
{
	struct sb_map map = {0};
	int err;

	*count = 0;
	if (index[0] == '\0')
		return 0;
	err = sb_map_file(index, false, &map);
	if (err < 0)
		return err;
	err = sb_index_check(map.at, map.size);
	if (err == 0)
		*count = ((const struct sb_index *)map.at)->node_count;
	sb_unmap(&map);
	return err;
}

static int put_security(struct sb_control *control, const struct sb_hosted_spec *spec)
{
	control->caps = spec->caps;
	if (spec->profile_len == 0)
		return 0;
	if (spec->profile_len > SB_MAX_PROFILE)
		return -E2BIG;
	control->flags |= SB_CONTROL_PROFILE;
	control->profile_len = spec->profile_len;
	memcpy(control->profile, spec->profile, spec->profile_len * sizeof(spec->profile[0]));
	return 0;
}

static int fill(struct sb_control *control, uint32_t node_count, const struct sb_hosted_spec *spec,
		const struct sb_owner_table *owners)
{
	int err;

	memcpy(control->magic, "SBCTL", 6);
	control->version = SB_ABI_VERSION;
	control->flags = spec->flags | (spec->index[0] == '\0' ? SB_CONTROL_LIVE : 0);
	control->host_uid = spec->host_uid;
	control->host_gid = spec->host_gid;
	control->net_container = spec->net_container;
	control->ipc_prefix = spec->ipc_prefix;
	control->node_count = node_count;
	err = put_security(control, spec);
	if (err < 0)
		return err;
	put_marks(control, owners);
	return put_texts(control, spec);
}

/* Complete what only the mapped tree can tell. */
static int complete(const char *path)
{
	int err;
	struct sb_hosted *h = sb_hosted_open_draft(path, &err);

	if (h == NULL)
		return err;
	sb_hosted_enter(h);
	err = find_store_devs(h);
	if (err == 0)
		err = sb_upper_scan(&h->fs);
	/* An image without layers has no directory to show as its root. */
	if (err == 0 && h->tree.index != NULL && h->tree.index->layer_count == 0 &&
	    h->tree.state[0] == 0)
		h->tree.state[0] = SB_STATE_MERGED;
	sb_hosted_close(h);
	return err;
}

int sb_hosted_create(const char *path, const struct sb_hosted_spec *spec)
{
	struct sb_path *draft = malloc(2 * sizeof(*draft));
	struct sb_map owners = {0};
	struct sb_map map = {0};
	uint32_t nodes = 0;
	int err = draft == NULL ? -ENOMEM : 0;

	if (err == 0)
		err = open_owners(spec->owners, draft, &owners);
	if (err == 0)
		err = count_nodes(spec->index, &nodes);
	if (err == 0)
		err = sb_shared_make(path, nodes);
	if (err == 0)
		err = draft_name(path, draft);
	if (err == 0)
		err = make_file(draft->buf, sizeof(struct sb_control), &map);
	if (err == 0)
		err = fill(map.at, nodes, spec, owners.at);
	if (err == 0)
		err = find_upper_devs(map.at, spec->upper, spec->work, draft + 1);
	if (err == 0)
		err = complete(draft->buf);
	if (err == 0)
		err = publish(draft, path);
	sb_unmap(&owners);
	sb_unmap(&map);
	free(draft);
	return err;
}

/* ---- the index ------------------------------------------------------------------ */

static bool node_fits(const struct sb_tree *tree, uint32_t node, struct sb_path *host)
{
	struct statx sx;

	return sb_index_host_path(tree, node, host) == 0 && sb_host_stat(host->buf, &sx) == 0 &&
	       sx.stx_ino == tree->nodes[node].ino;
}

int sb_hosted_index_fits(const char *index, const char *store)
{
	struct sb_control *control = calloc(1, sizeof(*control));
	struct sb_path *host = malloc(sizeof(*host));
	struct sb_tree tree = {.control = control};
	struct sb_map map = {0};
	int ret = control == NULL || host == NULL ? -ENOMEM : sb_map_file(index, false, &map);

	if (ret == 0)
		ret = sb_hosted_put_text(control, store, &control->store);
	if (ret == 0) {
		ret = sb_index_check(map.at, map.size);
		control->node_count = ret == 0 ? ((const struct sb_index *)map.at)->node_count : 0;
	}
	if (ret == 0)
		ret = sb_tree_attach_index(&tree, map.at, map.size);
	if (ret == 0) {
		uint32_t step = control->node_count / 8 + 1;

		ret = 1;
		for (uint32_t i = 0;
		     i < control->node_count && ret == 1 && tree.index->layer_count > 0; i += step)
			ret = node_fits(&tree, i, host);
		if (ret == 1 && tree.index->layer_count > 0)
			ret = node_fits(&tree, control->node_count - 1, host);
	}
	sb_unmap(&map);
	free(control);
	free(host);
	return ret;
}
