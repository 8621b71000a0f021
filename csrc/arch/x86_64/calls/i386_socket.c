/* SPDX-License-Identifier: MIT */
/*
 * i386_socket.c - socketcall of 32-bit programs, options, requests about interfaces.
 *
 * How it works
 *   socketcall(2) is a table: it reads the arguments of the call it means from memory. A list of
 *   interfaces is made in the thread's room and copied with entries of the program's size.
 * Does not know
 *   What a message looks like (i386_message.c).
 */
#include <errno.h>
#include <linux/sockios.h>
#include <sys/socket.h>

#include "calls/fs/on_ioctl.h"
#include "calls/net/inet.h"
#include "guest/handlers.h"
#include "i386_call.h"
#include "pure/verdict.h"

#define SB_SO_PEERGROUPS 59
#define NR32_IOCTL SB_COMPAT_IOCTL
#define NR32_SOCKETPAIR 360
#define NR32_GETSOCKOPT 365
#define NR32_SETSOCKOPT 366
#define NR32_RECVFROM 371
#define NR32_SHUTDOWN 373

/* ---- options, interfaces ---------------------------------------------------- */

long sb_i386_getsockopt(struct sb_call *call)
{
	const struct sb_regs *r = call->regs;

	if ((int)r->args[1] == SOL_SOCKET &&
	    ((int)r->args[2] == SO_PEERCRED || (int)r->args[2] == SB_SO_PEERGROUPS))
		return on_getsockopt(call);
	return sb_i386_pass(call, NR32_GETSOCKOPT);
}

#define REQUEST32 32 /* struct ifreq of 32-bit programs */
#define REQUEST64 40
#define REQUESTS_MAX 512

struct listing32 {
	int32_t len;
	uint32_t buf;
};

struct listing64 {
	int32_t len;
	uint32_t pad;
	uint64_t buf;
};

static long list_interfaces(struct sb_call *call)
{
	const uint64_t at = call->regs->args[2];
	char *room = call->thread->scratch.compat.room;
	struct listing32 narrow;
	struct listing64 wide;
	uint32_t count;
	long ret;

	if (sb_guest_read(&narrow, at, sizeof(narrow)) < 0)
		return -EFAULT;
	count = SB_MIN((uint32_t)SB_MAX(narrow.len, 0) / REQUEST32, (uint32_t)REQUESTS_MAX);
	wide = (struct listing64){
		.len = (int32_t)(count * REQUEST64),
		.buf = narrow.buf ? (uint64_t)(uintptr_t)room : 0,
	};
	call->regs->args[2] = (uint64_t)(uintptr_t)&wide;
	ret = on_ioctl(call);
	if (ret < 0)
		return ret;
	count = (uint32_t)wide.len / REQUEST64;
	for (uint32_t i = 0; narrow.buf && i < count; i++) {
		if (sb_guest_write(narrow.buf + i * REQUEST32, room + i * (size_t)REQUEST64,
				   REQUEST32) < 0)
			return -EFAULT;
	}
	narrow.len = (int32_t)(count * REQUEST32);
	return sb_guest_write(at, &narrow.len, sizeof(narrow.len)) < 0 ? -EFAULT : ret;
}

/* The filter traps requests of file systems, and in containers with a network those about
 * interfaces. */
long sb_i386_ioctl(struct sb_call *call)
{
	struct sb_regs *r = call->regs;
	const uint64_t at = r->args[2];
	char request[REQUEST64] = {0};
	long ret;

	if (sb_verdict_request_changes_file((uint32_t)r->args[1])) {
		if ((uint32_t)r->args[1] ==
		    SB_IOCTL_SET_FLAGS32) /* the argument is an int in both */
			r->args[1] = SB_IOCTL_SET_FLAGS;
		return on_ioctl(call);
	}
	if (sb_verdict_request_names_process((uint32_t)r->args[1]))
		return on_ioctl(call);
	if (sb_verdict_request_is_of_files((uint32_t)r->args[1])) {
		ret = sb_ioctl_check(call);
		return ret < 0 ? ret : sb_i386_pass(call, NR32_IOCTL);
	}
	if ((uint32_t)r->args[1] == SB_IOCTL_OTHER_SIDE)
		return on_ioctl(call);
	if ((uint32_t)r->args[1] < SIOCGIFNAME || (uint32_t)r->args[1] > 0x8970 ||
	    sb_net_option((int)r->args[0], SOL_SOCKET, SO_TYPE) < 0)
		return sb_i386_pass(call, NR32_IOCTL);
	if ((uint32_t)r->args[1] == SIOCGIFCONF)
		return list_interfaces(call);
	if (sb_guest_read(request, at, REQUEST32) < 0)
		return -EFAULT;
	r->args[2] = (uint64_t)(uintptr_t)request;
	ret = on_ioctl(call);
	if (ret < 0)
		return ret;
	return sb_guest_write(at, request, REQUEST32) < 0 ? -EFAULT : ret;
}

/* ---- socketcall ------------------------------------------------------------- */

struct single {
	sb_handler *handler; /* NULL: the kernel's, by nr */
	uint16_t nr; /* of the 64-bit call, or of the kernel's 32-bit call */
	uint8_t count;
};

static const struct single singles[] = {
	[1] = {on_socket, __NR_socket, 3},
	[2] = {on_bind, __NR_bind, 3},
	[3] = {on_connect, __NR_connect, 3},
	[4] = {on_listen, __NR_listen, 2},
	[5] = {on_accept, __NR_accept, 3},
	[6] = {on_getsockname, __NR_getsockname, 3},
	[7] = {on_getpeername, __NR_getpeername, 3},
	[8] = {NULL, NR32_SOCKETPAIR, 4},
	[9] = {on_sendto, __NR_sendto, 4}, /* send */
	[10] = {NULL, NR32_RECVFROM, 4}, /* recv */
	[11] = {on_sendto, __NR_sendto, 6},
	[12] = {on_recvfrom, __NR_recvfrom, 6},
	[13] = {NULL, NR32_SHUTDOWN, 2},
	[14] = {NULL, NR32_SETSOCKOPT, 5},
	[15] = {sb_i386_getsockopt, __NR_getsockopt, 5},
	[16] = {sb_i386_sendmsg, __NR_sendmsg, 3},
	[17] = {sb_i386_recvmsg, __NR_recvmsg, 3},
	[18] = {on_accept4, __NR_accept4, 4},
	[19] = {sb_i386_recvmmsg, __NR_recvmmsg, 5},
	[20] = {sb_i386_sendmmsg, __NR_sendmmsg, 4},
};

long sb_i386_socketcall(struct sb_call *call)
{
	struct sb_regs *r = call->regs;
	const uint32_t number = (uint32_t)r->args[0];
	const uint64_t at = r->args[1];
	uint32_t args[6] = {0};

	if (number == 0 || number >= SB_ARRAY_LEN(singles))
		return -EINVAL;
	if (sb_guest_read(args, at, singles[number].count * sizeof(args[0])) < 0)
		return -EFAULT;
	r->args[0] = args[0];
	r->args[1] = args[1];
	r->args[2] = args[2];
	r->args[3] = args[3];
	r->args[4] = args[4];
	r->args[5] = args[5];
	if (!singles[number].handler)
		return sb_i386_pass(call, singles[number].nr);
	call->thread->number = singles[number].nr;
	return singles[number].handler(call);
}
