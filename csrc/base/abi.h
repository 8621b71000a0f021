/* SPDX-License-Identifier: MIT */
/*
 * abi.h - every structure that lies in a file or in memory shared between processes.
 *
 * Rules
 *   Two programs read this file: the C compiler and cffi's cdef, which sees neither include lines
 *   nor the guard. So it has no expressions in array sizes, no inline functions, no attributes.
 *   Numbers are in host order. A change of a layout changes SB_ABI_VERSION, SB_INDEX_VERSION or
 *   SB_OWNER_VERSION.
 */
#ifndef SB_ABI_H
#define SB_ABI_H

#include <stdint.h>

#define SB_ABI_VERSION 12
#define SB_INDEX_VERSION 1
#define SB_OWNER_VERSION 1

#define SB_NO_NODE 4294967295
#define SB_NO_MOUNT 4294967295
#define SB_MAX_MOUNTS 96
#define SB_MAX_GROUPS 128
#define SB_MAX_ENTRIES 64
#define SB_MAX_MAILBOXES 64
#define SB_PROC_SLOTS 32768
#define SB_STRINGS_SIZE 131072
#define SB_PATH_MAX 4096
#define SB_MAILBOX_TEXT 16384
#define SB_MAX_TEXTS 64
#define SB_MAX_LEARNED 2048
#define SB_MAX_ADOPTIONS 64
#define SB_MAX_PIDS 65536
#define SB_MAX_PROFILE 3584
#define SB_MAX_CPUS 1024
#define SB_CPU_PERIOD 100000

/* A string in the owning structure's string area. In struct sb_control a NUL follows each
 * string; elsewhere only where the member says so. */
struct sb_text {
	uint32_t off;
	uint32_t len;
};

/* ---- index of an image: indexes/<chainid>, read-only, mmapped --------- */

/* sb_node.flags */
#define SB_NODE_XATTRS 2     /* has extended attributes */
#define SB_NODE_PLACEHOLDER 4 /* the host file is an empty stand-in (device, FIFO, socket) */

/* Children of a directory are contiguous and sorted by name (memcmp, then
 * length). Node 0 is the root and its own parent. */
struct sb_node {
	uint64_t hash;       /* sb_hash of the canonical guest path, "/" for the root */
	uint64_t ino;        /* inode number of the host file when the index was made */
	uint64_t size;
	uint64_t blocks;
	uint64_t rdev;       /* as the kernel's dev_t in struct stat */
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	uint32_t mode;       /* type and 07777 bits, as the image says */
	uint32_t uid;
	uint32_t gid;
	uint32_t nlink;
	uint32_t parent;
	uint32_t name_off;   /* into the string area */
	uint32_t name_len;
	uint32_t layer;      /* the layer whose diff directory holds the host file */
	uint32_t flags;
	uint32_t child_first;
	uint32_t child_count;
	uint32_t link_off;   /* symlink target, NUL-terminated */
	uint32_t link_len;
	uint32_t xattr_off; /* packed: u16 name length, u32 value length, name, value; repeated */
	uint32_t xattr_len;
};

struct sb_index {
	char magic[8]; /* "SBINDEX" and a NUL */
	uint32_t version;
	uint32_t layer_count;
	uint32_t node_count;
	uint32_t path_mask; /* bucket count - 1; a bucket holds node number + 1, or 0 when it is
			       empty; linear probing by hash */
	uint32_t inode_mask; /* the same, by sb_hash of the 8 bytes of ino; only for layer files
				that exist */
	uint32_t reserved;
	uint64_t nodes_off;
	uint64_t path_off;
	uint64_t inode_off;
	uint64_t layers_off; /* struct sb_text[layer_count] in the string area: path of diff/
				relative to the store root, no slash at either end */
	uint64_t strings_off;
	uint64_t strings_len;
	uint64_t size; /* of the whole file */
};

/* ---- identity ---------------------------------------------------------- */

struct sb_ids {
	uint32_t ruid;
	uint32_t euid;
	uint32_t suid;
	uint32_t fsuid;
	uint32_t rgid;
	uint32_t egid;
	uint32_t sgid;
	uint32_t fsgid;
	uint64_t cap_effective;
	uint64_t cap_permitted;
	uint64_t cap_inheritable;
	uint64_t cap_bounding;
	uint64_t cap_ambient;
	uint64_t many_groups; /* address of the groups in this process, when they do not fit below;
				 else 0 */
	uint32_t securebits;
	uint32_t no_new_privs;
	uint32_t group_count;
	uint32_t groups[128]; /* SB_MAX_GROUPS */
};

/* ---- the mark of a container's processes -------------------------------- */

/* The hard limit RLIMIT_LOCKS, which has limited nothing since Linux 2.4, says which container a
 * process belongs to when it is one of these numbers. */
#define SB_MARK_RESOURCE 10
#define SB_MARK_FIRST 4611686018427387904
#define SB_MARK_LAST 4611967493404098559

/* ---- control: <run>/control, which the host side alone writes ------------ */

