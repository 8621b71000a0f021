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

#endif
