# SPDX-License-Identifier: MIT
"""What the kernel keeps a container from: whether the fence stands, and whether it must.

The fence is Landlock for files, and a seccomp filter for calls that bypass the runtime.

Rules: a container that must be confined does not start without the fence. What is said about the
fence comes from the kernel's own answer, not from its version.

Must not know: how the fence is built (csrc/entry/landlock.c, seccomp_filter.c).
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from sandbox.errors import RuntimeFailed
from sandbox.models.record import Record
from sandbox.models.security import BUILTIN, UNCONFINED
from sandbox.native import probe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.models.security import Security
    from sandbox.runtime.interceptor import Choice
    from sandbox.store.layout import Layout

# For tests of attacks: a container without the fence (1), or without one part of it.
UNFENCED = "SANDBOX_TEST_UNFENCED"
# For tests: a processor without the instructions that AT_HWCAP2 tells of (FSGSBASE).
OLD_PROCESSOR = "SANDBOX_TEST_OLD_PROCESSOR"
# What each ABI of Landlock added, in the words of docs/threat-model.md.
_SINCE = (
    (1, "files"),
    (3, "truncation"),
    (4, "TCP connections"),
    (5, "ioctl of devices"),
    (6, "signals and abstract sockets"),
)


class Fence(Record, frozen=True):
    """The kernel's fence as it would stand around a container that starts now.

    *landlock* is the ABI in use, 0 if Landlock does not stand; *problem* says why something is
    missing, and is empty if nothing is.
    """

    landlock: int
    seccomp: bool
    problem: str = ""

    @property
    def stands(self) -> bool:
        """Return whether both parts stand."""
        return self.landlock > 0 and self.seccomp


def leaves_out(env: Mapping[str, str], part: Literal["landlock", "filter"]) -> bool:
    """Tell whether a test wants a container without this part of the fence.

    Without "filter", the filter refuses nothing to calls that bypass the runtime.
    """
    return env.get(UNFENCED, "") in ("1", part)


def fence(env: Mapping[str, str], way: Choice | None = None) -> Fence:
    """Return what stands for a container whose calls are intercepted in this *way*.

    Without a *way*, seccomp is taken to stand.
    """
    seccomp = way is None or not way.steps
    if leaves_out(env, "landlock"):
        return Fence(0, seccomp, f"{UNFENCED} is set")
    abi = probe.landlock()
    if leaves_out(env, "filter"):
        return Fence(max(abi, 0), False, f"{UNFENCED} is set")
    if abi < 1:
        reason = os.strerror(-abi)
        missing = abi in (-errno.ENOSYS, -errno.EOPNOTSUPP)
        where = "this kernel has no Landlock" if missing else "Landlock is refused here"
        return Fence(0, seccomp, f"{where} ({reason})")
    problem = "" if seccomp else "no seccomp filter may be installed here"
    return Fence(abi, seccomp, problem)


def covered(abi: int) -> list[str]:
    """Return what Landlock of this ABI covers.

    >>> covered(3)
    ['files', 'truncation']
    """
    return [what for since, what in _SINCE if abi >= since]


def danger(found: Fence) -> str:
    """Return the warning about a fence that does not stand; empty if it stands."""
    if found.stands:
        return ""
    return (
        f"{found.problem}: the kernel does not keep a hostile program in a container from your "
        "other files; see docs/threat-model.md"
    )


def is_required(*stores: Layout) -> bool:
    """Return whether one of the stores demands the fence."""
    written = [store for store in stores if os.path.lexists(store.settings)]
    if not written:
        return False
    from sandbox.store import settings

    return any(settings.read(store).require_confinement for store in written)


def check(security: Security, stores: Iterable[Layout], found: Fence) -> None:
    """Raise `RuntimeFailed` if the container must be confined and would not be.

    *stores* are the container's own, and that of its image.
    """
    if not found.stands and (security.require_confinement or is_required(*stores)):
        raise RuntimeFailed(f"confinement is required and does not stand: {found.problem}")


def first_warning(layout: Layout, env: Mapping[str, str]) -> str:
    """Return the warning about a missing fence at the first use of a store; afterwards "".

    A file in the store remembers that the user was told.
    """
    if layout.unconfined.exists():
        return ""
    text = danger(fence(env))
    if text:
        with suppress(OSError):  # then the user is told again
            layout.root.mkdir(0o700, parents=True, exist_ok=True)
            layout.unconfined.touch()
    return text


def program_of(security: Security) -> bytes:
    """Return the filter program of the user's seccomp profile; empty if there is none.

    Raises UsageError.
    """
    if security.profile in (BUILTIN, UNCONFINED):
        return b""
    from sandbox.runtime.seccomp.bpf import compile_profile
    from sandbox.runtime.seccomp.profile import parse_profile

    machine = os.uname()
    return compile_profile(
        parse_profile(
            security.profile,
            machine=machine.machine,
            release=machine.release,
            capabilities=security.capabilities,
        )
    )
