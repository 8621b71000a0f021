/* SPDX-License-Identifier: MIT */
/*
 * hosted.h - the functions Python calls (through cffi).
 *
 * Hosted build only; the rules of abi.h hold, since cffi reads this as well.
 * All results are >= 0 or -errno. Paths are NUL-terminated guest paths from
 * the root of the container unless a name says host.
 */
#ifndef SB_HOSTED_H
#define SB_HOSTED_H

#include "base/abi.h"
#include "layers/index_build.h"
#include "layers/layer_quick.h"
#include "layers/layer_table.h"
#include "base/net_abi.h"
#include "hosted/probe.h"
#include "layers/rewritten_build.h"
#include "hosted/tracer.h"

/* One container's tree, as root of the container sees it. Not for two threads
 * at a time. */
struct sb_hosted;

struct sb_hosted_spec {
	const char *store;
	const char *run;
	const char *upper;
	const char *work;
	const char *owners;
	const char *index;   /* empty: the lower is the host's own tree */
	const char *hostname;
	uint32_t flags;      /* SB_CONTROL_READ_ONLY, SB_CONTROL_TRACE */
	uint32_t host_uid;
	uint32_t host_gid;
	const char *net; /* directory of the network files, empty or NULL: the machine's own */
	const char *net_log; /* file for a line per connection, empty or NULL: none */
	uint32_t net_container; /* number in the table */
};

struct sb_hosted_stat {
	uint64_t dev;
	uint64_t ino;
	uint64_t rdev;
	uint64_t size;
	uint64_t blocks;
	int64_t atime_sec;
	int64_t mtime_sec;
	uint32_t atime_nsec;
	uint32_t mtime_nsec;
	uint32_t mode;
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
	uint32_t is_upper; /* in the container's own layer */
	uint32_t is_mount;
	char host[4096]; /* where the file is; empty for a synthetic symlink */
	char guest[4096]; /* canonical */
};

/* hosted_control.c */

/* Make the control file (and the owner table when there is none) of a
 * container that has no process yet, without mounts. */
int sb_hosted_create(const char *control, const struct sb_hosted_spec *spec);
/* Do inode numbers of the index still fit the files in the store? 1, 0 or -errno. */
int sb_hosted_index_fits(const char *index, const char *store);

/* hosted_tables.c */

/* Attach a mount. guest must be canonical (sb_hosted_resolve). */
int sb_hosted_add_mount(struct sb_hosted *h, uint32_t kind, uint32_t flags, const char *guest,
			const char *host);
/* Number of the entry, or -EBUSY when all are in use. */
int sb_hosted_post_entry(struct sb_hosted *h, const char *path, const char *cwd, uint32_t umask,
			 uint32_t uid, uint32_t gid, const uint32_t *groups, uint32_t group_count);
/* Pids in the process table of a control file; they may be gone. Returns how
 * many were stored. */
int sb_hosted_processes(const char *control, uint32_t *pids, uint64_t *started, uint32_t room);

/* hosted_pace.c */

/* Who is born in the container from now on ends at once. */
int sb_hosted_end(const char *control);
/* How many tasks there may be. Not from or to no limit (0) while it runs. */
int sb_hosted_limit_pids(const char *control, uint32_t limit);
/* Set sb_proc_slot.paced of these processes. */
int sb_hosted_pace(const char *control, const uint32_t *pids, uint32_t count, uint32_t mark);

/* hosted_rewritten.c */

/* List the copy at host of the layer file with that inode number. -ENOENT when
 * the image has no such file, -ESTALE when the copy is of another one. */
int sb_hosted_add_text(struct sb_hosted *h, uint64_t ino, const char *host);
/* The call site learned as number at, and its file's host path (4096 bytes,
 * empty when the file is gone). -ENOENT behind the last. */
int sb_hosted_learned(struct sb_hosted *h, uint32_t at, struct sb_learned_site *site, char *host);

/* hosted_net.c */

/* The network files in a directory, which are made when they are absent. The
 * caller holds a lock while it has them open to write. */
struct sb_hosted_net;
struct sb_hosted_net *sb_hosted_net_open(const char *directory, int *error);
void sb_hosted_net_close(struct sb_hosted_net *net);
const struct sb_net_table *sb_hosted_net_table(struct sb_hosted_net *net);
const struct sb_net_ports *sb_hosted_net_ports(struct sb_hosted_net *net);
/* A number for a new container, -ENOSPC when all are in use. */
int sb_hosted_net_take(struct sb_hosted_net *net, const char *id, const struct sb_net_state *state);
int sb_hosted_net_update(struct sb_hosted_net *net, uint32_t number,
			 const struct sb_net_state *state);
