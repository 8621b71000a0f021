/* SPDX-License-Identifier: MIT */
/*
 * on_id.c - who the guest believes it is: ids, groups, capabilities, seccomp.
 *
 * How it works
 *   Every call works on the credentials of the calling thread (call->ids) by
 *   the rules of ids.c. The kernel's own credentials never change. The process
 *   table of the container learns the effective ids, for SO_PEERCRED and /proc.
 *   Seccomp filters of the guest are accepted and not run: they were written
 *   for the guest's own calls and would see the runtime's. --trace says so.
 * Does not know
 *   What root may do with files (lookup.c, change_*.c) or what execve makes of
 *   ids (sb_ids_exec).
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>

#include "calls/dispatch.h"
#include "base/mem.h"
#include "calls/proc/on_proc.h"
#include "guest/thread.h"

/* Of newer headers than some build hosts have. */
#define SB_PR_SET_SYSCALL_USER_DISPATCH 59
#define SB_PR_SET_MDWE 65
#define SB_SECCOMP_KNOWN_FLAGS 0x3fUL
#define SB_SECCOMP_NEW_LISTENER 0x08UL
#define SB_SECCOMP_GET_NOTIF_SIZES 3
#define SB_CAP_VERSION_1 0x19980330u
#define SB_CAP_VERSION_2 0x20071026u
#define SB_CAP_VERSION_3 0x20080522u
#define SB_NGROUPS_MAX 65536

static uint32_t arg32(uint64_t arg)
{
	return (uint32_t)arg;
}

/* The credentials to change: from here on the call is not rolled back for a
 * signal, as doing it twice may differ from doing it once. */
static struct sb_ids *changing(struct sb_call *call)
{
	sb_commit_begin(call->fs);
	return call->ids;
}

/* Let the rest of the container see the new effective ids. */
static long publish(struct sb_call *call, int result)
{
	struct sb_proc_slot *slot;

	if (result < 0)
		return result;
	slot = sb_proc_find(call->fs->tree, call->proc->pid);
	if (slot != NULL) {
		slot->uid = call->ids->euid;
		slot->ruid = call->ids->ruid;
		slot->gid = call->ids->egid;
	}
	return 0;
}

/* ---- reading ------------------------------------------------------------ */

long on_getuid(struct sb_call *call)
{
	return call->ids->ruid;
}

long on_geteuid(struct sb_call *call)
{
	return call->ids->euid;
}

long on_getgid(struct sb_call *call)
{
	return call->ids->rgid;
}

long on_getegid(struct sb_call *call)
{
	return call->ids->egid;
}

static long write_three(struct sb_call *call, uint32_t r, uint32_t e, uint32_t s)
{
	int ret = sb_guest_write(sb_arg(call, 0), &r, sizeof(r));

	if (ret == 0)
		ret = sb_guest_write(sb_arg(call, 1), &e, sizeof(e));
	if (ret == 0)
		ret = sb_guest_write(sb_arg(call, 2), &s, sizeof(s));
	return ret;
}

long on_getresuid(struct sb_call *call)
{
	return write_three(call, call->ids->ruid, call->ids->euid, call->ids->suid);
}

long on_getresgid(struct sb_call *call)
{
	return write_three(call, call->ids->rgid, call->ids->egid, call->ids->sgid);
}

long on_getgroups(struct sb_call *call)
{
	const int size = (int)sb_arg(call, 0);
	const uint32_t count = call->ids->group_count;
	int ret;

	if (size < 0)
		return -EINVAL;
	if (size == 0)
		return count;
	if ((uint32_t)size < count)
		return -EINVAL;
	ret = sb_guest_write(sb_arg(call, 1), call->ids->groups, count * sizeof(uint32_t));
	return ret < 0 ? ret : (long)count;
}

/* ---- changing ids ------------------------------------------------------- */

long on_setuid(struct sb_call *call)
{
	return publish(call, sb_ids_setuid(changing(call), arg32(sb_arg(call, 0))));
}

long on_setgid(struct sb_call *call)
{
	return publish(call, sb_ids_setgid(changing(call), arg32(sb_arg(call, 0))));
}

long on_setreuid(struct sb_call *call)
{
	return publish(call, sb_ids_setreuid(changing(call), arg32(sb_arg(call, 0)),
					     arg32(sb_arg(call, 1))));
}

long on_setregid(struct sb_call *call)
{
	return publish(call, sb_ids_setregid(changing(call), arg32(sb_arg(call, 0)),
					     arg32(sb_arg(call, 1))));
}

long on_setresuid(struct sb_call *call)
{
	return publish(call, sb_ids_setresuid(changing(call), arg32(sb_arg(call, 0)),
					      arg32(sb_arg(call, 1)), arg32(sb_arg(call, 2))));
}

long on_setresgid(struct sb_call *call)
{
	return publish(call, sb_ids_setresgid(changing(call), arg32(sb_arg(call, 0)),
					      arg32(sb_arg(call, 1)), arg32(sb_arg(call, 2))));
}

long on_setfsuid(struct sb_call *call)
{
	return (long)sb_ids_setfsuid(changing(call), arg32(sb_arg(call, 0)));
}

