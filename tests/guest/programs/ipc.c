/* SPDX-License-Identifier: MIT */
/*
 * ipc.c - System V shared memory, semaphores and message queues, and who may use them.
 *
 *   ipc GROUP   as root with Docker's capabilities, where no object exists
 *
 * The answers of a kernel were recorded once, as root:
 *   CAPS=-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap
 *   unshare -i setpriv --bounding-set $CAPS .../ipc GROUP > .../recorded/ipc-GROUP.txt
 */
#include "see.h"

#include <grp.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define USER 1000
#define OTHER 1001
#define TEAM 50
#define KEY 0x5eed0001

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#define SEM_STAT_ANY 20
#define MSG_STAT_ANY 13
#endif

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *__buf;
};

struct message {
	long type;
	char text[64];
};

/* Print the name of the error, or that the call gave an id. */
static int id_of(const char *what, int id)
{
	say("%s = %s", what, id >= 0 ? "an id" : error_name(errno));
	return id;
}
#define ID(call) (errno = 0, id_of(#call, (int)(call)))
/* The address of a segment, or -1. */
#define AT(call) (errno = 0, at_of(#call, (void *)(call)))

static void *at_of(const char *what, void *at)
{
	say("%s = %s", what, at == (void *)-1 ? error_name(errno) : "an address");
	return at;
}

static void say_owner(const char *what, const struct ipc_perm *perm)
{
	say("%s: key %#x uid %u gid %u cuid %u cgid %u mode %04o", what, (unsigned)perm->__key,
	    perm->uid, perm->gid, perm->cuid, perm->cgid, (unsigned)perm->mode);
}

static void as(uid_t uid, gid_t gid, void (*body)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		MUST(setgroups(0, NULL));
		MUST(setgid(gid));
		MUST(setuid(uid));
		say("-- as %u:%u", uid, gid);
		body();
		fflush(stdout);
		_exit(0);
	}
	if (wait_for(pid) != 0)
		say("the child failed");
}

/* ---- shared memory ---- */

static void say_shm(int id)
{
	struct shmid_ds ds;

	if (shmctl(id, IPC_STAT, &ds) == -1) {
		say("IPC_STAT: %s", error_name(errno));
		return;
	}
	say_owner("IPC_STAT", &ds.shm_perm);
	say("  size %lu attached %lu atime %d dtime %d ctime %d own cpid %d lpid %d",
	    (unsigned long)ds.shm_segsz, (unsigned long)ds.shm_nattch, ds.shm_atime != 0,
	    ds.shm_dtime != 0, ds.shm_ctime != 0, ds.shm_cpid == getpid(), ds.shm_lpid == getpid());
}

static void shm(void)
{
	int id = ID(shmget(KEY, 10000, IPC_CREAT | IPC_EXCL | 0640));
	char *at;
	char *again;

	say_shm(id);
	at = AT(shmat(id, NULL, 0));
	strcpy(at, "shared");
	again = AT(shmat(id, NULL, SHM_RDONLY));
	say("seen: %s", again);
	say_shm(id);
	SEE(shmdt(again));
	SEE(shmdt(again));
	SEE(shmctl(id, IPC_RMID, NULL));
	say("still there: %s", at);
	say_shm(id);
	ID(shmget(KEY, 0, 0));
	ID(shmget(KEY, 100, IPC_CREAT | 0600));
	AT(again = shmat(id, NULL, 0));
	say("still there: %s", again);
	SEE(shmdt(at));
	SEE(shmdt(again));
	say_shm(id);
	AT(shmat(id, NULL, 0));
	SEE(shmctl(shmget(KEY, 0, 0), IPC_RMID, NULL));
}

