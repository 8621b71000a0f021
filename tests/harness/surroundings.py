# SPDX-License-Identifier: MIT
"""Give the tests the same surroundings, whoever starts them.

A process inherits signal dispositions, a signal mask, resource limits, a umask and an
environment, and passes them on to every program that it starts. A container begins with
defaults, so a program that runs natively beside it must begin with defaults, too. All of
them are settled once, before the first test.

Does not know: pytest, or who starts what.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import time
from collections.abc import Iterable, Mapping

SYS_RT_SIGACTION = 13
# glibc keeps these two for itself: neither sigaction() nor Python may touch them.
LIBRARY_SIGNALS = (32, 33)

UMASK = 0o022
# Soft limits of a machine just installed; every other one is raised to its hard limit.
SOFT_LIMITS = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_NOFILE: 1024,
    resource.RLIMIT_STACK: 8 << 20,
}
HIGHEST_LIMITS = (
    resource.RLIMIT_AS,
    resource.RLIMIT_CPU,
    resource.RLIMIT_DATA,
    resource.RLIMIT_FSIZE,
    resource.RLIMIT_MEMLOCK,
    resource.RLIMIT_NPROC,
)

# The environment of the tests: what says how to run them and where programs lie, and nothing
# that a program under test obeys.
KEPT = {
    "CI",  # pytest shows whole differences there
    "COVERAGE_PROCESS_START",
    "HYPOTHESIS_PROFILE",
    "LOGNAME",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPATH",
    "TMPDIR",
    "USER",
}
KEPT_PREFIXES = ("PYTEST_", "SANDBOX_FUZZ_", "SANDBOX_TEST_")
GIVEN = {
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
    "PYTHONSAFEPATH": "1",  # no module of the working directory hides one of Python's
    "TZ": "UTC",
}


def put_in_order(passed_over: Iterable[int] = ()) -> list[int]:
    """Settle everything; return the signals that this process passes over.

    Those are the ones that were ignored at the start, and *passed_over*.
    """
    os.umask(UMASK)
    set_limits()
    os.environ.update(settled := settled_environment(os.environ))
    for name in os.environ.keys() - settled.keys():
        del os.environ[name]
    time.tzset()
    return default_signals(passed_over)


def default_signals(passed_over: Iterable[int] = ()) -> list[int]:
    """Let children begin with default dispositions and an empty mask.

    A signal that is ignored stays without effect on this process (it runs under nohup, say),
    but by a handler: execve(2) keeps what is ignored and resets what is handled.
    """
    handled = {number for number in signal.valid_signals() if is_ignored(number)} | {*passed_over}
    for number in handled:
        signal.signal(number, _pass_over)
    libc = ctypes.CDLL(None)
    for number in LIBRARY_SIGNALS:
        libc.syscall(SYS_RT_SIGACTION, number, bytes(32), None, 8)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    return sorted(map(int, handled))


def is_ignored(number: int) -> bool:
    return signal.getsignal(number) is signal.SIG_IGN


def _pass_over(_number: int, _frame: object) -> None:
    """Do nothing, which is not the same as to ignore the signal: see above."""


def set_limits() -> None:
    """Set the soft limits, as far as the hard ones allow."""
    for which in (*SOFT_LIMITS, *HIGHEST_LIMITS):
        _, hard = resource.getrlimit(which)
        soft = SOFT_LIMITS.get(which, hard)
        if hard != resource.RLIM_INFINITY:
            soft = min(soft, hard)
        with contextlib.suppress(ValueError, OSError):  # a limit that this kernel keeps to itself
            resource.setrlimit(which, (soft, hard))


def settled_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that the tests run with, made of the one that they were given."""
    kept = {
        name: value
        for name, value in environ.items()
        if name in KEPT or name.startswith(KEPT_PREFIXES)
    }
    return {**kept, **GIVEN, "PATH": settled_path(environ.get("PATH", os.defpath))}


def settled_path(path: str) -> str:
    """Return the absolute folders of *path* that exist, each once."""
    folders = dict.fromkeys(path.split(":"))
    return ":".join(folder for folder in folders if folder[:1] == "/" and os.path.isdir(folder))
