/* SPDX-License-Identifier: MIT */
/*
 * settings.c - lower what the user's store demands of its containers.
 *
 *   settings STORE (of the host; settings.toml lies in it)
 */
#include "attack.h"

static char store[PATH_MAX];

static long at(const char *name)
{
	static char paths[2][PATH_MAX + 32];
	static unsigned next;
	char *path = paths[next++ % 2];

	snprintf(path, sizeof(paths[0]), "%s/%s", store, name);
	return (long)path;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	snprintf(store, sizeof(store), "%s", argv[1]);
	attempt("open the settings", PAST(SYS_openat, AT_FDCWD, at("settings.toml"), O_WRONLY));
	attempt("truncate the settings", PAST(SYS_truncate, at("settings.toml"), 0));
	attempt("hide the warning", PAST(SYS_openat, AT_FDCWD, at("unconfined"), O_CREAT, 0600));
	attempt("move the settings", PAST(SYS_rename, at("settings.toml"), at("moved")));
	return 0;
}
