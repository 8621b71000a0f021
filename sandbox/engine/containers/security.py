# SPDX-License-Identifier: MIT
"""The security options of a new container: complete them, and name those without effect.

Must not know: how the options were given.
"""

from __future__ import annotations

from sandbox.models.record import replace
from sandbox.models.security import Security, chosen_capabilities, parse_options, powerless
from sandbox.runtime.confinement import program_of


def completed(security: Security) -> tuple[Security, list[str]]:
    """Return the options with what their texts say, and each option that has no effect.

    Raises UsageError, also for a seccomp profile that cannot be used here.
    """
    add, drop = chosen_capabilities(security.cap_add, security.cap_drop)
    fields, idle = parse_options(security.options)
    security = replace(security, cap_add=add, cap_drop=drop, **fields)
    program_of(security)  # a wrong profile is refused now, and not at the start
    idle += [f"--cap-add {name}" for name in powerless(security)]
    if security.privileged:
        idle.append("--privileged beyond the capabilities of the emulated root")
    return security, idle