long on_setfsgid(struct sb_call *call)
{
	return (long)sb_ids_setfsgid(changing(call), arg32(sb_arg(call, 0)));
}

long on_setgroups(struct sb_call *call)
{
	const uint32_t count = arg32(sb_arg(call, 0));
	uint32_t groups[SB_MAX_GROUPS];
	int ret;

	if (!sb_ids_has_cap(call->ids, SB_CAP_SETGID))
		return -EPERM;
	if (count > SB_NGROUPS_MAX)
		return -EINVAL;
	if (count > SB_MAX_GROUPS) {
		sb_guest_trace(call, "more groups than the runtime keeps");
		return -EINVAL;
	}
	ret = sb_guest_read(groups, sb_arg(call, 1), count * sizeof(uint32_t));
	if (ret < 0)
		return ret;
	return sb_ids_setgroups(changing(call), groups, count);
}

/* ---- capability sets ---------------------------------------------------- */

struct cap_header {
	uint32_t version;
	int32_t pid;
};

struct cap_words {
	uint32_t effective;
	uint32_t permitted;
	uint32_t inheritable;
};

/* Reads the header; *words is how many cap_words the version has. A version
 * we do not know is answered with the one we prefer and -EINVAL. */
static int read_cap_header(struct sb_call *call, struct cap_header *header, unsigned *words)
{
	int ret = sb_guest_read(header, sb_arg(call, 0), sizeof(*header));

	if (ret < 0)
		return ret;
	switch (header->version) {
	case SB_CAP_VERSION_1:
		*words = 1;
		return 0;
	case SB_CAP_VERSION_2:
	case SB_CAP_VERSION_3:
		*words = 2;
		return 0;
	default:
		header->version = SB_CAP_VERSION_3;
		ret = sb_guest_write(sb_arg(call, 0), header, sizeof(uint32_t));
		return ret < 0 ? ret : -EINVAL;
	}
}

/* Sets of another process: only its user is known. */
static int other_caps(struct sb_call *call, uint32_t pid, uint64_t *effective,
		      uint64_t *inheritable)
{
	const struct sb_proc_slot *slot = sb_proc_slot_of(call, pid);

	*inheritable = 0;
	*effective = 0;
	if (slot == NULL)
		return sys_kill((int)pid, 0) == -ESRCH ? -ESRCH : 0;
	if (slot->uid == 0)
		*effective = SB_CAP_DEFAULT;
	return 0;
}

long on_capget(struct sb_call *call)
{
	struct cap_header header;
	struct cap_words data[2];
	unsigned words = 0;
	uint64_t effective = call->ids->cap_effective;
	uint64_t permitted = call->ids->cap_permitted;
	uint64_t inheritable = call->ids->cap_inheritable;
	int ret = read_cap_header(call, &header, &words);

	if (sb_arg(call, 1) == 0)
		return ret == -EINVAL ? 0 : ret;
	if (ret < 0)
		return ret;
	if (header.pid < 0)
		return -EINVAL;
	if (header.pid != 0 && header.pid != sys_gettid()) {
		ret = other_caps(call, (uint32_t)header.pid, &effective, &inheritable);
		if (ret < 0)
			return ret;
		permitted = effective;
	}
	for (unsigned i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(effective >> 32 * i);
		data[i].permitted = (uint32_t)(permitted >> 32 * i);
		data[i].inheritable = (uint32_t)(inheritable >> 32 * i);
	}
	return sb_guest_write(sb_arg(call, 1), data, words * sizeof(data[0]));
}

long on_capset(struct sb_call *call)
{
	struct cap_header header;
	struct cap_words data[2] = {{0}};
	unsigned words = 0;
	int ret = read_cap_header(call, &header, &words);

	if (ret < 0)
		return ret;
	if (header.pid != 0 && header.pid != sys_gettid())
		return -EPERM;
	ret = sb_guest_read(data, sb_arg(call, 1), words * sizeof(data[0]));
	if (ret < 0)
		return ret;
	return sb_ids_capset(changing(call), data[0].effective | (uint64_t)data[1].effective << 32,
			     data[0].permitted | (uint64_t)data[1].permitted << 32,
			     data[0].inheritable | (uint64_t)data[1].inheritable << 32);
}

static long change_ambient(struct sb_call *call)
{
	const uint64_t cap = sb_arg(call, 2);

	if ((sb_arg(call, 3) | sb_arg(call, 4)) != 0)
		return -EINVAL;
	if (sb_arg(call, 1) == PR_CAP_AMBIENT_CLEAR_ALL) {
		if (cap != 0)
			return -EINVAL;
		call->ids->cap_ambient = 0;
		return 0;
	}
	if (cap > SB_CAP_LAST)
		return -EINVAL;
	switch (sb_arg(call, 1)) {
	case PR_CAP_AMBIENT_IS_SET:
		return (long)(call->ids->cap_ambient >> cap & 1);
	case PR_CAP_AMBIENT_RAISE:
		return sb_ids_raise_ambient(changing(call), cap);
	case PR_CAP_AMBIENT_LOWER:
		return sb_ids_lower_ambient(changing(call), cap);
	default:
		return -EINVAL;
	}
}

