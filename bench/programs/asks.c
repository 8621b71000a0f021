/* SPDX-License-Identifier: MIT */
/*
 * asks.c - how long an answer of a name server takes, beside a bare echo over UDP.
 *
 *   asks NAME ROUNDS
 *
 * Prints three medians in microseconds: the echo of another process, a question from a socket that
 * asked before, and one from a socket of its own, as the C library asks.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define MOST 100000

static unsigned char question[300] = {0x12, 0x34, 1, 0, 0, 1};
static size_t length = 12;

static void must(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

static void ask_for(const char *name)
{
	const size_t size = strlen(name);

	must(size > 0 && size < 64, "the name");
	question[length++] = (unsigned char)size;
	memcpy(question + length, name, size);
	length += size + 1;
	question[length + 1] = 1; /* A */
	question[length + 3] = 1; /* IN */
	length += 4;
}

static int open_to(struct sockaddr_in place)
{
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);

	must(fd >= 0 && connect(fd, (struct sockaddr *)&place, sizeof(place)) == 0, "connect");
	return fd;
}

static void exchange(int fd)
{
	unsigned char answer[512];

	must(send(fd, question, length, 0) == (ssize_t)length, "send");
	must(recv(fd, answer, sizeof(answer), 0) > 12, "recv");
}

/* Start a process that sends everything back. */
static struct sockaddr_in echo(void)
{
	struct sockaddr_in place = {.sin_family = AF_INET};
	socklen_t size = sizeof(place);
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);

	place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(fd, (struct sockaddr *)&place, size) == 0, "bind");
	must(getsockname(fd, (struct sockaddr *)&place, &size) == 0, "getsockname");
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			unsigned char data[512];
			struct sockaddr_in peer;
			socklen_t peer_size = sizeof(peer);
			const ssize_t got = recvfrom(fd, data, sizeof(data), 0,
						     (struct sockaddr *)&peer, &peer_size);

			must(got > 0, "recvfrom");
			sendto(fd, data, (size_t)got, 0, (struct sockaddr *)&peer, peer_size);
		}
	}
	close(fd);
	return place;
}

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *times, int count)
{
	qsort(times, (size_t)count, sizeof(*times), compare);
	return times[count / 2];
}

int main(int argc, char **argv)
{
	static double times[3][MOST];
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(53)};
	struct sockaddr_in other;
	int rounds;
	int fds[2];

	must(argc == 3, "usage: asks NAME ROUNDS");
	rounds = atoi(argv[2]);
	must(rounds > 0 && rounds <= MOST, "rounds");
	ask_for(argv[1]);
	server.sin_addr.s_addr = inet_addr("127.0.0.11");
	other = echo();
	fds[0] = open_to(other);
	fds[1] = open_to(server);
	for (int i = 0; i < rounds; i++) {
		for (int way = 0; way < 3; way++) {
			const double begun = now();
			const int fd = way < 2 ? fds[way] : open_to(server);

			exchange(fd);
			times[way][i] = now() - begun;
			if (way == 2)
				close(fd);
		}
	}
	printf("%.1f %.1f %.1f\n", median(times[0], rounds), median(times[1], rounds),
	       median(times[2], rounds));
	return 0;
}
