/* SPDX-License-Identifier: MIT */
/*
 * on_uname.c - the names of the system.
 *
 * The name of a container is fixed when it is made, unless it is the machine's (--uts host).
 */
#include <errno.h>
#include <linux/utsname.h>

#include "base/mem.h"
#include "guest/handlers.h"
#include "guest/trace.h"

static void set_name(char field[__NEW_UTS_LEN + 1], const char *text, size_t len)
{
	const size_t count = SB_MIN(len, (size_t)__NEW_UTS_LEN);

	memset(field, 0, __NEW_UTS_LEN + 1);
	memcpy(field, text, count);
}

long on_uname(struct sb_call *call)
{
	const struct sb_control *control = call->fs->tree->control;
	struct new_utsname name;
	long ret = sb_syscall(__NR_uname, SB_P(&name), 0, 0, 0, 0, 0);

	if (ret < 0)
		return ret;
	if (control->hostname.len == 0)
		return sb_guest_write(sb_arg(call, 0), &name, sizeof(name));
	set_name(name.nodename, sb_text_at(control, control->hostname), control->hostname.len);
	set_name(name.domainname, "(none)", 6);
	return sb_guest_write(sb_arg(call, 0), &name, sizeof(name));
}

static long keep_name(struct sb_call *call)
{
	if (sb_ids_has_cap(call->ids, SB_CAP_SYS_ADMIN))
		sb_trace_note(call, "the name of a container is fixed");
	return -EPERM;
}

long on_sethostname(struct sb_call *call)
{
	return keep_name(call);
}

long on_setdomainname(struct sb_call *call)
{
	return keep_name(call);
}