/* Forget a container and all rows it has. */
int sb_hosted_net_release(struct sb_hosted_net *net, uint32_t number);
/* -EEXIST, -ENOENT, -ENOSPC, -EINVAL. */
int sb_hosted_net_put_endpoint(struct sb_hosted_net *net, uint32_t address, uint32_t network,
			       uint32_t container);
int sb_hosted_net_drop_endpoint(struct sb_hosted_net *net, uint32_t address);
int sb_hosted_net_publish(struct sb_hosted_net *net, uint32_t container, uint32_t udp,
			  uint32_t port, uint32_t host, uint32_t host_port);
int sb_hosted_net_unpublish(struct sb_hosted_net *net, uint32_t container, uint32_t udp,
			    uint32_t port);
/* Where a port of a container lies now, IPv4 as ::ffff:a.b.c.d: its real port, or -errno. */
int sb_hosted_net_lead(struct sb_hosted_net *net, uint32_t container, uint32_t udp, uint32_t port,
		       unsigned char address[16]);
/* A relay has, or no longer has, this UDP port of the container's gateway. */
int sb_hosted_net_relay(struct sb_hosted_net *net, uint32_t container, uint32_t port, uint32_t on);

/* hosted.c */

/* NULL and *error on failure. */
struct sb_hosted *sb_hosted_open(const char *control, int *error);
void sb_hosted_close(struct sb_hosted *h);
void sb_hosted_free(void *memory);
const struct sb_control *sb_hosted_control(struct sb_hosted *h);
const char *sb_hosted_upper(struct sb_hosted *h);

/* The canonical path of the longest part that exists, with the rest behind it;
 * follow: also through a symlink at the end. out has 4096 bytes. */
int sb_hosted_resolve(struct sb_hosted *h, const char *path, uint32_t follow, char *out);
int sb_hosted_stat(struct sb_hosted *h, const char *path, uint32_t follow,
		   struct sb_hosted_stat *out);
/* The same without upper and mounts: what the image alone has at this path. */
int sb_hosted_lower_stat(struct sb_hosted *h, const char *path, struct sb_hosted_stat *out);
long sb_hosted_readlink(struct sb_hosted *h, const char *path, char *buf, uint64_t len);
/* Names, each with its NUL; returns the bytes. Release with sb_hosted_free(). */
long sb_hosted_list(struct sb_hosted *h, const char *path, char **names);
long sb_hosted_lower_list(struct sb_hosted *h, const char *path, char **names);
/* A descriptor for reading a file or directory. */
int sb_hosted_open_file(struct sb_hosted *h, const char *path);
long sb_hosted_getxattr(struct sb_hosted *h, const char *path, const char *name, char *buf,
			uint64_t len);
long sb_hosted_listxattr(struct sb_hosted *h, const char *path, char *buf, uint64_t len);

/* hosted_change.c */

/* A symlink at the end is not followed. create returns a descriptor
 * for writing. */
int sb_hosted_create_file(struct sb_hosted *h, const char *path, uint32_t mode);
int sb_hosted_mkdir(struct sb_hosted *h, const char *path, uint32_t mode);
int sb_hosted_mknod(struct sb_hosted *h, const char *path, uint32_t mode, uint64_t rdev);
int sb_hosted_symlink(struct sb_hosted *h, const char *target, const char *path);
int sb_hosted_link(struct sb_hosted *h, const char *from, const char *to);
int sb_hosted_rename(struct sb_hosted *h, const char *from, const char *to, uint32_t flags);
int sb_hosted_unlink(struct sb_hosted *h, const char *path);
int sb_hosted_rmdir(struct sb_hosted *h, const char *path);
int sb_hosted_chmod(struct sb_hosted *h, const char *path, uint32_t mode);
int sb_hosted_chown(struct sb_hosted *h, const char *path, uint32_t uid, uint32_t gid);
int sb_hosted_utimens(struct sb_hosted *h, const char *path, int64_t atime_ns, int64_t mtime_ns);
int sb_hosted_truncate(struct sb_hosted *h, const char *path, int64_t len);
int sb_hosted_setxattr(struct sb_hosted *h, const char *path, const char *name, const char *value,
		       uint64_t len);
int sb_hosted_removexattr(struct sb_hosted *h, const char *path, const char *name);

#endif
