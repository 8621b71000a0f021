/* SPDX-License-Identifier: MIT */
/*
 * profile_filter.h - the kernel's part of a user's seccomp profile.
 */
#ifndef SB_PROFILE_FILTER_H
#define SB_PROFILE_FILTER_H

#include "base/abi.h"
#include "base/base.h"

/* Install the container's profile over the runtime's own filter, if it has one. */
int sb_profile_install(const struct sb_control *control) SB_MUST_CHECK;

#endif
