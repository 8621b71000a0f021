/* SPDX-License-Identifier: MIT */
/*
 * memory.c - the only access to the guest's memory.
 *
 * Rules
 *   Only sb_copy and sb_copy_string (arch.h) follow a guest pointer: there a fault becomes -EFAULT.
 */
#include <errno.h>

#include "guest/thread.h"

/* Guest memory ends at SB_ADDR_USER_END; an access above it may raise another error than a fault.
 * The runtime's own memory is not the guest's. */
static bool is_guest_range(uint64_t addr, size_t len)
{
	if (addr >= SB_ADDR_USER_END || len > SB_ADDR_USER_END - addr)
		return false;
	if (addr + len <= SB_ADDR_LOW || addr >= SB_ADDR_RUNTIME)
		return true;
	/* A 32-bit program has no such address, so this is the copy of a structure that was widened
	 * for it. */
	return sb_proc_is_32(sb_thread_self()->proc);
}

int sb_guest_read(void *dst, uint64_t src, size_t len)
{
	if (!is_guest_range(src, len))
		return -EFAULT;
	return (int)sb_copy(dst, (const void *)(uintptr_t)src, len);
}

int sb_guest_write(uint64_t dst, const void *src, size_t len)
{
	/* If the call were made again, it would read its own answer as a length or a version. */
	sb_thread_self()->commit = 1;
	return sb_guest_rewrite(dst, src, len);
}

int sb_guest_rewrite(uint64_t dst, const void *src, size_t len)
{
	if (!is_guest_range(dst, len))
		return -EFAULT;
	return (int)sb_copy((void *)(uintptr_t)dst, src, len);
}

long sb_guest_string(char *dst, uint64_t src, size_t max)
{
	if (!is_guest_range(src, 1))
		return -EFAULT;
	return sb_copy_string(dst, (const char *)(uintptr_t)src, max);
}
