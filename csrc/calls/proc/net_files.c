/* SPDX-License-Identifier: MIT */
/*
 * net_files.c - /proc/PID/net of a container with addresses of its own.
 *
 * Files without addresses or sockets (snmp, sockstat) are the machine's.
 * Does not know
 *   What the lines mean (proc_net.c).
 */
#include <errno.h>

#include "base/mem.h"
#include "calls/proc/internal.h"
#include "guest/network.h"
#include "procfs/proc_net.h"

static void tcp_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	sb_proc_socket_line(&f->net, false, f->call->fs->tree->control->host_uid, line, len,
			    &f->out);
}

static void udp_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	sb_proc_socket_line(&f->net, true, f->call->fs->tree->control->host_uid, line, len,
			    &f->out);
}

static void heading_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	if (f->lines++ == 0)
		sb_proc_put(&f->out, line, len);
}

static bool contains(const char *line, size_t len, const char *text)
{
	const size_t want = strlen(text);

	for (size_t i = 0; i + want <= len; i++) {
		if (memcmp(line + i, text, want) == 0)
			return true;
	}
	return false;
}

/* Keep the two headings, and lo. */
static void device_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	if (f->lines++ < 2 || contains(line, len, " lo:"))
		sb_proc_put(&f->out, line, len);
}

static void loopback_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	if (contains(line, len, " lo\n"))
		sb_proc_put(&f->out, line, len);
}

static long fill(struct sb_proc_fill *f, sb_proc_liner *line)
{
	const int err = sb_net_get(f->call, &f->net);

	return err < 0 ? err : sb_proc_rewrite(f, line);
}

static long fill_tcp(struct sb_proc_fill *f)
{
	return fill(f, tcp_line);
}

static long fill_udp(struct sb_proc_fill *f)
{
	return fill(f, udp_line);
}

static long fill_heading(struct sb_proc_fill *f)
{
	return fill(f, heading_line);
}

static long fill_loopback(struct sb_proc_fill *f)
{
	return fill(f, loopback_line);
}

static long fill_devices(struct sb_proc_fill *f)
{
	const long ret = fill(f, device_line);

	if (ret == 0)
		sb_proc_devices(&f->net, &f->out);
	return ret;
}

static long fill_routes(struct sb_proc_fill *f)
{
	const int err = sb_net_get(f->call, &f->net);

	if (err == 0)
		sb_proc_routes(&f->net, &f->out);
	return err;
}

static long fill_fib_trie(struct sb_proc_fill *f)
{
	const int err = sb_net_get(f->call, &f->net);

	if (err == 0)
		sb_proc_fib_trie(&f->net, &f->out);
	return err;
}

sb_proc_filler *sb_proc_net_filler(const struct sb_call *call, const char *name, size_t len)
{
	static const struct {
		const char *name;
		sb_proc_filler *fill;
	} files[] = {
		{"net/tcp", fill_tcp},           {"net/tcp6", fill_tcp},
		{"net/udp", fill_udp},           {"net/udp6", fill_udp},
		{"net/raw", fill_heading},       {"net/raw6", fill_heading},
		{"net/arp", fill_heading},       {"net/dev", fill_devices},
		{"net/route", fill_routes},      {"net/fib_trie", fill_fib_trie},
		{"net/if_inet6", fill_loopback}, {"net/ipv6_route", fill_loopback},
	};

	if (call->fs->tree->control->net_container == 0)
		return NULL;
	for (size_t i = 0; i < SB_ARRAY_LEN(files); i++) {
		if (sb_same(files[i].name, strlen(files[i].name), name, len))
			return files[i].fill;
	}
	return NULL;
}
