/* SPDX-License-Identifier: MIT */
/*
 * sockets.c - AF_UNIX sockets by path: names, errors, messages, credentials.
 *
 *   sockets names|errors|messages|credentials|interrupted DIRECTORY
 *
 * Names are absolute and lie in DIRECTORY. They are printed without it.
 */
#include "see.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <time.h>

static const char *folder;
static char text[8192];

static const char *in_folder(const char *name)
{
	static char path[4][4096];
	static unsigned turn;
	char *chosen = path[turn++ % 4];

	snprintf(chosen, sizeof(path[0]), "%s/%s", folder, name);
	return chosen;
}

/* Make the address of a path, without its NUL when exact. */
static socklen_t address(struct sockaddr_un *un, const char *path, bool exact)
{
	size_t len = strlen(path);

	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	if (len > sizeof(un->sun_path))
		len = sizeof(un->sun_path);
	memcpy(un->sun_path, path, len);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (exact ? 0 : 1));
}

static int bind_to(int fd, const char *path)
{
	struct sockaddr_un un;
	const socklen_t len = address(&un, path, false);

	return bind(fd, (struct sockaddr *)&un, len);
}

static int connect_to(int fd, const char *path)
{
	struct sockaddr_un un;
	const socklen_t len = address(&un, path, false);

	return connect(fd, (struct sockaddr *)&un, len);
}