static void keys(void)
{
	int first;
	int second;

	ID(shmget(KEY, 10, 0600));
	first = ID(shmget(KEY, 10, IPC_CREAT | 0600));
	say("the same: %d", first == shmget(KEY, 10, IPC_CREAT | 0600));
	say("the same: %d", first == shmget(KEY, 0, 0));
	ID(shmget(KEY, 10, IPC_CREAT | IPC_EXCL | 0600));
	ID(shmget(KEY, 100000, IPC_CREAT | 0600));
	ID(shmget(KEY + 1, 0, IPC_CREAT | 0600));
	second = ID(shmget(IPC_PRIVATE, 10, 0600));
	say("another: %d", second != first);
	say("another: %d", second != ID(shmget(IPC_PRIVATE, 10, IPC_CREAT | 0600)));
	say_shm(second);
	SEE(shmctl(first, IPC_RMID, NULL));
	ID(shmget(KEY, 10, 0600));
	first = ID(shmget(KEY, 10, IPC_CREAT | IPC_EXCL | 0600));
	say_shm(first);
	ID(semget(KEY, 3, IPC_CREAT | 0600));
	ID(semget(KEY, 4, IPC_CREAT | 0600));
	ID(semget(KEY, 0, 0));
	ID(semget(KEY + 1, 0, IPC_CREAT | 0600));
	ID(semget(KEY + 1, -1, IPC_CREAT | 0600));
	ID(msgget(KEY, IPC_CREAT | 0600));
	ID(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600));
	ID(msgget(KEY + 1, 0));
	for (int i = 0; i < 100; i++) {
		first = (int)MUST(shmget(KEY + 1000 + i, 10, IPC_CREAT | 0600));
		if (first != shmget(KEY + 1000 + i, 10, 0))
			say("key %d is another's", i);
		MUST(shmctl(first, IPC_RMID, NULL));
		first = (int)MUST(semget(IPC_PRIVATE, 1, 0600));
		MUST(semctl(first, 0, IPC_RMID));
	}
	ID(semget(KEY + 1, 1, 0));
}

static int race_for(key_t key)
{
	const int id = shmget(key, 100, IPC_CREAT | IPC_EXCL | 0600);

	return id >= 0;
}

/* Of processes that make an object with one key at the same time, one does. */
static void races(void)
{
	for (int round = 0; round < 20; round++) {
		int winners = 0;
		pid_t pids[4];

		for (size_t i = 0; i < COUNT(pids); i++) {
			pids[i] = (pid_t)MUST(fork());
			if (pids[i] == 0)
				_exit(race_for(KEY + round));
		}
		for (size_t i = 0; i < COUNT(pids); i++)
			winners += WEXITSTATUS(wait_for(pids[i]));
		if (winners != 1)
			say("%d winners", winners);
		MUST(shmctl((int)MUST(shmget(KEY + round, 0, 0)), IPC_RMID, NULL));
	}
	say("raced");
}

/* ---- semaphores ---- */

static void say_sem(int id)
{
	struct semid_ds ds;
	union semun arg = {.buf = &ds};

	if (semctl(id, 0, IPC_STAT, arg) == -1) {
		say("IPC_STAT: %s", error_name(errno));
		return;
	}
	say_owner("IPC_STAT", &ds.sem_perm);
	say("  nsems %lu otime %d ctime %d", (unsigned long)ds.sem_nsems, ds.sem_otime != 0,
	    ds.sem_ctime != 0);
}

static int operate(int id, unsigned short number, short change, short flags)
{
	struct sembuf operation = {number, change, flags};

	return semop(id, &operation, 1);
}

static void sem(void)
{
	int id = ID(semget(KEY, 3, IPC_CREAT | 0600));
	const struct timespec soon = {0, 1000000};
	struct sembuf two[2] = {{0, 1, 0}, {1, -1, IPC_NOWAIT}};
	unsigned short values[3] = {4, 5, 6};
	union semun arg = {.array = values};

	say_sem(id);
	SEE(semctl(id, 0, SETALL, arg));
	SEE(operate(id, 0, -3, 0));
	SEE(semctl(id, 0, GETVAL));
	SEE(operate(id, 0, -3, IPC_NOWAIT));
	SEE(semop(id, two, 2));
	SEE(semctl(id, 0, GETALL, arg));
	say("values %d %d %d", values[0], values[1], values[2]);
	arg.val = 9;
	SEE(semctl(id, 2, SETVAL, arg));
	SEE(semctl(id, 2, GETVAL));
	say("GETPID is own: %d", semctl(id, 2, GETPID) == getpid());
	SEE(semctl(id, 2, GETNCNT));
	SEE(semctl(id, 2, GETZCNT));
	SEE(semctl(id, 3, GETVAL));
	SEE(semctl(id, 0, 99));
	SEE(operate(id, 9, 1, 0));
	SEE(semop(id, two, 0));
	two[0] = (struct sembuf){2, 0, 0};
	SEE(semtimedop(id, two, 1, &soon));
	say_sem(id);
	SEE(semctl(id, 0, IPC_RMID));
	SEE(operate(id, 0, 1, 0));
	SEE(semctl(id, 0, IPC_RMID));
}