/* sb_control.flags */
#define SB_CONTROL_READ_ONLY 1
#define SB_CONTROL_TRACE 2
#define SB_CONTROL_REWRITE 8 /* hot call sites may be rewritten */
#define SB_CONTROL_BIRTH_TIMES 16 /* the upper has them: no reused inode inherits a record */
#define SB_CONTROL_TRACED 32 /* a tracer redirects calls to the runtime (tracer.c) */
#define SB_CONTROL_STEPS 64 /* the tracer has no seccomp: it stops every call */
#define SB_CONTROL_COUNTS_DIRS 128 /* st_nlink of an upper directory is 2 + its subdirectories */
#define SB_CONTROL_SHORT_POSITIONS 256 /* directories here take positions of 31 bits only */
#define SB_CONTROL_UNFENCED 512 /* for tests: no Landlock */
#define SB_CONTROL_NO_NEW_PRIVS 1024 /* --security-opt no-new-privileges */
#define SB_CONTROL_FENCED 2048 /* the host has found Landlock: it must stand */
#define SB_CONTROL_UNCONFINED 4096 /* allow what only Docker's default refuses */
#define SB_CONTROL_PROFILE 8192 /* a seccomp profile of the user decides, too (profile.h) */
#define SB_CONTROL_OWNED_MOUNTS 16384 /* a mount has a uid or a gid of its own */
#define SB_CONTROL_OLD_PROCESSOR 32768 /* for tests: AT_HWCAP2 is zero */
#define SB_CONTROL_UNRULED 65536 /* for tests: the filter refuses raw calls nothing */
#define SB_CONTROL_INIT 131072 /* the main process is an init of the runtime's own (--init) */
#define SB_CONTROL_ABSTRACT_SOCKETS 262144 /* the machine's are reached (--network host) */
#define SB_CONTROL_LIVE 4 /* no index: the lower is the host's own "/" */

/* sb_mount.kind */
#define SB_MOUNT_BIND 1 /* host file or directory */
#define SB_MOUNT_TMPFS 2 /* empty host directory of the run directory */
#define SB_MOUNT_PROC 3 /* the host's /proc, seen through calls/proc */
#define SB_MOUNT_DEV 4 /* one device node of the host */
#define SB_MOUNT_TERMINALS 6 /* the container's own terminals of /dev/pts (terminals.h) */
#define SB_MOUNT_LINK 5 /* a symlink that exists in no layer; host is its target */
#define SB_MOUNT_LIMITS 7 /* a directory whose files tell the container's limits: calls/proc */

/* sb_mount.flags */
#define SB_MOUNT_READ_ONLY 1

struct sb_mount {
	uint32_t kind;
	uint32_t flags;
	uint64_t hash; /* sb_hash of the guest path */
	uint64_t dev; /* st_dev of the host object at start */
	uint32_t parent; /* node of the directory that holds it, or SB_NO_NODE */
	uint32_t is_dir;
	uint32_t uid; /* whose the files of the machine's user are here, as the guest sees it */
	uint32_t gid;
	struct sb_text guest;
	struct sb_text host;
};

/* sb_proc_slot.paced: `pause` or `unpause` did it, not a guest */
#define SB_PACED_STOPPED 1
#define SB_PACED_CONTINUED 2

/* How a process enters the container. Python writes it; the guest ELF, started under the name
 * <run>/enter-<number>, reads it, and marks it as taken before it confines itself. */
struct sb_entry {
	uint32_t state; /* 0 free, 1 ready, 2 taken */
	uint32_t umask;
	struct sb_ids ids;
	char path[4096]; /* guest path of the program */
	char cwd[4096];
};

/* A layer file of which the store has a copy with rewritten call sites. */
struct sb_patched_text {
	uint64_t ino; /* of the copy */
	uint32_t node;
	uint32_t reserved;
	struct sb_text host; /* path of the copy */
};

/* A call site of a layer file. Rewritten copies are made from these. */
struct sb_learned_site {
	uint64_t ino; /* of the layer file */
	uint32_t offset; /* in the file, behind the syscall instruction */
	uint32_t nr;
};

/* One instruction of a seccomp profile (struct sock_filter). */
struct sb_profile_step {
	uint16_t code;
	uint8_t jt;
	uint8_t jf;
	uint32_t k;
};

