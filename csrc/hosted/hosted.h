/* SPDX-License-Identifier: MIT */
/*
 * hosted.h - the functions that Python calls (through cffi).
 *
 * Rules
 *   Hosted build only. cffi reads this, too: abi.h says what that forbids. All results are >= 0
 *   or -errno. Paths are NUL-terminated guest paths from the root of the container, unless a name
 *   says host.
 */
#ifndef SB_HOSTED_H
#define SB_HOSTED_H

#include "base/abi.h"
#include "base/net_abi.h"
#include "hosted/probe.h"
#include "hosted/tracer.h"
#include "layers/index_build.h"
#include "layers/layer_quick.h"
#include "layers/layer_table.h"
#include "layers/rewritten_build.h"

/* The tree of one container, as its root sees it. Not for two threads at a time. */
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
	const char *net; /* host path of the directory with the network files, empty or NULL for the
			    machine's own network */
	const char *net_log; /* host path of the log of connections, empty or NULL for none */
	uint32_t net_container; /* number in the network table */
	const char *ipc; /* host path of the table of System V objects, empty or NULL for the
			    machine's own objects */
	uint32_t ipc_prefix; /* of their keys */
	uint64_t caps; /* the capabilities of the container's root */
	const struct sb_profile_step *profile; /* a seccomp profile of profile_len steps */
	uint32_t profile_len;
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
	uint32_t is_upper; /* it is in the container's upper */
	uint32_t is_mount;
	char host[4096]; /* host path; empty for a synthetic symlink */
	char guest[4096]; /* canonical */
};

/* hosted_control.c */

/* Make the control file of a container that has no process yet, without mounts; the shared file
 * beside it; and the owner table, when there is none. */
int sb_hosted_create(const char *control, const struct sb_hosted_spec *spec);
/* Do inode numbers of the index still fit the files in the store? 1, 0 or -errno. */
int sb_hosted_index_fits(const char *index, const char *store);

/* syscall_names.c */

/* The number of a system call, or -ENOSYS. */
int sb_hosted_syscall(const char *name);

/* hosted_tables.c */

/* Attach a mount to a draft. guest must be canonical (sb_hosted_resolve). The files of the
 * machine's user there are those of uid and gid. */
int sb_hosted_add_mount(struct sb_hosted *h, uint32_t kind, uint32_t flags, const char *guest,
			const char *host, uint32_t uid, uint32_t gid);
/* Post how a process enters the container, with all capabilities or with those of the container.
 * Returns the number of the entry, or -EBUSY when all are in use. */
int sb_hosted_post_entry(struct sb_hosted *h, const char *path, const char *cwd, uint32_t umask,
			 uint32_t uid, uint32_t gid, const uint32_t *groups, uint32_t group_count,
			 uint32_t has_all_caps);
/* List the pids in the process table. Guests write it: a process may have ended meanwhile, or
 * belong to somebody else. Returns how many were stored. */
int sb_hosted_processes(const char *control, uint32_t *pids, uint64_t *started, uint32_t room);

/* hosted_marks.c */

/* Give the calling process and its later children a mark: SB_MARK_FIRST to SB_MARK_LAST. -EPERM
 * where a lower limit is in force. */
int sb_hosted_take_mark(uint64_t mark);
/* The mark of a process, 0 for none. */
int sb_hosted_mark_of(uint32_t pid, uint64_t *mark);
/* Find the processes with a mark, ended ones that nobody has reaped included. Returns how many
 * there are, which may be more than room. */
int sb_hosted_marked(uint64_t mark, uint32_t *pids, uint32_t room);
/* Send a signal to a process; -ESRCH unless it has the mark. */
int sb_hosted_signal_marked(uint32_t pid, uint64_t mark, int number);

/* hosted_ipc.c */

/* Count the System V objects whose keys have this prefix, whoever owns them. */
int sb_hosted_ipc_count(uint32_t prefix);
/* Remove those of them that the caller owns and made. Returns how many. */
int sb_hosted_ipc_remove(uint32_t prefix);
/* Make an empty table of System V objects. -EEXIST */
int sb_hosted_ipc_make(const char *table);

/* hosted_supervisor.c */

/* Become the parent of every orphaned descendant. */
int sb_hosted_adopt_orphans(void);
/* Ask the kernel to send this process a signal when its parent dies. */
int sb_hosted_die_with_parent(int signal);
/* End every process that the container starts from now on. */
int sb_hosted_end(const char *control);
/* Limit the number of tasks. While the container runs, the limit cannot change from or to none
 * (0). */
int sb_hosted_limit_pids(const char *control, uint32_t limit);
/* Say which process is 1 for the container's programs. */
int sb_hosted_name_main(const char *control, uint32_t pid);
/* Say what programs see of the limits (struct sb_control); cpus has SB_MAX_CPUS bits. */
int sb_hosted_show_limits(const char *control, uint64_t memory_max, const uint64_t *cpus,
			  uint32_t cpu_quota, uint32_t pids_max);
/* Set sb_proc_slot.paced of these processes. */
int sb_hosted_pace(const char *control, const uint32_t *pids, uint32_t count, uint32_t mark);

