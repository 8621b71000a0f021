/* SPDX-License-Identifier: MIT */
/*
 * lookup.c - print the addresses that the C library finds for a name.
 *
 *   lookup NAME
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	char text[INET6_ADDRSTRLEN];
	const int err = argc == 2 ? getaddrinfo(argv[1], NULL, &hints, &found) : EAI_NONAME;

	if (err != 0) {
		puts(gai_strerror(err));
		return 1;
	}
	for (const struct addrinfo *one = found; one != NULL; one = one->ai_next) {
		const struct sockaddr_in *at = (const void *)one->ai_addr;

		if (one->ai_family == AF_INET)
			puts(inet_ntop(AF_INET, &at->sin_addr, text, sizeof(text)));
	}
	freeaddrinfo(found);
	return 0;
}