struct sb_control {
	char magic[8]; /* "SBCTL" padded with NUL */
	uint32_t version;
	uint32_t flags;
	uint32_t host_uid;
	uint32_t host_gid;
	uint64_t upper_dev; /* st_dev of the upper directory */
	uint64_t upper_file_dev; /* the same of a regular file in it: overlayfs may give files
				    another number */
	uint64_t store_dev; /* the same two of the layers */
	uint64_t store_file_dev;
	uint32_t node_count; /* of the index, 0 when live */
	uint32_t mount_count;
	struct sb_text store; /* host path of the store */
	struct sb_text run; /* host path of the run directory */
	struct sb_text upper; /* host path of the upper directory */
	struct sb_text
		work; /* host path of a directory on the upper's file system for temporary names */
	struct sb_text owners; /* host path of the owner table */
	struct sb_text index; /* host path of the index, empty when live */
	struct sb_text hostname; /* empty: the machine's */
	struct sb_text net; /* host path of the directory with the network files (net_abi.h), empty
			       for the machine's own network */
	struct sb_text net_log; /* host path of the log of connections, empty when there is none */
	uint32_t net_container; /* number in the network table */
	uint32_t text_count;
	struct sb_text ipc; /* host path of the table of System V objects (ipc_abi.h), empty for the
			       machine's own objects */
	uint32_t ipc_prefix; /* the upper 20 bits of the kernel's keys of those objects */
	char whiteout[64]; /* target of a whiteout symlink, NUL-terminated */
	char opaque[64]; /* name of the entry that makes a directory opaque, NUL-terminated */
	struct sb_mount mounts[96]; /* SB_MAX_MOUNTS, sorted by guest path length, longest first */
	uint64_t mount_firsts[4]; /* a bit for each byte that follows the first slash of a mount's
				     guest path: most look-ups need not read the table */
	struct sb_patched_text texts[64]; /* SB_MAX_TEXTS */
	uint64_t caps; /* the capabilities of its root; no process of the container gets others */
	uint32_t profile_len;
	struct sb_profile_step profile[3584]; /* SB_MAX_PROFILE; profile.h */
	uint32_t strings_len;
	/* These change while the container runs: */
	uint32_t main_pid; /* the kernel's number of the process that is 1 for programs; 0: none is
			    */
	uint64_t memory_max; /* what files and calls say of the limits: bytes, 0 for none */
	uint64_t cpus[16]; /* SB_MAX_CPUS bits: the CPUs that programs see; none is set: all */
	uint32_t cpu_quota; /* microseconds in SB_CPU_PERIOD, 0: no limit */
	uint32_t pids_max; /* 0: no limit */
	uint32_t tracer; /* pid of the tracer, 0 when there is none yet */
	uint32_t over; /* non-zero: the container is being killed, and new processes end at once */
	uint32_t pids_limit; /* limit of tasks, 0: none */
	uint32_t pids_high; /* the highest value that pids_limit has had */
	struct sb_entry entries[64]; /* SB_MAX_ENTRIES */
	char strings[131072]; /* SB_STRINGS_SIZE */
};

/* the state of a node: what the upper has at its path */
#define SB_STATE_UNTOUCHED 0
#define SB_STATE_MAKING 1 /* a directory that a process may be making in the upper: ask it */
#define SB_STATE_MERGED 2 /* a directory with a transparent directory in the upper */
#define SB_STATE_ASK 3 /* the upper or the mount table decides */

/* ---- owner table: containers/<id>/owners, mmapped by every process ----- */

#define SB_OWNER_BUCKETS 1048576
#define SB_OWNER_RECORDS 1048576
#define SB_OWNER_BLOB_SIZE 268435456

/* sb_owner.flags: which fields hold */
#define SB_OWNER_IDS 1
#define SB_OWNER_MODE 2 /* mode (type and bits) and rdev replace the host's */
#define SB_OWNER_ORIGIN 4 /* ino is reported instead of the host's */
#define SB_OWNER_XATTRS 8 /* blob holds all extended attributes (may be empty) */

struct sb_owner {
	uint64_t ino;
	uint64_t btime; /* seconds * 1000000000 + nanoseconds; 0 where unknown */
	uint64_t rdev;
	uint64_t origin; /* inode number of the lower file this is a copy of, or 0 */
	uint32_t volume; /* 0: the upper's device; n + 1: the device of mount n */
	uint32_t flags; /* in the table the higher bits hold more, see owner.c */
	uint32_t uid;
	uint32_t gid;
	uint32_t mode;
	uint32_t blob_len;
	uint32_t blob_off; /* into the blob area; packed as sb_node's xattrs */
	uint32_t spare; /* the record that this one replaced, for the next change; in a reader's
			   copy: which writing of which record it was */
};

struct sb_owner_table {
	char magic[8]; /* "SBOWNER" and a NUL */
	uint32_t version;
	uint32_t record_next; /* first unused record; records are 1-based */
	uint64_t blob_next;
	unsigned char nonce[16];
	uint64_t buckets_off; /* uint32_t[SB_OWNER_BUCKETS]: 0 free, else record number, with
				 the highest bit once it was dropped */
	uint64_t records_off;
	uint64_t blobs_off;
	uint64_t size;
	uint32_t traits; /* SB_OWNER_TRAIT_*: what any record has ever said */
	uint32_t writings; /* how many records were published */
};

/* sb_owner_table.traits */
#define SB_OWNER_TRAIT_KNOWN 1 /* the others hold; an older table lacks it */
#define SB_OWNER_TRAIT_DEVICE 2 /* a file stands for a device */
#define SB_OWNER_TRAIT_RIGHTS 4 /* a file has set-id bits or extended attributes */

#endif
