/* SPDX-License-Identifier: MIT */
/*
 * ptrace_child.c - start a program under ptrace from a vfork child, as debuggers do.
 *
 * In a container the program stops at SIGSYS now and then, and this program passes the signal on.
 * Nothing else may differ.
 */
#include "see.h"

#include <sys/ptrace.h>

int main(void)
{
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
			_exit(9);
		(void)access("/etc/passwd", R_OK);
		execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
		_exit(8);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = wait_for(pid);
	say("stopped %d by %d", WIFSTOPPED(status), WSTOPSIG(status));
	do {
		int sig = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);

		MUST(ptrace(PTRACE_CONT, pid, NULL, (void *)(intptr_t)sig));
		status = wait_for(pid);
	} while (WIFSTOPPED(status));
	say_status("ended", status);
	return 0;
}
