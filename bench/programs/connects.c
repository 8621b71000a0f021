/* SPDX-License-Identifier: MIT */
/*
 * connects.c - measure the rate of connections.
 *
 *   connects serve PORT            accept and close; end after two minutes
 *   connects call ADDRESS PORT N   make BURST connections N times; print the seconds for one
 *                                  connection in the median burst, which other work hardly changes
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST 50

static struct sockaddr_in place(const char *address, const char *port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

	inet_pton(AF_INET, address, &name.sin_addr);
	return name;
}

static int serve(const char *port)
{
	struct sockaddr_in name = place("0.0.0.0", port);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int yes = 1;

	alarm(120);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listener, (void *)&name, sizeof(name)) < 0 || listen(listener, 512) < 0) {
		perror("connects");
		return 1;
	}
	puts("up");
	fflush(stdout);
	for (;;)
		close(accept(listener, NULL, NULL));
}

static int connect_once(const struct sockaddr_in *name)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char byte;

	if (connect(fd, (const void *)name, sizeof(*name)) < 0) {
		perror("connects");
		return -1;
	}
	/* The server closes first, so TIME_WAIT keeps the port pair on its side. */
	if (read(fd, &byte, 1) != 0)
		return -1;
	return close(fd);
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

static int call(const char *address, const char *port, int count)
{
	const struct sockaddr_in name = place(address, port);
	double *seconds = calloc((size_t)count, sizeof(*seconds));

	for (int i = 0; seconds != NULL && i < count; i++) {
		struct timespec begun;
		struct timespec ended;

		clock_gettime(CLOCK_MONOTONIC, &begun);
		for (int k = 0; k < BURST; k++) {
			if (connect_once(&name) < 0)
				return 1;
		}
		clock_gettime(CLOCK_MONOTONIC, &ended);
		seconds[i] = (double)(ended.tv_sec - begun.tv_sec) +
			     (double)(ended.tv_nsec - begun.tv_nsec) / 1e9;
	}
	if (seconds == NULL || count == 0)
		return 1;
	qsort(seconds, (size_t)count, sizeof(*seconds), compare);
	printf("%.9f\n", seconds[count / 2] / BURST);
	free(seconds);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2]);
	if (argc == 5 && strcmp(argv[1], "call") == 0)
		return call(argv[2], argv[3], atoi(argv[4]));
	return 2;
}
