// SPDX-License-Identifier: MIT
// member NAME - sends its name to each client of its port 80, and ends by itself.
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(80)};
	const int listener = socket(AF_INET, SOCK_STREAM, 0);

	alarm(1200);
	if (argc != 2 || bind(listener, (const void *)&name, sizeof(name)) < 0 ||
	    listen(listener, 128) < 0) {
		perror("member");
		return 1;
	}
	for (;;) {
		const int caller = accept(listener, NULL, NULL);

		if (caller >= 0 && write(caller, argv[1], strlen(argv[1])) < 0)
			perror("member: write");
		close(caller);
	}
}
