/* SPDX-License-Identifier: MIT */
/* idle.c - do nothing until a signal ends it. */
#include "see.h"

int main(void)
{
	say("up");
	fflush(stdout);
	for (;;)
		pause();
}