/* ---- seccomp ------------------------------------------------------------ */

/* The guest's filter must be one the kernel would take; it is not run. */
static long accept_filter(struct sb_call *call, uint64_t address)
{
	struct sock_fprog program;
	struct sock_filter last;
	int ret;

	if (call->ids->no_new_privs == 0 && !sb_ids_has_cap(call->ids, SB_CAP_SYS_ADMIN))
		return -EACCES;
	ret = sb_guest_read(&program, address, sizeof(program));
	if (ret < 0)
		return ret;
	if (program.len == 0 || program.len > BPF_MAXINSNS)
		return -EINVAL;
	ret = sb_guest_read(&last,
			    (uint64_t)(uintptr_t)program.filter +
				    (program.len - 1u) * sizeof(struct sock_filter),
			    sizeof(last));
	if (ret < 0)
		return ret;
	call->proc->seccomp_mode = SECCOMP_MODE_FILTER;
	sb_guest_trace(call, "filter accepted and not run");
	return 0;
}

long on_seccomp(struct sb_call *call)
{
	const uint32_t operation = arg32(sb_arg(call, 0));
	const uint32_t flags = arg32(sb_arg(call, 1));

	switch (operation) {
	case SECCOMP_SET_MODE_FILTER:
		if ((flags & ~SB_SECCOMP_KNOWN_FLAGS) != 0)
			return -EINVAL;
		if ((flags & SB_SECCOMP_NEW_LISTENER) != 0) {
			sb_guest_trace(call, "no listener: filters are not run");
			return -EINVAL;
		}
		return accept_filter(call, sb_arg(call, 2));
	case SECCOMP_GET_ACTION_AVAIL:
	case SB_SECCOMP_GET_NOTIF_SIZES:
		return sb_syscall(__NR_seccomp, operation, flags, (long)sb_arg(call, 2), 0, 0, 0);
	default:
		return -EINVAL;
	}
}

/* ---- prctl -------------------------------------------------------------- */

static long set_no_new_privs(struct sb_call *call)
{
	if (sb_arg(call, 1) != 1 || (sb_arg(call, 2) | sb_arg(call, 3) | sb_arg(call, 4)) != 0)
		return -EINVAL;
	call->ids->no_new_privs = 1;
	return 0;
}

/* The kernel stays dumpable: /proc/self would belong to the host's root. */
static long set_dumpable(struct sb_call *call)
{
	if (sb_arg(call, 1) > 1)
		return -EINVAL;
	call->proc->dumpable = (uint32_t)sb_arg(call, 1);
	return 0;
}

static long refuse(struct sb_call *call, const char *what, int error)
{
	sb_guest_trace(call, what);
	return -error;
}

long on_prctl(struct sb_call *call)
{
	struct sb_ids *ids = call->ids;
	const int option = (int)sb_arg(call, 0);

	switch (option) {
	case PR_SET_NO_NEW_PRIVS:
		return set_no_new_privs(call);
	case PR_GET_NO_NEW_PRIVS:
		if ((sb_arg(call, 1) | sb_arg(call, 2) | sb_arg(call, 3) | sb_arg(call, 4)) != 0)
			return -EINVAL;
		return ids->no_new_privs;
	case PR_CAPBSET_READ:
		if (sb_arg(call, 1) > SB_CAP_LAST)
			return -EINVAL;
		return (long)(ids->cap_bounding >> sb_arg(call, 1) & 1);
	case PR_CAPBSET_DROP:
		return sb_ids_drop_bounding(changing(call), sb_arg(call, 1));
	case PR_CAP_AMBIENT:
		return change_ambient(call);
	case PR_GET_SECUREBITS:
		return ids->securebits;
	case PR_SET_SECUREBITS:
		return sb_ids_set_securebits(changing(call), sb_arg(call, 1));
	case PR_GET_KEEPCAPS:
		return ids->securebits >> SECURE_KEEP_CAPS & 1;
	case PR_SET_KEEPCAPS:
		return sb_ids_keep_caps(changing(call), sb_arg(call, 1));
	case PR_GET_DUMPABLE:
		return call->proc->dumpable;
	case PR_SET_DUMPABLE:
		return set_dumpable(call);
	case PR_GET_SECCOMP:
		return call->proc->seccomp_mode;
	case PR_SET_SECCOMP:
		if (sb_arg(call, 1) != SECCOMP_MODE_FILTER)
			return refuse(call, "strict mode cannot be had", EINVAL);
		return accept_filter(call, sb_arg(call, 2));
	case PR_SET_MM:
		return refuse(call, "the memory map belongs to the runtime", EPERM);
	case SB_PR_SET_SYSCALL_USER_DISPATCH:
		return refuse(call, "user dispatch would bypass the runtime", EINVAL);
	case SB_PR_SET_MDWE:
		return refuse(call, "memory must stay changeable", EINVAL);
	default:
		return sb_guest_pass(call, __NR_prctl);
	}
}
