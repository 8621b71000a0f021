/* SPDX-License-Identifier: MIT */
/*
 * on_peer.h - calls about another process that only an unconfined container can make.
 *
 * sb_verdict_is_of_profile() names them: elsewhere the filter refuses them.
 */
#ifndef SB_ON_PEER_H
#define SB_ON_PEER_H

#include "guest/guest.h"

long on_kcmp(struct sb_call *call);
long on_move_pages(struct sb_call *call);
long on_migrate_pages(struct sb_call *call);
long on_perf_event_open(struct sb_call *call);

#endif