/* A child undoes its change, and another one waits until the set is removed. */
static void sleepers(void)
{
	int id = ID(semget(KEY, 1, IPC_CREAT | 0600));
	pid_t pid;

	pid = (pid_t)MUST(fork());
	if (pid == 0)
		_exit(operate(id, 0, 7, SEM_UNDO) == 0 && semctl(id, 0, GETVAL) == 7);
	say_status("child", wait_for(pid));
	SEE(semctl(id, 0, GETVAL));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		operate(id, 0, -1, 0);
		_exit(errno == EIDRM ? 43 : errno);
	}
	while (semctl(id, 0, GETNCNT) == 0)
		usleep(1000);
	SEE(semctl(id, 0, IPC_RMID));
	say_status("sleeper", wait_for(pid));
}

static void ring(int sig)
{
	(void)sig;
}

static void interrupted(void)
{
	struct sigaction action = {.sa_handler = ring, .sa_flags = SA_RESTART};
	int id = ID(semget(IPC_PRIVATE, 1, 0600));
	int queue = ID(msgget(IPC_PRIVATE, 0600));
	struct message message;

	MUST(sigaction(SIGALRM, &action, NULL));
	ualarm(20000, 0);
	SEE(operate(id, 0, -1, 0));
	ualarm(20000, 0);
	SEE(msgrcv(queue, &message, sizeof(message.text), 0, 0));
}

/* ---- message queues ---- */

static void say_msg(int id)
{
	struct msqid_ds ds;

	if (msgctl(id, IPC_STAT, &ds) == -1) {
		say("IPC_STAT: %s", error_name(errno));
		return;
	}
	say_owner("IPC_STAT", &ds.msg_perm);
	say("  messages %lu room %lu stime %d rtime %d own lspid %d lrpid %d",
	    (unsigned long)ds.msg_qnum, (unsigned long)ds.msg_qbytes, ds.msg_stime != 0,
	    ds.msg_rtime != 0, ds.msg_lspid == getpid(), ds.msg_lrpid == getpid());
}

static void msg(void)
{
	struct message message = {.type = 3, .text = "hello"};
	int id = ID(msgget(KEY, IPC_CREAT | 0622));
	struct msqid_ds ds;

	say_msg(id);
	SEE(msgsnd(id, &message, 6, 0));
	message.type = 0;
	SEE(msgsnd(id, &message, 6, 0));
	message = (struct message){.type = 5, .text = "there"};
	SEE(msgsnd(id, &message, 6, IPC_NOWAIT));
	say_msg(id);
	SEE(msgrcv(id, &message, sizeof(message.text), 5, 0));
	say("type %ld: %s", message.type, message.text);
	SEE(msgrcv(id, &message, 2, 0, 0));
	SEE(msgrcv(id, &message, 2, 0, MSG_NOERROR));
	SEE(msgrcv(id, &message, 2, 0, IPC_NOWAIT));
	MUST(msgctl(id, IPC_STAT, &ds));
	ds.msg_qbytes = 100;
	ds.msg_perm.mode = 0611;
	SEE(msgctl(id, IPC_SET, &ds));
	say_msg(id);
	ds.msg_qbytes = 1UL << 30;
	SEE(msgctl(id, IPC_SET, &ds));
	SEE(msgctl(id, 99, NULL));
	SEE(msgctl(id, IPC_RMID, NULL));
	SEE(msgsnd(id, &message, 6, 0));
	SEE(msgrcv(id, &message, 6, 0, 0));
	SEE(msgctl(id, IPC_RMID, NULL));
}

