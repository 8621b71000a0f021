/* SPDX-License-Identifier: MIT */
/*
 * handlers.h - the handlers of intercepted system calls: on_<name>() for each ON row of
 * syscalls.def.
 */
#ifndef SB_HANDLERS_H
#define SB_HANDLERS_H

#include "guest/guest.h"

#define ON(name) long on_##name(struct sb_call *call);
#define REFUSE(name, error)
#include "syscalls.def"
#undef ON
#undef REFUSE

/* Refused, unless the container is unconfined: sb_verdict_is_of_profile(). */
long on_kcmp(struct sb_call *call);
long on_move_pages(struct sb_call *call);
long on_migrate_pages(struct sb_call *call);
long on_perf_event_open(struct sb_call *call);

#endif
