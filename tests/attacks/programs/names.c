/* SPDX-License-Identifier: MIT */
/*
 * names.c - ask the networks' name server as another container.
 *
 *   names SERVER PORT ADDRESS NAME OWN
 *
 * ADDRESS is the container's whose NAME is asked for. OWN is a name that this container knows: its
 * answer shows that the server has read the questions before.
 */
#include "attack.h"

#include <arpa/inet.h>
#include <sys/socket.h>

static unsigned char question[300];
static size_t length;

static void ask_for(const char *name)
{
	static const unsigned char head[12] = {0x12, 0x34, 1, 0, 0, 1};
	const size_t size = strlen(name);

	memset(question, 0, sizeof(question));
	memcpy(question, head, sizeof(head));
	length = sizeof(head);
	question[length++] = (unsigned char)size;
	memcpy(question + length, name, size);
	length += size + 1;
	question[length + 1] = 1;
	question[length + 3] = 1;
	length += 4;
}

static struct sockaddr_in place(const char *address, int port)
{
	struct sockaddr_in out = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	inet_pton(AF_INET, address, &out.sin_addr);
	return out;
}

/* Has the answer an address in it? */
static long found(const unsigned char *answer, long size)
{
	if (size < 12)
		return size < 0 ? size : -ECONNRESET;
	return answer[6] == 0 && answer[7] == 0 ? -ENOENT : 0;
}

static long socket_at(int type, const struct sockaddr_in *own)
{
	const long fd = PAST(SYS_socket, AF_INET, type, 0);

	return fd < 0 || PAST(SYS_bind, fd, own, sizeof(*own)) == 0 ? fd : -EADDRNOTAVAIL;
}

static long ask_here(const char *name)
{
	const struct sockaddr_in server = place("127.0.0.11", 53);
	unsigned char answer[512];
	const int fd = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	long size;

	ask_for(name);
	MUST(sendto(fd, question, length, 0, (const void *)&server, sizeof(server)));
	size = MUST(recv(fd, answer, sizeof(answer), 0));
	close(fd);
	return found(answer, size);
}

static long ask_over_tcp(const struct sockaddr_in *server, const struct sockaddr_in *as)
{
	unsigned char answer[512];
	const long fd = socket_at(SOCK_STREAM, as);
	const unsigned char head[2] = {0, (unsigned char)length};
	long got;

	if (fd < 0)
		return fd;
	got = PAST(SYS_connect, fd, server, sizeof(*server));
	if (got == 0)
		got = PAST(SYS_sendto, fd, head, sizeof(head), MSG_NOSIGNAL);
	if (got >= 0)
		got = PAST(SYS_sendto, fd, question, length, MSG_NOSIGNAL);
	if (got >= 0)
		got = PAST(SYS_recvfrom, fd, answer, sizeof(answer), MSG_WAITALL);
	return got < 0 ? got : found(answer + 2, got - 2);
}

int main(int argc, char **argv)
{
	unsigned char answer[512];
	struct sockaddr_in server;
	struct sockaddr_in as;
	long fd;

	if (argc != 6)
		return 2;
	server = place(argv[1], atoi(argv[2]));
	as = place(argv[3], 0);
	ask_for(argv[4]);
	fd = MUST((int)socket_at(SOCK_DGRAM, &as));
	MUST((int)PAST(SYS_sendto, fd, question, length, 0, &server, sizeof(server)));
	if (ask_here(argv[5]) != 0)
		return 3;
	attempt("ask from the address of a container",
		found(answer, PAST(SYS_recvfrom, fd, answer, sizeof(answer), MSG_DONTWAIT)));
	ask_for(argv[4]);
	attempt("ask over TCP from the address of a container", ask_over_tcp(&server, &as));
	attempt("ask for the name of a network", ask_here(argv[4]));
	attempt("take the port of the server", socket_at(SOCK_DGRAM, &server));
	return 0;
}