/* ---- all objects ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The kernel's order depends on the objects of others. */
static void say_lines(const char *name, FILE *file)
{
	const bool is_sem = strcmp(name, "sem") == 0;
	char lines[8][128];
	size_t count = 0;
	char line[512];

	while (count < COUNT(lines) && fgets(line, sizeof(line), file)) {
		long key;
		unsigned long perms;
		long f[8];

		if (sscanf(line, "%ld %*d %lo %ld %ld %ld %ld %ld %ld %ld %ld", &key, &perms, f,
			   f + 1, f + 2, f + 3, f + 4, f + 5, f + 6, f + 7) < 9)
			broken("a line");
		snprintf(lines[count++], sizeof(lines[0]),
			 "%s: key %ld perms %lo, %zu characters; %ld %ld %ld %ld", name, key, perms,
			 strlen(line), f[is_sem ? 1 : 4], f[is_sem ? 2 : 5], f[is_sem ? 3 : 6],
			 f[is_sem ? 4 : 7]);
	}
	qsort(lines, count, sizeof(lines[0]), by_text);
	for (size_t i = 0; i < count; i++)
		puts(lines[i]);
}

static void say_files(void)
{
	const char *const names[] = {"shm", "sem", "msg"};

	for (size_t i = 0; i < COUNT(names); i++) {
		char path[64];
		char line[512];
		FILE *file;

		snprintf(path, sizeof(path), "/proc/sysvipc/%s", names[i]);
		file = fopen(path, "r");
		if (file == NULL || !fgets(line, sizeof(line), file))
			broken(path);
		fputs(line, stdout);
		say_lines(names[i], file);
		fclose(file);
	}
}

static void say_indexes(void)
{
	struct shm_info shm_info;
	struct seminfo sem_info;
	struct msginfo msg_info;
	struct shmid_ds shm_ds;
	struct semid_ds sem_ds;
	struct msqid_ds msg_ds;
	union semun arg = {.__buf = &sem_info};
	int found = 0;
	int last = shmctl(0, SHM_INFO, (struct shmid_ds *)&shm_info);

	for (int i = 0; i <= last; i++)
		found += shmctl(i, SHM_STAT, &shm_ds) >= 0;
	say("shm: %d used, %d found, %lu pages", shm_info.used_ids, found, shm_info.shm_tot);
	last = semctl(0, 0, SEM_INFO, arg);
	arg.buf = &sem_ds;
	found = 0;
	for (int i = 0; i <= last; i++)
		found += semctl(i, 0, SEM_STAT, arg) >= 0;
	say("sem: %d used, %d found, %d semaphores", sem_info.semusz, found, sem_info.semaem);
	last = msgctl(0, MSG_INFO, (struct msqid_ds *)&msg_info);
	found = 0;
	for (int i = 0; i <= last; i++)
		found += msgctl(i, MSG_STAT, &msg_ds) >= 0;
	say("msg: %d used, %d found, %d messages of %d bytes", msg_info.msgpool, found,
	    msg_info.msgmap, msg_info.msgtql);
	say("IPC_INFO: %d %d", shmctl(0, IPC_INFO, &shm_ds) >= 0,
	    semctl(0, 0, IPC_INFO, (union semun){.__buf = &sem_info}) >= 0);
}

static int queue_id;
static int shm_id;
static int sem_id;

static void walks(void)
{
	struct message message = {.type = 3, .text = "hello"};
	struct shmid_ds ds;
	int found = 0;

	say_files();
	say_indexes();
	shm_id = (int)MUST(shmget(KEY, 10000, IPC_CREAT | 0604));
	MUST(shmget(IPC_PRIVATE, 1, 0600));
	MUST(shmget(KEY + 5, 0, 0) == -1 ? 0 : -1);
	sem_id = (int)MUST(semget(KEY, 2, IPC_CREAT | 0640));
	MUST(semget(-7, 5, IPC_CREAT | 0600));
	queue_id = (int)MUST(msgget(KEY + 1, IPC_CREAT | 0600));
	MUST(msgsnd(queue_id, &message, 6, 0));
	say_files();
	say_indexes();
	for (int i = 0; i <= shmctl(0, SHM_INFO, &ds); i++)
		found += shmctl(i, SHM_STAT_ANY, &ds) == shm_id && ds.shm_segsz == 10000;
	say("by SHM_STAT_ANY: %d", found);
	SEE(shmctl(-1, SHM_STAT, &ds));
	ID(shmctl(1 << 30, SHM_STAT, &ds));
	SEE(shmctl(1 << 30, IPC_STAT, &ds));
	as(USER, TEAM, say_indexes);
	as(USER, TEAM, say_files);
	MUST(shmctl(shm_id, IPC_RMID, NULL));
	MUST(semctl(sem_id, 0, IPC_RMID));
	say_files();
	say_indexes();
}

