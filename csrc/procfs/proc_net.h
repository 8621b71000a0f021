/* SPDX-License-Identifier: MIT */
/*
 * proc_net.h - lines of /proc/net files in a container's terms. Pure.
 */
#ifndef SB_PROC_NET_H
#define SB_PROC_NET_H

#include "net/net_link.h"
#include "procfs/proc_text.h"

/* Append a line of tcp, tcp6, udp or udp6, changed. Nothing for a socket outside the container
 * or of another user than uid. Headings stay. */
void sb_proc_socket_line(const struct sb_net *net, bool udp, uint32_t uid, const char *line,
			 size_t len, struct sb_proc_out *out);

/* Append the files route and fib_trie, and the lines of dev for all interfaces but lo. */
void sb_proc_routes(const struct sb_net *net, struct sb_proc_out *out);
void sb_proc_fib_trie(const struct sb_net *net, struct sb_proc_out *out);
void sb_proc_devices(const struct sb_net *net, struct sb_proc_out *out);

#endif
