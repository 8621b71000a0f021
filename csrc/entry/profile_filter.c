/* SPDX-License-Identifier: MIT */
/*
 * profile_filter.c - the kernel's part of a user's seccomp profile.
 *
 * How it works
 *   The profile is one more filter; the kernel takes the strictest answer of all filters. Before
 *   the profile stands a part that lets the runtime make its own calls from its own text. What
 *   the runtime never does for itself is refused there, too.
 * Rules
 *   The runtime asks the profile about every call that comes into it (dispatch.c), so no call of a
 *   guest depends on the exception for the runtime's text.
 */
#include "entry/profile_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "base/mem.h"
#include "base/sys.h"
#include "entry/signals.h"
#include "pure/profile.h"
#include "pure/verdict.h"

#define MAX_CODE BPF_MAXINSNS

static struct sock_filter code[MAX_CODE];
static unsigned len;

static void emit(unsigned op, unsigned jt, unsigned jf, unsigned k)
{
	if (len < MAX_CODE)
		code[len++] = (struct sock_filter){
			.code = (__u16)op, .jt = (__u8)jt, .jf = (__u8)jf, .k = k};
}

/* Let the calls first to last pass. */
static void emit_range(unsigned first, unsigned last)
{
	emit(BPF_JMP | BPF_JGE | BPF_K, 0, 2, first);
	emit(BPF_JMP | BPF_JGT | BPF_K, 1, 0, last);
	emit(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
}

/* Let the runtime's own calls pass where they come from its text. */
static void emit_own(void)
{
	const unsigned ip = (unsigned)offsetof(struct seccomp_data, instruction_pointer);
	unsigned first = 0;
	unsigned skip;

	emit(BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)offsetof(struct seccomp_data, arch));
	emit(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SB_ARCH_AUDIT);
	emit(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS);
	emit(BPF_LD | BPF_W | BPF_ABS, 0, 0, ip + 4);
	emit(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, SB_RUNTIME_HIGH_WORD);
	emit(BPF_LD | BPF_W | BPF_ABS, 0, 0, ip);
	emit(BPF_JMP | BPF_JGT | BPF_K, 0, 1, (unsigned)(uintptr_t)sb_text_end);
	skip = len;
	emit(BPF_JMP | BPF_JA, 0, 0, 0);
	emit(BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)offsetof(struct seccomp_data, nr));
	for (unsigned nr = 0; nr <= SB_NR_KNOWN + 1; nr++) {
		if (!sb_profile_is_needed(nr)) {
			if (nr > first)
				emit_range(first, nr - 1);
			first = nr + 1;
		}
	}
	code[skip].k = len - skip - 1;
}

int sb_profile_install(const struct sb_control *control)
{
	struct sock_fprog prog;
	long ret;

	if ((control->flags & SB_CONTROL_PROFILE) == 0)
		return 0;
	if (control->profile_len > SB_MAX_PROFILE)
		return -EINVAL;
	if (control->flags & SB_CONTROL_STEPS)
		return -EOPNOTSUPP; /* no filter may be installed here */
	len = 0;
	emit_own();
	if (len + control->profile_len > MAX_CODE)
		return -E2BIG;
	_Static_assert(sizeof(code[0]) == sizeof(control->profile[0]), "the same layout");
	memcpy(code + len, control->profile, control->profile_len * sizeof(code[0]));
	prog.len = (unsigned short)(len + control->profile_len);
	prog.filter = code;
	ret = sb_syscall6(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
	if (ret == 0)
		ret = sb_syscall6(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, SB_P(&prog), 0, 0, 0);
	return (int)ret;
}