/* ---- who may ---- */

static void use(void)
{
	struct message message = {.type = 3, .text = "hello"};
	struct shmid_ds ds = {.shm_perm = {.mode = 0666}};
	struct semid_ds sem_ds;
	union semun arg = {.buf = &sem_ds};

	ID(shmget(KEY, 0, 0));
	ID(shmget(KEY, 0, 0400));
	ID(shmget(KEY, 0, 0600));
	ID(shmget(KEY, 0, 0006));
	ID(shmget(KEY, 0, IPC_CREAT | IPC_EXCL));
	AT(shmat(shm_id, NULL, 0));
	AT(shmat(shm_id, NULL, SHM_RDONLY));
	AT(shmat(shm_id, NULL, SHM_RDONLY | SHM_EXEC));
	say_shm(shm_id);
	SEE(shmctl(shm_id, SHM_LOCK, NULL));
	SEE(shmctl(shm_id, IPC_SET, &ds));
	SEE(operate(sem_id, 0, 1, 0));
	SEE(operate(sem_id, 1, 0, IPC_NOWAIT));
	SEE(semctl(sem_id, 0, GETVAL));
	SEE(semctl(sem_id, 0, SETVAL, (union semun){.val = 1}));
	SEE(semctl(sem_id, 0, IPC_STAT, arg));
	SEE(msgsnd(queue_id, &message, 6, 0));
	SEE(msgrcv(queue_id, &message, 6, 0, IPC_NOWAIT));
	say_msg(queue_id);
	SEE(msgctl(queue_id, IPC_RMID, NULL));
	SEE(shmctl(shm_id, IPC_RMID, NULL));
	SEE(semctl(sem_id, 0, IPC_RMID));
}

static void make_all(unsigned mode)
{
	say("mode %04o", mode);
	shm_id = (int)MUST(shmget(KEY, 100, IPC_CREAT | IPC_EXCL | (int)mode));
	sem_id = (int)MUST(semget(KEY, 2, IPC_CREAT | IPC_EXCL | (int)mode));
	queue_id = (int)MUST(msgget(KEY, IPC_CREAT | IPC_EXCL | (int)mode));
}

static void remove_all(void)
{
	shmctl(shm_id, IPC_RMID, NULL);
	semctl(sem_id, 0, IPC_RMID);
	msgctl(queue_id, IPC_RMID, NULL);
}

static void permissions(void)
{
	const unsigned modes[] = {0600, 0640, 0604, 0666, 0};

	for (size_t i = 0; i < COUNT(modes); i++) {
		make_all(modes[i]);
		as(USER, TEAM, use);
		as(USER, 0, use);
		remove_all();
	}
	make_all(0200);
	use();
	remove_all();
}

static void make_as_user(void)
{
	make_all(0400);
	use();
	ID(msgget(KEY + 1, IPC_CREAT | 0600));
	ID(semget(KEY + 1, 2, IPC_CREAT | 0));
	ID(shmget(KEY + 1, 100, IPC_CREAT | 0060));
}

/* Objects of a user: root without its capabilities may not use them, nor change them. */
static void users(void)
{
	as(USER, TEAM, make_as_user);
	queue_id = ID(msgget(KEY + 1, 0));
	sem_id = ID(semget(KEY + 1, 0, 0));
	shm_id = ID(shmget(KEY + 1, 0, 0));
	use();
	as(OTHER, TEAM, use);
	as(OTHER, OTHER, use);
	as(USER, OTHER, use);
}

