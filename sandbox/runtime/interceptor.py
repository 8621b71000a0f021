# SPDX-License-Identifier: MIT
"""How a container's system calls are intercepted: choose a way that the machine allows.

===========  ================================================================
rewrite      a seccomp filter raises SIGSYS; hot call sites are rewritten
trap         the same without rewriting
ptrace       a tracer redirects the calls that the filter shows to it
===========  ================================================================

``auto`` is the first that works. The result of one try is remembered beside the run
directories until the next boot, for this kernel and the seccomp filters around this process.

Rules: a remembered choice costs the reading of two small files.

Does not know: how any of the ways works.
"""

from __future__ import annotations

import json
import os
from _thread import get_native_id
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import RuntimeFailed, SandboxError
from sandbox.models.record import Record, plain
from sandbox.native.probe import Probe, probe
from sandbox.runtime import rundir

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = ("auto", "rewrite", "trap", "ptrace")
_MEMORY = "interceptor"


class Choice(Record, frozen=True):
    """A way of intercepting calls, and why it was chosen.

    *steps*: without seccomp the tracer must stop at every call.
    """

    name: str
    why: str
    rewrite: bool = False
    traced: bool = False
    steps: bool = False


def choose(wanted: str, env: Mapping[str, str]) -> Choice:
    """Return how to intercept calls; *wanted* is one of `NAMES`."""
    if wanted == "auto":
        return _remembered(env) or refresh(env)
    if wanted == "ptrace":
        return Choice("ptrace", "asked for", traced=True, steps=env.get(_NO_SECCOMP) == "1")
    return Choice(wanted, "asked for", rewrite=wanted == "rewrite")


# For tests: how a container runs where seccomp is forbidden.
_NO_SECCOMP = "SANDBOX_NO_SECCOMP"


def refresh(env: Mapping[str, str]) -> Choice:
    """Try the ways, choose one, and remember the choice."""
    choice = decide(probe())
    _remember(choice, env)
    return choice


def decide(found: Probe) -> Choice:
    """Return the best way that works.

    >>> decide(Probe(0, 0, 0, 0, 0, 7)).name
    'rewrite'
    >>> decide(Probe(0, 0, 0, 0, 13, 7)).why
    'code may not be written here (Permission denied), so call sites are not rewritten'
    >>> decide(Probe(1, 1, 0, 0, 0, 7))
    Choice(name='ptrace', why='no seccomp filter may be installed here (Operation not permitted); \
every call is stopped', rewrite=True, traced=True, steps=True)
    """
    writes = found.exec_memory == 0
    if found.address:
        raise RuntimeFailed(
            "containers cannot run here: the addresses of the runtime are not free "
            f"({os.strerror(found.address)})"
        )
    if found.trap == 0 and writes:
        return Choice("rewrite", "the fastest, and all it needs is allowed", rewrite=True)
    if found.trap == 0:
        reason = os.strerror(found.exec_memory)
        return Choice(
            "trap", f"code may not be written here ({reason}), so call sites are not rewritten"
        )
    if found.ptrace:
        raise RuntimeFailed(
            "system calls cannot be caught here: a seccomp filter is refused "
            f"({os.strerror(found.trap)}) and so is ptrace ({os.strerror(found.ptrace)})"
        )
    if found.filter == 0:
        why = f"the signal of a seccomp filter does not arrive here ({os.strerror(found.trap)})"
        return Choice("ptrace", why, rewrite=writes, traced=True)
    reason = os.strerror(found.filter)
    why = f"no seccomp filter may be installed here ({reason}); every call is stopped"
    return Choice("ptrace", why, rewrite=writes, traced=True, steps=True)


def _key() -> str:
    """Return what the result depends on: the kernel, and the filters around this process."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        filters = [line.split(":")[1].strip() for line in file if line.startswith("Seccomp")]
    kernel = os.uname()
    return f"{kernel.release} {kernel.version} {' '.join(filters)}"


def _remembered(env: Mapping[str, str]) -> Choice | None:
    try:
        with open(f"{rundir.base_dir(env)}/{_MEMORY}", "rb") as file:
            key, choice = json.loads(file.read())
            known = Choice(**choice)
    except (OSError, ValueError, TypeError, SandboxError):
        return None
    return known if key == _key() and known.name in NAMES else None


def _remember(choice: Choice, env: Mapping[str, str]) -> None:
    with suppress(OSError, SandboxError):  # the file only saves time
        path = f"{rundir.base_dir(env)}/{_MEMORY}"
        draft = f"{path}-{get_native_id()}"
        with open(draft, "wb") as file:
            file.write(json.dumps([_key(), plain(choice)]).encode())
        os.rename(draft, path)