/* hosted_rewritten.c */

/* Add the copy at host to a draft: that of the layer file with this inode number.
 * -ENOENT when the image has no such file, -ESTALE when the copy is of another one. */
int sb_hosted_add_text(struct sb_hosted *h, uint64_t ino, const char *host);
/* The learned call site number at, and the host path of its file (4096 bytes, empty when the
 * file is gone). -ENOENT behind the last. */
int sb_hosted_learned(struct sb_hosted *h, uint32_t at, struct sb_learned_site *site, char *host);

/* hosted_net.c */

/* Open the network files in a directory, and make them when they are absent. The caller holds a
 * lock while it has them open to write. */
struct sb_hosted_net;
struct sb_hosted_net *sb_hosted_net_open(const char *directory, int *error);
void sb_hosted_net_close(struct sb_hosted_net *net);
const struct sb_net_table *sb_hosted_net_table(struct sb_hosted_net *net);
const struct sb_net_ports *sb_hosted_net_ports(struct sb_hosted_net *net);
/* Say where the networks' name server listens: address << 16 | port; 0: nowhere. */
void sb_hosted_net_set_name_server(struct sb_hosted_net *net, uint64_t place);
/* Give a new container a number; -ENOSPC when all are in use. */
int sb_hosted_net_take(struct sb_hosted_net *net, const char *id, const struct sb_net_state *state);
int sb_hosted_net_update(struct sb_hosted_net *net, uint32_t number,
			 const struct sb_net_state *state);
/* Remove a container and all its rows. */
int sb_hosted_net_release(struct sb_hosted_net *net, uint32_t number);
/* -EEXIST, -ENOENT, -ENOSPC, -EINVAL. */
int sb_hosted_net_put_endpoint(struct sb_hosted_net *net, uint32_t address, uint32_t network,
			       uint32_t container);
int sb_hosted_net_drop_endpoint(struct sb_hosted_net *net, uint32_t address);
int sb_hosted_net_publish(struct sb_hosted_net *net, uint32_t container, uint32_t udp,
			  uint32_t port, uint32_t host, uint32_t host_port);
int sb_hosted_net_unpublish(struct sb_hosted_net *net, uint32_t container, uint32_t udp,
			    uint32_t port);
/* Where a port of a container lies now. Returns the real port, or -errno; address is IPv6, or
 * IPv4 as ::ffff:a.b.c.d. */
int sb_hosted_net_lead(struct sb_hosted_net *net, uint32_t container, uint32_t udp, uint32_t port,
		       unsigned char address[16]);
/* Note that a relay has this UDP port of the container's gateway, or no longer has it. */
int sb_hosted_net_relay(struct sb_hosted_net *net, uint32_t container, uint32_t port, uint32_t on);

/* hosted_read.c */

/* NULL and *error on failure. */
struct sb_hosted *sb_hosted_open(const char *control, int *error);
/* The same of a container without processes: its control file may be completed. */
struct sb_hosted *sb_hosted_open_draft(const char *control, int *error);
void sb_hosted_close(struct sb_hosted *h);
void sb_hosted_free(void *memory);
const struct sb_control *sb_hosted_control(struct sb_hosted *h);
const char *sb_hosted_upper(struct sb_hosted *h);

/* The canonical path of the longest part of path that exists, and the rest behind it. follow:
 * also through a symlink at the end. out has 4096 bytes. */
int sb_hosted_resolve(struct sb_hosted *h, const char *path, uint32_t follow, char *out);
int sb_hosted_stat(struct sb_hosted *h, const char *path, uint32_t follow,
		   struct sb_hosted_stat *out);
/* The same without upper and mounts: what the lower alone has at this path. */
int sb_hosted_lower_stat(struct sb_hosted *h, const char *path, struct sb_hosted_stat *out);
long sb_hosted_readlink(struct sb_hosted *h, const char *path, char *buf, uint64_t len);
/* The names in a directory, each with its NUL; returns the bytes. Release them with
 * sb_hosted_free(). */
long sb_hosted_list(struct sb_hosted *h, const char *path, char **names);
long sb_hosted_lower_list(struct sb_hosted *h, const char *path, char **names);
/* Open a file or directory to read it. */
int sb_hosted_open_file(struct sb_hosted *h, const char *path);
long sb_hosted_getxattr(struct sb_hosted *h, const char *path, const char *name, char *buf,
			uint64_t len);
long sb_hosted_listxattr(struct sb_hosted *h, const char *path, char *buf, uint64_t len);

/* Open a directory below the directory top. No link is followed. own: what a guest can make there
 * is opened up when its mode shuts the user out. */
int sb_hosted_open_folder(int top, const char *path, uint32_t own);

/* hosted_change.c */

/* A symlink at the end of a path is not followed. sb_hosted_create_file returns a descriptor to
 * write. */
int sb_hosted_create_file(struct sb_hosted *h, const char *path, uint32_t mode);
int sb_hosted_mkdir(struct sb_hosted *h, const char *path, uint32_t mode);
/* The same for a mount point or a working directory: a read-only root gets it, too. */
int sb_hosted_make_place(struct sb_hosted *h, const char *path, uint32_t mode);
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