static int make(int type)
{
	return (int)MUST(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
}

static int listening(const char *path)
{
	int fd = make(SOCK_STREAM);

	MUST(bind_to(fd, path));
	MUST(listen(fd, 5));
	return fd;
}

/* Describe a name from the kernel: family, path below the folder, length. */
static const char *name_text(const struct sockaddr_un *un, socklen_t len)
{
	const size_t skip = offsetof(struct sockaddr_un, sun_path);
	const size_t prefix = strlen(folder);
	char path[sizeof(un->sun_path) + 1] = "";

	if (len <= skip) {
		snprintf(text, sizeof(text), "unnamed, length %u", len);
		return text;
	}
	memcpy(path, un->sun_path,
	       len - skip < sizeof(un->sun_path) ? len - skip : sizeof(un->sun_path));
	if (path[0] == '\0')
		snprintf(text, sizeof(text), "abstract %s", path + 1);
	else if (strncmp(path, folder, prefix) == 0)
		snprintf(text, sizeof(text), "%s, length %d", path + prefix, (int)(len - prefix));
	else
		snprintf(text, sizeof(text), "elsewhere %s", path);
	return text;
}

static void say_own(const char *what, int fd)
{
	struct sockaddr_un un;
	socklen_t len = sizeof(un);

	memset(&un, 0, sizeof(un));
	if (getsockname(fd, (struct sockaddr *)&un, &len) == -1)
		say("%s: %s", what, error_name(errno));
	else
		say("%s is named %s", what, name_text(&un, len));
}

static void say_peer(const char *what, int fd)
{
	struct sockaddr_un un;
	socklen_t len = sizeof(un);

	memset(&un, 0, sizeof(un));
	if (getpeername(fd, (struct sockaddr *)&un, &len) == -1)
		say("%s has no peer: %s", what, error_name(errno));
	else
		say("%s talks to %s", what, name_text(&un, len));
}

/* ---- groups ------------------------------------------------------------- */

static void names(void)
{
	struct sockaddr_un un;
	char small[8] = "";
	socklen_t len;
	int server = listening(in_folder("s"));
	int client = make(SOCK_STREAM);
	int taken;
	int other;

	say_stat(in_folder("s"));
	say_own("server", server);
	say_own("client", client);
	MUST(bind_to(client, in_folder("client")));
	SEE(connect_to(client, in_folder("s")));
	memset(&un, 0, sizeof(un));
	len = sizeof(un);
	taken = (int)MUST(accept4(server, (struct sockaddr *)&un, &len, SOCK_NONBLOCK));
	say("accepted %s", name_text(&un, len));
	say_peer("client", client);
	say_peer("taken", taken);
	say_own("taken", taken);
	len = sizeof(small);
	SEE(getsockname(taken, (struct sockaddr *)small, &len));
	say("the whole length is %d", (int)(len - strlen(folder)));
	say("what fits: %.6s", small + 2);
	len = 0;
	SEE(getsockname(taken, (struct sockaddr *)small, &len));

	other = make(SOCK_STREAM);
	len = address(&un, in_folder("exact"), true);
	SEE(bind(other, (struct sockaddr *)&un, len));
	say_own("without NUL", other);
	say_stat(in_folder("exact"));
	other = make(SOCK_STREAM);
	un.sun_family = AF_UNIX;
	SEE(bind(other, (struct sockaddr *)&un, 2));
	len = sizeof(un);
	MUST(getsockname(other, (struct sockaddr *)&un, &len));
	say("autobind gives %s of length %u",
	    un.sun_path[0] == '\0' ? "an abstract name" : "a path", len);
	other = make(SOCK_STREAM);
	umask(077);
	SEE(bind_to(other, in_folder("private")));
	umask(022);
	say_stat(in_folder("private"));
	SEE(rename(in_folder("private"), in_folder("moved")));
	say_own("moved", other);
	SEE(unlink(in_folder("moved")));
}

static void errors(void)
{
	char deep[4096];
	struct sockaddr_un un;
	socklen_t len;
	int server = listening(in_folder("s"));
	int fd = make(SOCK_STREAM);
	int dgram = make(SOCK_DGRAM);

	write_file(in_folder("file"), "x");
	MUST(mkdir(in_folder("dir"), 0755));
	MUST(symlink("s", in_folder("link")));
	MUST(symlink("nowhere", in_folder("dangling")));
	SEE(bind_to(fd, in_folder("s")));
	SEE(bind_to(fd, in_folder("file")));
	SEE(bind_to(fd, in_folder("dir")));
	SEE(bind_to(fd, in_folder("dangling")));
	SEE(bind_to(fd, in_folder("missing/s")));
	SEE(bind_to(fd, in_folder("file/s")));
	SEE(bind_to(fd, in_folder("new/")));
	SEE(bind_to(fd, in_folder("dir/.")));
	SEE(connect_to(fd, in_folder("missing")));
	SEE(connect_to(fd, in_folder("file")));
	SEE(connect_to(fd, in_folder("dir")));
	SEE(connect_to(fd, in_folder("file/x")));
	SEE(connect_to(fd, in_folder("dangling")));
	SEE(connect_to(dgram, in_folder("s")));
	SEE(connect_to(fd, in_folder("link")));
	say_peer("through a symlink", fd);
	SEE(connect_to(fd, in_folder("s")));
	SEE(bind_to(server, in_folder("twice")));
	say_stat(in_folder("twice"));
	close(server);
	SEE(connect_to(make(SOCK_STREAM), in_folder("s")));
	len = address(&un, in_folder("big"), false);
	SEE(bind(fd, (struct sockaddr *)&un, 111));
	SEE(bind(fd, (struct sockaddr *)&un, 4096));
	SEE(bind(fd, (struct sockaddr *)&un, 1));
	SEE(connect(fd, (struct sockaddr *)&un, 1));
	SEE(bind(fd, NULL, len));
	SEE(bind(-1, (struct sockaddr *)&un, len));
	SEE(bind(0, (struct sockaddr *)&un, len));
	SEE(getsockname(-1, (struct sockaddr *)&un, &len));
	SEE(getsockname(fd, NULL, &len));
	SEE(getsockname(fd, (struct sockaddr *)&un, NULL));
	SEE(fgetxattr(fd, "system.sockprotoname", deep, sizeof(deep)));
	un.sun_family = 99;
	SEE(bind(make(SOCK_STREAM), (struct sockaddr *)&un, len));
	MUST(chmod(in_folder("dir"), 0755));
	snprintf(deep, sizeof(deep), "dir/%090d", 0);
	MUST(mkdir(in_folder(deep), 0755));
	SEE(access(in_folder(deep), F_OK));
	MUST(chdir(in_folder(deep)));
	fd = make(SOCK_STREAM);
	SEE(bind_to(fd, "relative"));
	SEE(listen(fd, 1));
	SEE(access("relative", F_OK));
	SEE(connect_to(make(SOCK_STREAM), "relative"));
	SEE(connect_to(make(SOCK_STREAM), "../../link"));
	SEE(connect_to(make(SOCK_STREAM), "./relative"));
}

static void say_received(const char *what, ssize_t count, const struct msghdr *m)
{
	if (count == -1)
		say("%s: %s", what, error_name(errno));
	else
		say("%s: %zd bytes from %s", what, count,
		    name_text((const struct sockaddr_un *)m->msg_name, m->msg_namelen));
}

static void messages(void)
{
	struct sockaddr_un un;
	struct sockaddr_un from;
	char bytes[64];
	struct iovec iov = {bytes, sizeof(bytes)};
	struct iovec out = {(char *)"hello", 5};
	struct msghdr m = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
	struct msghdr to = {.msg_name = &un, .msg_iov = &out, .msg_iovlen = 1};
	struct mmsghdr many[3];
	struct mmsghdr got[3];
	struct sockaddr_un froms[3];
	struct iovec iovs[3];
	char buffers[3][16];
	socklen_t len;
	ssize_t count;
	int a = make(SOCK_DGRAM);
	int b = make(SOCK_DGRAM);
	int none = make(SOCK_DGRAM);

	MUST(bind_to(a, in_folder("a")));
	MUST(bind_to(b, in_folder("b")));
	len = address(&un, in_folder("a"), false);
	to.msg_namelen = len;
	SEE(sendto(b, "one", 3, 0, (struct sockaddr *)&un, len));
	memset(&from, 0, sizeof(from));
	len = sizeof(from);
	count = recvfrom(a, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &len);
	say("recvfrom: %zd from %s", count, name_text(&from, len));
	SEE(sendmsg(b, &to, 0));
	memset(&from, 0, sizeof(from));
	say_received("recvmsg", recvmsg(a, &m, 0), &m);
	SEE(sendmsg(none, &to, 0));
	memset(&from, 0, sizeof(from));
	m.msg_namelen = sizeof(from);
	say_received("from an unnamed one", recvmsg(a, &m, 0), &m);
	SEE(sendto(b, "x", 1, 0, NULL, 0));
	address(&un, in_folder("missing"), false);
	SEE(sendmsg(b, &to, 0));
	to.msg_namelen = address(&un, in_folder("a"), false);
	for (unsigned i = 0; i < 3; i++) {
		memset(&many[i], 0, sizeof(many[i]));
		many[i].msg_hdr = to;
		iovs[i] = (struct iovec){buffers[i], sizeof(buffers[i])};
		memset(&got[i], 0, sizeof(got[i]));
		got[i].msg_hdr = (struct msghdr){.msg_name = &froms[i],
						 .msg_namelen = sizeof(froms[i]),
						 .msg_iov = &iovs[i],
						 .msg_iovlen = 1};
	}
	memset(froms, 0, sizeof(froms));
	SEE(sendmmsg(b, many, 3, 0));
	say("lengths %u %u %u", many[0].msg_len, many[1].msg_len, many[2].msg_len);
	SEE(recvmmsg(a, got, 3, MSG_DONTWAIT, NULL));
	for (unsigned i = 0; i < 3; i++)
		say_received("recvmmsg", got[i].msg_len, &got[i].msg_hdr);
	SEE(recvmsg(a, NULL, 0));
	SEE(sendmsg(a, NULL, 0));
	SEE(recvfrom(a, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&from, &len));
	SEE(connect_to(b, in_folder("a")));
	SEE(send(b, "sent", 4, 0));
	say_peer("b", b);
	SEE(recv(a, bytes, sizeof(bytes), 0));
	MUST(bind_to(none, in_folder("none")));
	MUST(unlink(in_folder("none")));
	SEE(connect_to(none, in_folder("none")));
}

static void say_ids(const char *what, const struct ucred *u)
{
	say("%s: pid %s, uid %s, gid %s", what, u->pid == getpid() ? "mine" : "other",
	    u->uid == getuid() ? "mine" : "other", u->gid == getgid() ? "mine" : "other");
}

/* Pass a descriptor and, when claimed is not NULL, credentials. */
static ssize_t send_ancillary(int fd, int passed, const struct ucred *claimed)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {(char *)"x", 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes};
	struct cmsghdr *c;

	memset(&control, 0, sizeof(control));
	m.msg_controllen = claimed ? sizeof(control.bytes) : CMSG_SPACE(sizeof(int));
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &passed, sizeof(passed));
	if (claimed) {
		c = CMSG_NXTHDR(&m, c);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_CREDENTIALS;
		c->cmsg_len = CMSG_LEN(sizeof(*claimed));
		memcpy(CMSG_DATA(c), claimed, sizeof(*claimed));
	}
	return sendmsg(fd, &m, 0);
}

