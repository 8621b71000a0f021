/* SPDX-License-Identifier: MIT */
/*
 * syscall_names.c - the number of a system call by its name.
 *
 * Hosted build only.
 */
#include <errno.h>
#include <string.h>

#include "hosted/hosted.h"

static const struct {
	const char *name;
	int nr;
} rows[] = {
#define NAME(nr_, name_) {#name_, nr_},
#include "names.def"
#undef NAME
};

int sb_hosted_syscall(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].nr;
	}
	return -ENOSYS;
}
