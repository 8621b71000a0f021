/* SPDX-License-Identifier: MIT */
/*
 * i386_call.h - system calls of 32-bit programs, turned into those of 64-bit programs.
 *
 * A function sb_i386_<change>() of i386.def finds the six arguments in call->regs->args, as those
 * of a 64-bit program, each of 32 bits. It may change them: thread->regs has the program's own
 * registers.
 */
#ifndef SB_ARCH_I386_CALL_H
#define SB_ARCH_I386_CALL_H

#include <asm/siginfo.h>

#include "compat_table.h"
#include "base/mem.h"
#include "compat.h"
#include "guest/thread.h"

#define NATIVE(nr, name)
#define PLAIN(nr, name, call)
#define CONVERT(nr, name, call, change) long sb_i386_##change(struct sb_call *call);
#define REFUSE(nr, name, error)
#include "i386.def"
#undef NATIVE
#undef PLAIN
#undef CONVERT
#undef REFUSE

struct sb_siginfo32 {
	int32_t signo;
	int32_t error;
	int32_t code;
	union {
		struct {
			uint32_t pid;
			uint32_t uid;
			union {
				int32_t status;
				uint32_t value;
			};
			int32_t utime;
			int32_t stime;
		};
		struct {
			int32_t timer;
			int32_t overrun;
			uint32_t timer_value;
		};
		struct {
			uint32_t address;
			uint32_t lsb;
		};
		struct {
			int32_t band;
			int32_t fd;
		};
		uint32_t words[29];
	};
};

struct sb_timespec32 {
	int32_t sec;
	int32_t nsec;
};

/* Make the call as a 32-bit one, with the arguments in call->regs: the kernel knows its
 * structures. */
long sb_i386_pass(struct sb_call *call, long nr) SB_MUST_CHECK;
void sb_i386_siginfo(const siginfo_t *from, struct sb_siginfo32 *to);

#endif