static void say_ancillary(int fd)
{
	union {
		char bytes[256];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof(control.bytes)};
	const ssize_t count = recvmsg(fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	say("received %zd", count);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); count > 0 && c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred u;

			memcpy(&u, CMSG_DATA(c), sizeof(u));
			say_ids("credentials", &u);
		} else {
			int passed;
			struct stat st;

			memcpy(&passed, CMSG_DATA(c), sizeof(passed));
			say("a descriptor: %s", fstat(passed, &st) == 0 ? describe(&st) : "bad");
			close(passed);
		}
	}
}

static void credentials(void)
{
	struct ucred u;
	socklen_t len = sizeof(u);
	int pair[2];
	int one = 1;
	int passed;
	int server = listening(in_folder("s"));
	int client = make(SOCK_STREAM);

	MUST(connect_to(client, in_folder("s")));
	SEE(getsockopt(client, SOL_SOCKET, SO_PEERCRED, &u, &len));
	say_ids("peer", &u);
	len = 4;
	SEE(getsockopt(client, SOL_SOCKET, SO_PEERCRED, &u, &len));
	say("length %u", len);
	len = sizeof(u);
	SEE(getsockopt(make(SOCK_STREAM), SOL_SOCKET, SO_PEERCRED, &u, &len));
	say("unconnected: pid %d uid %d gid %d", u.pid, (int)u.uid, (int)u.gid);
	SEE(getsockopt(0, SOL_SOCKET, SO_PEERCRED, &u, &len));
	SEE(getsockopt(client, SOL_SOCKET, SO_PEERCRED, NULL, &len));
	close(server);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	write_file(in_folder("passed"), "12345");
	passed = (int)MUST(open(in_folder("passed"), O_RDONLY));
	SEE(send_ancillary(pair[0], passed, NULL));
	say_ancillary(pair[1]);
	MUST(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)));
	SEE(send_ancillary(pair[0], passed, NULL));
	say_ancillary(pair[1]);
	u = (struct ucred){getpid(), getuid(), getgid()};
	SEE(send_ancillary(pair[0], passed, &u));
	say_ancillary(pair[1]);
	u.pid = 2; /* the main process of a container is 1 */
	SEE(send_ancillary(pair[0], passed, &u));
}

