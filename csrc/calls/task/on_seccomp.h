/* SPDX-License-Identifier: MIT */
/*
 * on_seccomp.h - filters of the guest.
 */
#ifndef SB_ON_SECCOMP_H
#define SB_ON_SECCOMP_H

#include "guest/guest.h"

/* Accept a filter that the kernel would accept; it is not run. address: of a struct sock_fprog. */
long sb_seccomp_accept(struct sb_call *call, uint64_t address) SB_MUST_CHECK;

#endif
