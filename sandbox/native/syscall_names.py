# SPDX-License-Identifier: MIT
"""The numbers of system calls on this processor.

Must not know: which of them a container may make.
"""

from __future__ import annotations

from sandbox.native._native import ffi, lib


def number_of(name: str) -> int | None:
    """Return the number of a system call; None if this processor has no such call.

    >>> number_of("read"), number_of("no_such_call"), number_of("réad")
    (0, None, None)
    """
    found: int = lib.sb_hosted_syscall(ffi.new("char[]", name.encode("utf-8", "replace")))
    return found if found >= 0 else None
