/* SPDX-License-Identifier: MIT */
/*
 * entries.c - addresses of the code by which control enters and leaves the runtime.
 */
#include "guest/entries.h"

const struct sb_entries *sb_entries;
