/* SPDX-License-Identifier: MIT */
/*
 * socket_name.h - names of AF_UNIX sockets between the guest and the kernel.
 *
 * A guest name is a path of the merged tree. The kernel gets the host path, or a shorter path that
 * leads there (sun_path holds 108 bytes). Abstract names, sockets without a name and other address
 * families pass as they are.
 */
#ifndef SB_SOCKET_NAME_H
#define SB_SOCKET_NAME_H

#include "guest/guest.h"

#define SB_SOCKET_NAME_MAX 128 /* sizeof(struct sockaddr_storage) */

struct sb_socket_name {
	uint32_t len;   /* as the kernel takes or gives it; may be larger than bytes */
	int32_t temp;   /* a descriptor that the name needs until it is used, or -1 */
	union {
		unsigned short family;
		unsigned char bytes[SB_SOCKET_NAME_MAX];
	};
};

/* Copy an address argument. -EINVAL: the length is impossible. */
int sb_socket_name_read(uint64_t addr, uint32_t len, struct sb_socket_name *name) SB_MUST_CHECK;
/* Is it the path of an AF_UNIX socket? */
bool sb_socket_name_is_path(const struct sb_socket_name *name);

/* Turn the path of a socket to talk to into one for the kernel: looks it up (into work->a) and
 * checks write permission. Other names stay as they are. Errors as connect(2). */
int sb_socket_name_resolve(struct sb_call *call, struct sb_socket_name *name) SB_MUST_CHECK;
/* Look up the path to bind to, into work->a. -EADDRINUSE: it exists. */
int sb_socket_name_place(struct sb_call *call, const struct sb_socket_name *name) SB_MUST_CHECK;
/* Set the name to at->host, or to a path that leads there if that is too long. */
int sb_socket_name_host(struct sb_call *call, const struct sb_at *at,
			struct sb_socket_name *name) SB_MUST_CHECK;
/* Close temp. */
void sb_socket_name_done(struct sb_socket_name *name);

/* Turn a name from the kernel (whole, not cut off) into the guest's. */
void sb_socket_name_to_guest(struct sb_call *call, struct sb_socket_name *name);
/* Copy a name out as accept(2) does. size was the length at len_addr; the whole length goes
 * there. */
int sb_socket_name_write(const struct sb_socket_name *name, uint64_t addr, uint64_t len_addr,
			 uint32_t size) SB_MUST_CHECK;

#endif
