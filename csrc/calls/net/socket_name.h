/* SPDX-License-Identifier: MIT */
/*
 * socket_name.h - names of AF_UNIX sockets between the guest and the kernel.
 *
 * Level 3. A guest name is a path of the merged tree; the kernel gets the host
 * path, or a shorter one that leads there (sun_path holds 108 bytes). Abstract
 * names, unnamed sockets and other address families pass as they are.
 */
#ifndef SB_SOCKET_NAME_H
#define SB_SOCKET_NAME_H

#include "guest/guest.h"

#define SB_SOCKET_NAME_MAX 128 /* sizeof(struct sockaddr_storage) */

struct sb_socket_name {
	uint32_t len;   /* as the kernel takes or gives it; may be more than bytes holds */
	int32_t temp;   /* a descriptor the name needs until it was used, or -1 */
	union {
		unsigned short family;
		unsigned char bytes[SB_SOCKET_NAME_MAX];
	};
};

/* Copy an address argument; -EINVAL for an impossible length. */
int sb_socket_name_read(uint64_t addr, uint32_t len, struct sb_socket_name *name) SB_MUST_CHECK;
/* Is it the path of an AF_UNIX socket? */
bool sb_socket_name_is_path(const struct sb_socket_name *name);

/* Make the path of a socket to talk to one for the kernel: looks it up (into work->a)
 * and checks write permission. No change for other names. Errors as connect(2). */
int sb_socket_name_resolve(struct sb_call *call, struct sb_socket_name *name) SB_MUST_CHECK;
/* Look up the path to bind to (absent, or -EADDRINUSE) into work->a. */
int sb_socket_name_place(struct sb_call *call, const struct sb_socket_name *name) SB_MUST_CHECK;
/* Name the host path at->host, by a detour when it is too long. */
int sb_socket_name_host(struct sb_call *call, const struct sb_at *at,
			struct sb_socket_name *name) SB_MUST_CHECK;
/* Close temp. */
void sb_socket_name_done(struct sb_socket_name *name);

/* Turn a name the kernel gave (whole, not cut off) into the guest's. */
void sb_socket_name_to_guest(struct sb_call *call, struct sb_socket_name *name);
/* Copy a name out as accept(2) does: the length at len_addr was size and becomes the
 * whole length. */
int sb_socket_name_write(const struct sb_socket_name *name, uint64_t addr, uint64_t len_addr,
			 uint32_t size) SB_MUST_CHECK;

#endif