static volatile int caught;
static volatile int asked = -1; /* a byte written here makes the child connect */

static void on_alarm(int sig)
{
	caught = sig;
	if (asked != -1) {
		(void)!write(asked, "x", 1);
		asked = -1;
	}
}

/* Repeat the signal, since the first may come before the call that it shall interrupt. */
static void tick(long us)
{
	const struct itimerval every = {{0, us}, {0, us}};

	caught = 0;
	MUST(setitimer(ITIMER_REAL, &every, NULL));
}

static void say_caught(void)
{
	const struct itimerval off = {{0, 0}, {0, 0}};

	MUST(setitimer(ITIMER_REAL, &off, NULL));
	say("caught %d", caught);
}

static void interrupted(void)
{
	struct sigaction action;
	struct sockaddr_un un;
	socklen_t len = sizeof(un);
	char bytes[16];
	int ends[2];
	int server = listening(in_folder("s"));
	int dgram = make(SOCK_DGRAM);

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_alarm;
	MUST(sigaction(SIGALRM, &action, NULL));
	tick(50000);
	SEE(accept(server, (struct sockaddr *)&un, &len));
	say_caught();
	MUST(bind_to(dgram, in_folder("d")));
	tick(50000);
	SEE(recvfrom(dgram, bytes, sizeof(bytes), 0, (struct sockaddr *)&un, &len));
	say_caught();
	action.sa_flags = SA_RESTART;
	MUST(sigaction(SIGALRM, &action, NULL));
	MUST(pipe(ends));
	if (MUST(fork()) == 0) {
		if (read(ends[0], bytes, 1) != 1)
			_exit(2);
		_exit(connect_to(make(SOCK_STREAM), in_folder("s")) == 0 ? 0 : 1);
	}
	asked = ends[1];
	tick(50000);
	len = sizeof(un);
	SEE(accept(server, (struct sockaddr *)&un, &len) >= 0 ? 0 : -1);
	say_caught();
	say_status("client", wait_for(-1));
}

int main(int argc, char **argv)
{
	static const struct part groups[] = {
		{"names", names},
		{"errors", errors},
		{"messages", messages},
		{"credentials", credentials},
		{"interrupted", interrupted},
	};

	folder = argc > 2 ? argv[2] : ".";
	return run_group(argc, argv, groups, COUNT(groups));
}
