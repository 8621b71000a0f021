/* SPDX-License-Identifier: MIT */
/* layout.c - print where the parts of struct sb_shared lie: tests write there from outside. */
#include <stddef.h>
#include <stdio.h>

#include "base/shared_abi.h"

#define SHOW(part) printf("%s %zu\n", #part, offsetof(struct sb_shared, part))

int main(void)
{
	SHOW(generation);
	SHOW(learned);
	SHOW(pids);
	SHOW(procs);
	SHOW(mailboxes);
	SHOW(state);
	printf("row %zu\n", sizeof(struct sb_proc_slot));
	return 0;
}