static void give(void)
{
	struct shmid_ds ds;
	struct semid_ds sem_ds;
	struct msqid_ds msg_ds;
	union semun arg = {.buf = &sem_ds};

	MUST(shmctl(shm_id, IPC_STAT, &ds));
	ds.shm_perm.uid = USER;
	ds.shm_perm.gid = TEAM;
	ds.shm_perm.mode = 07654;
	SEE(shmctl(shm_id, IPC_SET, &ds));
	say_shm(shm_id);
	MUST(semctl(sem_id, 0, IPC_STAT, arg));
	sem_ds.sem_perm.uid = USER;
	SEE(semctl(sem_id, 0, IPC_SET, arg));
	say_sem(sem_id);
	MUST(msgctl(queue_id, IPC_STAT, &msg_ds));
	msg_ds.msg_perm.gid = TEAM;
	SEE(msgctl(queue_id, IPC_SET, &msg_ds));
	say_msg(queue_id);
	ds.shm_perm.uid = (uid_t)-1;
	SEE(shmctl(shm_id, IPC_SET, &ds));
}

static void sets(void)
{
	make_all(0660);
	give();
	as(USER, OTHER, use);
	say_shm(shm_id);
	say_sem(sem_id);
	as(OTHER, TEAM, use);
	remove_all();
}

/* A C library for 32-bit programs reads these structures itself. */
static void faults(void)
{
	make_all(0660);
	SEE(shmctl(shm_id, IPC_STAT, (struct shmid_ds *)8));
	SEE(shmctl(shm_id, IPC_SET, (struct shmid_ds *)8));
	SEE(shmctl(shm_id, SHM_INFO, (struct shmid_ds *)8));
	SEE(shmctl(0, SHM_STAT, (struct shmid_ds *)8));
	SEE(semctl(sem_id, 0, IPC_STAT, (union semun){.array = (unsigned short *)8}));
	SEE(semctl(sem_id, 0, GETALL, (union semun){.array = (unsigned short *)8}));
	SEE(semop(sem_id, (struct sembuf *)8, 1));
	SEE(msgsnd(queue_id, (void *)8, 6, 0));
	SEE(msgctl(queue_id, IPC_SET, (struct msqid_ds *)8));
	SEE(shmctl(-1, IPC_RMID, NULL));
	AT(shmat(-1, NULL, 0));
	AT(shmat(shm_id, (void *)8, 0));
	remove_all();
}

/* What the parent has made, a child and a new program have, too. */
static void children(void)
{
	char *at;
	pid_t pid;

	make_all(0600);
	at = shmat(shm_id, NULL, 0);
	strcpy(at, "before");
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		strcpy(at, "by the child");
		_exit(shmget(KEY, 0, 0) != shm_id || operate(sem_id, 0, 4, 0) != 0);
	}
	say_status("child", wait_for(pid));
	say("%s, %d", at, semctl(sem_id, 0, GETVAL));
	pid = (pid_t)MUST(fork());
	if (pid == 0)
		_exit(execl("/proc/self/exe", "ipc", "stranger", NULL));
	say_status("program", wait_for(pid));
	say("%s, %d", at, semctl(sem_id, 0, GETVAL));
	remove_all();
}

static void stranger(void)
{
	strcpy(shmat(shmget(KEY, 0, 0), NULL, 0), "by the program");
	operate(semget(KEY, 0, 0), 0, -1, 0);
}

static void *make_private(void *ids)
{
	for (int i = 0; i < 50; i++)
		((int *)ids)[i] = shmget(IPC_PRIVATE, 10, 0600);
	return NULL;
}

static void threads(void)
{
	static int ids[200];
	pthread_t thread[4];
	int alike = 0;

	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, make_private, ids + i * 50);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < 200; i++)
		for (int k = 0; k < i; k++)
			alike += ids[i] == ids[k];
	say("alike: %d", alike);
	for (int i = 0; i < 200; i++)
		MUST(shmctl(ids[i], IPC_RMID, NULL));
	say("removed");
}

static const struct part groups[] = {
	{"shm", shm},           {"keys", keys},         {"races", races},
	{"sem", sem},           {"sleepers", sleepers}, {"interrupted", interrupted},
	{"msg", msg},           {"walks", walks},       {"permissions", permissions},
	{"users", users},       {"sets", sets},         {"faults", faults},
	{"children", children}, {"stranger", stranger}, {"threads", threads},
};

int main(int argc, char **argv)
{
	return run_group(argc, argv, groups, COUNT(groups));
}
